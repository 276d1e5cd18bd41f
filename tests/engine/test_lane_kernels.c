#include "engine/math/lane_kernels.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/rng.h"

#define LANES PARE_KERNEL_LANES
#define MAX_OUTPUTS 13
#define MAX_PIXELS 9
#define MAX_INPUTS 5
#define TAPS_IN_ALL 6
#define X_PIXELS 40 /* pixels in a plane of x */
#define Y_PIXELS 30
#define X_FLOATS (MAX_INPUTS * X_PIXELS * LANES)
#define Y_FLOATS (MAX_OUTPUTS * Y_PIXELS * LANES)
#define W_FLOATS (MAX_OUTPUTS * MAX_INPUTS * TAPS_IN_ALL)

/* Portable first: the others are compared with it. */
static const char *const set_names[] = {"portable", "avx2", "avx512"};
#define N_SETS 3

/* A float sum of n products, in any order, is off by at most about n * 2^-24 of the sum of their sizes. */
static double bound(int n, double size)
{
	return (n + 2) * 0x1p-24 * size;
}

static float *new_floats(size_t count)
{
	void *floats = NULL;
	assert_int_equal(posix_memalign(&floats, 64, count * sizeof(float)), 0);
	return floats;
}

static float *random_floats(size_t count, uint64_t seed)
{
	struct pare_rng rng = pare_rng_make(seed, PARE_STREAM_TEST, 2);
	float *values = new_floats(count);
	for (size_t i = 0; i < count; i++)
		values[i] = (float)pare_rng_normal(&rng);
	return values;
}

/* ---- pixels ---- */

/* One job and its data; w is [output][input][tap], not packed. */
struct pixels_case {
	struct pare_pixels_job job;
	const float *w;
	const float *start; /* y before */
};

static double pixel_sum(const struct pixels_case *c, int o, int64_t p, int lane, double *size)
{
	const struct pare_pixels_job *job = &c->job;
	double sum = job->bias ? (double)job->bias[o] : 0.0;
	*size = fabs(sum);
	for (int i = 0; i < job->inputs; i++)
		for (int t = 0; t < job->n_taps; t++) {
			double w = (double)c->w[(o * job->inputs + i) * job->taps_in_all + job->taps[t].weight];
			double x = (double)job->x[i * job->x_plane + p * job->x_step + job->taps[t].x_offset + lane];
			sum += w * x;
			*size += fabs(w * x);
		}
	return sum;
}

static double activated(double x, enum pare_kernel_activation activation)
{
	if (activation != PARE_KERNEL_LINEAR && x < 0.0)
		return 0.0;
	return activation == PARE_KERNEL_RELU6 && x > 6.0 ? 6.0 : x;
}

/* y in double, with each number's bound; what the job does not write is `start`, bound 0. */
static void pixels_reference(const struct pixels_case *c, double *wanted, double *bounds)
{
	const struct pare_pixels_job *job = &c->job;
	for (int i = 0; i < Y_FLOATS; i++) {
		wanted[i] = (double)c->start[i];
		bounds[i] = 0.0;
	}
	for (int o = 0; o < job->outputs; o++)
		for (int64_t p = 0; p < job->pixels; p++)
			for (int lane = 0; lane < LANES; lane++) {
				int64_t at = o * job->y_plane + p * job->y_step + lane;
				double size, sum = pixel_sum(c, o, p, lane, &size), old = (double)c->start[at];
				wanted[at] = activated(sum, job->activation) + (job->accumulate ? old : 0.0);
				bounds[at] = bound(job->inputs * job->n_taps, size + fabs(job->accumulate ? old : 0.0));
			}
}

static void run_pixels(const struct pixels_case *c, const struct pare_lane_kernels *kernels, float *y)
{
	const struct pare_pixels_job *from = &c->job;
	int packed_floats = from->outputs * from->inputs * from->taps_in_all;
	float *packed = new_floats((size_t)packed_floats);
	struct pare_pixels_job job = *from;

	pare_pack_weights(c->w, job.outputs, job.inputs, job.taps_in_all, (int64_t)job.inputs * job.taps_in_all,
	                  job.taps_in_all, 1, kernels->conv_outputs, packed);
	memcpy(y, c->start, Y_FLOATS * sizeof(*y));
	job.w = packed;
	job.y = y;
	kernels->pixels(&job);
	free(packed);
}

/* Where the sets differ from the sums, or from each other by more than two of their bounds. */
static void check_pixels(const struct pixels_case *c)
{
	static double wanted[Y_FLOATS], bounds[Y_FLOATS];
	float *y = new_floats(Y_FLOATS), *portable = new_floats(Y_FLOATS);

	pixels_reference(c, wanted, bounds);
	for (int s = 0; s < N_SETS; s++) {
		if (!pare_lane_kernels_force(set_names[s]))
			continue;
		run_pixels(c, pare_lane_kernels(), s == 0 ? portable : y);
		const float *found = s == 0 ? portable : y;
		for (int i = 0; i < Y_FLOATS; i++)
			if (!(fabs((double)found[i] - wanted[i]) <= bounds[i]) ||
			    !(fabs((double)found[i] - (double)portable[i]) <= 2.0 * bounds[i]))
				fail_msg("%s: %d outputs, %lld pixels, %d inputs, %d taps, activation %d, accumulate "
				         "%d: y[%d] is %.9g, portable %.9g, wanted %.9g",
				         set_names[s], c->job.outputs, (long long)c->job.pixels, c->job.inputs,
				         c->job.n_taps, c->job.activation, c->job.accumulate, i, (double)found[i],
				         (double)portable[i], wanted[i]);
	}
	pare_lane_kernels_force(NULL);
	free(y);
	free(portable);
}

/* Taps in no order, some weights unused, as border pixels have them. */
static const struct pare_tap some_taps[] = {{3 * LANES, 4}, {0, 0}, {5 * LANES, 5}, {LANES, 2}};

/* bias, activation, accumulate */
static const struct {
	bool bias;
	enum pare_kernel_activation activation;
	bool accumulate;
} finishes[] = {{false, PARE_KERNEL_LINEAR, false}, {true, PARE_KERNEL_LINEAR, false},
                {true, PARE_KERNEL_RELU, false},    {true, PARE_KERNEL_RELU6, false},
                {false, PARE_KERNEL_RELU, false},   {false, PARE_KERNEL_LINEAR, true}};

static void check_pixels_of_size(int outputs, int pixels, int inputs, int n_taps)
{
	float *x = random_floats(X_FLOATS, 1), *w = random_floats(W_FLOATS, 2), *start = random_floats(Y_FLOATS, 3);
	float *bias = random_floats(MAX_OUTPUTS, 4);
	int finish = (outputs + pixels) % 2 ? 0 : 1; /* every other: the sizes meet all of them */

	for (; finish < (int)(sizeof(finishes) / sizeof(finishes[0])); finish += 2) {
		struct pixels_case c = {.w = w, .start = start};
		c.job = (struct pare_pixels_job){.x = x + 2 * LANES,
		                                 .x_plane = X_PIXELS * LANES,
		                                 .x_step = (pixels % 3 + 1) * LANES,
		                                 .inputs = inputs,
		                                 .taps = some_taps,
		                                 .n_taps = n_taps,
		                                 .taps_in_all = TAPS_IN_ALL,
		                                 .y_plane = Y_PIXELS * LANES,
		                                 .y_step = (outputs % 3 + 1) * LANES,
		                                 .outputs = outputs,
		                                 .pixels = pixels,
		                                 .bias = finishes[finish].bias ? bias : NULL,
		                                 .activation = finishes[finish].activation,
		                                 .accumulate = finishes[finish].accumulate};
		check_pixels(&c);
	}
	free(x);
	free(w);
	free(start);
	free(bias);
}

static void test_lane_kernels__pixels_of_every_tile_size(void **state)
{
	(void)state;
	for (int outputs = 1; outputs <= MAX_OUTPUTS; outputs++)
		for (int pixels = 1; pixels <= MAX_PIXELS; pixels++)
			check_pixels_of_size(outputs, pixels, 1 + (outputs + pixels) % MAX_INPUTS, 1 + pixels % 4);
}

static void test_lane_kernels__pixels_without_taps_are_their_bias(void **state)
{
	(void)state;
	for (int outputs = 1; outputs <= MAX_OUTPUTS; outputs += 3) {
		check_pixels_of_size(outputs, 5, 2, 0);
		check_pixels_of_size(outputs, 6, 2, 0);
	}
}

/* One image's NaN stays in its lane, through every activation; infinities and clipping are as in the definition. */
static void test_lane_kernels__lanes_do_not_meet(void **state)
{
	static const struct pare_tap tap = {0, 0};
	static const float one = 1.0f;
	float *x = new_floats(LANES), *y = new_floats(LANES);
	(void)state;
	for (int s = 0; s < N_SETS; s++) {
		if (!pare_lane_kernels_force(set_names[s]))
			continue;
		for (int a = PARE_KERNEL_LINEAR; a <= PARE_KERNEL_RELU6; a++) {
			for (int lane = 0; lane < LANES; lane++)
				x[lane] = (float)(lane - 7);
			x[1] = NAN;
			x[9] = INFINITY;
			x[10] = -INFINITY;
			pare_lane_kernels()->pixels(
			        &(struct pare_pixels_job){.x = x,
			                                  .inputs = 1,
			                                  .taps = &tap,
			                                  .n_taps = 1,
			                                  .w = &one,
			                                  .taps_in_all = 1,
			                                  .y = y,
			                                  .outputs = 1,
			                                  .pixels = 1,
			                                  .activation = (enum pare_kernel_activation)a});
			for (int lane = 0; lane < LANES; lane++) {
				double wanted = activated((double)x[lane], (enum pare_kernel_activation)a);
				assert_true(lane == 1 ? isnan(y[lane]) : (double)y[lane] == wanted);
			}
		}
	}
	pare_lane_kernels_force(NULL);
	free(x);
	free(y);
}

/* ---- weight gradient ---- */

struct gradient_case {
	struct pare_gradient_job job;
	const float *start; /* acc before: [columns][outputs][lanes] */
};

#define MAX_GRADIENT_OUTPUTS 8
#define ACC_FLOATS (PARE_GRADIENT_COLUMNS * MAX_GRADIENT_OUTPUTS * LANES)

static double gradient_sum(const struct gradient_case *c, int column, int o, int lane, double *size)
{
	const struct pare_gradient_job *job = &c->job;
	double sum = (double)c->start[(column * job->outputs + o) * LANES + lane];
	*size = fabs(sum);
	for (int64_t row = 0; row < job->rows; row++)
		for (int64_t p = 0; p < job->pixels; p++) {
			int64_t x_at = job->x_offset[column] + row * job->x_row + p * job->x_step + lane;
			int64_t dy_at = o * job->dy_plane + row * job->dy_row + p * job->dy_step + lane;
			double product = (double)job->x[x_at] * (double)job->dy[dy_at];
			sum += product;
			*size += fabs(product);
		}
	return sum;
}

static void run_gradient(const struct gradient_case *c, const struct pare_lane_kernels *kernels, float *acc)
{
	struct pare_gradient_job job = c->job;
	float *columns[PARE_GRADIENT_COLUMNS];

	memcpy(acc, c->start, ACC_FLOATS * sizeof(*acc));
	for (int j = 0; j < job.columns; j++)
		columns[j] = acc + j * job.outputs * LANES;
	job.acc = columns;
	kernels->gradient(&job);
	for (int i = job.columns * job.outputs * LANES; i < ACC_FLOATS; i++)
		assert_true(acc[i] == c->start[i]);
}

static void check_gradient(const struct gradient_case *c)
{
	const struct pare_gradient_job *job = &c->job;
	float *portable = new_floats(ACC_FLOATS), *acc = new_floats(ACC_FLOATS);
	bool have_portable = false;

	for (int s = 0; s < N_SETS; s++) {
		if (!pare_lane_kernels_force(set_names[s]) || job->outputs > pare_lane_kernels()->gradient_outputs)
			continue;
		run_gradient(c, pare_lane_kernels(), acc);
		if (s == 0) {
			memcpy(portable, acc, ACC_FLOATS * sizeof(*acc));
			have_portable = true;
		}
		for (int i = 0; i < job->columns * job->outputs * LANES; i++) {
			double size, sum = gradient_sum(c, i / LANES / job->outputs, i / LANES % job->outputs,
			                                i % LANES, &size);
			double most = bound((int)(job->rows * job->pixels), size);
			if (!(fabs((double)acc[i] - sum) <= most) ||
			    (have_portable && !(fabs((double)acc[i] - (double)portable[i]) <= 2.0 * most)))
				fail_msg("%s: %d outputs, %d columns, %lld rows, %lld pixels: acc[%d] is %.9g, not "
				         "%.9g",
				         set_names[s], job->outputs, job->columns, (long long)job->rows,
				         (long long)job->pixels, i, (double)acc[i], sum);
		}
	}
	pare_lane_kernels_force(NULL);
	free(portable);
	free(acc);
}

static void test_lane_kernels__gradient_of_every_tile_size(void **state)
{
	static const int64_t offset[PARE_GRADIENT_COLUMNS] = {2 * LANES, 0, X_PIXELS * LANES};
	float *x = random_floats(X_FLOATS, 5), *dy = random_floats(Y_FLOATS, 6), *start = random_floats(ACC_FLOATS, 7);
	(void)state;
	for (int outputs = 1; outputs <= MAX_GRADIENT_OUTPUTS; outputs++)
		for (int columns = 1; columns <= PARE_GRADIENT_COLUMNS; columns++)
			for (int pixels = 1; pixels <= MAX_PIXELS; pixels++) {
				struct gradient_case c = {.start = start};
				c.job = (struct pare_gradient_job){.dy = dy + LANES,
				                                   .dy_plane = Y_PIXELS * LANES,
				                                   .dy_row = 9 * LANES,
				                                   .dy_step = LANES,
				                                   .outputs = outputs,
				                                   .x = x + 3 * LANES,
				                                   .x_offset = offset,
				                                   .x_row = 10 * LANES,
				                                   .x_step = (1 + pixels % 2) * LANES,
				                                   .columns = columns,
				                                   .rows = 1 + (outputs + pixels) % 3,
				                                   .pixels = pixels};
				check_gradient(&c);
			}
	free(x);
	free(dy);
	free(start);
}

/* ---- tiles and packing ---- */

static void test_lane_kernels__tiles_cover_all_outputs(void **state)
{
	(void)state;
	for (int most = 1; most <= 8; most++)
		for (int outputs = 1; outputs <= 50; outputs++) {
			int tiles = pare_tile_count(outputs, most), next = 0, smallest = most, largest = 0;
			for (int tile = 0; tile < tiles; tile++) {
				int first, size;
				pare_tile_range(outputs, tiles, tile, &first, &size);
				assert_int_equal(first, next);
				next += size;
				smallest = size < smallest ? size : smallest;
				largest = size > largest ? size : largest;
			}
			assert_int_equal(next, outputs);
			assert_true(1 <= smallest && largest <= most && largest - smallest <= 1);
		}
}

static void test_lane_kernels__packing_follows_the_tiles(void **state)
{
	enum { INPUTS = 3, TAPS = 4 };
	float *w = random_floats(MAX_OUTPUTS * INPUTS * TAPS, 8), packed[MAX_OUTPUTS * INPUTS * TAPS + 1];
	(void)state;
	for (int outputs = 1; outputs <= MAX_OUTPUTS; outputs++) {
		int tiles = pare_tile_count(outputs, 6), at = 0;
		packed[outputs * INPUTS * TAPS] = 77.0f;
		/* [input][output][tap]: a transposed weight */
		pare_pack_weights(w, outputs, INPUTS, TAPS, TAPS, (int64_t)outputs * TAPS, 1, 6, packed);
		for (int tile = 0; tile < tiles; tile++) {
			int first, size;
			pare_tile_range(outputs, tiles, tile, &first, &size);
			for (int i = 0; i < INPUTS; i++)
				for (int t = 0; t < TAPS; t++)
					for (int o = first; o < first + size; o++)
						assert_true(packed[at++] == w[(i * outputs + o) * TAPS + t]);
		}
		assert_true(packed[at] == 77.0f);
	}
	free(w);
}

static void test_lane_kernels__can_be_chosen_by_name(void **state)
{
	const struct pare_lane_kernels *best = pare_lane_kernels();
	(void)state;
	assert_true(pare_lane_kernels_force("portable"));
	assert_string_equal(pare_lane_kernels()->name, "portable");
	assert_false(pare_lane_kernels_force("no such set"));
	assert_string_equal(pare_lane_kernels()->name, "portable");
	assert_true(pare_lane_kernels_force(NULL));
	assert_ptr_equal(pare_lane_kernels(), best);
	assert_true(best->supported());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_lane_kernels__pixels_of_every_tile_size),
	        cmocka_unit_test(test_lane_kernels__pixels_without_taps_are_their_bias),
	        cmocka_unit_test(test_lane_kernels__lanes_do_not_meet),
	        cmocka_unit_test(test_lane_kernels__gradient_of_every_tile_size),
	        cmocka_unit_test(test_lane_kernels__tiles_cover_all_outputs),
	        cmocka_unit_test(test_lane_kernels__packing_follows_the_tiles),
	        cmocka_unit_test(test_lane_kernels__can_be_chosen_by_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
