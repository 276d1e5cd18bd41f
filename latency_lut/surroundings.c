#include "latency_lut/surroundings.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"

#define CACHE_LINE 64
#define CHUNK_BYTES ((size_t)32 << 10)
#define CHUNK_FLOATS 8192

int pare_surroundings_init(struct pare_surroundings *surroundings, size_t bytes, struct pare_pool *pool)
{
	*surroundings = (struct pare_surroundings){.pool = pool};
	surroundings->capacity = bytes < PARE_SURROUNDINGS_MOST_BYTES ? bytes : PARE_SURROUNDINGS_MOST_BYTES;
	surroundings->memory = pare_aligned_new(surroundings->capacity + 1);
	if (!surroundings->memory)
		return PARE_E_NOMEM;
	/* Untouched pages would all be the one zero page. */
	memset(surroundings->memory, 1, surroundings->capacity + 1);
	return PARE_OK;
}

void pare_surroundings_release(struct pare_surroundings *surroundings)
{
	free(surroundings->memory);
	*surroundings = (struct pare_surroundings){0};
}

struct reading {
	const unsigned char *memory;
	size_t bytes;
};

static void read_chunk(void *context, int64_t chunk, int worker)
{
	const struct reading *reading = context;
	size_t first = (size_t)chunk * CHUNK_BYTES, end = first + CHUNK_BYTES;
	const volatile unsigned char *memory = reading->memory;

	(void)worker;
	end = end < reading->bytes ? end : reading->bytes;
	for (size_t at = first; at < end; at += CACHE_LINE)
		(void)memory[at];
}

void pare_surroundings_pass(const struct pare_surroundings *surroundings, size_t bytes)
{
	struct reading reading = {surroundings->memory, bytes};
	if (reading.bytes > surroundings->capacity)
		reading.bytes = surroundings->capacity;
	pare_pool_for(surroundings->pool, (int64_t)((reading.bytes + CHUNK_BYTES - 1) / CHUNK_BYTES), read_chunk,
	              &reading);
}

static void write_chunk(void *context, int64_t chunk, int worker)
{
	const struct pare_tensor *tensor = context;
	int64_t first = chunk * CHUNK_FLOATS, end = first + CHUNK_FLOATS, size = pare_tensor_size(tensor);

	(void)worker;
	end = end < size ? end : size;
	for (int64_t i = first; i < end; i++)
		tensor->data[i] = (float)(i % 64 + 1) / 80.0f;
}

void pare_surroundings_write(const struct pare_surroundings *surroundings, const struct pare_tensor *tensor)
{
	int64_t chunks = (pare_tensor_size(tensor) + CHUNK_FLOATS - 1) / CHUNK_FLOATS;
	pare_pool_for(surroundings->pool, chunks, write_chunk, (void *)tensor);
}

static size_t param_bytes(const struct pare_graph *graph, const struct pare_node *node)
{
	size_t bytes = 0;
	for (int i = 0; i < node->n_params; i++)
		bytes += (size_t)pare_shape_elements(pare_node_param_shape(graph, node, i)) * sizeof(float);
	return bytes;
}

int pare_working_set(const struct pare_graph *graph, int64_t images, struct pare_pool *pool, size_t *bytes,
                     struct pare_error *error)
{
	struct pare_exec_options options = {.images = images, .pool = pool};
	struct pare_exec *exec;
	int lanes = pare_lanes_for(images), status = pare_exec_new(&exec, graph, &options, error);

	*bytes = 0;
	if (status)
		return status;
	*bytes = pare_exec_bytes(exec);
	pare_exec_free(exec);
	for (int n = 0; n < graph->n_nodes; n++) {
		const struct pare_node *node = &graph->nodes[n];
		const struct pare_op *op = node->op;
		bool packed =
		        op->shared_workspace_bytes && op->shared_workspace_bytes(graph, node, images, lanes, false) > 0;
		*bytes += packed ? 0 : param_bytes(graph, node);
	}
	return PARE_OK;
}
