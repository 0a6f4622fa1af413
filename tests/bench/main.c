/* SPDX-License-Identifier: MIT */
/*
 * dmabuf-bench: one measure of one run. It must not know how to measure anything.
 *
 * usage: dmabuf-bench [-b NAME] [-r ROUNDS] [-p MICROSECONDS] [-d PID] MEASURE [WORD...]
 */
#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

static const struct measure {
	const char *name;
	void (*run)(const struct bench_options *options);
} measures[] = {
	{"floor", bench_floor},   {"life", bench_life},         {"tails", bench_tails},
	{"batch", bench_batch},   {"wire", bench_wire},         {"scale", bench_scale},
	{"import", bench_import}, {"pressure", bench_pressure},
};

uint64_t bench_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void bench_sample(const char *what, const char *who, uint64_t number, uint64_t duration)
{
	printf("%s\t%s\t%" PRIu64 "\t%" PRIu64 "\n", what, who, number, duration);
}

void bench_settle(const struct bench_options *options)
{
	usleep(options->pause);
}

int bench_check(const char *what, int r)
{
	if (r < 0)
		errx(1, "%s: %s", what, strerror(-r));
	return r;
}

/* Thousands of buffers and connections. */
static void allow_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		err(1, "getrlimit");
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		err(1, "setrlimit");
}

static struct bench_options parse(int argc, char *argv[])
{
	struct bench_options options = {.broker = "cold", .rounds = 10, .pause = 1000};
	int c;

	while ((c = getopt(argc, argv, "+b:r:p:d:")) >= 0) {
		if (c == 'b')
			options.broker = optarg;
		else if (c == 'r')
			options.rounds = (unsigned int)atoi(optarg);
		else if (c == 'p')
			options.pause = (unsigned int)atoi(optarg);
		else if (c == 'd')
			options.daemon = atoi(optarg);
		else
			exit(1);
	}
	options.words = argv + optind;
	return options;
}

int main(int argc, char *argv[])
{
	/* Written when it is full or at the end, and not between two samples. */
	static char samples[8 << 20];
	struct bench_options options = parse(argc, argv);
	const char *name = *options.words ? *options.words++ : "";

	setvbuf(stdout, samples, _IOFBF, sizeof(samples));
	allow_descriptors();
	for (size_t i = 0; i < sizeof(measures) / sizeof(measures[0]); i++)
		if (strcmp(measures[i].name, name) == 0) {
			measures[i].run(&options);
			return 0;
		}
	errx(1, "no measure is called \"%s\"", name);
}
