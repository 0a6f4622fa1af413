/* SPDX-License-Identifier: MIT */
/*
 * What the daemon did since it started, in numbers that only grow. Pure: knows the C library only;
 * neither whom nor what a number is for.
 */
#ifndef COUNTERS_H
#define COUNTERS_H

#include "pool.h"

/* What a request was refused for. */
enum refused {
	REFUSED_BY_QUOTA,
	REFUSED_BY_FULL_POOLS,
	REFUSED_AS_UNSUITABLE, /* no pool could ever give it */
	REFUSED_BY_ACCESS,
	REFUSED_FOR_DEVICE, /* gone, or it does no DMA */
	REFUSED_AS_INVALID,
	REFUSED_WITHOUT_MODULE,
	REFUSED_OTHERWISE,
	N_REFUSED,
};

#define BUCKETS 16

struct pool_count {
	char name[POOL_NAME_SIZE];
	uint64_t buffers;
	uint64_t bytes;
};

/* All zero at first. */
struct counters {
	uint64_t connections;
	uint64_t requests;
	uint64_t reloads;
	uint64_t lost; /* events for watchers */
	uint64_t refusals[N_REFUSED];
	uint64_t usec;             /* that all in the buckets took */
	uint64_t buckets[BUCKETS]; /* see bucket_get_bound() */
	unsigned int n_pools;
	struct pool_count pools[POOLS_MAX];
};

void counters_add_buffer(struct counters *counters, const char *pool, uint64_t bytes);

enum refused counters_classify(int error);

/* By the negative errno that the client was told. */
void counters_add_refusal(struct counters *counters, int error);

/* How long a request for memory took, granted or refused. */
void counters_add_duration(struct counters *counters, uint64_t usec);

/* The pool's numbers; zeros when it gave nothing yet. */
struct pool_count counters_get_pool(const struct counters *counters, const char *name);

/* The longest duration that is counted in a bucket; INFINITE for the last. */
uint64_t bucket_get_bound(unsigned int bucket);

#endif
