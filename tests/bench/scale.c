/* SPDX-License-Identifier: MIT */
/*
 * What a request costs while many buffers live and many clients are connected, and what the daemon
 * itself needs then. First more and more, then less and less, so that what drifts meanwhile is in
 * both.
 */
#include <dmabuf.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

#define LIVE_MAX 8192u
#define CLIENTS_MAX 1024u
#define IDLE_SECONDS 5

static const unsigned int live[] = {10, 1000, LIVE_MAX, 1000, 10};
static const unsigned int clients[] = {1, 64, CLIENTS_MAX, 64, 1};

struct scale {
	struct dmabuf_request *request;
	struct dmabuf_buffer *buffers[LIVE_MAX];
	struct dmabuf *connections[CLIENTS_MAX];
	unsigned int n_buffers;
	unsigned int n_connections;
	const struct bench_options *options;
};

/* A number of the daemon's status file. */
static uint64_t daemon_number(const struct bench_options *options, const char *key)
{
	char path[64], line[256];
	uint64_t number = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", options->daemon);
	file = fopen(path, "re");
	if (!file)
		err(1, "%s", path);
	while (fgets(line, sizeof(line), file))
		if (strncmp(line, key, strlen(key)) == 0)
			number = strtoull(line + strlen(key) + 1, NULL, 10);
	fclose(file);
	return number;
}

static void set_live(struct scale *scale, unsigned int wanted)
{
	while (scale->n_buffers > wanted)
		dmabuf_buffer_free(scale->buffers[--scale->n_buffers]);
	while (scale->n_buffers < wanted) {
		unsigned int n = wanted - scale->n_buffers;

		if (n > BENCH_DESCRIPTORS)
			n = BENCH_DESCRIPTORS;
		bench_check("many buffers", dmabuf_allocate(scale->connections[0], scale->request,
							    scale->buffers + scale->n_buffers, n));
		scale->n_buffers += n;
	}
}

static void set_clients(struct scale *scale, unsigned int wanted)
{
	while (scale->n_connections > wanted)
		dmabuf_disconnect(scale->connections[--scale->n_connections]);
	for (; scale->n_connections < wanted; scale->n_connections++)
		bench_check("many clients",
			    dmabuf_connect(&scale->connections[scale->n_connections]));
}

/* Each client asks in its turn. */
static void ask(struct scale *scale, const char *what, unsigned int number)
{
	for (unsigned int i = 0; i < scale->options->rounds; i++) {
		struct dmabuf_buffer *buffer;
		uint64_t t = bench_now();

		bench_check(what, dmabuf_allocate(scale->connections[i % scale->n_connections],
						  scale->request, &buffer, 1));
		bench_sample(what, scale->options->broker, number, bench_now() - t);
		dmabuf_buffer_free(buffer);
		bench_settle(scale->options);
	}
}

static void look_at_daemon(const struct scale *scale)
{
	uint64_t before, number = scale->n_buffers;

	if (!scale->options->daemon)
		return;
	bench_sample("resident", "daemon", number, daemon_number(scale->options, "VmRSS:") << 10);
	sleep(1);
	before = daemon_number(scale->options, "voluntary_ctxt_switches:");
	sleep(IDLE_SECONDS);
	bench_sample("wake-ups", "daemon", number,
		     daemon_number(scale->options, "voluntary_ctxt_switches:") - before);
}

void bench_scale(const struct bench_options *options)
{
	static struct scale scale;

	scale.options = options;
	bench_check("request", dmabuf_request_new(&scale.request));
	dmabuf_request_set_size(scale.request, 4096);
	dmabuf_request_set_pool(scale.request, "system");
	dmabuf_request_set_mapping(scale.request, DMABUF_MAPPING_CACHED);
	set_clients(&scale, 1);
	look_at_daemon(&scale);
	for (size_t i = 0; i < sizeof(live) / sizeof(live[0]); i++) {
		set_live(&scale, live[i]);
		bench_settle(options);
		ask(&scale, "while buffers live", live[i]);
	}
	for (size_t i = 0; i < sizeof(clients) / sizeof(clients[0]); i++) {
		set_clients(&scale, clients[i]);
		bench_settle(options);
		ask(&scale, "while clients are connected", clients[i]);
	}
	set_clients(&scale, CLIENTS_MAX);
	set_live(&scale, LIVE_MAX);
	look_at_daemon(&scale);
}
