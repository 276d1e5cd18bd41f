#include "engine/base/hash.h"

#include <stdio.h>
#include <xxhash.h>

void pare_hash_bytes(const void *bytes, size_t size, char text[PARE_HASH_TEXT_SIZE])
{
	/* Canonical = big-endian: the same text on every machine, and the digits that `xxhsum -H2` prints. */
	XXH128_canonical_t canonical;

	XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes, size));
	for (size_t i = 0; i < sizeof(canonical.digest); i++)
		snprintf(text + 2 * i, 3, "%02x", canonical.digest[i]);
}
