/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Everything that differs between the kernels and architectures supported; forced into each file by
 * Kbuild, so that the rest reads as if there were one kernel.
 */
#ifndef DBP_COMPAT_H
#define DBP_COMPAT_H

/* Before anything includes printk.h. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "dmabuf_pool needs Linux 6.1 or newer"
#endif

#ifndef CONFIG_64BIT
#error "dmabuf_pool keeps 64-bit ids in an xarray: it needs a 64-bit kernel"
#endif

#include <linux/mmzone.h>
#include <linux/module.h>

/* 6.8 named the largest order; before, MAX_ORDER was one more than it. */
#ifndef MAX_PAGE_ORDER
#define MAX_PAGE_ORDER (MAX_ORDER - 1)
#endif

/* 6.13 made the namespace a string. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
#define DBP_IMPORT_DMA_BUF MODULE_IMPORT_NS(DMA_BUF)
#else
#define DBP_IMPORT_DMA_BUF MODULE_IMPORT_NS("DMA_BUF")
#endif

/* 7.1 exported the contiguous memory allocator to modules. */
#define DBP_CMA_EXPORTED (IS_ENABLED(CONFIG_CMA) && LINUX_VERSION_CODE >= KERNEL_VERSION(7, 1, 0))

/* 6.3 wrapped the flags of a mapping. */
#include <linux/mm.h>
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
static inline void dbp_set_vm_flags(struct vm_area_struct *vma, unsigned long flags)
{
	vma->vm_flags |= flags;
}
#else
#define dbp_set_vm_flags vm_flags_set
#endif

/* Where page tables can hold physical addresses as large pages: since 6.12, not on all machines. */
#define DBP_LARGE_PAGES IS_ENABLED(CONFIG_ARCH_SUPPORTS_PMD_PFNMAP)
#if DBP_LARGE_PAGES
#include <linux/huge_mm.h>
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
#include <linux/pfn_t.h>
#define dbp_insert_large_page(vmf, at, write) \
	vmf_insert_pfn_pmd(vmf, phys_to_pfn_t(at, PFN_DEV), write)
#else
#define dbp_insert_large_page(vmf, at, write) vmf_insert_pfn_pmd(vmf, PHYS_PFN(at), write)
#endif
#endif

/*
 * The device by which a pool maintains caches must not be taken for a coherent one, whatever the
 * machine's default: an uncached mapping needs clean memory, and some importer may not be coherent.
 */
#include <linux/device.h>
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 2, 0) /* made the flag a bit behind functions. */
#define dbp_set_noncoherent dev_clear_dma_coherent
#elif defined(CONFIG_ARCH_HAS_SYNC_DMA_FOR_DEVICE)
static inline void dbp_set_noncoherent(struct device *dev)
{
	dev->dma_coherent = false;
}
#else
static inline void dbp_set_noncoherent(struct device *dev)
{
}
#endif

/* On x86 all mappings of a page share one attribute, which must change before they do. */
#ifdef CONFIG_X86
#include <asm/set_memory.h>
#define DBP_PAGE_ATTRIBUTES 1

static inline int dbp_set_write_combined(struct page *page, size_t size)
{
	return set_memory_wc((unsigned long)page_address(page), size >> PAGE_SHIFT);
}

static inline int dbp_set_write_back(struct page *page, size_t size)
{
	return set_memory_wb((unsigned long)page_address(page), size >> PAGE_SHIFT);
}
#else
#define DBP_PAGE_ATTRIBUTES 0

static inline int dbp_set_write_combined(struct page *page, size_t size)
{
	return 0;
}

static inline int dbp_set_write_back(struct page *page, size_t size)
{
	return 0;
}
#endif

/* 6.7 made shrinkers objects that the kernel allocates. */
#include <linux/shrinker.h>
#include <linux/slab.h>

typedef unsigned long dbp_shrink_fn(struct shrinker *shrinker, struct shrink_control *control);

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
static inline struct shrinker *dbp_shrinker_new(dbp_shrink_fn *count, dbp_shrink_fn *scan)
{
	struct shrinker *shrinker = kzalloc(sizeof(*shrinker), GFP_KERNEL);

	if (!shrinker)
		return NULL;
	shrinker->count_objects = count;
	shrinker->scan_objects = scan;
	shrinker->seeks = DEFAULT_SEEKS;
	if (!register_shrinker(shrinker, "dmabuf_pool"))
		return shrinker;
	kfree(shrinker);
	return NULL;
}

static inline void dbp_shrinker_free(struct shrinker *shrinker)
{
	unregister_shrinker(shrinker);
	kfree(shrinker);
}
#else
static inline struct shrinker *dbp_shrinker_new(dbp_shrink_fn *count, dbp_shrink_fn *scan)
{
	struct shrinker *shrinker = shrinker_alloc(0, "dmabuf_pool");

	if (!shrinker)
		return NULL;
	shrinker->count_objects = count;
	shrinker->scan_objects = scan;
	shrinker_register(shrinker);
	return shrinker;
}

#define dbp_shrinker_free shrinker_free
#endif

#endif
