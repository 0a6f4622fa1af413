/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a test may ask of edu_dma.ko, through its node /dev/edu_dma. Each open file may hold one
 * dma-buf; close() lets go of it.
 */
#ifndef EDU_DMA_H
#define EDU_DMA_H

#include <linux/ioctl.h>
#include <linux/types.h>

/*
 * Bytes of memory in the device, one less than it has: the emulator takes the first address past a
 * transfer for one that must lie inside, and ends.
 */
#define EDU_DMA_MEMORY_SIZE 4095

/**
 * struct edu_dma_import - attach to a dma-buf, map it, and hold it until the next import
 * @fd: in: a dma-buf, or -1 for none.
 * @segments: out: pieces of it as the device sees them.
 * @base: out: lowest address of it as the device sees it.
 * @end: out: one past the highest.
 *
 * After an error what was held before is still held. -ERANGE: the exporter refused the device, or
 * mapped the buffer where it cannot reach.
 */
struct edu_dma_import {
	__s32 fd;
	__u32 segments;
	__u64 base;
	__u64 end;
};

/* The device reads from the buffer; else it writes. */
#define EDU_DMA_TO_DEVICE 1

/**
 * struct edu_dma_copy - the device copies between a buffer and its own memory
 * @fd: in: -1 for the buffer held; else a dma-buf that is attached, mapped, unmapped and detached
 *	for this copy alone.
 * @flags: in: EDU_DMA_TO_DEVICE or 0.
 * @offset: in: bytes from the start of the buffer.
 * @memory: in: bytes from the start of the device's memory.
 * @length: in: bytes.
 *
 * -EINVAL: beyond the buffer or the device's memory, or no buffer is held. -EIO: the exporter's
 * table is shorter than the buffer. -ETIMEDOUT: the device does not finish; it is switched off.
 */
struct edu_dma_copy {
	__s32 fd;
	__u32 flags;
	__u64 offset;
	__u32 memory;
	__u32 length;
};

#define EDU_DMA_IOCTL_IMPORT _IOWR('E', 0, struct edu_dma_import)
#define EDU_DMA_IOCTL_COPY _IOW('E', 1, struct edu_dma_copy)

#endif
