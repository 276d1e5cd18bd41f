#include "engine/math/lane_kernels.h"

#include <stddef.h>
#include <string.h>

extern const struct pare_lane_kernels pare_lane_kernels_avx512, pare_lane_kernels_avx2, pare_lane_kernels_portable;

/* Best first. */
static const struct pare_lane_kernels *const sets[] = {
#if defined(__x86_64__)
        &pare_lane_kernels_avx512,
        &pare_lane_kernels_avx2,
#endif
        &pare_lane_kernels_portable,
};

static const struct pare_lane_kernels *forced;

const struct pare_lane_kernels *pare_lane_kernels(void)
{
	if (forced)
		return forced;
	size_t i = 0;
	while (!sets[i]->supported())
		i++;
	return sets[i];
}

bool pare_lane_kernels_force(const char *name)
{
	if (!name) {
		forced = NULL;
		return true;
	}
	for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
		if (strcmp(sets[i]->name, name) == 0 && sets[i]->supported()) {
			forced = sets[i];
			return true;
		}
	}
	return false;
}

int pare_tile_count(int outputs, int most)
{
	return (outputs + most - 1) / most;
}

void pare_tile_range(int outputs, int tiles, int tile, int *first, int *size)
{
	int base = outputs / tiles, larger = outputs % tiles;
	*first = tile * base + (tile < larger ? tile : larger);
	*size = base + (tile < larger);
}

void pare_pack_weights(const float *w, int outputs, int inputs, int taps, int64_t stride_o, int64_t stride_i,
                       int64_t stride_t, int tile_outputs, float *packed)
{
	int tiles = pare_tile_count(outputs, tile_outputs);
	for (int tile = 0; tile < tiles; tile++) {
		int first, size;
		pare_tile_range(outputs, tiles, tile, &first, &size);
		for (int i = 0; i < inputs; i++)
			for (int t = 0; t < taps; t++)
				for (int o = first; o < first + size; o++)
					*packed++ = w[o * stride_o + i * stride_i + t * stride_t];
	}
}
