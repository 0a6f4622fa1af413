/* SPDX-License-Identifier: MIT */
/*
 * What the daemon did since it started. Pure: knows neither sockets nor clocks.
 */
#include "counters.h"

#include <errno.h>
#include <stdio.h>

/* From what a request costs when nothing is in its way to what zeroing a large buffer may take. */
static const uint64_t bounds[BUCKETS] = {
	50,    100,   250,    500,    1000,   2500,    5000,    10000,
	25000, 50000, 100000, 250000, 500000, 1000000, 2500000, INFINITE,
};

uint64_t bucket_get_bound(unsigned int bucket)
{
	return bounds[bucket];
}

static const struct pool_count *find(const struct counters *counters, const char *name)
{
	for (unsigned int i = 0; i < counters->n_pools; i++)
		if (!strcmp(counters->pools[i].name, name))
			return &counters->pools[i];
	return NULL;
}

void counters_add_buffer(struct counters *counters, const char *pool, uint64_t bytes)
{
	const struct pool_count *found = find(counters, pool);
	struct pool_count *count;

	/* More than 64 names are seen only when the module was replaced many times. */
	if (!found && counters->n_pools == POOLS_MAX)
		return;
	count = &counters->pools[found ? found - counters->pools : counters->n_pools++];
	if (!found)
		snprintf(count->name, sizeof(count->name), "%s", pool);
	count->buffers++;
	count->bytes += bytes;
}

enum refused counters_classify(int error)
{
	switch (error) {
	case -EDQUOT:
		return REFUSED_BY_QUOTA;
	case -ENOSPC:
		return REFUSED_BY_FULL_POOLS;
	case -E2BIG:
	case -EOPNOTSUPP:
		return REFUSED_AS_UNSUITABLE;
	case -EACCES:
		return REFUSED_BY_ACCESS;
	case -ENODEV:
		return REFUSED_FOR_DEVICE;
	case -EINVAL:
	case -EPROTO:
		return REFUSED_AS_INVALID;
	case -ENXIO:
		return REFUSED_WITHOUT_MODULE;
	default:
		return REFUSED_OTHERWISE;
	}
}

void counters_add_refusal(struct counters *counters, int error)
{
	counters->refusals[counters_classify(error)]++;
}

void counters_add_duration(struct counters *counters, uint64_t usec)
{
	unsigned int i = 0;

	while (usec > bounds[i])
		i++;
	counters->buckets[i]++;
	counters->usec += usec;
}

struct pool_count counters_get_pool(const struct counters *counters, const char *name)
{
	const struct pool_count *found = find(counters, name);

	return found ? *found : (struct pool_count){0};
}
