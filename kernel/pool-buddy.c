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

#include "pool.h"

#define BLOCK_MAX ((size_t)PAGE_SIZE << MAX_PAGE_ORDER)

/* A zone that lies below the limit as far as zones can tell; the caller checks the result. */
static gfp_t zone_below(u64 max_address)
{
	if (max_address < DMA_BIT_MASK(32))
		return GFP_DMA;
	if (max_address < U64_MAX)
		return GFP_DMA32;
	return 0;
}

static struct page *alloc_block(size_t size, gfp_t gfp)
{
	void *vaddr = alloc_pages_exact(size, gfp | __GFP_ZERO | __GFP_NOWARN);

	return vaddr ? virt_to_page(vaddr) : NULL;
}

static void free_block(struct page *page, size_t size)
{
	free_pages_exact(page_address(page), size);
}

static int alloc_contiguous(struct dbp_memory *mem)
{
	gfp_t gfp = GFP_KERNEL | __GFP_RETRY_MAYFAIL | zone_below(mem->max_address);
	struct page *page;
	int ret;

	page = alloc_block(mem->size, gfp);
	if (!page)
		return -ENOSPC;
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
static struct page *alloc_largest(size_t left, size_t *max, gfp_t zone)
{
	struct page *page;
	gfp_t gfp;

	*max = min(*max, rounddown_pow_of_two(left));
	for (;;) {
		gfp = GFP_KERNEL | zone;
		if (*max > PAGE_SIZE)
			gfp |= __GFP_NORETRY;
		page = alloc_block(*max, gfp);
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
		page = alloc_largest(left, &max, zone_below(mem->max_address));
		if (!page)
			return -ENOSPC;
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
