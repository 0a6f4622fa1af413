// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of the contiguous memory allocator: directly where the kernel exports it to modules, since
 * 7.1, otherwise through the DMA API.
 *
 * The DMA API turns to the page allocator without a word when CMA has nothing. What it returns is
 * therefore checked, and ordinary memory is given back as "pool full".
 */
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/of.h>
#include <linux/of_reserved_mem.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>

#include "pool.h"

/* The DMA API never takes a single page from the default area. */
#define DEFAULT_AREA_MIN (2 * PAGE_SIZE)

#if DBP_CMA_EXPORTED
#include <linux/cma.h>
#include <linux/dma-map-ops.h>

static struct cma *area_of(struct dbp_pool *pool)
{
	return dev_get_cma_area(&pool->pdev->dev);
}

static void area_give(struct dbp_pool *pool, struct dbp_memory *mem, struct page *page)
{
	cma_release(area_of(pool), page, mem->size >> PAGE_SHIFT);
}

static bool zero(struct page *page, size_t size)
{
	void *vaddr = page_address(page);
	size_t done, step;

	for (done = 0; done < size; done += step) {
		if (fatal_signal_pending(current))
			return false;
		step = min_t(size_t, size - done, SZ_1M);
		memset(vaddr + done, 0, step);
	}
	return true;
}

static struct page *area_take(struct dbp_pool *pool, struct dbp_memory *mem)
{
	unsigned int align = min_t(unsigned int, get_order(mem->size), CONFIG_CMA_ALIGNMENT);
	struct cma *area = area_of(pool);
	struct page *page;

	page = area ? cma_alloc(area, mem->size >> PAGE_SHIFT, align, true) : NULL;
	if (!page)
		return ERR_PTR(-ENOSPC);
	if (!zero(page, mem->size)) {
		area_give(pool, mem, page);
		return ERR_PTR(-EINTR);
	}
	return page;
}
#else
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

static void area_give(struct dbp_pool *pool, struct dbp_memory *mem, struct page *page)
{
	dma_free_pages(&pool->pdev->dev, take_size(pool, mem->size), page, mem->handle,
		       DMA_BIDIRECTIONAL);
}

static struct page *area_take(struct dbp_pool *pool, struct dbp_memory *mem)
{
	size_t size = take_size(pool, mem->size);
	struct page *page;

	page = dma_alloc_pages(&pool->pdev->dev, size, &mem->handle, DMA_BIDIRECTIONAL,
			       GFP_KERNEL | __GFP_NOWARN);
	if (!page)
		return ERR_PTR(-ENOSPC);
	if (!is_from_area(pool, page, size)) {
		area_give(pool, mem, page);
		return ERR_PTR(-ENOSPC);
	}
	mem->mapped = true;
	return page;
}
#endif

static int cma_alloc_memory(struct dbp_pool *pool, struct dbp_memory *mem)
{
	struct page *page = area_take(pool, mem);
	int ret;

	if (IS_ERR(page))
		return PTR_ERR(page);
	ret = dbp_memory_set_block(mem, page_to_phys(page));
	if (ret)
		area_give(pool, mem, page);
	return ret;
}

static void cma_free_memory(struct dbp_pool *pool, struct dbp_memory *mem)
{
	area_give(pool, mem, sg_page(mem->table.sgl));
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
