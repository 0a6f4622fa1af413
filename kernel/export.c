// SPDX-License-Identifier: GPL-2.0-only
/*
 * A buffer as a dma-buf: what importing drivers may do with it. The CPU's view of it is in map.c.
 */
#include <linux/device.h>
#include <linux/dma-buf.h>
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/slab.h>
#include <linux/swiotlb.h>

#include "arith.h"
#include "buffer.h"
#include "cache.h"

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

/*
 * The blocks in segments as long as the importer claims to support, 64 KiB if it says nothing, and
 * as the kernel can copy for it if it must.
 */
static int copy_table(struct sg_table *to, struct sg_table *from, struct device *importer)
{
	unsigned int max;
	int ret;

	max = min_t(size_t, dma_get_max_seg_size(importer), dma_max_mapping_size(importer));
	max = dbp_segment_size(max);

	ret = sg_alloc_table(to, count_segments(from, max), GFP_KERNEL);
	if (!ret)
		set_segments(to, from, max);
	return ret;
}

/*
 * A device that cannot reach the memory gets it bounced through swiotlb, which copies by a cached
 * view: stale for an uncached buffer, and none exists of a no-map region.
 */
static bool would_bounce(struct dbp_buffer *buffer, struct device *dev)
{
	if (is_swiotlb_force_bounce(dev))
		return true;
	if (device_iommu_mapped(dev))
		return false;
	return dbp_memory_reaches_above(&buffer->memory, dma_get_mask(dev));
}

/* The kernel says SIZE_MAX for a device for which it does not or cannot copy. */
static bool can_bounce(struct dbp_buffer *buffer, struct device *dev)
{
	return dbp_buffer_is_cached(buffer) && dma_max_mapping_size(dev) != SIZE_MAX;
}

static void add_attachment(struct dbp_buffer *buffer, struct dbp_attachment *a)
{
	mutex_lock(&buffer->lock);
	list_add(&a->link, &buffer->attachments);
	buffer->only_coherent = dev_is_dma_coherent(a->dev) &&
				(buffer->only_coherent || !buffer->was_attached);
	buffer->was_attached = true;
	mutex_unlock(&buffer->lock);
}

static int buffer_attach(struct dma_buf *dmabuf, struct dma_buf_attachment *attachment)
{
	struct dbp_buffer *buffer = dmabuf->priv;
	bool bounces = would_bounce(buffer, attachment->dev);
	struct dbp_attachment *a;
	int ret;

	if (bounces && !can_bounce(buffer, attachment->dev))
		return -ERANGE;
	a = kzalloc(sizeof(*a), GFP_KERNEL);
	if (!a)
		return -ENOMEM;
	ret = copy_table(&a->table, &buffer->memory.table, attachment->dev);
	if (ret) {
		kfree(a);
		return ret;
	}
	a->dev = attachment->dev;
	a->direction = DMA_NONE;
	a->bounces = bounces;
	attachment->priv = a;
	add_attachment(buffer, a);
	return 0;
}

static void buffer_detach(struct dma_buf *dmabuf, struct dma_buf_attachment *attachment)
{
	struct dbp_buffer *buffer = dmabuf->priv;
	struct dbp_attachment *a = attachment->priv;

	mutex_lock(&buffer->lock);
	list_del(&a->link);
	mutex_unlock(&buffer->lock);
	sg_free_table(&a->table);
	kfree(a);
}

/* Nothing of an uncached buffer is in the cache, and a no-map region cannot be maintained. */
static unsigned long map_attributes(struct dbp_buffer *buffer)
{
	return dbp_buffer_is_cached(buffer) ? 0 : DMA_ATTR_SKIP_CPU_SYNC;
}

static void set_mapped(struct dbp_buffer *buffer, struct dbp_attachment *a,
		       enum dma_data_direction direction)
{
	mutex_lock(&buffer->lock);
	a->direction = direction;
	mutex_unlock(&buffer->lock);
}

static struct sg_table *buffer_map(struct dma_buf_attachment *attachment,
				   enum dma_data_direction direction)
{
	struct dbp_buffer *buffer = attachment->dmabuf->priv;
	struct dbp_attachment *a = attachment->priv;
	int ret;

	ret = dma_map_sgtable(a->dev, &a->table, direction, map_attributes(buffer));
	if (ret)
		return ERR_PTR(ret);
	set_mapped(buffer, a, direction);
	return &a->table;
}

static void buffer_unmap(struct dma_buf_attachment *attachment, struct sg_table *table,
			 enum dma_data_direction direction)
{
	struct dbp_buffer *buffer = attachment->dmabuf->priv;
	struct dbp_attachment *a = attachment->priv;

	set_mapped(buffer, a, DMA_NONE);
	dma_unmap_sgtable(a->dev, table, direction, map_attributes(buffer));
}

static struct dbp_range whole(struct dma_buf *dmabuf)
{
	return (struct dbp_range){ .left = dmabuf->size };
}

static int buffer_begin_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction direction)
{
	dbp_cache_sync(dmabuf->priv, whole(dmabuf), direction, false);
	return 0;
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
