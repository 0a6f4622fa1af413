/* SPDX-License-Identifier: MIT */
/*
 * Buffers from the kernel module, asked directly, as only root can and no program should.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>

#include "sources.h"
#include "uapi/dmabuf_pool.h"

int open_module(struct source *source)
{
	struct dmabuf_pool_info pool = {0};

	/* Without reading: the daemon goes on to be told of releases. */
	source->fd = open(DMABUF_POOL_NODE, O_WRONLY | O_CLOEXEC);
	if (source->fd < 0)
		return -errno;
	for (;; pool = (struct dmabuf_pool_info){.index = pool.index + 1}) {
		if (ioctl(source->fd, DMABUF_POOL_IOCTL_POOL, &pool) < 0)
			return -errno;
		if (strcmp(pool.name, source->place) == 0)
			break;
	}
	source->index = pool.index;
	return 0;
}

int allocate_module(struct source *source, size_t size)
{
	struct dmabuf_pool_alloc alloc = {
		.size = size,
		.pool = source->index,
		.mapping = DMABUF_POOL_MAPPING_CACHED,
	};

	return ioctl(source->fd, DMABUF_POOL_IOCTL_ALLOC, &alloc) < 0 ? -errno : alloc.fd;
}
