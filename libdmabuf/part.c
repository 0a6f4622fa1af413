/* SPDX-License-Identifier: MIT */
/*
 * A part of a dma-buf and the kernel module: the only file of the library that speaks to it. Must not
 * know dmabuf.h, which has names of its own for the same things.
 */
#include "part.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <sys/ioctl.h>

#include "cleanup.h"
#include "uapi/dmabuf_pool.h"

static_assert(DMABUF_POOL_SYNC_READ == DMA_BUF_SYNC_READ, "flags differ");
static_assert(DMABUF_POOL_SYNC_WRITE == DMA_BUF_SYNC_WRITE, "flags differ");
static_assert(DMABUF_POOL_SYNC_END == DMA_BUF_SYNC_END, "flags differ");

int ioctl_until_done(int fd, unsigned long request, void *argument)
{
	int r;

	do
		r = ioctl(fd, request, argument);
	while (r < 0 && (errno == EINTR || errno == EAGAIN));

	return r < 0 ? -errno : 0;
}

/* Opened for the one call: an open node would keep the module from being unloaded. */
int part_sync(int fd, uint64_t offset, uint64_t length, unsigned int flags)
{
	struct dmabuf_pool_sync_range range = {
		.fd = fd,
		.flags = flags,
		.offset = offset,
		.length = length,
	};
	_cleanup_close_ int node = open(DMABUF_POOL_SYNC_NODE, O_RDONLY | O_CLOEXEC);

	return node < 0 ? -errno : ioctl_until_done(node, DMABUF_POOL_IOCTL_SYNC_RANGE, &range);
}
