/* SPDX-License-Identifier: MIT */
/*
 * Several buffers: in one request, in as many requests one after the other, and in requests on as
 * many connections that do not wait for each other. On one connection the protocol has one request
 * at a time.
 */
#include <dmabuf.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench.h"

static const unsigned int counts[] = {1, 2, 4, 8, BENCH_DESCRIPTORS};

struct batch {
	struct dmabuf *connection;
	struct dmabuf_request *request;
	struct dmabuf_buffer *buffers[BENCH_DESCRIPTORS];
	size_t size;
	const struct bench_options *options;
};

static void print(const struct batch *batch, const char *how, unsigned int n, uint64_t since)
{
	uint64_t now = bench_now();
	char what[64];

	snprintf(what, sizeof(what), "%s of %zu", how, batch->size);
	bench_sample(what, batch->options->broker, n, now - since);
}

static void give_back(struct batch *batch, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		dmabuf_buffer_free(batch->buffers[i]);
	bench_settle(batch->options);
}

static void in_one(struct batch *batch, unsigned int n)
{
	uint64_t t = bench_now();

	bench_check("batch", dmabuf_allocate(batch->connection, batch->request, batch->buffers, n));
	print(batch, "one request", n, t);
	give_back(batch, n);
}

static void one_by_one(struct batch *batch, unsigned int n)
{
	uint64_t t = bench_now();

	for (unsigned int i = 0; i < n; i++)
		bench_check("single", dmabuf_allocate(batch->connection, batch->request,
						      batch->buffers + i, 1));
	print(batch, "requests", n, t);
	give_back(batch, n);
}

static void in_flight(struct batch *batch, const int sockets[], unsigned int n)
{
	int fds[BENCH_DESCRIPTORS];
	uint64_t t = bench_now();

	for (unsigned int i = 0; i < n; i++)
		wire_ask(sockets[i], batch->size);
	for (unsigned int i = 0; i < n; i++)
		fds[i] = wire_answer(sockets[i]);
	print(batch, "in flight", n, t);
	for (unsigned int i = 0; i < n; i++)
		close(fds[i]);
	bench_settle(batch->options);
}

/* Words: sizes. */
void bench_batch(const struct bench_options *options)
{
	struct batch batch = {.options = options};
	int sockets[BENCH_DESCRIPTORS];

	bench_check("connect", dmabuf_connect(&batch.connection));
	bench_check("request", dmabuf_request_new(&batch.request));
	dmabuf_request_set_pool(batch.request, "system");
	dmabuf_request_set_mapping(batch.request, DMABUF_MAPPING_CACHED);
	for (unsigned int i = 0; i < BENCH_DESCRIPTORS; i++)
		sockets[i] = wire_connect();
	for (unsigned int i = 0; i < options->rounds; i++)
		for (char **word = options->words; *word; word++) {
			batch.size = strtoul(*word, NULL, 0);
			dmabuf_request_set_size(batch.request, batch.size);
			for (size_t k = 0; k < sizeof(counts) / sizeof(counts[0]); k++) {
				in_one(&batch, counts[k]);
				one_by_one(&batch, counts[k]);
				in_flight(&batch, sockets, counts[k]);
			}
		}
}
