/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory ready for its next buffer: taken, zeroed and prepared before anybody asks. Knows pools and
 * caches, and no buffer.
 */
#ifndef DBP_STOCK_H
#define DBP_STOCK_H

#include <linux/types.h>

struct dbp_memory;
struct dbp_pool;

int dbp_stock_take(struct dbp_pool *pool, struct dbp_memory *mem);
void dbp_stock_give(struct dbp_pool *pool, struct dbp_memory *mem);

void dbp_stock_clear(struct dbp_pool *pool, unsigned long *pages);
int dbp_stock_limit(struct dbp_pool *pool, u64 limit);

void dbp_stock_init(struct dbp_pool *pool);
void dbp_stock_end(struct dbp_pool *pool);

int dbp_stock_register(void);
void dbp_stock_unregister(void);

#endif
