#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/memory.h"
#include "engine/graph/tensor.h"

static struct pare_tensor tensor_new(struct pare_shape shape, int64_t images, int lanes)
{
	struct pare_tensor tensor = {.shape = shape, .images = images, .lanes = lanes};

	tensor.data = pare_float_new((size_t)pare_tensor_size(&tensor));
	assert_non_null(tensor.data);
	return tensor;
}

static void round_trip(struct pare_shape shape, int64_t images, int lanes)
{
	const int64_t elements = pare_shape_elements(&shape), count = images * elements;
	struct pare_tensor tensor = tensor_new(shape, images, lanes);
	float *nchw = pare_float_new((size_t)count), *back = pare_float_new((size_t)count);

	assert_non_null(nchw);
	assert_non_null(back);
	for (int64_t i = 0; i < count; i++)
		nchw[i] = (float)(i + 1);
	for (int64_t i = 0; i < pare_tensor_size(&tensor); i++)
		tensor.data[i] = -7.0f;
	pare_tensor_from_nchw(&tensor, nchw);

	for (int64_t image = 0; image < images; image++)
		for (int64_t e = 0; e < elements; e++)
			assert_true(*pare_tensor_at(&tensor, image, e) == nchw[image * elements + e]);
	/* Lanes without an image are the addresses behind the last image. */
	for (int64_t image = images; image < pare_tensor_blocks(&tensor) * lanes; image++)
		for (int64_t e = 0; e < elements; e++)
			assert_true(*pare_tensor_at(&tensor, image, e) == 0.0f);

	pare_tensor_to_nchw(&tensor, back);
	assert_memory_equal(back, nchw, (size_t)count * sizeof(*nchw));
	free(back);
	free(nchw);
	free(tensor.data);
}

static void test_tensor__round_trip_in_both_layouts(void **state)
{
	(void)state;
	static const int64_t images[] = {1, 2, 7, 15, 16, 17, 32, 45};

	for (size_t i = 0; i < sizeof(images) / sizeof(images[0]); i++) {
		round_trip(pare_shape_chw(3, 4, 5), images[i], 1);
		round_trip(pare_shape_chw(3, 4, 5), images[i], PARE_LANES);
		round_trip(pare_shape_vector(11), images[i], PARE_LANES);
		round_trip(pare_shape_vector(1), images[i], PARE_LANES);
	}
}

static void test_tensor__one_lane_is_plain_nchw(void **state)
{
	(void)state;
	const float nchw[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
	struct pare_tensor tensor = tensor_new(pare_shape_chw(2, 1, 3), 2, 1);

	pare_tensor_from_nchw(&tensor, nchw);
	assert_int_equal(pare_tensor_size(&tensor), 12);
	assert_memory_equal(tensor.data, nchw, sizeof(nchw));
	free(tensor.data);
}

static void test_tensor__sixteen_lanes_hold_images_side_by_side(void **state)
{
	(void)state;
	float nchw[17 * 2];
	struct pare_tensor tensor = tensor_new(pare_shape_vector(2), 17, PARE_LANES);

	for (int i = 0; i < 34; i++)
		nchw[i] = (float)i;
	pare_tensor_from_nchw(&tensor, nchw);
	assert_int_equal(pare_tensor_blocks(&tensor), 2);
	assert_int_equal(pare_tensor_size(&tensor), 2 * 2 * 16);
	for (int lane = 0; lane < 16; lane++) {
		assert_true(tensor.data[lane] == (float)(2 * lane));
		assert_true(tensor.data[16 + lane] == (float)(2 * lane + 1));
	}
	assert_true(tensor.data[32] == 32.0f);
	assert_true(tensor.data[48] == 33.0f);
	free(tensor.data);
}

static void test_tensor__small_batches_use_one_lane(void **state)
{
	(void)state;
	assert_int_equal(pare_lanes_for(1), 1);
	assert_int_equal(pare_lanes_for(7), 1);
	assert_int_equal(pare_lanes_for(8), PARE_LANES);
	assert_int_equal(pare_lanes_for(1000), PARE_LANES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_tensor__round_trip_in_both_layouts),
	        cmocka_unit_test(test_tensor__one_lane_is_plain_nchw),
	        cmocka_unit_test(test_tensor__sixteen_lanes_hold_images_side_by_side),
	        cmocka_unit_test(test_tensor__small_batches_use_one_lane),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
