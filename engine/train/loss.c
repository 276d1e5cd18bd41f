#include "engine/train/loss.h"

#include <math.h>
#include <string.h>

/* One image's logits, strided by the lanes. */
struct logits {
	const float *value;
	int64_t classes, stride;
};

/* Index of the largest; ties go to the lower class. */
static int64_t largest(const struct logits *z)
{
	int64_t best = 0;
	for (int64_t c = 1; c < z->classes; c++)
		if (z->value[c * z->stride] > z->value[best * z->stride])
			best = c;
	return best;
}

/* Loss of one image; the gradient of scale * loss goes to `gradient` (may be NULL), with the same stride. */
static double image_loss(const struct logits *z, int32_t label, double smoothing, double scale, float *gradient)
{
	double top = (double)z->value[largest(z) * z->stride], sum = 0.0, all = 0.0;
	for (int64_t c = 0; c < z->classes; c++) {
		double shifted = (double)z->value[c * z->stride] - top;
		sum += exp(shifted);
		all += shifted;
	}
	double log_sum = log(sum), share = smoothing / (double)z->classes;
	double at_label = (double)z->value[label * z->stride] - top;
	for (int64_t c = 0; gradient && c < z->classes; c++) {
		double p = exp((double)z->value[c * z->stride] - top - log_sum);
		double target = share + (c == label ? 1.0 - smoothing : 0.0);
		gradient[c * z->stride] = (float)(scale * (p - target));
	}
	return log_sum - (1.0 - smoothing) * at_label - share * all;
}

struct pare_loss pare_cross_entropy(const struct pare_tensor *logits, const int32_t *labels, double smoothing,
                                    const struct pare_tensor *gradient)
{
	struct pare_loss loss = {0};
	float *to = gradient ? gradient->data : NULL;

	if (to)
		memset(to, 0, (size_t)pare_tensor_size(gradient) * sizeof *to);
	for (int64_t i = 0; i < logits->images; i++) {
		struct logits z = {pare_tensor_at(logits, i, 0), logits->shape.dim[0], logits->lanes};
		loss.sum += image_loss(&z, labels[i], smoothing, 1.0 / (double)logits->images,
		                       to ? pare_tensor_at(gradient, i, 0) : NULL);
		loss.correct += largest(&z) == labels[i];
	}
	return loss;
}
