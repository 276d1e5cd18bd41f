#include "engine/ops/window.h"

static int check_attrs(const struct pare_pool2d *attrs, struct pare_error *error)
{
	if (attrs->kernel_h < 1 || attrs->kernel_w < 1)
		return pare_error_set(error, PARE_E_INVALID, "kernel is %dx%d; both must be at least 1",
		                      attrs->kernel_h, attrs->kernel_w);
	if (attrs->stride_h < 1 || attrs->stride_w < 1)
		return pare_error_set(error, PARE_E_INVALID, "stride is %dx%d; both must be at least 1",
		                      attrs->stride_h, attrs->stride_w);
	if (attrs->pad_top < 0 || attrs->pad_bottom < 0 || attrs->pad_left < 0 || attrs->pad_right < 0 ||
	    attrs->pad_top >= attrs->kernel_h || attrs->pad_bottom >= attrs->kernel_h ||
	    attrs->pad_left >= attrs->kernel_w || attrs->pad_right >= attrs->kernel_w)
		return pare_error_set(error, PARE_E_INVALID,
		                      "padding is %d,%d,%d,%d; it must be at least 0 and below the kernel %dx%d",
		                      attrs->pad_top, attrs->pad_left, attrs->pad_bottom, attrs->pad_right,
		                      attrs->kernel_h, attrs->kernel_w);
	return PARE_OK;
}

int pare_pool2d_infer_shape(const struct pare_graph *graph, const struct pare_node *node, struct pare_shape *out,
                            struct pare_error *error)
{
	const struct pare_pool2d *attrs = node->attrs;
	const struct pare_shape *in = pare_node_input_shape(graph, node, 0);
	char text[64];
	int status;

	if (in->rank != 3)
		return pare_error_set(error, PARE_E_INVALID, "input is %s; pooling needs channels x height x width",
		                      pare_shape_text(in, text, sizeof(text)));
	status = check_attrs(attrs, error);
	if (status != PARE_OK)
		return status;
	int64_t height = pare_window_output(in->dim[1], attrs->kernel_h, attrs->stride_h, attrs->pad_top,
	                                    attrs->pad_bottom, 1, attrs->ceil_mode != 0);
	int64_t width = pare_window_output(in->dim[2], attrs->kernel_w, attrs->stride_w, attrs->pad_left,
	                                   attrs->pad_right, 1, attrs->ceil_mode != 0);
	if (height < 1 || width < 1)
		return pare_error_set(error, PARE_E_INVALID,
		                      "a %dx%d window does not fit into %s with padding %d,%d,%d,%d", attrs->kernel_h,
		                      attrs->kernel_w, pare_shape_text(in, text, sizeof(text)), attrs->pad_top,
		                      attrs->pad_left, attrs->pad_bottom, attrs->pad_right);
	*out = pare_shape_chw(in->dim[0], height, width);
	return PARE_OK;
}

void pare_pool2d_describe(const struct pare_node *node, struct pare_strbuf *text)
{
	const struct pare_pool2d *attrs = node->attrs;

	pare_strbuf_printf(text, "k%dx%d s%dx%d p%d,%d,%d,%d", attrs->kernel_h, attrs->kernel_w, attrs->stride_h,
	                   attrs->stride_w, attrs->pad_top, attrs->pad_left, attrs->pad_bottom, attrs->pad_right);
	if (attrs->ceil_mode)
		pare_strbuf_add(text, " ceil");
}
