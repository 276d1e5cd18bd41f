#include "experiments/weights.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/file.h"
#include "engine/io/onnx.h"

static char *path_of(const char *directory, const char *hash)
{
	char name[PARE_HASH_TEXT_SIZE + 8];
	snprintf(name, sizeof name, "%s.onnx", hash);
	return pare_path_join(directory, name);
}

int pare_weights_put(const char *directory, const struct pare_graph *graph, char *hash, struct pare_error *error)
{
	unsigned char *bytes = NULL;
	size_t size = 0;
	char *path = NULL;
	int status = pare_onnx_write_bytes(graph, NULL, 0, &bytes, &size, error);

	if (status)
		return status;
	pare_hash_bytes(bytes, size, hash);
	path = path_of(directory, hash);
	if (!path)
		status = pare_error_set(error, PARE_E_NOMEM, "out of memory");
	else if (!pare_file_exists(path))
		status = pare_file_write_atomic(path, bytes, size, error);
	free(path);
	free(bytes);
	return status;
}

int pare_weights_get(const char *directory, const char *hash, struct pare_graph **graph, struct pare_error *error)
{
	struct pare_bytes bytes = {0};
	char found[PARE_HASH_TEXT_SIZE];
	char *path = path_of(directory, hash);
	int status;

	*graph = NULL;
	if (!path)
		return pare_error_set(error, PARE_E_NOMEM, "out of memory");
	status = pare_file_read(path, PARE_ONNX_MAX_FILE_BYTES, &bytes, error);
	if (!status) {
		pare_hash_bytes(bytes.data, bytes.size, found);
		if (strcmp(found, hash))
			status = pare_error_set_at(
			        error, PARE_E_FORMAT, path, 0, 0,
			        "the content's hash is %s: the file was changed after it was written", found);
		else
			status = pare_onnx_read_bytes(bytes.data, bytes.size, path, graph, error);
	}
	pare_bytes_release(&bytes);
	free(path);
	return status;
}

void pare_weights_remove(const char *directory, const char *hash)
{
	char *path = path_of(directory, hash);
	if (path)
		unlink(path);
	free(path);
}

static bool is_hash(const char *text, size_t length)
{
	return length == PARE_HASH_TEXT_SIZE - 1 && strspn(text, "0123456789abcdef") >= length;
}

void pare_weights_sweep(const char *directory, const char *const *hashes, int64_t count)
{
	DIR *folder = opendir(directory);
	struct dirent *entry;

	while (folder && (entry = readdir(folder))) {
		const char *dot = strrchr(entry->d_name, '.');
		char hash[PARE_HASH_TEXT_SIZE];
		bool named = false;
		if (!dot || strcmp(dot, ".onnx") || !is_hash(entry->d_name, (size_t)(dot - entry->d_name)))
			continue;
		snprintf(hash, sizeof hash, "%.*s", (int)sizeof hash - 1, entry->d_name);
		for (int64_t i = 0; i < count && !named; i++)
			named = !strcmp(hashes[i], hash);
		if (!named)
			pare_weights_remove(directory, hash);
	}
	if (folder)
		closedir(folder);
}
