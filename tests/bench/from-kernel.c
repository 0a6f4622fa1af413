/* SPDX-License-Identifier: MIT */
/*
 * Buffers from the allocators that Linux gives to programs: dma-heaps and udmabuf.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sources.h"

static int open_node(struct source *source, const char *path, int flags)
{
	source->fd = open(path, flags | O_CLOEXEC);
	return source->fd < 0 ? -errno : 0;
}

/* The default area's heap is named differently by kernels; it is the one that is not "system". */
int open_heap(struct source *source)
{
	char path[300];
	struct dirent *entry;
	DIR *folder = opendir("/dev/dma_heap");
	int r = -ENOENT;

	if (!folder)
		return -errno;
	while ((entry = readdir(folder)))
		if (entry->d_name[0] != '.' && (strcmp(entry->d_name, "system") == 0) ==
						       (strcmp(source->place, "system") == 0)) {
			snprintf(path, sizeof(path), "/dev/dma_heap/%s", entry->d_name);
			r = open_node(source, path, O_RDWR);
			break;
		}
	closedir(folder);
	return r;
}

int allocate_heap(struct source *source, size_t size)
{
	struct dma_heap_allocation_data data = {.len = size, .fd_flags = O_RDWR | O_CLOEXEC};

	if (ioctl(source->fd, DMA_HEAP_IOCTL_ALLOC, &data) < 0)
		return -errno;
	return (int)data.fd;
}

int open_udmabuf(struct source *source)
{
	return open_node(source, "/dev/udmabuf", O_RDWR);
}

int allocate_udmabuf(struct source *source, size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct udmabuf_create create = {
		.flags = UDMABUF_FLAGS_CLOEXEC,
		.size = (size + page - 1) / page * page,
	};
	int memory = memfd_create("bench", MFD_ALLOW_SEALING | MFD_CLOEXEC), fd;

	if (memory < 0)
		return -errno;
	create.memfd = (uint32_t)memory;
	if (ftruncate(memory, (off_t)create.size) < 0 ||
	    fcntl(memory, F_ADD_SEALS, F_SEAL_SHRINK) < 0)
		fd = -errno;
	else
		fd = ioctl(source->fd, UDMABUF_CREATE, &create);
	if (fd < 0)
		fd = -errno;
	close(memory);
	return fd;
}
