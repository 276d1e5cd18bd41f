/*
 * An executor with random images in it, for tests: opened, filled, run and read in one line each. Whatever fails, fails
 * the running test.
 *
 *     float *images = exec_images(graph, 19, 1);
 *     struct pare_exec *exec = exec_open(graph, &(struct pare_exec_options){.images = 19});
 *     exec_forward(exec, images);
 *     float *logits = exec_read(exec, graph->output);
 */
#ifndef PARE_TESTS_SUPPORT_EXEC_RIG_H
#define PARE_TESTS_SUPPORT_EXEC_RIG_H

#include "engine/graph/exec.h"

/* Standard normal pixels, [images][input shape], for the graph's input or any other shape. free() them. */
float *exec_images(const struct pare_graph *graph, int64_t images, uint64_t seed);
float *exec_normal(const struct pare_shape *shape, int64_t images, uint64_t seed);

struct pare_exec *exec_open(const struct pare_graph *graph, const struct pare_exec_options *options);
/* Fills the input with as many images as the executor is set to, and runs. */
void exec_forward(struct pare_exec *exec, const float *images);
/* Writes the output's gradient, runs backward. */
void exec_backward(struct pare_exec *exec, const float *output_gradient);

/* A view's images as dense NCHW, free() them. */
float *exec_read(const struct pare_exec *exec, int value);
float *tensor_read(const struct pare_tensor *tensor);

/* All trained parameters' gradients in one array of exec_gradient_count floats, free() it. */
float *exec_read_gradients(const struct pare_exec *exec, const struct pare_graph *graph);
int64_t exec_gradient_count(const struct pare_graph *graph);
bool exec_is_trained(const struct pare_graph *graph, int param);

/* max |a - b| <= tolerance * max |b|; `what` names the comparison. */
void assert_close(const char *what, const float *a, const float *b, int64_t count, double tolerance);
/* Bit for bit. */
void assert_same(const char *what, const float *a, const float *b, int64_t count);

/* Bytes that the program has from malloc at present, also under the address sanitizer; 0 where it cannot be known. */
size_t heap_bytes(void);

#endif
