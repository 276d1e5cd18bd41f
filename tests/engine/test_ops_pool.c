/* Max, average and global average pooling: against the reference and finite differences over windows and batches;
 * PyTorch's output sizes and divisors; ties, NaN, what is refused. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/ops/builders.h"
#include "tests/support/op_check.h"

static const struct {
	const char *name;
	struct pare_pool2d attrs;
	int64_t height, width;
} windows[] = {
        {"2x2 stride 2", {.kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2}, 4, 6},
        {"2x2 stride 2 odd", {.kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2}, 5, 7},
        {"2x2 stride 2 odd ceil", {.kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2, .ceil_mode = 1}, 5, 7},
        {"3x3 stride 2 pad 1",
         {.kernel_h = 3,
          .kernel_w = 3,
          .stride_h = 2,
          .stride_w = 2,
          .pad_top = 1,
          .pad_left = 1,
          .pad_bottom = 1,
          .pad_right = 1},
         7,
         6},
        {"3x3 stride 2 pad 1 ceil",
         {.kernel_h = 3,
          .kernel_w = 3,
          .stride_h = 2,
          .stride_w = 2,
          .pad_top = 1,
          .pad_left = 1,
          .pad_bottom = 1,
          .pad_right = 1,
          .ceil_mode = 1},
         6,
         8},
        {"3x2 stride 1x3, uneven pads",
         {.kernel_h = 3,
          .kernel_w = 2,
          .stride_h = 1,
          .stride_w = 3,
          .pad_top = 2,
          .pad_left = 0,
          .pad_bottom = 1,
          .pad_right = 1},
         5,
         4},
        {"2x2 stride 3 (above the kernel)", {.kernel_h = 2, .kernel_w = 2, .stride_h = 3, .stride_w = 3}, 8, 5},
        {"1x3 overlapping", {.kernel_h = 1, .kernel_w = 3, .stride_h = 1, .stride_w = 1}, 3, 7},
        {"5x5 stride 4 ceil uneven pads",
         {.kernel_h = 5,
          .kernel_w = 5,
          .stride_h = 4,
          .stride_w = 4,
          .pad_top = 0,
          .pad_left = 3,
          .pad_bottom = 2,
          .pad_right = 0,
          .ceil_mode = 1},
         9,
         9},
};
#define N_WINDOWS ((int)(sizeof(windows) / sizeof(windows[0])))

static const struct {
	int64_t channels, images;
	int lanes;
} batches[] = {{1, 1, 1}, {5, 3, 1}, {3, 16, 16}, {11, 19, 16}, {2, 40, 16}};
#define N_BATCHES ((int)(sizeof(batches) / sizeof(batches[0])))

static void check_pool(const struct pare_op *op, reference_fn reference, bool include_pad, double tolerance)
{
	for (int i = 0; i < N_WINDOWS; i++)
		for (int b = 0; b < N_BATCHES; b++) {
			struct pare_pool2d attrs = windows[i].attrs;
			char name[128];
			struct op_case c = {
			        .name = name,
			        .op = op,
			        .reference = reference,
			        .attrs = &attrs,
			        .n_inputs = 1,
			        .in = {pare_shape_chw(batches[b].channels, windows[i].height, windows[i].width)},
			        .distinct_inputs = true,
			        .images = batches[b].images,
			        .lanes = batches[b].lanes,
			        .tolerance = tolerance,
			        .gradient_tolerance = 1e-6, /* a few roundings */
			};
			attrs.count_include_pad = include_pad;
			snprintf(name, sizeof(name), "%s %s, %lld images", op->name, windows[i].name,
			         (long long)c.images);
			op_check(&c);
		}
}

static void test_ops_pool__max_agrees_with_reference(void **state)
{
	(void)state;
	check_pool(&pare_op_max_pool, reference_max_pool, false, 0.0); /* nothing is rounded */
}

static void test_ops_pool__average_agrees_with_reference(void **state)
{
	(void)state;
	check_pool(&pare_op_average_pool, reference_average_pool, false, 1e-6); /* up to 25 additions */
}

static void test_ops_pool__average_including_padding_agrees_with_reference(void **state)
{
	(void)state;
	check_pool(&pare_op_average_pool, reference_average_pool, true, 1e-6);
}

static void test_ops_pool__global_average_agrees_with_reference(void **state)
{
	const struct pare_shape shapes[] = {pare_shape_chw(1, 1, 1), pare_shape_chw(5, 7, 3), pare_shape_chw(23, 4, 4),
	                                    pare_shape_chw(1, 35, 31)};

	(void)state;
	for (int i = 0; i < 4; i++)
		for (int b = 0; b < N_BATCHES; b++) {
			struct op_case c = {
			        .name = "global average pool",
			        .op = &pare_op_global_average_pool,
			        .reference = reference_global_average_pool,
			        .n_inputs = 1,
			        .in = {shapes[i]},
			        .images = batches[b].images,
			        .lanes = batches[b].lanes,
			        .tolerance = 1e-6, /* sums in float over 64 values at most */
			        .gradient_tolerance = 1e-6,
			};
			op_check(&c);
		}
}

static struct pare_shape infer(const struct pare_op *op, struct pare_pool2d attrs, struct pare_shape in, int expected)
{
	struct op_case c = {.op = op, .attrs = &attrs, .n_inputs = 1, .in = {in}};
	struct pare_shape out = {0};

	assert_int_equal(op_infer(&c, &out, NULL), expected);
	return out;
}

/* Numbers from torch.nn.MaxPool2d and AvgPool2d. */
static void test_ops_pool__has_pytorchs_output_sizes(void **state)
{
	struct pare_pool2d attrs = {.kernel_h = 3,
	                            .kernel_w = 3,
	                            .stride_h = 2,
	                            .stride_w = 2,
	                            .pad_top = 1,
	                            .pad_left = 1,
	                            .pad_bottom = 1,
	                            .pad_right = 1};
	struct pare_shape out;

	(void)state;
	out = infer(&pare_op_max_pool, attrs, pare_shape_chw(7, 112, 32), PARE_OK);
	assert_true(out.rank == 3 && out.dim[0] == 7 && out.dim[1] == 56 && out.dim[2] == 16);
	attrs.ceil_mode = 1;
	out = infer(&pare_op_average_pool, attrs, pare_shape_chw(7, 112, 31), PARE_OK);
	assert_true(out.dim[1] == 57 && out.dim[2] == 16);
	/* ceil would start a window in the end padding: (2 + 2 - 1) / 3 rounded up is 1, plus 1 is 2, but row 3 is
	 * padding */
	attrs = (struct pare_pool2d){.kernel_h = 2,
	                             .kernel_w = 1,
	                             .stride_h = 3,
	                             .stride_w = 1,
	                             .pad_top = 1,
	                             .pad_bottom = 1,
	                             .ceil_mode = 1};
	out = infer(&pare_op_max_pool, attrs, pare_shape_chw(1, 2, 4), PARE_OK);
	assert_true(out.dim[1] == 1 && out.dim[2] == 4);
}

/* torch.nn.AvgPool2d(3, 2, 1, ceil_mode=True) over a 6x6 image of ones: the fourth windows hang over the padding, too.
 */
static void test_ops_pool__has_pytorchs_divisors(void **state)
{
	const float expected[] = {4 / 9.0f, 2 / 3.0f, 2 / 3.0f, 1 / 3.0f, 2 / 3.0f, 1.0f, 1.0f, 0.5f,
	                          2 / 3.0f, 1.0f,     1.0f,     0.5f,     1 / 3.0f, 0.5f, 0.5f, 0.25f};
	struct pare_pool2d attrs = {.kernel_h = 3,
	                            .kernel_w = 3,
	                            .stride_h = 2,
	                            .stride_w = 2,
	                            .pad_top = 1,
	                            .pad_left = 1,
	                            .pad_bottom = 1,
	                            .pad_right = 1,
	                            .ceil_mode = 1};

	(void)state;
	for (attrs.count_include_pad = 0; attrs.count_include_pad <= 1; attrs.count_include_pad++) {
		struct op_case c = {.name = "divisors",
		                    .op = &pare_op_average_pool,
		                    .reference = reference_average_pool,
		                    .attrs = &attrs,
		                    .n_inputs = 1,
		                    .in = {pare_shape_chw(1, 6, 6)},
		                    .images = 1,
		                    .lanes = 1};
		struct op_rig rig;
		op_rig_open(&rig, &c);
		for (int i = 0; i < 36; i++)
			rig.in[0].data[i] = 1.0f;
		op_rig_run(&rig, false, NULL);
		for (int i = 0; i < 16; i++)
			assert_true(fabsf(rig.out.data[i] - (attrs.count_include_pad ? expected[i] : 1.0f)) < 1e-6f);
		op_rig_close(&rig);
	}
}

static void test_ops_pool__refuses_bad_attributes(void **state)
{
	const struct pare_op *const ops[] = {&pare_op_max_pool, &pare_op_average_pool};
	const struct pare_pool2d good = {.kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2};
	struct pare_pool2d bad;

	(void)state;
	for (int i = 0; i < 2; i++) {
		infer(ops[i], good, pare_shape_chw(3, 4, 4), PARE_OK);
		infer(ops[i], good, pare_shape_vector(3), PARE_E_INVALID);
		infer(ops[i], good, pare_shape_chw(3, 1, 4), PARE_E_INVALID);
		bad = good, bad.kernel_w = 0;
		infer(ops[i], bad, pare_shape_chw(3, 4, 4), PARE_E_INVALID);
		bad = good, bad.stride_h = 0;
		infer(ops[i], bad, pare_shape_chw(3, 4, 4), PARE_E_INVALID);
		bad = good, bad.pad_left = -1;
		infer(ops[i], bad, pare_shape_chw(3, 4, 4), PARE_E_INVALID);
		bad = good, bad.pad_bottom = 2; /* a window of nothing but padding */
		infer(ops[i], bad, pare_shape_chw(3, 4, 4), PARE_E_INVALID);
	}
	bad = good, bad.kernel_h = 300, bad.kernel_w = 300; /* winners are saved in 16 bits */
	infer(&pare_op_max_pool, bad, pare_shape_chw(3, 400, 400), PARE_E_LIMIT);
	infer(&pare_op_average_pool, bad, pare_shape_chw(3, 400, 400), PARE_OK);
	struct op_case vector = {.op = &pare_op_global_average_pool, .n_inputs = 1, .in = {pare_shape_vector(3)}};
	struct pare_shape out;
	assert_int_equal(op_infer(&vector, &out, NULL), PARE_E_INVALID);
}

static const struct pare_pool2d three_by_three = {.kernel_h = 3, .kernel_w = 3, .stride_h = 3, .stride_w = 3};

static struct op_case one_window(int64_t images, int lanes)
{
	return (struct op_case){.name = "one window",
	                        .op = &pare_op_max_pool,
	                        .reference = reference_max_pool,
	                        .attrs = &three_by_three,
	                        .n_inputs = 1,
	                        .in = {pare_shape_chw(1, 3, 3)},
	                        .images = images,
	                        .lanes = lanes};
}

static void test_ops_pool__max_gives_a_tie_to_the_first(void **state)
{
	(void)state;
	for (int lanes = 1; lanes <= PARE_LANES; lanes += PARE_LANES - 1) {
		struct op_case c = one_window(1, lanes);
		struct op_rig rig;
		op_rig_open(&rig, &c);
		for (int64_t e = 0; e < 9; e++)
			*pare_tensor_at(&rig.in[0], 0, e) = e == 4 || e == 7 ? 2.0f : -1.0f;
		op_rig_run(&rig, true, NULL);
		for (int64_t e = 0; e < 9; e++)
			assert_true(*pare_tensor_at(&rig.din[0], 0, e) == (e == 4 ? rig.dout_start[0] : 0.0f));
		op_rig_close(&rig);
	}
}

static void test_ops_pool__max_lets_nan_through(void **state)
{
	(void)state;
	for (int lanes = 1; lanes <= PARE_LANES; lanes += PARE_LANES - 1)
		for (int64_t position = 0; position < 9; position++) {
			struct op_case c = one_window(lanes == 1 ? 1 : 16, lanes);
			struct op_rig rig;
			op_rig_open(&rig, &c);
			*pare_tensor_at(&rig.in[0], 0, position) = NAN;
			op_rig_run(&rig, true, NULL);
			for (int64_t image = 0; image < c.images; image++)
				assert_int_equal(isnan(*pare_tensor_at(&rig.out, image, 0)) != 0, image == 0);
			op_rig_close(&rig);
		}
}

/* Padding is not a zero that beats negative numbers. */
static void test_ops_pool__max_never_picks_padding(void **state)
{
	const struct pare_pool2d attrs = {.kernel_h = 3,
	                                  .kernel_w = 3,
	                                  .stride_h = 1,
	                                  .stride_w = 1,
	                                  .pad_top = 1,
	                                  .pad_left = 1,
	                                  .pad_bottom = 1,
	                                  .pad_right = 1};
	struct op_case c = one_window(1, 1);
	struct op_rig rig;

	(void)state;
	c.attrs = &attrs;
	op_rig_open(&rig, &c);
	for (int64_t e = 0; e < 9; e++)
		rig.in[0].data[e] = -3.0f;
	op_rig_run(&rig, true, NULL);
	for (int64_t e = 0; e < 9; e++)
		assert_true(rig.out.data[e] == -3.0f);
	op_rig_close(&rig);
}

static void assert_description(const struct pare_op *op, struct pare_pool2d attrs, const char *expected)
{
	struct pare_node node = {.op = op, .attrs = &attrs};
	struct pare_strbuf text;

	pare_strbuf_init(&text);
	op->describe(&node, &text);
	assert_string_equal(text.text, expected);
	pare_strbuf_release(&text);
}

static void test_ops_pool__describes_what_costs_time(void **state)
{
	struct pare_pool2d attrs = {
	        .kernel_h = 3, .kernel_w = 2, .stride_h = 2, .stride_w = 1, .pad_top = 1, .pad_right = 1};

	(void)state;
	assert_description(&pare_op_max_pool, attrs, "k3x2 s2x1 p1,0,0,1");
	attrs.ceil_mode = attrs.count_include_pad = 1;
	assert_description(&pare_op_average_pool, attrs, "k3x2 s2x1 p1,0,0,1 ceil include_pad");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_ops_pool__max_agrees_with_reference),
	        cmocka_unit_test(test_ops_pool__average_agrees_with_reference),
	        cmocka_unit_test(test_ops_pool__average_including_padding_agrees_with_reference),
	        cmocka_unit_test(test_ops_pool__global_average_agrees_with_reference),
	        cmocka_unit_test(test_ops_pool__has_pytorchs_output_sizes),
	        cmocka_unit_test(test_ops_pool__has_pytorchs_divisors),
	        cmocka_unit_test(test_ops_pool__refuses_bad_attributes),
	        cmocka_unit_test(test_ops_pool__max_gives_a_tie_to_the_first),
	        cmocka_unit_test(test_ops_pool__max_lets_nan_through),
	        cmocka_unit_test(test_ops_pool__max_never_picks_padding),
	        cmocka_unit_test(test_ops_pool__describes_what_costs_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
