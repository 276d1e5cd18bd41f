/*
 * Files: read whole, replace whole.
 *
 * pare_file_write_atomic: the bytes go to a temporary file beside `path`, then fsync, rename, fsync of the directory.
 * After any failure the old file is untouched and the temporary one is gone. (Only if the very last step fails, the
 * directory's fsync, is the new file already in place; the error then says that it may not survive a power cut.)
 */
#ifndef PARE_ENGINE_BASE_FILE_H
#define PARE_ENGINE_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"

struct pare_bytes {
	unsigned char *data; /* one NUL byte follows data[size - 1], not counted */
	size_t size;
};

/* Reads a regular file of at most limit_bytes. Directories, sockets, missing files: an error that names the path. */
int pare_file_read(const char *path, size_t limit_bytes, struct pare_bytes *out, struct pare_error *error);
/* The same for a file that may be gzip-compressed (by its magic bytes); limit_bytes bounds the unpacked size.
 * A truncated or damaged gzip stream is PARE_E_FORMAT. */
int pare_file_read_gz(const char *path, size_t limit_bytes, struct pare_bytes *out, struct pare_error *error);
void pare_bytes_release(struct pare_bytes *bytes);

/* A symbolic link is followed: its target is replaced. What exists and is no regular file is refused. */
int pare_file_write_atomic(const char *path, const void *bytes, size_t size, struct pare_error *error);

/* Removes what killed writers left behind in a folder: temporary files of pare_file_write_atomic. Only for a folder that
 * nobody else writes to just now. A folder that cannot be read is left alone. */
void pare_file_remove_temporaries(const char *directory);

bool pare_file_exists(const char *path);
bool pare_file_is_directory(const char *path);
/* Makes the directory and its missing parents. An existing directory is fine. */
int pare_file_make_directories(const char *path, struct pare_error *error);
/* "directory/name" into a malloc'd string; an absolute `name` is returned as it is. NULL when out of memory. */
char *pare_path_join(const char *directory, const char *name);
/* The directory part of a path ("." when there is none), malloc'd. */
char *pare_path_directory(const char *path);

#endif
