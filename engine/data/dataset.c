#include "engine/data/dataset.h"

#include <stdlib.h>

#include "engine/base/memory.h"

static int check_range(const char *what, int64_t value, int64_t limit, const char *path, struct pare_error *error)
{
	if (value < 1)
		return pare_error_set_at(error, PARE_E_FORMAT, path, 0, 0, "%s is %lld, must be at least 1", what,
		                         (long long)value);
	if (value > limit)
		return pare_error_set_at(error, PARE_E_LIMIT, path, 0, 0, "%s is %lld, the limit is %lld", what,
		                         (long long)value, (long long)limit);
	return PARE_OK;
}

static int check_sizes(int64_t images, const int64_t chw[3], const char *path, struct pare_error *error)
{
	int status = check_range("the number of images", images, PARE_DATA_MAX_IMAGES, path, error);

	if (!status)
		status = check_range("the number of channels", chw[0], PARE_DATA_MAX_CHANNELS, path, error);
	if (!status)
		status = check_range("the image height", chw[1], PARE_DATA_MAX_SIDE, path, error);
	if (!status)
		status = check_range("the image width", chw[2], PARE_DATA_MAX_SIDE, path, error);
	/* 24 + 2 + 12 + 12 bits: the product cannot overflow once each factor is in range. */
	if (!status)
		status = check_range("the size of all pixels in bytes", images * chw[0] * chw[1] * chw[2],
		                     PARE_DATA_MAX_BYTES, path, error);
	return status;
}

int pare_dataset_init(struct pare_dataset *dataset, int64_t images, const int64_t chw[3], int32_t classes,
                      const char *path, struct pare_error *error)
{
	*dataset = (struct pare_dataset){0};
	int status = check_sizes(images, chw, path, error);
	if (status)
		return status;

	*dataset = (struct pare_dataset){.images = images,
	                                 .channels = (int32_t)chw[0],
	                                 .height = (int32_t)chw[1],
	                                 .width = (int32_t)chw[2],
	                                 .classes = classes};
	dataset->pixels = pare_calloc((size_t)images, (size_t)(chw[0] * chw[1] * chw[2]));
	dataset->labels = pare_calloc((size_t)images, 1);
	if (!dataset->pixels || !dataset->labels) {
		pare_dataset_release(dataset);
		return pare_error_set_at(error, PARE_E_NOMEM, path, 0, 0, "no memory for %lld images of %lldx%lldx%lld",
		                         (long long)images, (long long)chw[0], (long long)chw[1], (long long)chw[2]);
	}
	return PARE_OK;
}

void pare_dataset_release(struct pare_dataset *dataset)
{
	free(dataset->pixels);
	free(dataset->labels);
	*dataset = (struct pare_dataset){0};
}
