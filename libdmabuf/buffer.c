/* SPDX-License-Identifier: MIT */
/*
 * One buffer after it was granted: its descriptor, its mapping, and what the daemon said of it. Needs
 * no connection and never speaks to the daemon. CPU access is in sync.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "cleanup.h"
#include "private.h"

/* Of kernels with pages of 4 KiB; with larger ones a buffer is hardly as large as their large pages. */
#define LARGE_PAGE ((size_t)2 << 20)

bool buffer_is_valid(const struct dmabufd_buffer *wire)
{
	return wire->id != 0 && wire->size != 0 && wire->base <= wire->end &&
	       !(wire->relaxed & ~DMABUFD_CONSTRAINTS) && kind_is_valid(wire->kind) &&
	       (wire->mapping == DMABUFD_MAPPING_CACHED ||
		wire->mapping == DMABUFD_MAPPING_WRITE_COMBINED) &&
	       !(wire->flags & ~DMABUFD_BUFFER_CONTIGUOUS) && WIRE_STRING_IS_VALID(wire->pool) &&
	       WIRE_STRING_IS_VALID(wire->name) && WIRE_STRING_IS_VALID(wire->devices);
}

struct dmabuf_buffer *buffer_new(const struct dmabufd_buffer *wire, uint32_t usage, int fd)
{
	struct dmabuf_buffer *buffer = calloc(1, sizeof(*buffer));

	if (buffer) {
		buffer->fd = fd;
		buffer->usage = usage;
		buffer->wire = *wire;
	}
	return buffer;
}

DMABUF_PUBLIC struct dmabuf_buffer *dmabuf_buffer_free(struct dmabuf_buffer *buffer)
{
	if (buffer) {
		dmabuf_buffer_unmap(buffer);
		closep(&buffer->fd);
		free(buffer);
	}
	return NULL;
}

DMABUF_PUBLIC int dmabuf_buffer_get_fd(const struct dmabuf_buffer *buffer)
{
	return buffer->fd;
}

DMABUF_PUBLIC int dmabuf_buffer_take_fd(struct dmabuf_buffer *buffer)
{
	dmabuf_buffer_unmap(buffer);
	return TAKE_FD(buffer->fd);
}

DMABUF_PUBLIC uint64_t dmabuf_buffer_get_size(const struct dmabuf_buffer *buffer)
{
	return buffer->wire.size;
}

DMABUF_PUBLIC uint64_t dmabuf_buffer_get_id(const struct dmabuf_buffer *buffer)
{
	return buffer->wire.id;
}

DMABUF_PUBLIC const char *dmabuf_buffer_get_pool(const struct dmabuf_buffer *buffer)
{
	return buffer->wire.pool;
}

DMABUF_PUBLIC enum dmabuf_kind dmabuf_buffer_get_kind(const struct dmabuf_buffer *buffer)
{
	return (enum dmabuf_kind)buffer->wire.kind;
}

DMABUF_PUBLIC enum dmabuf_mapping dmabuf_buffer_get_mapping(const struct dmabuf_buffer *buffer)
{
	return (enum dmabuf_mapping)buffer->wire.mapping;
}

DMABUF_PUBLIC int dmabuf_buffer_is_contiguous(const struct dmabuf_buffer *buffer)
{
	return !!(buffer->wire.flags & DMABUFD_BUFFER_CONTIGUOUS);
}

DMABUF_PUBLIC unsigned int dmabuf_buffer_get_relaxed(const struct dmabuf_buffer *buffer)
{
	return buffer->wire.relaxed;
}

DMABUF_PUBLIC int dmabuf_buffer_get_address(const struct dmabuf_buffer *buffer, uint64_t *ret_base,
					    uint64_t *ret_end)
{
	if (buffer->wire.end == 0)
		return -EPERM;
	*ret_base = buffer->wire.base;
	*ret_end = buffer->wire.end;
	return 0;
}

/* A word that the program gave is held to: what it writes after all shows as a fault, not as a frame. */
static int get_protection(const struct dmabuf_buffer *buffer)
{
	if (!(buffer->usage & DMABUF_USAGE_CPU_WRITES_NEVER))
		return PROT_READ | PROT_WRITE;
	return buffer->usage & DMABUF_USAGE_CPU_READS_NEVER ? PROT_NONE : PROT_READ;
}

/* The kernel puts a large page where memory and mapping are at the same place within one. */
static size_t place_in_large_page(const struct dmabuf_buffer *buffer)
{
	return dmabuf_buffer_is_contiguous(buffer) ? (size_t)buffer->wire.base % LARGE_PAGE : 0;
}

static void *map_fixed(const struct dmabuf_buffer *buffer, char *room, size_t room_size, char *at)
{
	size_t size = (size_t)buffer->wire.size;
	void *map = mmap(at, size, get_protection(buffer), MAP_SHARED | MAP_FIXED, buffer->fd, 0);
	int error = errno;

	if (map == MAP_FAILED) {
		munmap(room, room_size);
		errno = error;
		return MAP_FAILED;
	}
	if (at > room)
		munmap(room, (size_t)(at - room));
	munmap(at + size, room_size - size - (size_t)(at - room));
	return map;
}

/* 2,048 pages less of an 8 MiB buffer to enter, for three system calls more. */
static void *map_whole(const struct dmabuf_buffer *buffer)
{
	size_t size = (size_t)buffer->wire.size, room_size = size + LARGE_PAGE;
	char *room = MAP_FAILED;

	if (size >= LARGE_PAGE && room_size > size)
		room = mmap(NULL, room_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
			    -1, 0);
	if (room == MAP_FAILED)
		return mmap(NULL, size, get_protection(buffer), MAP_SHARED, buffer->fd, 0);
	return map_fixed(buffer, room, room_size,
			 room + (place_in_large_page(buffer) - (uintptr_t)room) % LARGE_PAGE);
}

DMABUF_PUBLIC int dmabuf_buffer_map(struct dmabuf_buffer *buffer, void **ret)
{
	if (buffer->fd < 0)
		return -EBADF;
	if (get_protection(buffer) == PROT_NONE)
		return -EACCES;
	if (buffer->wire.size > SIZE_MAX)
		return -ENOMEM;
	if (!buffer->map) {
		void *map = map_whole(buffer);

		if (map == MAP_FAILED)
			return -errno;
		buffer->map = map;
	}
	*ret = buffer->map;
	return 0;
}

DMABUF_PUBLIC void dmabuf_buffer_unmap(struct dmabuf_buffer *buffer)
{
	if (buffer->map)
		munmap(TAKE_PTR(buffer->map), (size_t)buffer->wire.size);
}
