/* Tensors of the file as constants: TensorProto has four places for its numbers and sixteen types. */
#include <string.h>

#include "engine/base/memory.h"
#include "engine/io/onnx_import.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "raw_data is little-endian and is used as it lies in the file"
#endif

struct tensor_type {
	int data_type;
	size_t element_bytes; /* in raw_data */
	enum pare_onnx_type type;
	bool as_it_is; /* the file's elements are ours; otherwise each is converted */
};

static const struct tensor_type tensor_types[] = {
        {ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, 4, PARE_ONNX_FLOAT, true},
        {ONNX__TENSOR_PROTO__DATA_TYPE__INT64, 8, PARE_ONNX_INT64, true},
        {ONNX__TENSOR_PROTO__DATA_TYPE__INT32, 4, PARE_ONNX_INT64, false},
        {ONNX__TENSOR_PROTO__DATA_TYPE__BOOL, 1, PARE_ONNX_INT64, false},
        {ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE, 8, PARE_ONNX_FLOAT, false},
};

static const struct tensor_type *find_type(int data_type)
{
	for (size_t i = 0; i < sizeof(tensor_types) / sizeof(*tensor_types); i++)
		if (tensor_types[i].data_type == data_type)
			return &tensor_types[i];
	return NULL;
}

static const char *type_name(int data_type)
{
	const ProtobufCEnumValue *value =
	        protobuf_c_enum_descriptor_get_value(&onnx__tensor_proto__data_type__descriptor, data_type);
	return value ? value->name : "of an unknown number";
}

void *pare_onnx_take(struct pare_onnx_import *import, size_t count, size_t size)
{
	void *memory = pare_onnx_arena_take(&import->arena, count, size);
	if (!memory && import->arena.status == PARE_E_LIMIT)
		pare_error_set(import->error, PARE_E_LIMIT, "constants computed from the file take more than %zu bytes",
		               import->arena.limit_bytes);
	else if (!memory)
		pare_error_set(import->error, PARE_E_NOMEM, "out of memory for a constant of %zu elements", count);
	return memory;
}

/* The product leaves zeros out, so that strides of an empty tensor cannot overflow either. */
int pare_onnx_constant_count(struct pare_onnx_import *import, struct pare_onnx_constant *constant)
{
	int64_t elements = 1;
	bool empty = false;
	for (int i = 0; i < constant->rank; i++) {
		int64_t dim = constant->dim[i];
		empty |= dim == 0;
		if (!pare_int64_multiply(elements, dim ? dim : 1, &elements) || elements > PARE_MAX_ELEMENTS)
			return pare_error_set(import->error, PARE_E_LIMIT,
			                      "a tensor's dimension %d is %lld; dimensions are 0 or more, with at most "
			                      "%lld elements in all",
			                      i, (long long)dim, (long long)PARE_MAX_ELEMENTS);
	}
	constant->count = empty ? 0 : elements;
	return PARE_OK;
}

int pare_onnx_constant_new(struct pare_onnx_import *import, struct pare_onnx_constant *out)
{
	int status = pare_onnx_constant_count(import, out);
	if (status)
		return status;
	size_t size = out->type == PARE_ONNX_FLOAT ? sizeof(float) : sizeof(int64_t);
	out->data = pare_onnx_take(import, (size_t)out->count, size);
	return out->data ? PARE_OK : import->arena.status;
}

static int load_dimensions(struct pare_onnx_import *import, const Onnx__TensorProto *tensor,
                           struct pare_onnx_constant *out)
{
	if (tensor->n_dims > PARE_ONNX_CONSTANT_RANK)
		return pare_error_set(import->error, PARE_E_UNSUPPORTED,
		                      "a tensor has %zu dimensions; at most %d are supported", tensor->n_dims,
		                      PARE_ONNX_CONSTANT_RANK);
	out->rank = (int)tensor->n_dims;
	for (int i = 0; i < out->rank; i++)
		out->dim[i] = tensor->dims[i];
	return pare_onnx_constant_count(import, out);
}

static int wrong_size(struct pare_onnx_import *import, const struct pare_onnx_constant *constant, size_t found,
                      size_t wanted, const char *unit)
{
	char text[128];
	return pare_error_set(import->error, PARE_E_FORMAT, "a tensor of shape %s has %zu %s of data, %zu are needed",
	                      pare_onnx_ints_text(constant->dim, (size_t)constant->rank, text, sizeof(text)), found,
	                      unit, wanted);
}

/* The numbers given one by one in a field of the tensor's type. */
static int load_fields(struct pare_onnx_import *import, const Onnx__TensorProto *tensor, struct pare_onnx_constant *out)
{
	size_t count = (size_t)out->count;
	size_t found = tensor->data_type == ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT    ? tensor->n_float_data
	               : tensor->data_type == ONNX__TENSOR_PROTO__DATA_TYPE__INT64  ? tensor->n_int64_data
	               : tensor->data_type == ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE ? tensor->n_double_data
	                                                                            : tensor->n_int32_data;
	if (found != count)
		return wrong_size(import, out, found, count, "numbers");
	switch (tensor->data_type) {
	case ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT:
		out->floats = tensor->float_data;
		return PARE_OK;
	case ONNX__TENSOR_PROTO__DATA_TYPE__INT64:
		out->ints = tensor->int64_data;
		return PARE_OK;
	}
	int status = pare_onnx_constant_new(import, out);
	if (status)
		return status;
	for (size_t i = 0; i < count; i++)
		if (out->type == PARE_ONNX_FLOAT)
			out->floats[i] = (float)tensor->double_data[i];
		else
			out->ints[i] = tensor->int32_data[i];
	return PARE_OK;
}

static void convert(const struct tensor_type *type, const unsigned char *bytes, struct pare_onnx_constant *out)
{
	for (int64_t i = 0; i < out->count; i++, bytes += type->element_bytes) {
		int32_t number;
		double real;
		if (type->data_type == ONNX__TENSOR_PROTO__DATA_TYPE__INT32) {
			memcpy(&number, bytes, sizeof(number));
			out->ints[i] = number;
		} else if (type->data_type == ONNX__TENSOR_PROTO__DATA_TYPE__BOOL) {
			out->ints[i] = *bytes != 0;
		} else {
			memcpy(&real, bytes, sizeof(real));
			out->floats[i] = (float)real;
		}
	}
}

static int load_bytes(struct pare_onnx_import *import, const struct tensor_type *type, unsigned char *bytes,
                      size_t size, struct pare_onnx_constant *out)
{
	size_t wanted = (size_t)out->count * type->element_bytes;
	if (size != wanted)
		return wrong_size(import, out, size, wanted, "bytes");
	bool aligned = (uintptr_t)bytes % type->element_bytes == 0;
	if (type->as_it_is && aligned) {
		out->data = bytes;
		return PARE_OK;
	}
	int status = pare_onnx_constant_new(import, out);
	if (status)
		return status;
	if (!type->as_it_is)
		convert(type, bytes, out);
	else if (wanted)
		memcpy(out->data, bytes, wanted);
	return PARE_OK;
}

int pare_onnx_constant_load(struct pare_onnx_import *import, const Onnx__TensorProto *tensor,
                            struct pare_onnx_constant *out)
{
	const struct tensor_type *type = find_type(tensor->data_type);
	if (!type)
		return pare_error_set(import->error, PARE_E_UNSUPPORTED,
		                      "a tensor is %s (%d); FLOAT, DOUBLE, INT64, INT32 and BOOL are supported",
		                      type_name(tensor->data_type), (int)tensor->data_type);
	if (tensor->segment)
		return pare_error_set(import->error, PARE_E_UNSUPPORTED, "a tensor is stored in segments");
	*out = (struct pare_onnx_constant){.type = type->type};
	int status = load_dimensions(import, tensor, out);
	if (status)
		return status;
	if (tensor->has_data_location && tensor->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL) {
		unsigned char *bytes;
		size_t size;
		status = pare_onnx_external_data(import, tensor, &bytes, &size);
		return status ? status : load_bytes(import, type, bytes, size, out);
	}
	if (tensor->has_raw_data)
		return load_bytes(import, type, tensor->raw_data.data, tensor->raw_data.len, out);
	return load_fields(import, tensor, out);
}
