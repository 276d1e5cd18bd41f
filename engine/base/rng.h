/*
 * Keyed random numbers: Philox4x32-10 (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011).
 *
 * A generator is a value made from (seed, stream, index): the same three give the same numbers on every machine,
 * whatever was drawn elsewhere. Key by what the numbers are for: (study seed, PARE_STREAM_SHUFFLE, epoch),
 * (study seed, PARE_STREAM_CONTROLLER, trial). Never keep one running generator across trials.
 */
#ifndef PARE_ENGINE_BASE_RNG_H
#define PARE_ENGINE_BASE_RNG_H

#include <stdint.h>

/* What a stream of random numbers is used for. Values are part of what makes a study reproducible: never renumber. */
enum pare_stream {
	PARE_STREAM_INIT = 1,       /* initial weights; index = parameter */
	PARE_STREAM_SPLIT = 2,      /* which images are held out for the search split */
	PARE_STREAM_SHUFFLE = 3,    /* order of the training images; index = epoch */
	PARE_STREAM_AUGMENT = 4,    /* flips and crops; index = position in the whole training run */
	PARE_STREAM_CONTROLLER = 5, /* proposals; index = trial */
	PARE_STREAM_SYNTHETIC = 6,  /* generated data; index = image */
	PARE_STREAM_TEST = 7,       /* tests only */
	PARE_STREAM_TRAIN = 8,      /* seed of the baseline's training */
	PARE_STREAM_FINE_TUNE_SHORT = 9, /* seed of a trial's fine-tuning; index = trial */
	PARE_STREAM_FINE_TUNE_LONG = 10, /* seed of a finalist's fine-tuning; index = trial */
};

struct pare_rng {
	uint32_t key[2];
	uint32_t counter[4];
	uint32_t output[4];
	int used; /* how many of output[] are spent */
};

struct pare_rng pare_rng_make(uint64_t seed, uint32_t stream, uint64_t index);

uint32_t pare_rng_u32(struct pare_rng *rng);
/* Uniform in [0, 1) with 24 random bits. */
float pare_rng_uniform(struct pare_rng *rng);
/* Uniform in [0, 1) with 53 random bits. */
double pare_rng_uniform_double(struct pare_rng *rng);
/* Standard normal (Box-Muller, two uniforms a call). */
double pare_rng_normal(struct pare_rng *rng);
/* Uniform in {0, ..., bound - 1} without bias; bound > 0. */
uint32_t pare_rng_below(struct pare_rng *rng, uint32_t bound);
/* Fisher-Yates shuffle of count values; count < 2^32. */
void pare_rng_shuffle(struct pare_rng *rng, int32_t *values, int64_t count);

/* A seed for a sub-task (one trial's fine-tuning, say): a hash of (seed, stream, index). */
uint64_t pare_rng_derive(uint64_t seed, uint32_t stream, uint64_t index);

#endif
