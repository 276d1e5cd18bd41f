#include "engine/ops/strided.h"

#include <string.h>

#include "engine/ops/planes.h"

void pare_box_steps(const struct pare_shape *shape, int64_t step[PARE_MAX_RANK])
{
	int64_t elements = 1;

	for (int d = shape->rank - 1; d >= 0; d--) {
		step[d] = elements;
		elements *= shape->dim[d];
	}
}

/* Drops dimensions of 1, and joins neighbours that lie one behind the other in both tensors. */
static struct pare_box simplify(const struct pare_box *box)
{
	struct pare_box simple = {.in_start = box->in_start, .out_start = box->out_start};

	for (int d = 0; d < box->rank; d++) {
		int last = simple.rank - 1;
		if (box->size[d] == 1)
			continue;
		if (last >= 0 && simple.in_step[last] == box->size[d] * box->in_step[d] &&
		    simple.out_step[last] == box->size[d] * box->out_step[d])
			simple.size[last] *= box->size[d];
		else
			simple.size[last = simple.rank++] = box->size[d]; /* a new dimension */
		simple.in_step[last] = box->in_step[d];
		simple.out_step[last] = box->out_step[d];
	}
	if (simple.rank == 0) {
		simple.rank = 1;
		simple.size[0] = simple.in_step[0] = simple.out_step[0] = 1;
	}
	return simple;
}

struct work {
	struct pare_box box;
	const struct pare_tensor *from, *to;
	bool accumulate;
};

/* `lanes` and `accumulate` are constants where this is inlined. */
static inline void move_elements(const float *restrict from, float *restrict to, int64_t count, int64_t from_step,
                                 int64_t to_step, int lanes, bool accumulate)
{
	for (int64_t i = 0; i < count; i++)
		for (int lane = 0; lane < lanes; lane++) {
			float value = from[i * from_step * lanes + lane];
			float *target = &to[i * to_step * lanes + lane];
			*target = accumulate ? *target + value : value;
		}
}

/* The innermost loop. */
static void move_run(const struct work *work, const float *from, float *to)
{
	const struct pare_box *box = &work->box;
	int d = box->rank - 1, lanes = work->to->lanes;
	int64_t count = box->size[d], from_step = box->in_step[d], to_step = box->out_step[d];

	if (from_step == 1 && to_step == 1 && !work->accumulate)
		memcpy(to, from, sizeof(float) * (size_t)(count * lanes));
	else if (from_step == 1 && to_step == 1)
		move_elements(from, to, count * lanes, 1, 1, 1, true);
	else if (lanes == 1)
		move_elements(from, to, count, from_step, to_step, 1, work->accumulate);
	else if (work->accumulate)
		move_elements(from, to, count, from_step, to_step, PARE_LANES, true);
	else
		move_elements(from, to, count, from_step, to_step, PARE_LANES, false);
}

/* Dimensions d and up, counted by an odometer. */
static void move_box(const struct work *work, int d, const float *from, float *to)
{
	const struct pare_box *box = &work->box;
	int64_t at[PARE_MAX_RANK] = {0};
	int lanes = work->to->lanes, last = box->rank - 1;

	for (;;) {
		move_run(work, from, to);
		int carry = last - 1;
		for (; carry >= d; carry--) {
			from += box->in_step[carry] * lanes;
			to += box->out_step[carry] * lanes;
			if (++at[carry] < box->size[carry])
				break;
			from -= box->size[carry] * box->in_step[carry] * lanes;
			to -= box->size[carry] * box->out_step[carry] * lanes;
			at[carry] = 0;
		}
		if (carry < d)
			return;
	}
}

/* One block, or, if the box has an outer loop, one turn of it in one block. */
static void move_item(void *context, int64_t item, int worker)
{
	const struct work *work = context;
	const struct pare_box *box = &work->box;
	int outer = box->rank > 1, lanes = work->to->lanes;
	int64_t turns = outer ? box->size[0] : 1, block = item / turns, turn = item % turns;
	const float *from = work->from->data + block * pare_tensor_block_size(work->from);
	float *to = work->to->data + block * pare_tensor_block_size(work->to);

	(void)worker;
	from += (box->in_start + outer * turn * box->in_step[0]) * lanes;
	to += (box->out_start + outer * turn * box->out_step[0]) * lanes;
	move_box(work, outer, from, to);
}

static void move_all(struct pare_pool *pool, struct work *work)
{
	const struct pare_box *box = &work->box;
	pare_pool_for(pool, pare_tensor_blocks(work->to) * (box->rank > 1 ? box->size[0] : 1), move_item, work);
}

void pare_box_forward(struct pare_pool *pool, const struct pare_box *box, const struct pare_tensor *in,
                      const struct pare_tensor *out)
{
	struct work work = {simplify(box), in, out, false};
	move_all(pool, &work);
}

void pare_box_backward(struct pare_pool *pool, const struct pare_box *box, const struct pare_tensor *dout,
                       const struct pare_tensor *din, bool accumulate)
{
	struct pare_box back = *box;

	back.in_start = box->out_start;
	back.out_start = box->in_start;
	memcpy(back.in_step, box->out_step, sizeof(back.in_step));
	memcpy(back.out_step, box->in_step, sizeof(back.out_step));
	struct work work = {simplify(&back), dout, din, accumulate};
	move_all(pool, &work);
}

static void clear_span(void *context, int64_t item, int worker)
{
	const struct pare_tensor *tensor = context;
	struct pare_span span = pare_span_at(pare_tensor_size(tensor), item);

	(void)worker;
	memset(tensor->data + span.begin, 0, sizeof(float) * (size_t)span.count);
}

void pare_tensor_clear(struct pare_pool *pool, const struct pare_tensor *tensor)
{
	pare_pool_for(pool, pare_span_count(pare_tensor_size(tensor)), clear_span, (void *)tensor);
}
