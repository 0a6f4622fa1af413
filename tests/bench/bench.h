/* SPDX-License-Identifier: MIT */
/*
 * What the measures share: a clock, samples, and where buffers come from. It must not know what is
 * done with a sample: bench.py makes statistics of them, report.py words and pictures.
 *
 * A measure prints one line for each sample: what was done, by whom, a number (bytes, or how many),
 * and how long it took in nanoseconds. Where the clock counts instructions these are instructions.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stddef.h>
#include <stdint.h>

#define BENCH_DESCRIPTORS 14
#define BENCH_SOURCES 7

struct bench_options {
	const char *broker; /* what the daemon's buffers are called: cold, or warm */
	unsigned int rounds;
	unsigned int pause; /* microseconds after each sample, in which others finish their work */
	int daemon;         /* process id, or 0 */
	char **words;       /* of the measure, until NULL */
};

uint64_t bench_now(void);
void bench_sample(const char *what, const char *who, uint64_t number, uint64_t duration);
/* Lets the daemon read what was released, and the kernel give it back. */
void bench_settle(const struct bench_options *options);
/* Ends the program unless r is at least 0; returns it. */
int bench_check(const char *what, int r);

struct source {
	const char *name;
	/* 0, or a negative errno: this machine does not have it. */
	int (*open)(struct source *source);
	/* A dma-buf, whose memory is gone once it is closed; or a negative errno. */
	int (*allocate)(struct source *source, size_t size);
	/* What the source names itself by: a file, a pool. */
	const char *place;
	int fd;
	unsigned int index;
};

/* Those that this machine has; the others are named on standard error. Ends with a NULL. */
struct source **bench_sources(const struct bench_options *options);
/* Names of ours end in -cma where the memory is contiguous. */
struct source *bench_find(struct source **sources, const char *name);

void bench_floor(const struct bench_options *options);
void bench_life(const struct bench_options *options);
void bench_tails(const struct bench_options *options);
void bench_batch(const struct bench_options *options);
void bench_wire(const struct bench_options *options);
void bench_scale(const struct bench_options *options);
void bench_import(const struct bench_options *options);
void bench_pressure(const struct bench_options *options);

/* A socket on which HELLO was said. */
int wire_connect(void);
/* Asks for a buffer of the pool "system" of so many bytes. */
void wire_ask(int fd, uint64_t size);
/* The descriptor of the answer. */
int wire_answer(int fd);

#endif
