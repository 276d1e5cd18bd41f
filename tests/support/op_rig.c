#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/rng.h"
#include "tests/support/op_check.h"

#define LEAK 1000.0f /* what lanes without an image hold */

/* Exactly `size` bytes, so that the address sanitizer sees the first byte too far; all NaN when read as floats. */
static void *new_bytes(size_t size)
{
	void *bytes = NULL;
	assert_int_equal(posix_memalign(&bytes, 64, size > 0 ? size : 1), 0);
	memset(bytes, 0xff, size > 0 ? size : 1);
	return bytes;
}

static struct pare_tensor new_tensor(const struct op_case *c, struct pare_shape shape)
{
	struct pare_tensor tensor = {.shape = shape, .images = c->images, .lanes = c->lanes};
	tensor.data = new_bytes(sizeof(float) * (size_t)pare_tensor_size(&tensor));
	return tensor;
}

static void fill_tensor(const struct pare_tensor *tensor, const double *nchw, float unused)
{
	int64_t elements = pare_shape_elements(&tensor->shape), slots = pare_tensor_blocks(tensor) * tensor->lanes;
	for (int64_t i = 0; i < slots; i++)
		for (int64_t e = 0; e < elements; e++)
			*pare_tensor_at(tensor, i, e) = i < tensor->images ? (float)nchw[i * elements + e] : unused;
}

/* Values that floats hold exactly, so that reference and operator see the same; wide enough to reach ReLU6's upper
 * bend. */
static double *random_values(int64_t count, struct pare_rng *rng, bool positive)
{
	double *values = new_bytes(sizeof(double) * (size_t)count);
	for (int64_t i = 0; i < count; i++)
		values[i] = (double)(float)(positive ? 0.5 + pare_rng_uniform_double(rng) : 3.0 * pare_rng_normal(rng));
	return values;
}

static double *distinct_values(int64_t count, struct pare_rng *rng)
{
	double *values = new_bytes(sizeof(double) * (size_t)count);
	int32_t *order = new_bytes(sizeof(int32_t) * (size_t)count);
	for (int64_t i = 0; i < count; i++)
		order[i] = (int32_t)i;
	pare_rng_shuffle(rng, order, count);
	for (int64_t i = 0; i < count; i++)
		values[i] = (double)(order[i] - count / 2) / 1024.0;
	free(order);
	return values;
}

static void make_graph(struct op_rig *rig, const struct op_case *c)
{
	for (int i = 0; i < REFERENCE_MAX; i++)
		rig->indices[i] = i;
	for (int i = 0; i < c->n_inputs; i++)
		rig->values[i] = (struct pare_value){.shape = c->in[i], .producer = -1};
	for (int i = 0; i < c->n_params; i++)
		rig->params[i] = (struct pare_param){.shape = c->param[i], .data = rig->param[i]};
	rig->node = (struct pare_node){.op = c->op,
	                               .attrs = (void *)c->attrs,
	                               .inputs = rig->indices,
	                               .n_inputs = c->n_inputs,
	                               .output = c->n_inputs,
	                               .params = rig->indices,
	                               .n_params = c->n_params};
	rig->graph = (struct pare_graph){.nodes = &rig->node,
	                                 .values = rig->values,
	                                 .params = rig->params,
	                                 .n_nodes = 1,
	                                 .n_values = c->n_inputs + 1,
	                                 .n_params = c->n_params,
	                                 .output = c->n_inputs};
}

int op_infer(const struct op_case *c, struct pare_shape *out, struct pare_error *error)
{
	struct op_rig rig = {.c = c};

	make_graph(&rig, c);
	return c->op->infer_shape(&rig.graph, &rig.node, out, error);
}

static void make_reference(struct op_rig *rig, const struct op_case *c, struct pare_rng *rng)
{
	struct reference_call *reference = &rig->reference;

	*reference = (struct reference_call){.attrs = c->attrs,
	                                     .images = c->images,
	                                     .n_inputs = c->n_inputs,
	                                     .n_params = c->n_params,
	                                     .out_shape = rig->values[c->n_inputs].shape};
	for (int i = 0; i < c->n_inputs; i++) {
		int64_t count = c->images * pare_shape_elements(&c->in[i]);
		reference->in_shape[i] = c->in[i];
		reference->in[i] = c->distinct_inputs ? distinct_values(count, rng)
		                                      : random_values(count, rng, c->positive_inputs >> i & 1);
	}
	for (int i = 0; i < c->n_params; i++) {
		reference->param_shape[i] = c->param[i];
		reference->param[i] =
		        random_values(pare_shape_elements(&c->param[i]), rng, c->positive_params >> i & 1);
	}
	int64_t out_count = c->images * pare_shape_elements(&reference->out_shape);
	reference->out = new_bytes(sizeof(double) * (size_t)out_count);
	rig->weights = random_values(out_count, rng, false);
}

/* Where the activation bends, a finite difference is not the gradient: such outputs get no weight in the loss. */
static void drop_kinks(struct op_rig *rig, const struct op_case *c)
{
	int64_t count = c->images * pare_shape_elements(&rig->reference.out_shape);

	if (c->reference == reference_relu || c->reference == reference_relu6)
		memcpy(rig->reference.out, rig->reference.in[0], sizeof(double) * (size_t)count);
	else if (c->activation != PARE_ACTIVATION_NONE)
		c->reference(&rig->reference);
	else
		return;
	for (int64_t i = 0; i < count; i++)
		if (fabs(rig->reference.out[i]) < 1e-3 || fabs(rig->reference.out[i] - 6.0) < 1e-3)
			rig->weights[i] = 0.0;
}

void op_rig_open(struct op_rig *rig, const struct op_case *c)
{
	struct pare_rng rng = pare_rng_make(17, PARE_STREAM_TEST, (uint64_t)c->images);
	struct pare_error error = {0};

	*rig = (struct op_rig){.c = c};
	for (int i = 0; i < c->n_params; i++)
		rig->param[i] = new_bytes(sizeof(float) * (size_t)pare_shape_elements(&c->param[i]));
	make_graph(rig, c);
	if (c->op->infer_shape(&rig->graph, &rig->node, &rig->values[c->n_inputs].shape, &error) != PARE_OK)
		fail_msg("%s: %s", c->name, error.text);
	make_reference(rig, c, &rng);
	rig->reference.training = true;
	drop_kinks(rig, c);
	for (int i = 0; i < c->n_inputs; i++) {
		rig->in[i] = new_tensor(c, c->in[i]);
		rig->din[i] = new_tensor(c, c->in[i]);
		fill_tensor(&rig->in[i], rig->reference.in[i], LEAK);
	}
	for (int i = 0; i < c->n_params; i++) {
		int64_t count = pare_shape_elements(&c->param[i]);
		rig->param_start[i] = new_bytes(sizeof(float) * (size_t)count);
		for (int64_t k = 0; k < count; k++)
			rig->param_start[i][k] = (float)rig->reference.param[i][k];
		rig->dparam[i] = i < c->n_trained ? new_bytes(sizeof(float) * (size_t)count) : NULL;
	}
	rig->out = new_tensor(c, rig->reference.out_shape);
	rig->dout = new_tensor(c, rig->reference.out_shape);
	fill_tensor(&rig->dout, rig->weights, c->noisy_gradient ? LEAK : 0.0f);
	rig->dout_start = new_bytes(sizeof(float) * (size_t)pare_tensor_size(&rig->dout));
	memcpy(rig->dout_start, rig->dout.data, sizeof(float) * (size_t)pare_tensor_size(&rig->dout));
}

void op_rig_close(struct op_rig *rig)
{
	for (int i = 0; i < rig->c->n_inputs; i++) {
		free(rig->in[i].data);
		free(rig->din[i].data);
		free(rig->reference.in[i]);
	}
	for (int i = 0; i < rig->c->n_params; i++) {
		free(rig->param[i]);
		free(rig->param_start[i]);
		free(rig->dparam[i]);
		free(rig->reference.param[i]);
	}
	free(rig->out.data);
	free(rig->dout.data);
	free(rig->dout_start);
	free(rig->reference.out);
	free(rig->weights);
}

static size_t bytes_of(const struct op_rig *rig, bool training,
                       size_t (*bytes)(const struct pare_graph *, const struct pare_node *, int64_t, int, bool))
{
	return bytes ? bytes(&rig->graph, &rig->node, rig->c->images, rig->c->lanes, training) : 0;
}

/* What prepare may see is all it gets. */
static void prepare(const struct op_rig *rig, struct pare_op_args args)
{
	struct pare_tensor in[REFERENCE_MAX];

	memcpy(in, rig->in, sizeof(in));
	for (int i = 0; i < REFERENCE_MAX; i++)
		in[i].data = NULL;
	args.in = in;
	args.out.data = args.dout.data = NULL;
	args.din = NULL;
	args.din_accumulate = NULL;
	args.dparam = NULL;
	args.saved = NULL;
	args.workspace = NULL;
	rig->c->op->prepare(&args);
}

void op_rig_run(struct op_rig *rig, bool training, struct pare_pool *pool)
{
	const struct op_case *c = rig->c;
	void *workspace[16] = {0};
	int threads = pare_pool_threads(pool);
	struct pare_op_args args = {.graph = &rig->graph,
	                            .node = &rig->node,
	                            .training = training,
	                            .activation = c->activation,
	                            .in = rig->in,
	                            .out = rig->out,
	                            .dout = rig->dout,
	                            .din = rig->din,
	                            .din_accumulate = rig->accumulate,
	                            .dparam = rig->dparam,
	                            .param = rig->param,
	                            .workspace = workspace,
	                            .pool = pool};

	for (int i = 0; i < c->n_params; i++)
		memcpy(rig->param[i], rig->param_start[i], sizeof(float) * (size_t)pare_shape_elements(&c->param[i]));
	memcpy(rig->dout.data, rig->dout_start, sizeof(float) * (size_t)pare_tensor_size(&rig->dout));
	for (int i = 0; i < threads; i++)
		workspace[i] = new_bytes(bytes_of(rig, training, c->op->workspace_bytes));
	args.shared_workspace = new_bytes(bytes_of(rig, training, c->op->shared_workspace_bytes));
	if (training && c->op->saved_bytes)
		args.saved = new_bytes(c->op->saved_bytes(&rig->graph, &rig->node, c->images, c->lanes));
	if (c->op->prepare)
		prepare(rig, args);
	c->op->forward(&args);
	if (training)
		c->op->backward(&args);
	for (int i = 0; i < threads; i++)
		free(workspace[i]);
	free(args.shared_workspace);
	free(args.saved);
}
