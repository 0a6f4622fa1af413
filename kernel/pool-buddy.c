// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of the page allocator: one block where it must be contiguous, otherwise blocks of mixed
 * order, the largest first, for devices behind an IOMMU.
 */
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>

#include "arith.h"
#include "charge.h"
#include "pool.h"

#define BLOCK_MAX ((size_t)PAGE_SIZE << MAX_PAGE_ORDER)

static struct page *alloc_block(size_t size, gfp_t gfp)
{
	void *vaddr = alloc_pages_exact(size, gfp | __GFP_ZERO | __GFP_NOWARN);

	return vaddr ? virt_to_page(vaddr) : NULL;
}

static void free_block(struct page *page, size_t size)
{
	free_pages_exact(page_address(page), size);
}

/*
 * Zones know two limits, of 32 bits and a lower one of the machine's. Where the limit is another, a
 * larger zone may still give memory below it, and has more. What lies too high after all is refused
 * by the caller.
 */
static struct page *alloc_below(struct dbp_memory *mem, size_t size, gfp_t gfp)
{
	static const gfp_t zones[] = { 0, GFP_DMA32, GFP_DMA };
	unsigned int zone = mem->max_address > DMA_BIT_MASK(32) ? 0 : 1;
	struct page *page;

	for (;;) {
		page = alloc_block(size, gfp | zones[zone]);
		if (!page || page_to_phys(page) + size - 1 <= mem->max_address)
			return page;
		if (++zone == ARRAY_SIZE(zones))
			return page;
		free_block(page, size);
	}
}

/* Nobody is killed for a buffer: whoever wants one can be told that there is no memory. */
static gfp_t flags_for(struct dbp_memory *mem)
{
	return GFP_KERNEL | __GFP_RETRY_MAYFAIL | (mem->charged ? __GFP_ACCOUNT : 0);
}

static int no_memory(struct dbp_memory *mem, size_t size)
{
	return mem->charged && dbp_charge_is_refused(size) ? -EDQUOT : -ENOSPC;
}

static int alloc_contiguous(struct dbp_memory *mem)
{
	struct page *page;
	int ret;

	page = alloc_below(mem, mem->size, flags_for(mem));
	if (!page)
		return no_memory(mem, mem->size);
	ret = dbp_memory_set_block(mem, page_to_phys(page));
	if (ret)
		free_block(page, mem->size);
	return ret;
}

/* The blocks of one buffer while their number is unknown, linked through their first pages. */
static void free_blocks(struct list_head *blocks)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, blocks, lru) {
		list_del(&page->lru);
		free_block(page, page_private(page));
	}
}

/* Half the size again and again where memory is in pieces; single pages may wait for reclaim. */
static struct page *alloc_largest(struct dbp_memory *mem, size_t left, size_t *max)
{
	struct page *page;
	gfp_t gfp;

	*max = dbp_block_next(left, *max);
	for (;;) {
		gfp = flags_for(mem);
		if (*max > PAGE_SIZE)
			gfp = (gfp & ~__GFP_RETRY_MAYFAIL) | __GFP_NORETRY;
		page = alloc_below(mem, *max, gfp);
		if (page || *max == PAGE_SIZE)
			return page;
		*max /= 2;
	}
}

static int alloc_blocks(struct dbp_memory *mem, struct list_head *blocks)
{
	size_t left = mem->size, max = BLOCK_MAX;
	struct page *page;
	int n = 0;

	while (left) {
		if (fatal_signal_pending(current))
			return -EINTR;
		page = alloc_largest(mem, left, &max);
		if (!page)
			return no_memory(mem, PAGE_SIZE);
		set_page_private(page, max);
		list_add_tail(&page->lru, blocks);
		left -= max;
		n++;
	}
	return n;
}

static void set_blocks(struct dbp_memory *mem, struct list_head *blocks)
{
	struct scatterlist *sg = mem->table.sgl;
	struct page *page, *next;

	list_for_each_entry_safe(page, next, blocks, lru) {
		list_del(&page->lru);
		sg_set_page(sg, page, page_private(page), 0);
		set_page_private(page, 0);
		sg = sg_next(sg);
	}
	mem->contiguous = mem->table.orig_nents == 1;
}

static int alloc_mixed(struct dbp_memory *mem)
{
	LIST_HEAD(blocks);
	int ret;

	ret = alloc_blocks(mem, &blocks);
	if (ret > 0)
		ret = sg_alloc_table(&mem->table, ret, GFP_KERNEL);
	if (ret < 0) {
		free_blocks(&blocks);
		return ret;
	}
	set_blocks(mem, &blocks);
	return 0;
}

static int buddy_alloc(struct dbp_pool *pool, struct dbp_memory *mem)
{
	return mem->contiguous ? alloc_contiguous(mem) : alloc_mixed(mem);
}

static void buddy_free(struct dbp_pool *pool, struct dbp_memory *mem)
{
	struct scatterlist *sg;
	int i;

	for_each_sgtable_sg(&mem->table, sg, i)
		free_block(sg_page(sg), sg->length);
	sg_free_table(&mem->table);
}

static const struct dbp_pool_ops buddy_ops = {
	.alloc = buddy_alloc,
	.free = buddy_free,
};

int dbp_buddy(const char *name)
{
	struct dbp_pool *pool;
	int ret;

	pool = dbp_pool_new(name, DMABUF_POOL_KIND_BUDDY);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	pool->ops = &buddy_ops;
	pool->flags = DMABUF_POOL_SYSTEM;
	pool->max_block = BLOCK_MAX;
	ret = dbp_pool_add(pool);
	if (ret)
		dbp_pool_free(pool);
	return ret;
}
