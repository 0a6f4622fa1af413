// SPDX-License-Identifier: GPL-2.0-only
/*
 * A buffer as a dma-buf: what importing drivers may do with it. The CPU's view of it is in map.c.
 */
#include <linux/device.h>
#include <linux/dma-buf.h>
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/slab.h>
#include <linux/swiotlb.h>

#include "arith.h"
#include "buffer.h"
#include "cache.h"
#include "facts.h"

static unsigned int count_segments(struct sg_table *table, unsigned int max)
{
	struct scatterlist *sg;
	unsigned int n = 0;
	int i;

	for_each_sgtable_sg(table, sg, i)
		n += dbp_segment_count(sg->length, max);
	return n;
}

static void set_segments(struct sg_table *to, struct sg_table *from, unsigned int max)
{
	struct scatterlist *sg, *new = to->sgl;
	unsigned int done, length;
	int i;

	for_each_sgtable_sg(from, sg, i) {
		for (done = 0; done < sg->length; done += length) {
			length = min(sg->length - done, max);
			sg_set_page(new, pfn_to_page(PHYS_PFN(sg_phys(sg) + done)), length, 0);
			new = sg_next(new);
		}
	}
}

/* The blocks in segments as long as the importer claims to support: 64 KiB if it says nothing. */
static int copy_table(struct sg_table *to, struct sg_table *from, struct device *importer)
{
	unsigned int max = dbp_segment_size(dma_get_max_seg_size(importer));
	int ret;

	ret = sg_alloc_table(to, count_segments(from, max), GFP_KERNEL);
	if (!ret)
		set_segments(to, from, max);
	return ret;
}

/*
 * A device that cannot reach the memory gets it bounced through swiotlb, which copies by a cached
 * view: stale for an uncached buffer, and none exists of a no-map region. A cached buffer would
 * have as many copies as importers that bounce, and whose is the latest nobody can tell.
 */
static bool would_bounce(struct dbp_buffer *buffer, struct device *dev)
{
	struct scatterlist *block;
	int i;

	if (is_swiotlb_force_bounce(dev))
		return true;
	for_each_sgtable_sg(&buffer->memory.table, block, i)
		if (!dbp_device_reaches(dev, sg_phys(block), block->length))
			return true;
	return false;
}

static void remember_device(struct dbp_buffer *buffer, struct device *dev)
{
	mutex_lock(&buffer->lock);
	buffer->only_coherent = dev_is_dma_coherent(dev) &&
				(buffer->only_coherent || !buffer->was_attached);
	buffer->was_attached = true;
	mutex_unlock(&buffer->lock);
}

static int buffer_attach(struct dma_buf *dmabuf, struct dma_buf_attachment *attachment)
{
	struct dbp_buffer *buffer = dmabuf->priv;
	struct dbp_attachment *a;
	int ret;

	a = kzalloc(sizeof(*a), GFP_KERNEL);
	if (!a)
		return -ENOMEM;
	ret = copy_table(&a->table, &buffer->memory.table, attachment->dev);
	if (ret) {
		kfree(a);
		return ret;
	}
	a->dev = attachment->dev;
	attachment->priv = a;
	remember_device(buffer, a->dev);
	return 0;
}

static void buffer_detach(struct dma_buf *dmabuf, struct dma_buf_attachment *attachment)
{
	struct dbp_attachment *a = attachment->priv;

	sg_free_table(&a->table);
	kfree(a);
}

/* Nothing of an uncached buffer is in the cache, and a no-map region cannot be maintained. */
static unsigned long map_attributes(struct dbp_buffer *buffer)
{
	return dbp_buffer_is_cached(buffer) ? 0 : DMA_ATTR_SKIP_CPU_SYNC;
}

static struct sg_table *buffer_map(struct dma_buf_attachment *attachment,
				   enum dma_data_direction direction)
{
	struct dbp_buffer *buffer = attachment->dmabuf->priv;
	struct dbp_attachment *a = attachment->priv;
	int ret;

	/* Not in attach: videobuf2 of 6.12 forgets its reference to a buffer that refuses there. */
	if (would_bounce(buffer, a->dev))
		return ERR_PTR(-ERANGE);
	ret = dma_map_sgtable(a->dev, &a->table, direction, map_attributes(buffer));
	if (ret)
		return ERR_PTR(ret);
	return &a->table;
}

static void buffer_unmap(struct dma_buf_attachment *attachment, struct sg_table *table,
			 enum dma_data_direction direction)
{
	struct dbp_buffer *buffer = attachment->dmabuf->priv;
	struct dbp_attachment *a = attachment->priv;

	dma_unmap_sgtable(a->dev, table, direction, map_attributes(buffer));
}

static struct dbp_range whole(struct dma_buf *dmabuf)
{
	return (struct dbp_range){ .left = dmabuf->size };
}

/*
 * For those that have put a fence on the buffer, before the cache is invalidated: it may fetch, on
 * its own, what they are about to change. The kernel waits only after begin_cpu_access().
 */
int dbp_wait_for_devices(struct dma_buf *dmabuf, enum dma_data_direction direction)
{
	bool write = direction != DMA_FROM_DEVICE;
	long ret;

	ret = dma_resv_wait_timeout(dmabuf->resv, dma_resv_usage_rw(write), true,
				    MAX_SCHEDULE_TIMEOUT);
	return ret < 0 ? ret : 0;
}

static int buffer_begin_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction direction)
{
	int ret = dbp_wait_for_devices(dmabuf, direction);

	if (!ret)
		dbp_cache_sync(dmabuf->priv, whole(dmabuf), direction, false);
	return ret;
}

static int buffer_end_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction direction)
{
	dbp_cache_sync(dmabuf->priv, whole(dmabuf), direction, true);
	return 0;
}

static void buffer_release(struct dma_buf *dmabuf)
{
	dbp_buffer_release(dmabuf->priv);
}

const struct dma_buf_ops dbp_dma_buf_ops = {
	.attach = buffer_attach,
	.detach = buffer_detach,
	.map_dma_buf = buffer_map,
	.unmap_dma_buf = buffer_unmap,
	.begin_cpu_access = buffer_begin_cpu_access,
	.end_cpu_access = buffer_end_cpu_access,
	.mmap = dbp_mmap,
	.vmap = dbp_vmap,
	.vunmap = dbp_vunmap,
	.release = buffer_release,
};
