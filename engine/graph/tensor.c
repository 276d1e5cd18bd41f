#include "engine/graph/tensor.h"

void pare_tensor_from_nchw(const struct pare_tensor *tensor, const float *nchw)
{
	const int64_t elements = pare_shape_elements(&tensor->shape);
	const int lanes = tensor->lanes;

	for (int64_t block = 0; block < pare_tensor_blocks(tensor); block++) {
		const int64_t first = block * lanes;
		const float *source = nchw + first * elements;
		float *target = tensor->data + block * pare_tensor_block_size(tensor);
		const int used = tensor->images - first < lanes ? (int)(tensor->images - first) : lanes;

		for (int64_t e = 0; e < elements; e++) {
			for (int lane = 0; lane < used; lane++)
				target[e * lanes + lane] = source[lane * elements + e];
			for (int lane = used; lane < lanes; lane++)
				target[e * lanes + lane] = 0.0f;
		}
	}
}

void pare_tensor_to_nchw(const struct pare_tensor *tensor, float *nchw)
{
	const int64_t elements = pare_shape_elements(&tensor->shape);
	const int lanes = tensor->lanes;

	for (int64_t block = 0; block < pare_tensor_blocks(tensor); block++) {
		const int64_t first = block * lanes;
		const float *source = tensor->data + block * pare_tensor_block_size(tensor);
		float *target = nchw + first * elements;
		const int used = tensor->images - first < lanes ? (int)(tensor->images - first) : lanes;

		for (int64_t e = 0; e < elements; e++)
			for (int lane = 0; lane < used; lane++)
				target[lane * elements + e] = source[e * lanes + lane];
	}
}
