#include "engine/base/file.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/memory.h"

/* One write() call; large enough that more would not be faster. */
#define WRITE_CHUNK_BYTES ((size_t)1 << 20)
#define READ_CHUNK_BYTES ((size_t)1 << 16)
/* Temporary names tried before giving up; taken ones were left by killed processes of the same number. */
#define TEMPORARY_NAMES 100

static int fail_errno(struct pare_error *error, const char *path, const char *action)
{
	enum pare_status code = errno == ENOENT ? PARE_E_NOT_FOUND : errno == ENOMEM ? PARE_E_NOMEM : PARE_E_IO;

	return pare_error_set_at(error, code, path, 0, 0, "cannot %s: %s", action, strerror(errno));
}

static int fail_limit(struct pare_error *error, const char *path, size_t limit_bytes)
{
	return pare_error_set_at(error, PARE_E_LIMIT, path, 0, 0, "is larger than the limit of %zu bytes", limit_bytes);
}

/* Non-blocking, or opening a FIFO would wait for a writer. */
static int open_regular(const char *path, int *descriptor, struct stat *info, struct pare_error *error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return fail_errno(error, path, "open");
	if (fstat(fd, info) < 0) {
		fail_errno(error, path, "examine");
		close(fd);
		return PARE_E_IO;
	}
	if (!S_ISREG(info->st_mode)) {
		close(fd);
		return pare_error_set_at(error, PARE_E_INVALID, path, 0, 0, "%s, expected a regular file",
		                         S_ISDIR(info->st_mode) ? "is a directory" : "is a device, pipe or socket");
	}
	*descriptor = fd;
	return PARE_OK;
}

/* Up to `wanted` bytes; fewer only at the end of the file. The number read, or -1 with errno. */
static ssize_t read_some(int fd, unsigned char *to, size_t wanted)
{
	size_t done = 0;

	while (done < wanted) {
		ssize_t count = read(fd, to + done, wanted - done);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return -1;
		if (count == 0)
			break;
		done += (size_t)count;
	}
	return (ssize_t)done;
}

/* Reads to the end of the file, but stops once more than limit_bytes are there. 0, or -1 with errno. */
static int read_all(int fd, size_t expected_bytes, size_t limit_bytes, struct pare_bytes *bytes)
{
	/* The size is a hint: files in /proc say 0, and a file may grow meanwhile. Asking for one byte more tells. */
	size_t capacity = 0, wanted = expected_bytes + 1;
	void *grown = NULL;
	ssize_t count;

	do {
		if (pare_array_grow(&grown, &capacity, bytes->size + wanted + 1, 1) < 0) {
			errno = ENOMEM;
			return -1;
		}
		bytes->data = pare_memory_hint(grown, capacity);
		count = read_some(fd, bytes->data + bytes->size, wanted);
		if (count < 0)
			return -1;
		bytes->size += (size_t)count;
		bytes->data[bytes->size] = '\0';
		if ((size_t)count < wanted)
			return 0;
		wanted = READ_CHUNK_BYTES;
	} while (bytes->size <= limit_bytes);
	return 0;
}

int pare_file_read(const char *path, size_t limit_bytes, struct pare_bytes *out, struct pare_error *error)
{
	struct pare_bytes bytes = {0};
	struct stat info;
	int fd = -1, status;

	*out = bytes;
	status = open_regular(path, &fd, &info, error);
	if (status < 0)
		return status;
	if ((uint64_t)info.st_size > limit_bytes)
		status = fail_limit(error, path, limit_bytes);
	else if (read_all(fd, (size_t)info.st_size, limit_bytes, &bytes) < 0)
		status = fail_errno(error, path, "read");
	else if (bytes.size > limit_bytes)
		status = fail_limit(error, path, limit_bytes);
	close(fd);
	if (status < 0)
		pare_bytes_release(&bytes);
	*out = bytes;
	return status;
}

void pare_bytes_release(struct pare_bytes *bytes)
{
	free(bytes->data);
	*bytes = (struct pare_bytes){0};
}

static int write_all(int fd, const unsigned char *bytes, size_t size)
{
	while (size) {
		ssize_t count = write(fd, bytes, size < WRITE_CHUNK_BYTES ? size : WRITE_CHUNK_BYTES);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return -1;
		bytes += count;
		size -= (size_t)count;
	}
	return 0;
}

static int sync_file(int fd)
{
	int result;

	do
		result = fsync(fd);
	while (result < 0 && errno == EINTR);
	return result;
}

/* Makes a file of a new name beside `target` with the user's umask, which mkstemp would not heed. */
static int open_temporary(const char *target, char **name)
{
	for (int attempt = 0; attempt < TEMPORARY_NAMES; attempt++) {
		int fd;

		if (asprintf(name, "%s.%ld-%d.tmp", target, (long)getpid(), attempt) < 0) {
			*name = NULL;
			errno = ENOMEM;
			return -1;
		}
		fd = open(*name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (fd >= 0)
			return fd;
		free(*name);
		*name = NULL;
		if (errno != EEXIST)
			return -1;
	}
	return -1;
}

/* "<anything>.<digits>-<digits>.tmp", as open_temporary makes them. */
static bool is_temporary(const char *name)
{
	const char *end = strstr(name, ".tmp");
	while (end && end[4])
		end = strstr(end + 1, ".tmp");
	if (!end)
		return false;
	const char *attempt = end;
	while (attempt > name && isdigit((unsigned char)attempt[-1]))
		attempt--;
	if (attempt == end || attempt == name || attempt[-1] != '-')
		return false;
	const char *process = attempt - 1;
	while (process > name && isdigit((unsigned char)process[-1]))
		process--;
	return process < attempt - 1 && process > name + 1 && process[-1] == '.';
}

void pare_file_remove_temporaries(const char *directory)
{
	DIR *folder = opendir(directory);
	struct dirent *entry;

	while (folder && (entry = readdir(folder)))
		if (is_temporary(entry->d_name))
			unlinkat(dirfd(folder), entry->d_name, 0);
	if (folder)
		closedir(folder);
}

/* Writes, syncs and closes `fd`, whatever happens. */
static int fill(int fd, const void *bytes, size_t size)
{
	int failed = write_all(fd, bytes, size) < 0 || sync_file(fd) < 0 ? errno : 0;

	if (close(fd) < 0 && !failed)
		failed = errno;
	errno = failed;
	return failed ? -1 : 0;
}

static int sync_directory(const char *directory)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC), failed = 0;

	if (fd < 0)
		return -1;
	/* EINVAL: this kind of file system cannot sync a directory; there is nothing more to do then. */
	if (sync_file(fd) < 0 && errno != EINVAL)
		failed = errno;
	close(fd);
	errno = failed;
	return failed ? -1 : 0;
}

/* The name that will be replaced: `path` with links followed, so that a link stays a link. malloc'd. */
static int find_target(const char *path, char **target, struct pare_error *error)
{
	struct stat info;

	if (stat(path, &info) == 0) {
		if (!S_ISREG(info.st_mode))
			return pare_error_set_at(error, PARE_E_INVALID, path, 0, 0,
			                         "cannot replace what is no regular file");
		*target = realpath(path, NULL);
	} else if (errno == ENOENT && path[0]) {
		*target = strdup(path);
	} else {
		return fail_errno(error, path, "write");
	}
	return *target ? PARE_OK : fail_errno(error, path, "write");
}

int pare_file_write_atomic(const char *path, const void *bytes, size_t size, struct pare_error *error)
{
	char *target = NULL, *directory = NULL, *temporary = NULL;
	int fd, status;

	status = find_target(path, &target, error);
	if (status < 0)
		return status;
	directory = pare_path_directory(target);
	if (!directory) {
		status = pare_error_set_at(error, PARE_E_NOMEM, path, 0, 0, "out of memory");
		goto done;
	}
	fd = open_temporary(target, &temporary);
	if (fd < 0) {
		status = fail_errno(error, path, "write");
		goto done;
	}
	if (fill(fd, bytes, size) < 0 || rename(temporary, target) < 0) {
		status = fail_errno(error, path, "write");
		unlink(temporary);
		goto done;
	}
	if (sync_directory(directory) < 0)
		status = fail_errno(error, path, "sync the directory, so the new file may not survive a power cut");
done:
	free(temporary);
	free(directory);
	free(target);
	return status;
}

bool pare_file_exists(const char *path)
{
	struct stat info;

	return stat(path, &info) == 0;
}

bool pare_file_is_directory(const char *path)
{
	struct stat info;

	return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

int pare_file_make_directories(const char *path, struct pare_error *error)
{
	char *prefix = strdup(path);
	int status = PARE_OK;
	size_t end = 0;

	if (!prefix)
		return pare_error_set_at(error, PARE_E_NOMEM, path, 0, 0, "out of memory");
	while (status == PARE_OK && path[end]) {
		end += strspn(path + end, "/");
		end += strcspn(path + end, "/");
		prefix[end] = '\0';
		if (mkdir(prefix, 0777) < 0 && !pare_file_is_directory(prefix))
			status = fail_errno(error, prefix, "make the directory");
		prefix[end] = path[end];
	}
	if (!path[0])
		status = pare_error_set_at(error, PARE_E_INVALID, NULL, 0, 0, "the name of a directory is empty");
	free(prefix);
	return status;
}

char *pare_path_join(const char *directory, const char *name)
{
	size_t length = strlen(directory);
	const char *slash = length && directory[length - 1] != '/' ? "/" : "";
	char *joined;

	if (name[0] == '/')
		return strdup(name);
	return asprintf(&joined, "%s%s%s", directory, slash, name) < 0 ? NULL : joined;
}

char *pare_path_directory(const char *path)
{
	/* dirname() cuts the string it is given, or answers with one of its own. */
	char *copy = strdup(path);
	char *directory = copy ? strdup(dirname(copy)) : NULL;

	free(copy);
	return directory;
}
