/*
 * Content hashes: XXH3, 128 bits (libxxhash), as 32 lower-case hexadecimal digits.
 * For naming checkpoints and plans by what is in them; not a defence against forgery.
 */
#ifndef PARE_ENGINE_BASE_HASH_H
#define PARE_ENGINE_BASE_HASH_H

#include <stddef.h>

#define PARE_HASH_TEXT_SIZE 33 /* 32 digits and the NUL */

void pare_hash_bytes(const void *bytes, size_t size, char text[PARE_HASH_TEXT_SIZE]);

#endif
