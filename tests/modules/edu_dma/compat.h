/* SPDX-License-Identifier: GPL-2.0-only */
/* What differs between the kernels supported. */
#ifndef EDU_DMA_COMPAT_H
#define EDU_DMA_COMPAT_H

#include <linux/version.h>

/* 6.2 gave the calls that take the reservation's lock themselves a name of their own. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#define dma_buf_map_attachment_unlocked dma_buf_map_attachment
#define dma_buf_unmap_attachment_unlocked dma_buf_unmap_attachment
#endif

/* 6.13 made the namespace a string. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
#define EDU_IMPORT_DMA_BUF MODULE_IMPORT_NS(DMA_BUF)
#else
#define EDU_IMPORT_DMA_BUF MODULE_IMPORT_NS("DMA_BUF")
#endif

#endif
