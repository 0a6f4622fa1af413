// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of a reserved region that the kernel does not map (no-map). Its only kernel mapping is
 * write-combined, so nothing here may touch it through the linear map, and no cache maintenance is
 * needed or possible.
 *
 * An exclusive region is ours alone and packed page by page. A shared one goes through the DMA API,
 * whose bitmap the region's own driver uses too: it rounds each buffer to a power of two.
 */
#include <linux/bitmap.h>
#include <linux/dma-mapping.h>
#include <linux/genalloc.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/of.h>
#include <linux/of_reserved_mem.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>

#include "arith.h"
#include "pool.h"
#include "stock.h"

/* Through a write-combined mapping; a large buffer must not delay a fatal signal. */
static int zero(void *vaddr, size_t size)
{
	size_t done, step;

	for (done = 0; done < size; done += step) {
		if (fatal_signal_pending(current))
			return -EINTR;
		step = min_t(size_t, size - done, SZ_1M);
		memset(vaddr + done, 0, step);
	}
	wmb(); /* zeros reach memory before any other mapping is made */
	return 0;
}

static int exclusive_alloc(struct dbp_pool *pool, struct dbp_memory *mem)
{
	unsigned long base;
	int ret;

	base = gen_pool_alloc(pool->ranges, mem->size);
	if (!base)
		return -ENOSPC;
	mem->vaddr = pool->vaddr + (base - pool->base);
	ret = zero(mem->vaddr, mem->size);
	if (ret)
		goto free_range;
	ret = dbp_memory_set_block(mem, base);
	if (ret)
		goto free_range;
	return 0;

free_range:
	gen_pool_free(pool->ranges, base, mem->size);
	return ret;
}

static void exclusive_free(struct dbp_pool *pool, struct dbp_memory *mem)
{
	gen_pool_free(pool->ranges, sg_phys(mem->table.sgl), mem->size);
	sg_free_table(&mem->table);
}

/* A copy of the pages that are taken; there is one chunk. */
static void copy_bits(struct gen_pool *ranges, struct gen_pool_chunk *chunk, void *data)
{
	bitmap_copy(data, chunk->bits, (chunk->end_addr - chunk->start_addr + 1) >> PAGE_SHIFT);
}

/* The longest row of pages that are free or stocked. It was true a moment ago. */
static u64 exclusive_free_block(struct dbp_pool *pool)
{
	unsigned long n = pool->size >> PAGE_SHIFT, start, end, longest = 0;
	unsigned long *bits = bitmap_alloc(n, GFP_KERNEL);

	if (!bits)
		return 0;
	gen_pool_for_each_chunk(pool->ranges, copy_bits, bits);
	dbp_stock_clear(pool, bits);
	for_each_clear_bitrange(start, end, bits, n)
		longest = max(longest, end - start);
	bitmap_free(bits);
	return (u64)longest << PAGE_SHIFT;
}

static void exclusive_destroy(struct dbp_pool *pool)
{
	if (pool->ranges)
		gen_pool_destroy(pool->ranges);
	if (pool->vaddr)
		memunmap(pool->vaddr);
}

static const struct dbp_pool_ops exclusive_ops = {
	.alloc = exclusive_alloc,
	.free = exclusive_free,
	.free_block = exclusive_free_block,
	.destroy = exclusive_destroy,
};

static int shared_alloc(struct dbp_pool *pool, struct dbp_memory *mem)
{
	struct device *dev = &pool->pdev->dev;
	int ret;

	mem->vaddr = dma_alloc_attrs(dev, mem->size, &mem->handle, GFP_KERNEL | __GFP_NOWARN,
				     DMA_ATTR_WRITE_COMBINE);
	if (!mem->vaddr)
		return -ENOSPC;
	/* The pool's device sees physical addresses: there is nothing between it and memory. */
	ret = dbp_memory_set_block(mem, mem->handle);
	if (ret)
		dma_free_attrs(dev, mem->size, mem->vaddr, mem->handle, DMA_ATTR_WRITE_COMBINE);
	return ret;
}

static void shared_free(struct dbp_pool *pool, struct dbp_memory *mem)
{
	dma_free_attrs(&pool->pdev->dev, mem->size, mem->vaddr, mem->handle,
		       DMA_ATTR_WRITE_COMBINE);
	sg_free_table(&mem->table);
}

static void shared_destroy(struct dbp_pool *pool)
{
	of_reserved_mem_device_release(&pool->pdev->dev);
}

static const struct dbp_pool_ops shared_ops = {
	.alloc = shared_alloc,
	.free = shared_free,
	.destroy = shared_destroy,
};

/*
 * Importers get scatterlists, so each page needs a struct page. Memory within a section that holds
 * RAM has them, other memory may not.
 */
static bool has_struct_pages(phys_addr_t base, size_t size)
{
	phys_addr_t at;

	for (at = base; at < base + size; at += SZ_2M)
		if (!pfn_valid(PHYS_PFN(at)))
			return false;
	return pfn_valid(PHYS_PFN(base + size - 1));
}

static int check_region(const char *name, phys_addr_t base, size_t size)
{
	if (!dbp_region_is_whole_pages(base, size)) {
		pr_err("pool %s: base and size must be whole pages\n", name);
		return -EINVAL;
	}
	if (region_intersects(base, size, IORESOURCE_SYSTEM_RAM, IORES_DESC_NONE) !=
	    REGION_DISJOINT) {
		pr_err("pool %s: the kernel uses %pa+%#zx as RAM: reserve it with no-map\n", name,
		       &base, size);
		return -EBUSY;
	}
	if (!has_struct_pages(base, size)) {
		pr_err("pool %s: no struct pages for %pa+%#zx: place it near RAM\n", name, &base,
		       size);
		return -EINVAL;
	}
	return 0;
}

static struct dbp_pool *coherent_new(const char *name, struct device_node *region, phys_addr_t base,
				     size_t size)
{
	struct dbp_pool *pool;
	int ret;

	ret = check_region(name, base, size);
	if (ret)
		return ERR_PTR(ret);
	pool = dbp_pool_new(name, DMABUF_POOL_KIND_COHERENT);
	if (IS_ERR(pool))
		return pool;
	pool->region = of_node_get(region);
	pool->mappings = 1 << DMABUF_POOL_MAPPING_WRITE_COMBINED;
	pool->base = base;
	pool->size = size;
	pool->max_block = size;
	return pool;
}

static int exclusive_setup(struct dbp_pool *pool)
{
	pool->ops = &exclusive_ops;
	pool->vaddr = memremap(pool->base, pool->size, MEMREMAP_WC);
	if (!pool->vaddr)
		return -ENOMEM;
	pool->ranges = gen_pool_create(PAGE_SHIFT, NUMA_NO_NODE);
	if (!pool->ranges)
		return -ENOMEM;
	return gen_pool_add(pool->ranges, pool->base, pool->size, NUMA_NO_NODE);
}

int dbp_coherent_exclusive(const char *name, struct device_node *region, phys_addr_t base,
			   size_t size)
{
	struct dbp_pool *pool;
	int ret;

	pool = coherent_new(name, region, base, size);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	ret = exclusive_setup(pool);
	if (!ret)
		ret = dbp_pool_add(pool);
	if (ret)
		dbp_pool_free(pool);
	return ret;
}

int dbp_coherent_shared(const char *name, struct device_node *node, struct device_node *region,
			phys_addr_t base, size_t size)
{
	struct dbp_pool *pool;
	int ret;

	pool = coherent_new(name, region, base, size);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	ret = of_reserved_mem_device_init_by_idx(&pool->pdev->dev, node, 0);
	if (!ret) {
		pool->ops = &shared_ops;
		ret = dbp_pool_add(pool);
	}
	if (ret)
		dbp_pool_free(pool);
	return ret;
}
