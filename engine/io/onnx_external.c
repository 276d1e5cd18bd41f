/*
 * Weights in files beside the model (data_location = EXTERNAL). `location` comes from an untrusted file: it is
 * relative, has no
 * ".." and must lead, links resolved, to a regular file in the model's folder. Each file is read once.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/file.h"
#include "engine/base/memory.h"
#include "engine/io/onnx.h"
#include "engine/io/onnx_import.h"

struct pare_onnx_external {
	struct pare_onnx_external *next;
	const char *location; /* in the unpacked file */
	struct pare_bytes bytes;
};

static const char *entry(const Onnx__TensorProto *tensor, const char *key)
{
	for (size_t i = 0; i < tensor->n_external_data; i++) {
		const Onnx__StringStringEntryProto *pair = tensor->external_data[i];
		if (pair->key && pair->value && strcmp(pair->key, key) == 0)
			return pair->value;
	}
	return NULL;
}

/* A plain decimal number; `fallback` when the key is absent. */
static int number_entry(struct pare_onnx_import *import, const Onnx__TensorProto *tensor, const char *key,
                        size_t fallback, size_t *out)
{
	const char *text = entry(tensor, key);
	*out = fallback;
	if (!text)
		return PARE_OK;
	errno = 0;
	char *end;
	unsigned long long number = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || number > PARE_ONNX_MAX_FILE_BYTES)
		return pare_error_set(import->error, PARE_E_FORMAT,
		                      "the %s of external data is '%.40s'; it is a number of bytes, at most %zu", key,
		                      text, PARE_ONNX_MAX_FILE_BYTES);
	*out = (size_t)number;
	return PARE_OK;
}

static bool leaves_folder(const char *location)
{
	if (!*location || *location == '/')
		return true;
	for (const char *part = location; part; part = strchr(part, '/'), part += part != NULL)
		if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || !part[2]))
			return true;
	return false;
}

/* Links inside the folder may still lead outside: compare where both really are. */
static bool really_inside(const char *directory, const char *path)
{
	char *folder = realpath(directory, NULL), *target = realpath(path, NULL);
	size_t length = folder ? strlen(folder) : 0;
	bool inside = folder && target && strncmp(folder, target, length) == 0 &&
	              (target[length] == '/' || strcmp(folder, "/") == 0);
	free(folder);
	free(target);
	return inside;
}

static int read_file(struct pare_onnx_import *import, const char *location, struct pare_bytes *bytes)
{
	size_t read_bytes = 0;
	for (const struct pare_onnx_external *file = import->external; file; file = file->next)
		read_bytes += file->bytes.size;
	char *path = pare_path_join(import->directory, location);
	int status;
	if (!path)
		status = pare_error_set(import->error, PARE_E_NOMEM, "out of memory");
	else if (!pare_file_exists(path))
		status = pare_error_set(import->error, PARE_E_NOT_FOUND,
		                        "external data: no file '%.200s' beside the model", location);
	else if (!really_inside(import->directory, path))
		status = pare_error_set(import->error, PARE_E_INVALID,
		                        "external data '%.200s' is a link that leaves the model's folder", location);
	else
		status = pare_file_read(path, PARE_ONNX_MAX_FILE_BYTES - read_bytes, bytes, import->error);
	free(path);
	return status;
}

static int open_file(struct pare_onnx_import *import, const char *location, const struct pare_onnx_external **out)
{
	for (*out = import->external; *out; *out = (*out)->next)
		if (strcmp((*out)->location, location) == 0)
			return PARE_OK;
	struct pare_bytes bytes;
	int status = read_file(import, location, &bytes);
	if (status)
		return status;
	struct pare_onnx_external *file = pare_calloc(1, sizeof(*file));
	if (!file) {
		pare_bytes_release(&bytes);
		return pare_error_set(import->error, PARE_E_NOMEM, "out of memory");
	}
	*file = (struct pare_onnx_external){.next = import->external, .location = location, .bytes = bytes};
	import->external = file;
	*out = file;
	return PARE_OK;
}

int pare_onnx_external_data(struct pare_onnx_import *import, const Onnx__TensorProto *tensor, unsigned char **data,
                            size_t *size)
{
	const char *location = entry(tensor, "location");
	if (!import->directory)
		return pare_error_set(import->error, PARE_E_UNSUPPORTED,
		                      "a tensor lies in an external file, and a model in memory has no folder");
	if (!location || leaves_folder(location))
		return pare_error_set(
		        import->error, PARE_E_INVALID,
		        "external data is at '%.200s'; it must be a relative path inside the model's folder",
		        location ? location : "");
	const struct pare_onnx_external *file;
	size_t offset;
	int status = open_file(import, location, &file);
	if (!status)
		status = number_entry(import, tensor, "offset", 0, &offset);
	if (status)
		return status;
	size_t rest = offset <= file->bytes.size ? file->bytes.size - offset : 0;
	status = number_entry(import, tensor, "length", rest, size);
	if (status)
		return status;
	if (offset > file->bytes.size || *size > rest)
		return pare_error_set(import->error, PARE_E_FORMAT,
		                      "external data '%.200s': %zu bytes from %zu on are wanted, the file has %zu",
		                      location, *size, offset, file->bytes.size);
	*data = file->bytes.data + offset;
	return PARE_OK;
}

void pare_onnx_external_release(struct pare_onnx_import *import)
{
	while (import->external) {
		struct pare_onnx_external *next = import->external->next;
		pare_bytes_release(&import->external->bytes);
		free(import->external);
		import->external = next;
	}
}
