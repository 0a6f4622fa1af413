/* SPDX-License-Identifier: MIT */
/*
 * The table of where buffers come from: the kernel's own allocators, the module asked directly, the
 * daemon. It must not know what is measured.
 */
#include <stdio.h>
#include <string.h>

#include "sources.h"

/* What the kernel calls its default area, as a pool of ours. */
#define CMA "default_cma_region"

static struct source all[BENCH_SOURCES] = {
	{"system-heap", open_heap, allocate_heap, "system", -1, 0},
	{"cma-heap", open_heap, allocate_heap, "cma", -1, 0},
	{"udmabuf", open_udmabuf, allocate_udmabuf, "", -1, 0},
	{"ioctl", open_module, allocate_module, "system", -1, 0},
	{"ioctl-cma", open_module, allocate_module, CMA, -1, 0},
	{NULL, open_broker, allocate_broker, "system", -1, 0},
	{NULL, open_broker, allocate_broker, CMA, -1, 0},
};

struct source **bench_sources(const struct bench_options *options)
{
	static struct source *found[BENCH_SOURCES + 1];
	static char cma[64];
	size_t n = 0;

	snprintf(cma, sizeof(cma), "%s-cma", options->broker);
	all[BENCH_SOURCES - 2].name = options->broker;
	all[BENCH_SOURCES - 1].name = cma;
	for (size_t i = 0; i < BENCH_SOURCES; i++) {
		int r = all[i].open(&all[i]);

		if (r < 0)
			fprintf(stderr, "missing\t%s\t%s\n", all[i].name, strerror(-r));
		else
			found[n++] = &all[i];
	}
	return found;
}

struct source *bench_find(struct source **sources, const char *name)
{
	for (; *sources; sources++)
		if (strcmp((*sources)->name, name) == 0)
			return *sources;
	return NULL;
}
