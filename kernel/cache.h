/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a buffer's mapping asks of the CPU's cache and of the page attributes, from the first use to
 * the last. Knows nothing of programs and their descriptors.
 */
#ifndef DBP_CACHE_H
#define DBP_CACHE_H

#include <linux/dma-direction.h>
#include <linux/types.h>

#include "arith.h"

struct dbp_buffer;
struct dbp_memory;
struct dbp_pool;

int dbp_cache_prepare(struct dbp_pool *pool, struct dbp_memory *mem);
int dbp_cache_restore(struct dbp_pool *pool, struct dbp_memory *mem);
void dbp_cache_sync(struct dbp_buffer *buffer, struct dbp_range range,
		    enum dma_data_direction direction, bool for_device);

#endif
