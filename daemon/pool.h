/* SPDX-License-Identifier: MIT */
/*
 * Plain facts about pools and devices, as the pure files judge them. Knows no interface: module.c
 * fills these from the kernel, and asserts that the numbers are the same on both sides.
 */
#ifndef POOL_H
#define POOL_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define INFINITE UINT64_MAX /* no limit */

#define POOLS_MAX 64 /* pool indices fit a 64-bit mask */
#define POOL_NAME_SIZE 32
#define DEVICES_MAX 8 /* that share one buffer */
#define DEVICE_KEY_SIZE 80

enum kind {
	KIND_COHERENT = 1,
	KIND_CMA = 2,
	KIND_BUDDY = 3,
};

enum mapping {
	MAPPING_ANY = 0, /* in a request only */
	MAPPING_CACHED = 1,
	MAPPING_WRITE_COMBINED = 2,
};

#define MAPPING_BIT(mapping) (1u << (mapping))

/* What a request may ask for and then do without: a mask, in the order in which it is relaxed. */
enum constraint {
	CONSTRAINT_MAPPING = 1 << 0,
	CONSTRAINT_ALIGNMENT = 1 << 1,
	CONSTRAINT_CONTIGUOUS = 1 << 2,
	CONSTRAINT_ADDRESS = 1 << 3,
};

#define CONSTRAINTS_MAX 4

struct pool {
	char name[POOL_NAME_SIZE];
	enum kind kind;
	bool system;           /* belongs to no device */
	unsigned int mappings; /* MAPPING_BIT() of each that it can give */
	uint64_t base;         /* lowest physical address; 0 without a fixed place */
	uint64_t size;         /* 0 when without limit or unknown */
	uint64_t used;
	uint64_t max_block;  /* largest contiguous block when empty; 0 when unknown */
	bool free_known;     /* free_block tells: no driver allocates from it beside the module */
	uint64_t free_block; /* largest contiguous block that is free or makes way */
	uint64_t stocked;    /* kept ready; makes way for whoever needs the pool */
	uint64_t stock_limit;
};

/* The pool of this name, as a mask of its index; 0 when there is none. */
static inline uint64_t pools_find(const struct pool pools[], unsigned int n, const char *name)
{
	for (unsigned int i = 0; i < n; i++)
		if (!strcmp(pools[i].name, name))
			return UINT64_C(1) << i;
	return 0;
}

/* Who says so. */
enum source {
	SAYS_KERNEL,
	SAYS_UDEV,
	SAYS_CONFIG,
};

/* What matters of a device that does DMA. */
struct facts {
	char key[DEVICE_KEY_SIZE]; /* bus:name */
	bool coherent;             /* with the CPU's cache, by hardware */
	bool iommu;                /* translates for it */
	uint64_t dma_mask;         /* highest address that it reaches; 0 and all ones: any */
	uint64_t bound;            /* bit (1 << index) of each pool bound to it */
	enum source coherent_by, iommu_by, mask_by, bound_by;
	char missing[POOL_NAME_SIZE]; /* bound to it by name, and does not exist; or "" */
};

#endif
