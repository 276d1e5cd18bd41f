/*
 * Networks of a study by the hash of their content: <directory>/<hash>.onnx, written once, atomically.
 * A file is on disk before anything names it; what nobody needs any more is removed after the last record that named it
 * changed.
 */
#ifndef PARE_EXPERIMENTS_WEIGHTS_H
#define PARE_EXPERIMENTS_WEIGHTS_H

#include "engine/base/hash.h"
#include "engine/graph/graph.h"

/* Stores the network; hash [PARE_HASH_TEXT_SIZE] is the name it can be asked back by. */
int pare_weights_put(const char *directory, const struct pare_graph *graph, char *hash, struct pare_error *error);
/* PARE_E_NOT_FOUND when the file is gone, PARE_E_FORMAT when its content is not what the name says. */
int pare_weights_get(const char *directory, const char *hash, struct pare_graph **graph, struct pare_error *error);
/* A file that is not there is fine. */
void pare_weights_remove(const char *directory, const char *hash);
/* Removes every <hash>.onnx that is not among hashes [count]; other files stay. */
void pare_weights_sweep(const char *directory, const char *const *hashes, int64_t count);

#endif
