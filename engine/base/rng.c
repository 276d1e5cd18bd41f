/*
 * Philox4x32-10: a 128-bit counter goes through ten rounds of a keyed bijection (Salmon et al., SC 2011, section 3.3
 * and table 2). The key is the seed; the upper half of the counter is the stream and part of the index.
 *
 *     counter = { block, index low, index high, stream }      key = { seed low, seed high }
 *
 * Distinct (seed, stream, index) therefore never share a counter: each has 2^32 blocks of four numbers of its own.
 */
#include "engine/base/rng.h"

#include <math.h>
#include <string.h>

#define PHILOX_MULTIPLIER_0 0xD2511F53u /* Salmon et al., table 2 */
#define PHILOX_MULTIPLIER_1 0xCD9E8D57u
#define PHILOX_WEYL_0 0x9E3779B9u /* golden ratio */
#define PHILOX_WEYL_1 0xBB67AE85u /* sqrt(3) - 1 */
#define PHILOX_ROUNDS 10
/* Streams are small numbers, so this bit keeps derived seeds apart from the numbers themselves. */
#define DERIVE_STREAM_BIT 0x80000000u

static void philox(const uint32_t key[2], const uint32_t counter[4], uint32_t output[4])
{
	uint32_t k0 = key[0], k1 = key[1];
	uint32_t c[4] = {counter[0], counter[1], counter[2], counter[3]};

	for (int round = 0; round < PHILOX_ROUNDS; round++) {
		uint64_t p0 = (uint64_t)PHILOX_MULTIPLIER_0 * c[0];
		uint64_t p1 = (uint64_t)PHILOX_MULTIPLIER_1 * c[2];

		c[0] = (uint32_t)(p1 >> 32) ^ c[1] ^ k0;
		c[2] = (uint32_t)(p0 >> 32) ^ c[3] ^ k1;
		c[1] = (uint32_t)p1;
		c[3] = (uint32_t)p0;
		k0 += PHILOX_WEYL_0;
		k1 += PHILOX_WEYL_1;
	}
	memcpy(output, c, sizeof(c));
}

struct pare_rng pare_rng_make(uint64_t seed, uint32_t stream, uint64_t index)
{
	return (struct pare_rng){
	        .key = {(uint32_t)seed, (uint32_t)(seed >> 32)},
	        .counter = {0, (uint32_t)index, (uint32_t)(index >> 32), stream},
	        .used = 4,
	};
}

uint32_t pare_rng_u32(struct pare_rng *rng)
{
	if (rng->used == 4) {
		philox(rng->key, rng->counter, rng->output);
		rng->counter[0]++;
		rng->used = 0;
	}
	return rng->output[rng->used++];
}

float pare_rng_uniform(struct pare_rng *rng)
{
	return (float)(pare_rng_u32(rng) >> 8) * 0x1p-24f;
}

double pare_rng_uniform_double(struct pare_rng *rng)
{
	uint64_t high = pare_rng_u32(rng) >> 5; /* 27 bits */
	uint64_t low = pare_rng_u32(rng) >> 6;  /* 26 bits */

	return (double)(high << 26 | low) * 0x1p-53;
}

double pare_rng_normal(struct pare_rng *rng)
{
	/* 1 - u is in (0, 1]: the logarithm stays finite. */
	double radius = sqrt(-2.0 * log(1.0 - pare_rng_uniform_double(rng)));
	double angle = 6.283185307179586 * pare_rng_uniform_double(rng);

	return radius * cos(angle);
}

uint32_t pare_rng_below(struct pare_rng *rng, uint32_t bound)
{
	/* 2^32 mod bound: numbers below it would make the small remainders likelier, so they are drawn again. */
	uint32_t rejected = (0u - bound) % bound;
	uint32_t value;

	do
		value = pare_rng_u32(rng);
	while (value < rejected);
	return value % bound;
}

void pare_rng_shuffle(struct pare_rng *rng, int32_t *values, int64_t count)
{
	for (int64_t i = count - 1; i > 0; i--) {
		uint32_t j = pare_rng_below(rng, (uint32_t)i + 1);
		int32_t value = values[i];

		values[i] = values[j];
		values[j] = value;
	}
}

uint64_t pare_rng_derive(uint64_t seed, uint32_t stream, uint64_t index)
{
	struct pare_rng rng = pare_rng_make(seed, stream | DERIVE_STREAM_BIT, index);
	uint64_t high = pare_rng_u32(&rng);

	return high << 32 | pare_rng_u32(&rng);
}
