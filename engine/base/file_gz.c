#include <stdlib.h>
#include <zlib.h>

#include "engine/base/file.h"
#include "engine/base/memory.h"

/* Window of 32 KiB, and a gzip header (zlib.h, inflateInit2). */
#define GZIP_WINDOW_BITS (15 + 16)
#define OUTPUT_CHUNK_BYTES ((size_t)1 << 20)
/* zlib counts input in unsigned int. */
#define INPUT_CHUNK_BYTES ((size_t)1 << 30)

/* Room for the packed form of `unpacked` bytes that do not compress: 5 bytes a 64 KiB block, and a header with names.
 */
static size_t packed_limit(size_t unpacked)
{
	size_t extra = unpacked / 1024 + 65536;

	return unpacked > SIZE_MAX - extra ? SIZE_MAX : unpacked + extra;
}

/* Makes room for another piece of output behind out->size, and one byte for the NUL. */
static int offer_output(z_stream *stream, struct pare_bytes *out, size_t *capacity)
{
	void *grown = out->data;

	if (pare_array_grow(&grown, capacity, out->size + OUTPUT_CHUNK_BYTES + 1, 1) < 0)
		return PARE_E_NOMEM;
	out->data = grown;
	stream->next_out = out->data + out->size;
	stream->avail_out = (uInt)OUTPUT_CHUNK_BYTES;
	return PARE_OK;
}

/* Unpacks all members of a gzip file. PARE_E_FORMAT: damaged, cut short, or followed by something else. */
static int inflate_members(z_stream *stream, const struct pare_bytes *packed, size_t limit_bytes,
                           struct pare_bytes *out)
{
	size_t consumed = 0, capacity = 0;
	int state = Z_OK, status = PARE_OK;

	while (consumed < packed->size || state != Z_STREAM_END) {
		size_t input = packed->size - consumed;

		if (state == Z_STREAM_END && inflateReset(stream) != Z_OK)
			return PARE_E_FORMAT;
		status = offer_output(stream, out, &capacity);
		if (status < 0)
			return status;
		stream->next_in = packed->data + consumed;
		stream->avail_in = (uInt)(input < INPUT_CHUNK_BYTES ? input : INPUT_CHUNK_BYTES);
		state = inflate(stream, Z_NO_FLUSH);
		if (state == Z_MEM_ERROR)
			return PARE_E_NOMEM;
		/* Z_BUF_ERROR: no more input, and the stream is not at its end. */
		if (state != Z_OK && state != Z_STREAM_END)
			return PARE_E_FORMAT;
		consumed = (size_t)(stream->next_in - packed->data);
		out->size = (size_t)(stream->next_out - out->data);
		out->data[out->size] = '\0';
		if (out->size > limit_bytes)
			return PARE_E_LIMIT;
	}
	return PARE_OK;
}

static int unpack(const struct pare_bytes *packed, size_t limit_bytes, struct pare_bytes *out)
{
	z_stream stream = {0};
	int status;

	if (inflateInit2(&stream, GZIP_WINDOW_BITS) != Z_OK)
		return PARE_E_NOMEM;
	status = inflate_members(&stream, packed, limit_bytes, out);
	inflateEnd(&stream);
	if (status < 0)
		pare_bytes_release(out);
	return status;
}

int pare_file_read_gz(const char *path, size_t limit_bytes, struct pare_bytes *out, struct pare_error *error)
{
	struct pare_bytes raw;
	int status;

	status = pare_file_read(path, packed_limit(limit_bytes), &raw, error);
	*out = raw;
	if (status < 0)
		return status;
	if (raw.size >= 2 && raw.data[0] == 0x1f && raw.data[1] == 0x8b) {
		*out = (struct pare_bytes){0};
		status = unpack(&raw, limit_bytes, out);
		pare_bytes_release(&raw);
	} else if (raw.size > limit_bytes) {
		pare_bytes_release(out);
		status = PARE_E_LIMIT;
	}
	if (status == PARE_E_LIMIT)
		return pare_error_set_at(error, PARE_E_LIMIT, path, 0, 0, "is larger than the limit of %zu bytes",
		                         limit_bytes);
	if (status == PARE_E_FORMAT)
		return pare_error_set_at(error, PARE_E_FORMAT, path, 0, 0, "the gzip data is damaged or cut short");
	if (status < 0)
		return pare_error_set_at(error, PARE_E_NOMEM, path, 0, 0, "out of memory");
	return PARE_OK;
}
