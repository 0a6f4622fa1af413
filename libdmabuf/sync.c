/* SPDX-License-Identifier: MIT */
/*
 * CPU access to a dma-buf, to all of it or to a part. Asks the kernel alone; must know neither the
 * daemon nor how a buffer came to be.
 */
#include <errno.h>
#include <linux/dma-buf.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "part.h"
#include "private.h"

static_assert(DMABUF_ACCESS_READ == DMA_BUF_SYNC_READ, "flags differ");
static_assert(DMABUF_ACCESS_WRITE == DMA_BUF_SYNC_WRITE, "flags differ");
static_assert(DMABUF_ACCESS_READ_WRITE == DMA_BUF_SYNC_RW, "flags differ");

static int check_access(unsigned int access)
{
	return access == 0 || access & ~DMA_BUF_SYNC_RW ? -EINVAL : 0;
}

static int sync_whole(int fd, unsigned int access, unsigned int edge)
{
	struct dma_buf_sync sync = {.flags = access | edge};
	int r = check_access(access);

	return r < 0 ? r : ioctl_until_done(fd, DMA_BUF_IOCTL_SYNC, &sync);
}

static int check_part(int fd, uint64_t offset, uint64_t length)
{
	off_t size = lseek(fd, 0, SEEK_END);

	if (size < 0)
		return errno == ESPIPE ? -ENOTTY : -errno;
	if (length == 0 || offset > (uint64_t)size || length > (uint64_t)size - offset)
		return -EINVAL;
	return 0;
}

/* Somebody else's dma-buf, an older module, a sandbox without the node: then all of it. */
static int sync_range(int fd, uint64_t offset, uint64_t length, unsigned int access,
		      unsigned int edge)
{
	int r = check_access(access);

	if (r < 0 || part_sync(fd, offset, length, access | edge) == 0)
		return r;
	r = check_part(fd, offset, length);
	return r < 0 ? r : sync_whole(fd, access, edge);
}

DMABUF_PUBLIC int dmabuf_buffer_begin_access(struct dmabuf_buffer *buffer, unsigned int access)
{
	return sync_whole(buffer->fd, access, DMA_BUF_SYNC_START);
}

DMABUF_PUBLIC int dmabuf_buffer_end_access(struct dmabuf_buffer *buffer, unsigned int access)
{
	return sync_whole(buffer->fd, access, DMA_BUF_SYNC_END);
}

DMABUF_PUBLIC int dmabuf_fd_begin_access(int fd, unsigned int access)
{
	return sync_whole(fd, access, DMA_BUF_SYNC_START);
}

DMABUF_PUBLIC int dmabuf_fd_end_access(int fd, unsigned int access)
{
	return sync_whole(fd, access, DMA_BUF_SYNC_END);
}

DMABUF_PUBLIC int dmabuf_fd_begin_access_range(int fd, uint64_t offset, uint64_t length,
					       unsigned int access)
{
	return sync_range(fd, offset, length, access, DMA_BUF_SYNC_START);
}

DMABUF_PUBLIC int dmabuf_fd_end_access_range(int fd, uint64_t offset, uint64_t length,
					     unsigned int access)
{
	return sync_range(fd, offset, length, access, DMA_BUF_SYNC_END);
}
