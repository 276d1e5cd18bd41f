/* The readers that reader_table.c lists; each is defined at the end of its own file. Users go through pare_reader_find.
 */
#ifndef PARE_ENGINE_DATA_READERS_H
#define PARE_ENGINE_DATA_READERS_H

#include "engine/data/dataset.h"

extern const struct pare_reader pare_reader_idx;
extern const struct pare_reader pare_reader_cifar10;
extern const struct pare_reader pare_reader_synthetic;

/* For readers of files: options->path must name a folder. */
int pare_reader_check_folder(const struct pare_reader_options *options, struct pare_error *error);

#endif
