#include "experiments/file_lock.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define PID_SIZE 24

static int refuse_held(const char *path, int descriptor, struct pare_error *error)
{
	char pid[PID_SIZE];
	ssize_t size = pread(descriptor, pid, sizeof(pid) - 1, 0), digits = 0;

	while (digits < size && isdigit((unsigned char)pid[digits]))
		digits++;
	/* between its lock and its write the owner has no name yet */
	if (digits == 0)
		return pare_error_set_at(error, PARE_E_IO, path, 0, 0, "another process is writing here");
	return pare_error_set_at(error, PARE_E_IO, path, 0, 0, "process %.*s is writing here", (int)digits, pid);
}

static int write_pid(int descriptor)
{
	char pid[PID_SIZE];
	int size = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());

	return ftruncate(descriptor, 0) == 0 && pwrite(descriptor, pid, (size_t)size, 0) == size ? 0 : -1;
}

int pare_file_lock(const char *path, int *descriptor, struct pare_error *error)
{
	int status, fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);

	if (fd < 0)
		return pare_error_set_at(error, PARE_E_IO, path, 0, 0, "cannot be opened for writing: %s",
		                         strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK)
			status = refuse_held(path, fd, error);
		else
			status = pare_error_set_at(error, PARE_E_IO, path, 0, 0, "cannot be locked: %s",
			                           strerror(errno));
		close(fd);
		return status;
	}
	if (write_pid(fd) < 0) {
		status = pare_error_set_at(error, PARE_E_IO, path, 0, 0, "cannot be written: %s", strerror(errno));
		close(fd);
		return status;
	}
	*descriptor = fd;
	return PARE_OK;
}

void pare_file_unlock(int descriptor)
{
	if (descriptor < 0)
		return;
	/* The name in the file would be wrong from now on; if it cannot be removed, the lock itself is still right. */
	if (ftruncate(descriptor, 0) < 0)
		errno = 0;
	close(descriptor);
}
