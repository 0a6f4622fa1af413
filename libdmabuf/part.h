/* SPDX-License-Identifier: MIT */
/*
 * CPU access to a part of a dma-buf, by the node that the kernel module has for that. Not installed.
 */
#ifndef PART_H
#define PART_H

#include <stdint.h>

/* flags: DMA_BUF_SYNC_*. Errors of open() and of DMABUF_POOL_IOCTL_SYNC_RANGE. */
int part_sync(int fd, uint64_t offset, uint64_t length, unsigned int flags);

/* 0 or negative errno. An exporter may give up on a lock or a signal; both only mean: again. */
int ioctl_until_done(int fd, unsigned long request, void *argument);

#endif
