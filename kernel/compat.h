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

/*
 * A module can give ordinary memory a write-combined mapping where cache maintenance by the DMA API
 * is enough to make it honest. x86 has one attribute for each page and wants it changed first.
 */
#define DBP_RAM_WRITE_COMBINE IS_ENABLED(CONFIG_ARM64)

#endif
