// SPDX-License-Identifier: GPL-2.0-only
/*
 * The CPU's view of a buffer: mappings of programs and of the kernel, with the attributes that the
 * buffer was allocated for.
 */
#include <linux/err.h>
#include <linux/huge_mm.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "arith.h"
#include "buffer.h"

#define LARGE_PAGE (DBP_LARGE_PAGES ? PMD_SIZE : (size_t)LONG_MAX + 1)

/* The physical address @offset bytes into the buffer, and the bytes of the block from there on. */
static size_t locate(struct dbp_buffer *buffer, size_t offset, phys_addr_t *at)
{
	struct dbp_range range = { .skip = offset, .left = SIZE_MAX };
	struct scatterlist *sg;
	size_t start, length;
	int i;

	for_each_sgtable_sg(&buffer->memory.table, sg, i) {
		length = dbp_range_cut(&range, sg->length, &start);
		if (length) {
			*at = sg_phys(sg) + start;
			return length;
		}
	}
	return 0;
}

static size_t offset_of(struct vm_area_struct *vma, unsigned long address)
{
	return address - vma->vm_start + (vma->vm_pgoff << PAGE_SHIFT);
}

/*
 * Faults come where mmap left room for large pages, and where the kernel had to split one. Nobody
 * has checked bounds here: a mapping that moved or was cut still carries its offset.
 */
static vm_fault_t map_page(struct vm_area_struct *vma, unsigned long address)
{
	phys_addr_t at;

	if (!locate(vma->vm_private_data, offset_of(vma, address), &at))
		return VM_FAULT_SIGBUS;
	return vmf_insert_pfn(vma, address, PHYS_PFN(at));
}

/* All that a large page would have held, so that the next pages need no fault of their own. */
static vm_fault_t map_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	unsigned long from = max(vmf->address & PMD_MASK, vma->vm_start);
	unsigned long to = min((vmf->address | ~PMD_MASK), vma->vm_end - 1);
	unsigned long address;
	vm_fault_t ret;

	ret = map_page(vma, vmf->address & PAGE_MASK);
	for (address = from; !(ret & VM_FAULT_ERROR) && address < to; address += PAGE_SIZE)
		ret = map_page(vma, address);
	return ret;
}

#if DBP_LARGE_PAGES
static vm_fault_t map_large_fault(struct vm_fault *vmf, unsigned int order)
{
	struct vm_area_struct *vma = vmf->vma;
	struct dbp_buffer *buffer = vma->vm_private_data;
	unsigned long address = vmf->address & PMD_MASK;
	phys_addr_t at;

	if (order != PMD_ORDER)
		return VM_FAULT_FALLBACK;
	if (address < vma->vm_start || vma->vm_end - address < PMD_SIZE)
		return VM_FAULT_FALLBACK;
	if (locate(buffer, offset_of(vma, address), &at) < PMD_SIZE || at & ~PMD_MASK)
		return VM_FAULT_FALLBACK;
	return dbp_insert_large_page(vmf, at, vma->vm_flags & VM_WRITE);
}
#endif

static const struct vm_operations_struct map_ops = {
	.fault = map_fault,
#if DBP_LARGE_PAGES
	.huge_fault = map_large_fault,
#endif
};

/* Pages at once; large pages when they are touched, for only a fault can insert one. */
static int map_run(struct vm_area_struct *vma, unsigned long address, phys_addr_t at, size_t length)
{
	struct dbp_span span = dbp_span_plan(at, address, length, LARGE_PAGE);
	size_t before_tail = span.head + span.large;
	int ret = 0;

	if (span.head)
		ret = remap_pfn_range(vma, address, PHYS_PFN(at), span.head, vma->vm_page_prot);
	if (!ret && span.tail)
		ret = remap_pfn_range(vma, address + before_tail, PHYS_PFN(at + before_tail),
				      span.tail, vma->vm_page_prot);
	return ret;
}

/* The dma-buf core has checked that offset and length lie within the buffer. */
int dbp_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	struct dbp_buffer *buffer = dmabuf->priv;
	struct dbp_range range = {
		.skip = vma->vm_pgoff << PAGE_SHIFT,
		.left = vma->vm_end - vma->vm_start,
	};
	unsigned long address = vma->vm_start;
	struct scatterlist *sg;
	size_t start, length;
	int i, ret;

	/* A private mapping would hide the writes of the program from the device. */
	if (!(vma->vm_flags & (VM_SHARED | VM_MAYSHARE)))
		return -EINVAL;
	vma->vm_page_prot = dbp_buffer_prot(buffer, vma->vm_page_prot);
	vma->vm_private_data = buffer;
	vma->vm_ops = &map_ops;
	dbp_set_vm_flags(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	for_each_sgtable_sg(&buffer->memory.table, sg, i) {
		length = dbp_range_cut(&range, sg->length, &start);
		ret = map_run(vma, address, sg_phys(sg) + start, length);
		if (ret)
			return ret;
		address += length;
		if (!range.left)
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
int dbp_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
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
	vaddr = vmap(pages, n, VM_MAP, dbp_buffer_prot(buffer, PAGE_KERNEL));
	kvfree(pages);
	if (!vaddr)
		return -ENOMEM;
	iosys_map_set_vaddr(map, vaddr);
	return 0;
}

void dbp_vunmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct dbp_buffer *buffer = dmabuf->priv;

	if (!buffer->memory.vaddr)
		vunmap(map->vaddr);
	iosys_map_clear(map);
}
