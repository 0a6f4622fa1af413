/* SPDX-License-Identifier: MIT */
/*
 * dmabufctl metrics: the numbers of the daemon as OpenMetrics text, for Prometheus; with --http as
 * the answer to one HTTP request on standard input, for a socket of the service manager.
 */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "ctl.h"
#include "openmetrics.h"

#define LINE_SIZE 4096
#define REQUEST_MAX 65536
#define BOUND_SIZE 32

static void add_gauge(struct metrics *metrics, const char *name, const char *help, uint64_t value)
{
	metrics_family(metrics, name, "gauge", help);
	metrics_add(metrics, name, NULL, NULL, value);
}

static void add_counter(struct metrics *metrics, const char *name, const char *help, uint64_t value)
{
	char total[64];

	metrics_family(metrics, name, "counter", help);
	snprintf(total, sizeof(total), "%s_total", name);
	metrics_add(metrics, total, NULL, NULL, value);
}

/* In seconds, as the format writes numbers that are labels: 5e-05, 0.001, 1.0. */
static void format_bound(char text[static BOUND_SIZE], uint64_t microseconds)
{
	int n = snprintf(text, BOUND_SIZE, "%g", (double)microseconds / 1e6);

	if (microseconds == UINT64_MAX)
		strcpy(text, "+Inf");
	else if (!strpbrk(text, ".e"))
		snprintf(text + n, BOUND_SIZE - (size_t)n, ".0");
}

/* Buckets hold what is in those before them, too. */
static void add_durations(struct metrics *metrics, const struct dmabuf_status_info *status)
{
	uint64_t sum = 0;
	char bound[BOUND_SIZE];

	metrics_family(metrics, "request_duration_seconds", "histogram",
		       "How long requests for memory took, granted or refused");
	for (unsigned int i = 0; i < status->n_buckets; i++) {
		format_bound(bound, status->buckets[i].bound);
		sum += status->buckets[i].count;
		metrics_add(metrics, "request_duration_seconds_bucket", "le", bound, sum);
	}
	metrics_add(metrics, "request_duration_seconds_count", NULL, NULL, sum);
	metrics_add_seconds(metrics, "request_duration_seconds_sum", NULL, NULL, status->duration);
}

static void add_by_pool(struct metrics *metrics, const struct dmabuf_status_info *status)
{
	metrics_family(metrics, "allocations", "counter", "Buffers that were granted, by pool");
	for (unsigned int i = 0; i < status->n_pools; i++)
		metrics_add(metrics, "allocations_total", "pool", status->pools[i].pool,
			    status->pools[i].buffers);
	metrics_family(metrics, "allocated_bytes", "counter", "Bytes that were granted, by pool");
	for (unsigned int i = 0; i < status->n_pools; i++)
		metrics_add(metrics, "allocated_bytes_total", "pool", status->pools[i].pool,
			    status->pools[i].bytes);
}

static void add_refusals(struct metrics *metrics, const struct dmabuf_status_info *status)
{
	metrics_family(metrics, "refusals", "counter",
		       "Requests for memory that were refused, by reason");
	for (unsigned int i = 0; i < status->n_refusals; i++)
		metrics_add(metrics, "refusals_total", "reason", refusal_name(i),
			    status->refusals[i]);
}

static int add_status(const struct dmabuf_status_info *status, void *userdata)
{
	struct metrics *metrics = userdata;

	metrics_family(metrics, "build_info", "gauge", "Version of the daemon");
	metrics_add(metrics, "build_info", "version", status->version, 1);
	add_gauge(metrics, "module_loaded", "1 while the kernel module is there",
		  !status->module_missing);
	metrics_family(metrics, "uptime_seconds", "gauge", "Since the daemon started");
	metrics_add_seconds(metrics, "uptime_seconds", NULL, NULL, status->uptime);
	add_gauge(metrics, "buffers", "Live buffers", status->buffers);
	add_gauge(metrics, "buffer_bytes", "Bytes of the live buffers", status->bytes);
	add_gauge(metrics, "clients", "Connections now", status->clients);
	add_gauge(metrics, "watchers", "Connections that are told events", status->watchers);
	add_counter(metrics, "connections", "Connections so far", status->connections);
	add_counter(metrics, "requests", "Requests of any kind", status->requests);
	add_counter(metrics, "reloads", "Reloads of the configuration", status->reloads);
	add_counter(metrics, "lost_events", "Events that watchers were too slow for", status->lost);
	add_refusals(metrics, status);
	add_by_pool(metrics, status);
	add_durations(metrics, status);
	return 0;
}

static int add_used(const struct dmabuf_pool_info *pool, void *userdata)
{
	metrics_add(userdata, "pool_used_bytes", "pool", pool->name, pool->used);
	return 0;
}

static int add_size(const struct dmabuf_pool_info *pool, void *userdata)
{
	if (pool->size)
		metrics_add(userdata, "pool_size_bytes", "pool", pool->name, pool->size);
	return 0;
}

static int add_pools(struct dmabuf *conn, struct metrics *metrics)
{
	int r;

	metrics_family(metrics, "pool_used_bytes", "gauge", "Allocated from the pool by dmabufd");
	r = dmabuf_list_pools(conn, add_used, metrics);
	if (r < 0)
		return r;
	metrics_family(metrics, "pool_size_bytes", "gauge", "Size of the pool, if it is known");
	return dmabuf_list_pools(conn, add_size, metrics);
}

static int add_all(struct dmabuf *conn, struct metrics *metrics)
{
	int r;

	metrics_begin(metrics);
	r = dmabuf_get_status(conn, add_status, metrics);
	if (r >= 0)
		r = add_pools(conn, metrics);
	metrics_end(metrics);
	/* Without a module there are no pools, and the rest is what an alarm looks at. */
	return r == -ENXIO ? 0 : r;
}

/* All of it or nothing: the text, or NULL having said why not. */
static char *collect(bool json)
{
	_cleanup_(ctl_disconnectp) struct dmabuf *conn = ctl_connect();
	struct metrics metrics = {.json = json};
	char *text = NULL;
	size_t size;
	int r;

	if (!conn)
		return NULL;
	metrics.file = open_memstream(&text, &size);
	if (!metrics.file)
		err(EXIT_REFUSED, "metrics");
	r = add_all(conn, &metrics);
	if (fclose(metrics.file) != 0)
		err(EXIT_REFUSED, "metrics");
	if (r >= 0)
		return text;
	ctl_fail(conn);
	free(text);
	return NULL;
}

static int print(bool json)
{
	_cleanup_free_ char *text = collect(json);

	if (!text)
		return EXIT_REFUSED;
	fputs(text, stdout);
	return EXIT_OK;
}

static void answer(const char *status, const char *type, const char *text)
{
	printf("HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n"
	       "%s",
	       status, type, strlen(text), text);
}

/* The request's line. What follows, up to the empty line, is read and of no interest. */
static bool read_request(char line[static LINE_SIZE])
{
	char header[LINE_SIZE];
	size_t size = 0;

	if (!fgets(line, LINE_SIZE, stdin))
		return false;
	while (size < REQUEST_MAX && fgets(header, sizeof(header), stdin)) {
		size += strlen(header);
		if (header[strspn(header, "\r\n")] == '\0')
			return true;
	}
	return false;
}

static int serve(void)
{
	_cleanup_free_ char *text = NULL;
	char line[LINE_SIZE];

	if (!read_request(line)) {
		answer("400 Bad Request", "text/plain", "This is no HTTP request.\n");
		return EXIT_REFUSED;
	}
	if (strncmp(line, "GET /metrics ", strlen("GET /metrics ")) != 0) {
		answer("404 Not Found", "text/plain", "There is GET /metrics and nothing else.\n");
		return EXIT_OK;
	}
	text = collect(false);
	if (!text) {
		answer("503 Service Unavailable", "text/plain", "dmabufd does not answer.\n");
		return EXIT_REFUSED;
	}
	answer("200 OK", OPENMETRICS_TYPE, text);
	return EXIT_OK;
}

static int help(void)
{
	printf("Usage: dmabufctl metrics [OPTION]...\n\nPrint the numbers of the daemon as "
	       "OpenMetrics text, for Prometheus.\n\n"
	       "      --http            answer one HTTP request on standard input\n"
	       "  -J, --json            the same numbers as JSON\n"
	       "  -h, --help            this text\n");
	return EXIT_OK;
}

int ctl_metrics(int argc, char *argv[])
{
	static const struct option long_options[] = {{"http", no_argument, NULL, CTL_HTTP},
						     {"json", no_argument, NULL, 'J'},
						     {"help", no_argument, NULL, 'h'},
						     {0}};
	bool json = false, http = false;
	int c;

	while ((c = getopt_long(argc, argv, "Jh", long_options, NULL)) >= 0) {
		if (c == 'h')
			return help();
		if (c != 'J' && c != CTL_HTTP)
			return ctl_usage("metrics");
		json |= c == 'J';
		http |= c == CTL_HTTP;
	}
	if (optind < argc)
		return ctl_no_argument("metrics", argv[optind]);
	return http ? serve() : print(json);
}
