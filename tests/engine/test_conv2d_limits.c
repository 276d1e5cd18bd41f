/* Convolution at the edge of what it accepts. The sweeps over ordinary shapes are in test_ops_conv*.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "engine/ops/builders.h"
#include "tests/support/op_check.h"

static struct op_case conv_case(const char *name, const struct pare_conv2d *attrs, struct pare_shape in, int64_t out)
{
	return (struct op_case){.name = name,
	                        .op = &pare_op_conv2d,
	                        .reference = reference_conv2d,
	                        .attrs = attrs,
	                        .n_inputs = 1,
	                        .n_params = 1,
	                        .n_trained = 1,
	                        .in = {in},
	                        .param = {{.rank = 4, .dim = {out, in.dim[0], attrs->kernel_h, attrs->kernel_w}}},
	                        .images = 3,
	                        .lanes = 1,
	                        .tolerance = 1e-5,
	                        .gradient_tolerance = 1e-4};
}

/* A 1 x 1 kernel over one row looks like a plain matrix product, but not when stride and padding move the pixels. */
static void test_conv2d_limits__one_row_with_stride_and_padding(void **state)
{
	static const struct pare_conv2d attrs[] = {
	        {1, 1, 1, 2, 0, 1, 0, 1, 1, 1, 1, 0}, /* columns: in = out = 2, but the first output sees padding */
	        {1, 1, 2, 1, 1, 0, 0, 0, 1, 1, 1, 0}, /* the row that is left is padding */
	        {1, 1, 3, 3, 0, 0, 0, 0, 1, 1, 1, 0}, /* one pixel stays one pixel whatever the stride */
	        {1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 0},
	};
	static const int64_t widths[] = {2, 3, 1, 5};
	(void)state;
	for (int i = 0; i < 4; i++)
		for (int lanes = 1; lanes <= PARE_LANES; lanes += PARE_LANES - 1) {
			struct op_case c = conv_case("1x1 over one row", &attrs[i], pare_shape_chw(3, 1, widths[i]), 4);
			c.lanes = lanes;
			op_check(&c);
		}
}

/* Positions are counted in 32 bits: attributes that could overflow them are refused before anything is computed. */
static void test_conv2d_limits__absurd_attributes_are_refused(void **state)
{
	const int32_t absurd = INT32_MAX;
	const struct pare_conv2d attrs[] = {
	        {3, 3, absurd, 1, 1, 1, 1, 1, 1, 1, 1, 0},        {3, 3, 1, absurd, 1, 1, 1, 1, 1, 1, 1, 0},
	        {3, 3, 512, 1, absurd, 1, absurd, 1, 1, 1, 1, 0}, {3, 3, 1, 512, 1, absurd, 1, absurd, 1, 1, 1, 0},
	        {1, 1, 1, 1, 0, 0, 0, 0, absurd, 1, 1, 0},        {1, 1, 1, 1, 0, 0, 0, 0, 1, absurd, 1, 0},
	};
	(void)state;
	for (int i = 0; i < 6; i++) {
		struct op_case c = conv_case("absurd", &attrs[i], pare_shape_chw(1, 8, 8), 1);
		struct pare_error error = {0};
		struct pare_shape out;
		assert_int_equal(op_infer(&c, &out, &error), PARE_E_LIMIT);
		assert_non_null(strstr(error.text, "2147483647"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_conv2d_limits__one_row_with_stride_and_padding),
	        cmocka_unit_test(test_conv2d_limits__absurd_attributes_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
