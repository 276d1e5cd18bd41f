#include "latency_lut/key.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* NULL when the step has no weight, or more inputs than one axis could tell apart. */
static const struct pare_shape *weight_of(const struct pare_graph *graph, const struct pare_node *node)
{
	if (node->n_inputs != 1)
		return NULL;
	for (int i = 0; i < node->n_params; i++) {
		const struct pare_param *param = &graph->params[node->params[i]];
		if (param->role == PARE_PARAM_WEIGHT && param->shape.rank > 1)
			return &param->shape;
	}
	return NULL;
}

/* In place of " g<groups>", which the operator's description ends with. */
static bool spell_depthwise(struct pare_strbuf *text, int64_t groups, int64_t multiplier)
{
	char token[32];
	size_t length = (size_t)snprintf(token, sizeof(token), " g%" PRId64, groups);
	if (text->length < length || strcmp(text->text + text->length - length, token) != 0)
		return false;
	text->length -= length;
	text->text[text->length] = '\0';
	pare_strbuf_add(text, " gdw");
	if (multiplier > 1)
		pare_strbuf_printf(text, " x%" PRId64, multiplier);
	return true;
}

static void add_rest(struct pare_strbuf *text, const struct pare_step *step, const struct pare_node *node,
                     const struct pare_shape *in)
{
	static const char *const activations[] = {
	        [PARE_ACTIVATION_NONE] = "", [PARE_ACTIVATION_RELU] = " relu", [PARE_ACTIVATION_RELU6] = " relu6"};
	pare_strbuf_add(text, activations[step->activation]);
	if (node->n_inputs > 1)
		pare_strbuf_printf(text, " in%d", node->n_inputs);
	for (int d = 1; d < in->rank; d++)
		pare_strbuf_printf(text, d == 1 ? " %" PRId64 : "x%" PRId64, in->dim[d]);
}

int pare_lut_key_make(struct pare_lut_key *key, const struct pare_graph *graph, const struct pare_step *step,
                      enum pare_lut_spelling spelling, struct pare_strbuf *scratch, struct pare_error *error)
{
	const struct pare_node *node = &graph->nodes[step->node];
	const struct pare_shape *in = pare_node_input_shape(graph, node, 0), *weight = weight_of(graph, node);
	int64_t channels_in = in->dim[0], channels_out = pare_node_output_shape(graph, node)->dim[0];
	bool one_each = weight && weight->rank > 2 && weight->dim[1] == 1;
	bool depthwise = one_each && (channels_in > 1) != (spelling == PARE_LUT_SPELLING_OTHER);

	if (spelling == PARE_LUT_SPELLING_OTHER && !one_each)
		return pare_error_set(error, PARE_E_NOT_FOUND, "%s: there is no other spelling", node->name);
	pare_strbuf_clear(scratch);
	pare_strbuf_add(scratch, node->op->name);
	pare_strbuf_add(scratch, " ");
	if (node->op->describe)
		node->op->describe(node, scratch);
	if (!scratch->failed && scratch->text[scratch->length - 1] == ' ')
		scratch->text[--scratch->length] = '\0';
	if (depthwise && !scratch->failed)
		depthwise = spell_depthwise(scratch, channels_in, channels_out / channels_in);
	add_rest(scratch, step, node, in);
	if (scratch->failed)
		return pare_error_set(error, PARE_E_NOMEM, "out of memory");
	if (scratch->length >= sizeof(key->family))
		return pare_error_set(error, PARE_E_LIMIT, "%s: the latency key \"%s\" is longer than %zu", node->name,
		                      scratch->text, sizeof(key->family) - 1);
	memcpy(key->family, scratch->text, scratch->length + 1);
	key->in_channels = weight && !depthwise ? channels_in : 0;
	key->out_channels = channels_out;
	return PARE_OK;
}
