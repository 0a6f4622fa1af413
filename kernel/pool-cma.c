// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of the contiguous memory allocator, through the DMA API: cma_alloc() itself is exported
 * to modules only since 7.1.
 *
 * The DMA API turns to the page allocator without a word when CMA has nothing. What it returns is
 * therefore checked, and ordinary memory is given back as "pool full".
 */
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/of.h>
#include <linux/of_reserved_mem.h>
#include <linux/sizes.h>

#include "pool.h"

/* The default area never serves a single page. */
#define DEFAULT_AREA_MIN (2 * PAGE_SIZE)

static size_t take_size(struct dbp_pool *pool, size_t size)
{
	return pool->size ? size : max_t(size_t, size, DEFAULT_AREA_MIN);
}

/*
 * CMA hands out pages that each have a reference of their own; in a block of the page allocator
 * only the first has. Where the area's place is known the address tells, which is better.
 */
static bool is_from_area(struct dbp_pool *pool, struct page *page, size_t size)
{
	phys_addr_t base = page_to_phys(page);

	if (!pool->size)
		return page_ref_count(page + 1) == 1;
	return base >= pool->base && base + size <= pool->base + pool->size;
}

static int cma_alloc_memory(struct dbp_pool *pool, struct dbp_memory *mem)
{
	struct device *dev = &pool->pdev->dev;
	size_t size = take_size(pool, mem->size);
	struct page *page;
	int ret;

	page = dma_alloc_pages(dev, size, &mem->handle, DMA_BIDIRECTIONAL,
			       GFP_KERNEL | __GFP_NOWARN);
	if (!page)
		return -ENOSPC;
	ret = -ENOSPC;
	if (!is_from_area(pool, page, size))
		goto free_pages;
	ret = dbp_memory_set_block(mem, page_to_phys(page));
	if (ret)
		goto free_pages;
	return 0;

free_pages:
	dma_free_pages(dev, size, page, mem->handle, DMA_BIDIRECTIONAL);
	return ret;
}

static void cma_free_memory(struct dbp_pool *pool, struct dbp_memory *mem)
{
	dma_free_pages(&pool->pdev->dev, take_size(pool, mem->size), sg_page(mem->table.sgl),
		       mem->handle, DMA_BIDIRECTIONAL);
	sg_free_table(&mem->table);
}

static void cma_destroy(struct dbp_pool *pool)
{
	if (pool->region)
		of_reserved_mem_device_release(&pool->pdev->dev);
}

static const struct dbp_pool_ops cma_ops = {
	.alloc = cma_alloc_memory,
	.free = cma_free_memory,
	.destroy = cma_destroy,
};

int dbp_cma_region(const char *name, struct device_node *node, struct device_node *region,
		   phys_addr_t base, size_t size)
{
	struct dbp_pool *pool;
	int ret;

	pool = dbp_pool_new(name, DMABUF_POOL_KIND_CMA);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	pool->ops = &cma_ops;
	pool->region = of_node_get(region);
	pool->base = base;
	pool->size = size;
	pool->max_block = size;
	ret = of_reserved_mem_device_init_by_idx(&pool->pdev->dev, node, 0);
	if (!ret)
		ret = dbp_pool_add(pool);
	if (ret)
		dbp_pool_free(pool);
	return ret;
}

/* Modules cannot ask whether there is a default area: try to get memory from it. */
static bool has_default_area(struct dbp_pool *pool)
{
	struct dbp_memory probe = { .size = DEFAULT_AREA_MIN };

	if (cma_alloc_memory(pool, &probe))
		return false;
	cma_free_memory(pool, &probe);
	return true;
}

int dbp_cma_default(const char *name)
{
	struct dbp_pool *pool;
	int ret;

	if (!IS_ENABLED(CONFIG_DMA_CMA))
		return 0;
	pool = dbp_pool_new(name, DMABUF_POOL_KIND_CMA);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	pool->ops = &cma_ops;
	pool->flags = DMABUF_POOL_SYSTEM;
	if (!has_default_area(pool)) {
		pr_info("no default CMA area (cma= on the command line): no pool %s\n", name);
		dbp_pool_free(pool);
		return 0;
	}
	ret = dbp_pool_add(pool);
	if (ret)
		dbp_pool_free(pool);
	return ret;
}
