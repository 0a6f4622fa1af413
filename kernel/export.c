// SPDX-License-Identifier: GPL-2.0-only
/*
 * A buffer as a dma-buf: what importing drivers and programs may do with it.
 */
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/swiotlb.h>
#include <linux/vmalloc.h>

#include "buffer.h"

struct dbp_attachment {
	struct list_head link;	/* dbp_buffer.attachments */
	struct device *dev;
	struct sg_table table;	/* the importer's own addresses of the buffer's blocks */
	bool mapped;
};

static unsigned int count_segments(struct sg_table *table, unsigned int max)
{
	struct scatterlist *sg;
	unsigned int n = 0;
	int i;

	for_each_sgtable_sg(table, sg, i)
		n += DIV_ROUND_UP(sg->length, max);
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
	unsigned int max = dma_get_max_seg_size(importer) & PAGE_MASK;
	int ret;

	max = max_t(unsigned int, max, PAGE_SIZE);
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

static int buffer_attach(struct dma_buf *dmabuf, struct dma_buf_attachment *attachment)
{
	struct dbp_buffer *buffer = dmabuf->priv;
	struct dbp_attachment *a;
	int ret;

	if (!dbp_buffer_is_cached(buffer) && would_bounce(buffer, attachment->dev))
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
	attachment->priv = a;
	mutex_lock(&buffer->lock);
	list_add(&a->link, &buffer->attachments);
	mutex_unlock(&buffer->lock);
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

static void set_mapped(struct dbp_buffer *buffer, struct dbp_attachment *a, bool mapped)
{
	mutex_lock(&buffer->lock);
	a->mapped = mapped;
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
	set_mapped(buffer, a, true);
	return &a->table;
}

static void buffer_unmap(struct dma_buf_attachment *attachment, struct sg_table *table,
			 enum dma_data_direction direction)
{
	struct dbp_buffer *buffer = attachment->dmabuf->priv;
	struct dbp_attachment *a = attachment->priv;

	set_mapped(buffer, a, false);
	dma_unmap_sgtable(a->dev, table, direction, map_attributes(buffer));
}

typedef void (*sync_fn)(struct device *dev, struct sg_table *table, enum dma_data_direction dir);

/*
 * For every importer that has the buffer mapped; when none has, through the pool's device: a device
 * may have filled the buffer and let go of it.
 */
static void sync(struct dbp_buffer *buffer, enum dma_data_direction direction, sync_fn fn)
{
	struct dbp_attachment *a;
	bool synced = false;

	if (!dbp_buffer_is_cached(buffer))
		return;
	mutex_lock(&buffer->lock);
	list_for_each_entry(a, &buffer->attachments, link) {
		if (!a->mapped)
			continue;
		fn(a->dev, &a->table, direction);
		synced = true;
	}
	if (!synced)
		fn(&buffer->pool->pdev->dev, &buffer->memory.table, direction);
	mutex_unlock(&buffer->lock);
}

static int buffer_begin_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction direction)
{
	sync(dmabuf->priv, direction, dma_sync_sgtable_for_cpu);
	return 0;
}

static int buffer_end_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction direction)
{
	sync(dmabuf->priv, direction, dma_sync_sgtable_for_device);
	return 0;
}

static pgprot_t buffer_prot(struct dbp_buffer *buffer, pgprot_t prot)
{
	return dbp_buffer_is_cached(buffer) ? prot : pgprot_writecombine(prot);
}

/* One remap for each block: the core has checked that offset and length lie within the buffer. */
static int buffer_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	struct dbp_buffer *buffer = dmabuf->priv;
	unsigned long skip = vma->vm_pgoff << PAGE_SHIFT, at = vma->vm_start, length;
	pgprot_t prot = buffer_prot(buffer, vma->vm_page_prot);
	struct scatterlist *sg;
	int i, ret;

	/* A private mapping would hide the writes of the program from the device. */
	if (!(vma->vm_flags & (VM_SHARED | VM_MAYSHARE)))
		return -EINVAL;
	vma->vm_page_prot = prot;
	for_each_sgtable_sg(&buffer->memory.table, sg, i) {
		if (skip >= sg->length) {
			skip -= sg->length;
			continue;
		}
		length = min(sg->length - skip, vma->vm_end - at);
		ret = remap_pfn_range(vma, at, PHYS_PFN(sg_phys(sg) + skip), length, prot);
		if (ret)
			return ret;
		skip = 0;
		at += length;
		if (at == vma->vm_end)
			break;
	}
	return 0;
}

static struct page **list_pages(struct dbp_buffer *buffer, unsigned int *n)
{
	struct sg_page_iter iter;
	struct page **pages;

	*n = 0;
	pages = kvmalloc_array(buffer->memory.size >> PAGE_SHIFT, sizeof(*pages), GFP_KERNEL);
	if (!pages)
		return NULL;
	for_each_sgtable_page(&buffer->memory.table, &iter, 0)
		pages[(*n)++] = sg_page_iter_page(&iter);
	return pages;
}

/* The core counts the users of a kernel mapping and calls only for the first and the last. */
static int buffer_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct dbp_buffer *buffer = dmabuf->priv;
	struct page **pages;
	unsigned int n;
	void *vaddr;

	if (buffer->memory.vaddr) {
		iosys_map_set_vaddr(map, buffer->memory.vaddr);
		return 0;
	}
	pages = list_pages(buffer, &n);
	if (!pages)
		return -ENOMEM;
	vaddr = vmap(pages, n, VM_MAP, buffer_prot(buffer, PAGE_KERNEL));
	kvfree(pages);
	if (!vaddr)
		return -ENOMEM;
	iosys_map_set_vaddr(map, vaddr);
	return 0;
}

static void buffer_vunmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct dbp_buffer *buffer = dmabuf->priv;

	if (!buffer->memory.vaddr)
		vunmap(map->vaddr);
	iosys_map_clear(map);
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
	.mmap = buffer_mmap,
	.vmap = buffer_vmap,
	.vunmap = buffer_vunmap,
	.release = buffer_release,
};
