/* What a node says: attributes and inputs, checked for presence and type. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "engine/io/onnx_import.h"

const Onnx__AttributeProto *pare_onnx_attr_find(const struct pare_onnx_node *node, const char *name)
{
	for (size_t i = 0; i < node->proto->n_attribute; i++)
		if (node->proto->attribute[i]->name && strcmp(node->proto->attribute[i]->name, name) == 0)
			return node->proto->attribute[i];
	return NULL;
}

static int wrong_type(struct pare_onnx_import *import, const char *name, const char *wanted)
{
	return pare_error_set(import->error, PARE_E_FORMAT, "attribute '%s' is not %s", name, wanted);
}

int pare_onnx_attr_int(struct pare_onnx_import *import, const struct pare_onnx_node *node, const char *name,
                       int64_t fallback, int64_t *out)
{
	const Onnx__AttributeProto *attribute = pare_onnx_attr_find(node, name);
	*out = fallback;
	if (!attribute)
		return PARE_OK;
	if (!attribute->has_i)
		return wrong_type(import, name, "an integer");
	*out = attribute->i;
	return PARE_OK;
}

int pare_onnx_attr_float(struct pare_onnx_import *import, const struct pare_onnx_node *node, const char *name,
                         float fallback, float *out)
{
	const Onnx__AttributeProto *attribute = pare_onnx_attr_find(node, name);
	*out = fallback;
	if (!attribute)
		return PARE_OK;
	if (!attribute->has_f)
		return wrong_type(import, name, "a number");
	*out = attribute->f;
	return PARE_OK;
}

int pare_onnx_attr_text(struct pare_onnx_import *import, const struct pare_onnx_node *node, const char *name,
                        const char *fallback, char out[PARE_ONNX_ATTR_TEXT_SIZE])
{
	const Onnx__AttributeProto *attribute = pare_onnx_attr_find(node, name);
	if (attribute && !attribute->has_s)
		return wrong_type(import, name, "text");
	const char *text = attribute ? (const char *)attribute->s.data : fallback;
	size_t length = attribute ? attribute->s.len : strlen(fallback);
	if (length >= PARE_ONNX_ATTR_TEXT_SIZE)
		length = PARE_ONNX_ATTR_TEXT_SIZE - 1;
	for (size_t i = 0; i < length; i++)
		out[i] = text[i] >= 0x20 && text[i] < 0x7f ? text[i] : '?';
	out[length] = '\0';
	return PARE_OK;
}

struct pare_onnx_value *pare_onnx_input(const struct pare_onnx_node *node, int input)
{
	return input >= 0 && input < node->n_inputs ? node->inputs[input] : NULL;
}

int pare_onnx_ints(struct pare_onnx_import *import, const struct pare_onnx_node *node, int input, const char *attribute,
                   struct pare_onnx_ints *out)
{
	*out = (struct pare_onnx_ints){NULL, 0};
	if (pare_onnx_input(node, input)) {
		const struct pare_onnx_constant *constant = NULL;
		int status = pare_onnx_constant(import, node, input, PARE_ONNX_INT64, &constant);
		if (status)
			return status;
		if (constant->rank > 1)
			return pare_error_set(import->error, PARE_E_FORMAT, "input %d has rank %d; a list is needed",
			                      input, constant->rank);
		*out = (struct pare_onnx_ints){constant->ints, (size_t)constant->count};
		return PARE_OK;
	}
	const Onnx__AttributeProto *found = attribute ? pare_onnx_attr_find(node, attribute) : NULL;
	if (!found)
		return PARE_OK;
	if (!found->n_ints && found->has_type && found->type != ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS)
		return wrong_type(import, attribute, "a list of integers");
	static const int64_t none;
	*out = (struct pare_onnx_ints){found->n_ints ? found->ints : &none, found->n_ints};
	return PARE_OK;
}

int pare_onnx_activation(struct pare_onnx_import *import, const struct pare_onnx_node *node, int input, int *value)
{
	const struct pare_onnx_value *found = pare_onnx_input(node, input);
	if (!found || found->kind != PARE_ONNX_ACTIVATION)
		return pare_error_set(import->error, PARE_E_UNSUPPORTED,
		                      "input %d is %s; it must depend on the graph's input", input,
		                      found ? "a constant" : "left out");
	*value = found->value;
	return PARE_OK;
}

int pare_onnx_constant(struct pare_onnx_import *import, const struct pare_onnx_node *node, int input,
                       enum pare_onnx_type type, const struct pare_onnx_constant **out)
{
	const struct pare_onnx_value *found = pare_onnx_input(node, input);
	if (!found || found->kind != PARE_ONNX_CONSTANT)
		return pare_error_set(import->error, PARE_E_UNSUPPORTED, "input %d %s; it must be a constant", input,
		                      found ? "depends on the graph's input" : "is left out");
	if (found->constant.type != type)
		return pare_error_set(import->error, PARE_E_FORMAT, "input %d ('%.100s') does not hold %s", input,
		                      found->name, type == PARE_ONNX_FLOAT ? "real numbers" : "integers");
	*out = &found->constant;
	return PARE_OK;
}

int pare_onnx_axis(struct pare_onnx_import *import, int64_t axis, int rank, int *out)
{
	if (axis < -rank || axis >= rank)
		return pare_error_set(import->error, PARE_E_FORMAT, "axis %" PRId64 " of a tensor of rank %d", axis,
		                      rank);
	*out = (int)(axis < 0 ? axis + rank : axis);
	return PARE_OK;
}

const struct pare_shape *pare_onnx_shape(const struct pare_onnx_import *import, int value)
{
	return &import->graph->values[value].shape;
}

int pare_onnx_small(struct pare_onnx_import *import, const char *what, int64_t number, int64_t low, int32_t *out)
{
	if (number < low || number > PARE_MAX_DIMENSION)
		return pare_error_set(import->error, PARE_E_UNSUPPORTED,
		                      "%s %" PRId64 "; %" PRId64 " to %d are supported", what, number, low,
		                      PARE_MAX_DIMENSION);
	*out = (int32_t)number;
	return PARE_OK;
}

char *pare_onnx_ints_text(const int64_t *values, size_t count, char *text, size_t size)
{
	size_t at = (size_t)snprintf(text, size, "[");
	for (size_t i = 0; i < count && at + 32 < size; i++)
		at += (size_t)(values[i] == PARE_ONNX_BATCH
		                       ? snprintf(text + at, size - at, "%sN", i ? ", " : "")
		                       : snprintf(text + at, size - at, "%s%" PRId64, i ? ", " : "", values[i]));
	snprintf(text + at, size - at, "]");
	return text;
}
