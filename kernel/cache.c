// SPDX-License-Identifier: GPL-2.0-only
/*
 * Caches and page attributes.
 *
 * Where a device does not look into the CPU's cache, the zeros of a new buffer must leave the cache
 * before the device or an uncached mapping looks past it; the cached alias in the kernel's linear
 * map stays and is not used again. On x86, where each page has one attribute for all its mappings,
 * the attribute itself is changed before the first uncached mapping and back before the memory
 * returns to the kernel.
 */
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>

#include "arith.h"
#include "buffer.h"
#include "cache.h"

static bool is_cached(struct dbp_memory *mem)
{
	return mem->mapping == DMABUF_POOL_MAPPING_CACHED;
}

static struct device *maintainer(struct dbp_pool *pool)
{
	return &pool->pdev->dev;
}

/* A no-map region has one mapping, write-combined: nothing of it was ever in the cache. */
static bool has_attributes(struct dbp_memory *mem)
{
	return DBP_PAGE_ATTRIBUTES && !mem->vaddr && !is_cached(mem);
}

static bool has_cache_lines(struct dbp_pool *pool, struct dbp_memory *mem)
{
	return !mem->vaddr && !dev_is_dma_coherent(maintainer(pool));
}

/*
 * What dma_alloc_pages() gave is mapped for the pool's device already. A second mapping of the same
 * pages would leave no one able to tell which of the two is synced.
 */
static int clean_mapped(struct dbp_pool *pool, struct dbp_memory *mem, struct scatterlist *sg)
{
	phys_addr_t offset = sg_phys(sg) - sg_phys(mem->table.sgl);

	sg_dma_address(sg) = mem->handle + offset;
	dma_sync_single_for_device(maintainer(pool), sg_dma_address(sg), sg->length,
				   DMA_BIDIRECTIONAL);
	return 0;
}

/* A cached buffer stays mapped for the pool's device, by which it is synced later. */
static int clean_block(struct dbp_pool *pool, struct dbp_memory *mem, struct scatterlist *sg)
{
	struct device *dev = maintainer(pool);
	dma_addr_t address;

	if (mem->mapped)
		return clean_mapped(pool, mem, sg);
	address = dma_map_page(dev, sg_page(sg), 0, sg->length, DMA_BIDIRECTIONAL);
	if (dma_mapping_error(dev, address))
		return -ENOMEM;
	sg_dma_address(sg) = address;
	if (!is_cached(mem))
		dma_unmap_page(dev, address, sg->length, DMA_BIDIRECTIONAL);
	return 0;
}

static int prepare_block(struct dbp_pool *pool, struct dbp_memory *mem, struct scatterlist *sg)
{
	if (has_attributes(mem))
		return dbp_set_write_combined(sg_page(sg), sg->length);
	if (has_cache_lines(pool, mem))
		return clean_block(pool, mem, sg);
	return 0;
}

static int restore_block(struct dbp_pool *pool, struct dbp_memory *mem, struct scatterlist *sg)
{
	if (has_attributes(mem))
		return dbp_set_write_back(sg_page(sg), sg->length);
	if (has_cache_lines(pool, mem) && is_cached(mem) && !mem->mapped)
		dma_unmap_page(maintainer(pool), sg_dma_address(sg), sg->length,
			       DMA_BIDIRECTIONAL);
	return 0;
}

static int restore_blocks(struct dbp_pool *pool, struct dbp_memory *mem, unsigned int n)
{
	struct scatterlist *sg;
	unsigned int i;
	int ret = 0;

	for_each_sg(mem->table.sgl, sg, n, i)
		ret = restore_block(pool, mem, sg) ?: ret;
	return ret;
}

/*
 * A block whose attribute could not be changed may have been changed in part: it is restored with
 * those before it.
 */
static int undo(struct dbp_pool *pool, struct dbp_memory *mem, unsigned int n, int error)
{
	if (has_attributes(mem))
		n++;
	return restore_blocks(pool, mem, n) ? -EUCLEAN : error;
}

/* Block by block, so that a fatal signal need not wait for a large buffer. */
int dbp_cache_prepare(struct dbp_pool *pool, struct dbp_memory *mem)
{
	struct scatterlist *sg;
	int i, ret;

	for_each_sgtable_sg(&mem->table, sg, i) {
		if (fatal_signal_pending(current))
			return restore_blocks(pool, mem, i) ? -EUCLEAN : -EINTR;
		ret = prepare_block(pool, mem, sg);
		if (ret)
			return undo(pool, mem, i, ret);
	}
	return 0;
}

/* An error says that the memory must not go back to the kernel. */
int dbp_cache_restore(struct dbp_pool *pool, struct dbp_memory *mem)
{
	return restore_blocks(pool, mem, mem->table.orig_nents);
}

static void sync_table(struct device *dev, struct sg_table *table, struct dbp_range range,
		       enum dma_data_direction direction, bool for_device)
{
	struct scatterlist *sg;
	size_t start, length;
	int i;

	for_each_sgtable_sg(table, sg, i) {
		length = dbp_range_cut(&range, sg->length, &start);
		if (!length)
			continue;
		if (for_device)
			dma_sync_single_range_for_device(dev, sg_dma_address(sg), start, length,
							 direction);
		else
			dma_sync_single_range_for_cpu(dev, sg_dma_address(sg), start, length,
						      direction);
		if (!range.left)
			return;
	}
}

/*
 * Cache lines belong to the CPU, not to an importer: the pool's device maintains them for all
 * importers at once, and for one that filled the buffer and let go of it. That is needless only
 * where every device so far is coherent.
 */
void dbp_cache_sync(struct dbp_buffer *buffer, struct dbp_range range,
		    enum dma_data_direction direction, bool for_device)
{
	if (!dbp_buffer_is_cached(buffer))
		return;
	mutex_lock(&buffer->lock);
	if (has_cache_lines(buffer->pool, &buffer->memory) && !buffer->only_coherent)
		sync_table(maintainer(buffer->pool), &buffer->memory.table, range, direction,
			   for_device);
	mutex_unlock(&buffer->lock);
}
