/*
 * "One writer at a time", across processes: flock() on a small file that holds the owner's process id in text. The
 * kernel gives the lock up when the owner ends, however it ends, so a lock never has to be broken by hand. The file
 * stays behind, empty: deleting it would let two processes each lock a file of that name.
 */
#ifndef PARE_EXPERIMENTS_FILE_LOCK_H
#define PARE_EXPERIMENTS_FILE_LOCK_H

#include "engine/base/status.h"

/* Takes the lock into *descriptor. PARE_E_IO names the process that holds it, or what the operating system refused. */
int pare_file_lock(const char *path, int *descriptor, struct pare_error *error);
void pare_file_unlock(int descriptor); /* negative is fine */

#endif
