#include "engine/graph/shape.h"

#include <stdio.h>

int64_t pare_shape_elements(const struct pare_shape *shape)
{
	int64_t elements = 1;

	for (int i = 0; i < shape->rank; i++)
		elements *= shape->dim[i];
	return elements;
}

int64_t pare_shape_plane(const struct pare_shape *shape)
{
	int64_t elements = 1;

	for (int i = 1; i < shape->rank; i++)
		elements *= shape->dim[i];
	return elements;
}

bool pare_shape_equal(const struct pare_shape *a, const struct pare_shape *b)
{
	if (a->rank != b->rank)
		return false;
	for (int i = 0; i < a->rank; i++)
		if (a->dim[i] != b->dim[i])
			return false;
	return true;
}

bool pare_shape_valid(const struct pare_shape *shape)
{
	int64_t elements = 1;

	if (shape->rank < 0 || shape->rank > PARE_MAX_RANK)
		return false;
	for (int i = 0; i < shape->rank; i++) {
		if (shape->dim[i] < 1 || shape->dim[i] > PARE_MAX_DIMENSION)
			return false;
		/* 2^31 * 2^24 fits: checking after each factor is early enough. */
		elements *= shape->dim[i];
		if (elements > PARE_MAX_ELEMENTS)
			return false;
	}
	return true;
}

char *pare_shape_text(const struct pare_shape *shape, char *text, size_t size)
{
	size_t used = 0;

	if (size > 0)
		text[0] = '\0';
	for (int i = 0; i < shape->rank && i < PARE_MAX_RANK && used < size; i++) {
		int n = snprintf(text + used, size - used, i ? "x%lld" : "%lld", (long long)shape->dim[i]);
		if (n < 0)
			break;
		used += (size_t)n;
	}
	return text;
}

int64_t pare_window_output(int64_t in, int64_t kernel, int64_t stride, int64_t pad_begin, int64_t pad_end,
                           int64_t dilation, bool ceil_mode)
{
	if (kernel < 1 || stride < 1 || dilation < 1)
		return 0;

	int64_t room = in + pad_begin + pad_end - dilation * (kernel - 1) - 1;
	if (room < 0)
		return 0;

	int64_t out = (ceil_mode ? (room + stride - 1) / stride : room / stride) + 1;
	if (ceil_mode && (out - 1) * stride >= in + pad_begin)
		out--;
	return out;
}
