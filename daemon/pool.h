/* SPDX-License-Identifier: MIT */
/*
 * Plain facts about pools and devices, as the pure files judge them. Knows no interface: module.c
 * fills these from the kernel, and asserts that the numbers are the same on both sides.
 */
#ifndef POOL_H
#define POOL_H

#include <stdbool.h>
#include <stdint.h>

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

struct pool {
	char name[POOL_NAME_SIZE];
	enum kind kind;
	bool system;           /* belongs to no device */
	unsigned int mappings; /* MAPPING_BIT() of each that it can give */
	uint64_t base;         /* lowest physical address; 0 without a fixed place */
	uint64_t size;         /* 0 when without limit or unknown */
	uint64_t used;
	uint64_t max_block; /* largest contiguous block when empty; 0 when unknown */
};

/* What matters of a device that does DMA. */
struct facts {
	char key[DEVICE_KEY_SIZE]; /* bus:name */
	bool coherent;             /* with the CPU's cache, by hardware */
	bool iommu;                /* translates for it */
	uint64_t dma_mask;         /* highest address that it reaches; 0 and all ones: any */
	uint64_t bound;            /* bit (1 << index) of each pool bound to it */
	char missing
		[POOL_NAME_SIZE]; /* a pool that udev binds to it and that does not exist; or "" */
};

#endif
