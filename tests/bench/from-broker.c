/* SPDX-License-Identifier: MIT */
/*
 * Buffers from the daemon, by the library.
 */
#include <dmabuf.h>
#include <err.h>
#include <stdlib.h>
#include <unistd.h>

#include "sources.h"

/* One connection for all: a client has one. */
static struct dmabuf *connection;

int open_broker(struct source *source)
{
	struct source module = {.place = source->place};
	int r = open_module(&module);

	if (r < 0)
		return r;
	close(module.fd);
	return connection ? 0 : dmabuf_connect(&connection);
}

int allocate_broker(struct source *source, size_t size)
{
	static struct dmabuf_request *request;
	struct dmabuf_buffer *buffer;
	int r;

	if (!request)
		bench_check("request", dmabuf_request_new(&request));
	dmabuf_request_set_size(request, size);
	dmabuf_request_set_mapping(request, DMABUF_MAPPING_CACHED);
	dmabuf_request_set_pool(request, source->place);
	r = dmabuf_allocate(connection, request, &buffer, 1);
	if (r < 0) {
		warnx("%s", dmabuf_error(connection));
		return r;
	}
	r = dmabuf_buffer_take_fd(buffer);
	dmabuf_buffer_free(buffer);
	return r;
}
