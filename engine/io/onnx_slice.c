/*
 * Slice, for constants and activations alike. Starts, ends and axes count from the end when negative and are clamped
 * (https://onnx.ai/onnx/operators/onnx__Slice.html); in opset 9 they are attributes and there are no steps.
 */
#include <string.h>

#include "engine/io/onnx_import.h"

struct slice_lists {
	struct pare_onnx_ints starts, ends, axes, steps;
};

static int read_lists(struct pare_onnx_import *import, const struct pare_onnx_node *node, struct slice_lists *lists)
{
	bool inputs = import->opset >= 10;
	int status = pare_onnx_ints(import, node, inputs ? 1 : -1, inputs ? NULL : "starts", &lists->starts);
	if (!status)
		status = pare_onnx_ints(import, node, inputs ? 2 : -1, inputs ? NULL : "ends", &lists->ends);
	if (!status)
		status = pare_onnx_ints(import, node, inputs ? 3 : -1, inputs ? NULL : "axes", &lists->axes);
	if (!status)
		status = pare_onnx_ints(import, node, inputs ? 4 : -1, NULL, &lists->steps);
	if (status)
		return status;
	size_t count = lists->starts.count;
	if (!lists->starts.values || lists->ends.count != count || (lists->axes.values && lists->axes.count != count) ||
	    (lists->steps.values && lists->steps.count != count))
		return pare_error_set(import->error, PARE_E_FORMAT,
		                      "starts, ends, axes and steps have different lengths (%zu, %zu, %zu, %zu)", count,
		                      lists->ends.count, lists->axes.count, lists->steps.count);
	return PARE_OK;
}

/* An index into [low, high] after counting from the end; written so that nothing overflows. */
static int64_t clamp_index(int64_t index, int64_t dim, int64_t low, int64_t high)
{
	if (index < 0)
		index = index < -dim ? low : index + dim;
	return index < low ? low : index > high ? high : index;
}

static int64_t taken(int64_t start, int64_t end, int64_t step)
{
	if (step > 0)
		return start < end ? (end - start - 1) / step + 1 : 0;
	/* -(step + 1) cannot overflow; (start - end - 1) / -step with -step = INT64_MAX + 1 is 0 either way */
	uint64_t stride = (uint64_t)(-(step + 1)) + 1;
	return start > end ? (int64_t)((uint64_t)(start - end - 1) / stride) + 1 : 0;
}

/* The batch may be "cut" only from 0 to a number that means the end. */
static bool whole_batch(int64_t start, int64_t end, int64_t step)
{
	return start == 0 && step == 1 && (end >= INT32_MAX || end == PARE_ONNX_BATCH);
}

int pare_onnx_slice_range(struct pare_onnx_import *import, const struct pare_onnx_node *node, int rank,
                          const int64_t *dim, struct pare_onnx_range *range)
{
	struct slice_lists lists;
	int status = read_lists(import, node, &lists);
	if (status)
		return status;
	for (int i = 0; i < rank; i++) {
		range->start[i] = 0;
		range->end[i] = dim[i];
		range->step[i] = 1;
		range->count[i] = dim[i];
	}
	bool seen[PARE_ONNX_CONSTANT_RANK] = {false};
	for (size_t i = 0; i < lists.starts.count; i++) {
		int axis;
		status = pare_onnx_axis(import, lists.axes.values ? lists.axes.values[i] : (int64_t)i, rank, &axis);
		if (status)
			return status;
		int64_t start = lists.starts.values[i], end = lists.ends.values[i];
		int64_t step = lists.steps.values ? lists.steps.values[i] : 1;
		if (seen[axis] || step == 0)
			return pare_error_set(import->error, PARE_E_FORMAT,
			                      seen[axis] ? "axis %d is sliced twice" : "the step along axis %d is 0",
			                      axis);
		seen[axis] = true;
		if (dim[axis] < 0 && !whole_batch(start, end, step))
			return pare_error_set(import->error, PARE_E_UNSUPPORTED, "the batch (axis 0) cannot be sliced");
		if (dim[axis] < 0)
			continue;
		bool forward = step > 0;
		start = clamp_index(start, dim[axis], 0, forward ? dim[axis] : dim[axis] - 1);
		end = clamp_index(end, dim[axis], forward ? 0 : -1, forward ? dim[axis] : dim[axis] - 1);
		range->start[axis] = start;
		range->end[axis] = end;
		range->step[axis] = step;
		range->count[axis] = taken(start, end, step);
	}
	return PARE_OK;
}
