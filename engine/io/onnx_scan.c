/* The wire format: https://protobuf.dev/programming-guides/encoding. Which field is a message comes from the generated
 * descriptors. */
#include <stdbool.h>

#include "engine/io/onnx.h"
#include "engine/io/onnx_proto.h"

enum wire_type { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_LENGTH = 2, WIRE_FIXED32 = 5 };

struct scan {
	const unsigned char *begin, *at, *file_end;
	struct pare_error *error;
};

static int refuse(const struct scan *scan, const char *what)
{
	return pare_error_set(scan->error, PARE_E_FORMAT, "not a readable ONNX file: %s at byte %zu", what,
	                      (size_t)(scan->at - scan->begin));
}

/* Something goes on behind `end`, of what holds it: where that is the file's end, the rest was lost. */
static int refuse_cut(const struct scan *scan, const unsigned char *end, const char *what)
{
	return pare_error_set(scan->error, PARE_E_FORMAT, "not a readable ONNX file: %s at byte %zu%s", what,
	                      (size_t)(scan->at - scan->begin),
	                      end == scan->file_end ? "; the file is probably truncated" : "");
}

static int scan_varint(struct scan *scan, const unsigned char *end, uint64_t *value)
{
	*value = 0;
	for (unsigned shift = 0; shift < 64; shift += 7) {
		if (scan->at == end)
			return refuse_cut(scan, end, "a number is cut short");
		unsigned char byte = *scan->at++;
		*value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return PARE_OK;
	}
	return refuse(scan, "a number of more than 10 bytes");
}

static int skip(struct scan *scan, const unsigned char *end, uint64_t bytes)
{
	if (bytes > (uint64_t)(end - scan->at))
		return refuse_cut(scan, end, "a field is longer than what holds it");
	scan->at += bytes;
	return PARE_OK;
}

/* Bytes of the UTF-8 sequence that starts at text, 0 if it is not valid (overlong, surrogate, beyond U+10FFFF, NUL). */
static size_t utf8_length(const unsigned char *text, size_t left)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned char lead = text[0];
	if (lead < 0x80)
		return lead != 0;
	size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
	if (lead < 0xc2 || lead > 0xf4 || length > left)
		return 0;
	uint32_t code = lead & (0x7fu >> length);
	for (size_t i = 1; i < length; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (text[i] & 0x3f);
	}
	bool surrogate = code >= 0xd800 && code <= 0xdfff;
	return code < smallest[length] || surrogate || code > 0x10ffff ? 0 : length;
}

static int scan_text(struct scan *scan, uint64_t bytes)
{
	const unsigned char *end = scan->at + bytes;
	while (scan->at < end) {
		size_t length = utf8_length(scan->at, (size_t)(end - scan->at));
		if (!length)
			return refuse(scan, "text that is not UTF-8");
		scan->at += length;
	}
	return PARE_OK;
}

static int scan_message(struct scan *scan, const unsigned char *end, const ProtobufCMessageDescriptor *type, int depth);

/* A field with a length: a message is entered, text is checked, anything else is skipped. */
static int scan_sized(struct scan *scan, const unsigned char *end, const ProtobufCFieldDescriptor *field, int depth)
{
	uint64_t bytes;
	int status = scan_varint(scan, end, &bytes);
	if (status)
		return status;
	if (bytes > (uint64_t)(end - scan->at))
		return refuse_cut(scan, end, "a field is longer than what holds it");
	if (field && field->type == PROTOBUF_C_TYPE_MESSAGE)
		return scan_message(scan, scan->at + bytes, field->descriptor, depth + 1);
	if (field && field->type == PROTOBUF_C_TYPE_STRING)
		return scan_text(scan, bytes);
	return skip(scan, end, bytes);
}

static int scan_value(struct scan *scan, const unsigned char *end, unsigned wire, const ProtobufCFieldDescriptor *field,
                      int depth)
{
	uint64_t ignored;
	switch (wire) {
	case WIRE_VARINT:
		return scan_varint(scan, end, &ignored);
	case WIRE_FIXED64:
		return skip(scan, end, 8);
	case WIRE_FIXED32:
		return skip(scan, end, 4);
	case WIRE_LENGTH:
		return scan_sized(scan, end, field, depth);
	default:
		return refuse(scan, "an unknown kind of field");
	}
}

static int scan_message(struct scan *scan, const unsigned char *end, const ProtobufCMessageDescriptor *type, int depth)
{
	uint64_t seen = 0; /* bit i: the message field with index i of the descriptor was there */
	if (depth > PARE_ONNX_MAX_DEPTH)
		return pare_error_set(scan->error, PARE_E_LIMIT, "messages are nested deeper than %d at byte %zu",
		                      PARE_ONNX_MAX_DEPTH, (size_t)(scan->at - scan->begin));
	while (scan->at < end) {
		uint64_t tag;
		int status = scan_varint(scan, end, &tag);
		if (status)
			return status;
		if (tag >> 3 == 0 || tag >> 3 > (1u << 29) - 1)
			return refuse(scan, "an impossible field number");
		const ProtobufCFieldDescriptor *field =
		        protobuf_c_message_descriptor_get_field(type, (unsigned)(tag >> 3));
		if (field && field->type == PROTOBUF_C_TYPE_MESSAGE && field->label != PROTOBUF_C_LABEL_REPEATED) {
			uint64_t bit = (uint64_t)1 << ((size_t)(field - type->fields) % 64);
			if (seen & bit)
				return refuse(scan, "a part that may occur once occurs twice");
			seen |= bit;
		}
		status = scan_value(scan, end, tag & 7, field, depth);
		if (status)
			return status;
	}
	return PARE_OK;
}

int pare_onnx_scan(const unsigned char *bytes, size_t size, struct pare_error *error)
{
	struct scan scan = {.begin = bytes, .at = bytes, .file_end = bytes + size, .error = error};
	return scan_message(&scan, bytes + size, &onnx__model_proto__descriptor, 1);
}
