// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of pools, and what is the same for pools of every kind: the checks around an allocation
 * and the bytes in use. Knows no kind of memory.
 */
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/of.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "arith.h"
#include "pool.h"
#include "stock.h"

/* Filled while the module loads, before the node appears, and constant from then on. */
static struct dbp_pool *pools[DMABUF_POOL_POOLS_MAX];
static u32 n_pools;

struct dbp_pool *dbp_pool_new(const char *name, u32 kind)
{
	struct dbp_pool *pool;
	int ret;

	pool = kzalloc(sizeof(*pool), GFP_KERNEL);
	if (!pool)
		return ERR_PTR(-ENOMEM);
	spin_lock_init(&pool->lock);
	dbp_stock_init(pool);
	strscpy(pool->name, name, sizeof(pool->name));
	pool->kind = kind;
	pool->mappings = 1 << DMABUF_POOL_MAPPING_CACHED;
	pool->mappings |= 1 << DMABUF_POOL_MAPPING_WRITE_COMBINED;

	pool->pdev = platform_device_register_simple("dmabuf_pool", PLATFORM_DEVID_AUTO, NULL, 0);
	if (IS_ERR(pool->pdev)) {
		ret = PTR_ERR(pool->pdev);
		goto free_pool;
	}
	dbp_set_noncoherent(&pool->pdev->dev);
	ret = dma_coerce_mask_and_coherent(&pool->pdev->dev, DMA_BIT_MASK(64));
	if (ret)
		goto unregister;
	/* It maintains caches and transfers nothing: a segment may have any length. */
	dma_set_max_seg_size(&pool->pdev->dev, UINT_MAX);
	return pool;

unregister:
	platform_device_unregister(pool->pdev);
free_pool:
	kfree(pool);
	return ERR_PTR(ret);
}

static bool name_is_taken(const char *name)
{
	u32 i;

	for (i = 0; i < n_pools; i++)
		if (!strcmp(pools[i]->name, name))
			return true;
	return false;
}

/* Two pools on one piece of memory would each hand it out. */
static bool place_is_taken(struct dbp_pool *pool)
{
	u32 i;

	for (i = 0; i < n_pools; i++)
		if (dbp_ranges_overlap(pool->base, pool->size, pools[i]->base, pools[i]->size))
			return true;
	return false;
}

int dbp_pool_add(struct dbp_pool *pool)
{
	if (n_pools == ARRAY_SIZE(pools))
		return -ENOSPC;
	if (name_is_taken(pool->name)) {
		pr_err("pool %s: the name is taken\n", pool->name);
		return -EEXIST;
	}
	if (place_is_taken(pool)) {
		pr_err("pool %s: another pool has part of its range\n", pool->name);
		return -EBUSY;
	}
	pool->index = n_pools;
	pools[n_pools++] = pool;
	return 0;
}

void dbp_pool_free(struct dbp_pool *pool)
{
	dbp_stock_end(pool);
	if (pool->ops && pool->ops->destroy)
		pool->ops->destroy(pool);
	of_node_put(pool->region);
	platform_device_unregister(pool->pdev);
	kfree(pool);
}

void dbp_pools_free(void)
{
	while (n_pools)
		dbp_pool_free(pools[--n_pools]);
}

struct dbp_pool *dbp_pool_get(u32 index)
{
	if (index >= n_pools)
		return NULL;
	return pools[array_index_nospec(index, n_pools)];
}

void dbp_pool_describe(struct dbp_pool *pool, struct dmabuf_pool_info *info)
{
	info->kind = pool->kind;
	memcpy(info->name, pool->name, sizeof(info->name));
	info->base = pool->base;
	info->size = pool->size;
	spin_lock(&pool->lock);
	info->used = pool->taken - pool->stocked;
	info->stocked = pool->stocked;
	info->stock_limit = pool->stock_limit;
	spin_unlock(&pool->lock);
	info->max_block = pool->max_block;
	info->mappings = pool->mappings;
	info->flags = pool->flags;
	info->free_block = 0;
	if (pool->ops->free_block) {
		info->flags |= DMABUF_POOL_FREE_KNOWN;
		info->free_block = pool->ops->free_block(pool);
	}
}

u64 dbp_pools_bound_to(struct device_node *device)
{
	struct device_node *region;
	u64 bound = 0;
	u32 i, n;

	for (n = 0; (region = of_parse_phandle(device, "memory-region", n)); n++) {
		for (i = 0; i < n_pools; i++)
			if (pools[i]->region == region)
				bound |= BIT_ULL(i);
		of_node_put(region);
	}
	return bound;
}

/* A scatterlist entry counts its bytes in 32 bits. */
#define SEGMENT_MAX SZ_1G

int dbp_memory_set_block(struct dbp_memory *mem, phys_addr_t base)
{
	size_t left = mem->size, length;
	struct scatterlist *sg;
	int i, ret;

	ret = sg_alloc_table(&mem->table, DIV_ROUND_UP(mem->size, SEGMENT_MAX), GFP_KERNEL);
	if (ret)
		return ret;
	for_each_sgtable_sg(&mem->table, sg, i) {
		length = min_t(size_t, left, SEGMENT_MAX);
		sg_set_page(sg, pfn_to_page(PHYS_PFN(base)), length, 0);
		base += length;
		left -= length;
	}
	mem->contiguous = true;
	return 0;
}

static bool reaches_above(struct dbp_memory *mem, u64 max_address)
{
	struct scatterlist *sg;
	int i;

	for_each_sgtable_sg(&mem->table, sg, i)
		if (sg_phys(sg) + sg->length - 1 > max_address)
			return true;
	return false;
}

/* Where the size is unknown: more than all RAM is not worth pushing everything else out for. */
static u64 capacity(struct dbp_pool *pool)
{
	return pool->size ?: (u64)totalram_pages() << PAGE_SHIFT;
}

int dbp_pool_alloc(struct dbp_pool *pool, struct dbp_memory *mem)
{
	int ret;

	if (mem->size > capacity(pool))
		return -E2BIG;
	if (mem->contiguous && pool->max_block && mem->size > pool->max_block)
		return -E2BIG;
	if (pool->base > mem->max_address)
		return -ERANGE;

	ret = pool->ops->alloc(pool, mem);
	if (ret)
		return ret;
	if (reaches_above(mem, mem->max_address)) {
		pool->ops->free(pool, mem);
		return -ERANGE;
	}
	spin_lock(&pool->lock);
	pool->taken += mem->size;
	spin_unlock(&pool->lock);
	return 0;
}

void dbp_pool_release(struct dbp_pool *pool, struct dbp_memory *mem)
{
	spin_lock(&pool->lock);
	pool->taken -= mem->size;
	if (mem->stocked)
		pool->stocked -= mem->size;
	spin_unlock(&pool->lock);
	pool->ops->free(pool, mem);
}

/* Memory that was stocked is in use from here on. */
void dbp_pool_unstock(struct dbp_pool *pool, struct dbp_memory *mem)
{
	spin_lock(&pool->lock);
	if (mem->stocked)
		pool->stocked -= mem->size;
	mem->stocked = false;
	spin_unlock(&pool->lock);
}

u64 dbp_pool_stocked(struct dbp_pool *pool)
{
	return READ_ONCE(pool->stocked);
}
