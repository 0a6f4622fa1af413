/* SPDX-License-Identifier: MIT */
/*
 * The node's side of include/uapi/dmabuf_pool.h: open(), ioctl() and read() of the daemon come here
 * by the linker's --wrap. It holds the daemon to what it must never ask.
 */
#include "fake-kernel.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "uapi/dmabuf_pool.h"

#define LIVE_MAX 128
#define LISTS_MAX 8
#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))
#define MIB(n) (UINT64_C(n) << 20)

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);
int __real_ioctl(int fd, unsigned long request, void *argument);
int __wrap_ioctl(int fd, unsigned long request, void *argument);

/* The answer to one LIST. */
struct answer {
	unsigned int count; /* as it claims */
	const uint8_t *records;
	size_t size;
};

static const struct dmabuf_pool_info usual_pools[] = {
	{.kind = DMABUF_POOL_KIND_COHERENT,
	 .name = "camera",
	 .base = MIB(1024),
	 .size = MIB(8),
	 .max_block = MIB(8),
	 .mappings = 1 << DMABUF_POOL_MAPPING_WRITE_COMBINED},
	{.kind = DMABUF_POOL_KIND_CMA,
	 .name = "area",
	 .size = MIB(16),
	 .max_block = MIB(16),
	 .mappings = 1 << DMABUF_POOL_MAPPING_WRITE_COMBINED | 1 << DMABUF_POOL_MAPPING_CACHED,
	 .flags = DMABUF_POOL_SYSTEM},
	{.kind = DMABUF_POOL_KIND_BUDDY,
	 .name = "system",
	 .max_block = MIB(4),
	 .mappings = 1 << DMABUF_POOL_MAPPING_WRITE_COMBINED | 1 << DMABUF_POOL_MAPPING_CACHED,
	 .flags = DMABUF_POOL_SYSTEM},
};

static struct {
	int daemon; /* its descriptor of the node */
	int node;   /* the other end: what is sent here it reads */
	uint64_t last_id;
	int fail;
	uint64_t base;
	unsigned int n_pools;
	struct dmabuf_pool_info pools[DMABUF_POOL_POOLS_MAX];
	unsigned int n_lists, at_list;
	struct answer lists[LISTS_MAX];
	unsigned int n_old;
	const uint8_t (*old_tags)[DMABUF_POOL_TAG_SIZE];
	unsigned int n_old_tags;
	unsigned int n_live;
	struct dmabuf_pool_buffer live[LIVE_MAX];
	int watches[LIVE_MAX]; /* reading ends of their pipes */
} kernel;

void fake_kernel_start(void)
{
	memset(&kernel, 0, sizeof(kernel));
	kernel.daemon = kernel.node = -EBADF;
	kernel.base = MIB(1024);
	kernel.n_pools = N_ELEMENTS(usual_pools);
	memcpy(kernel.pools, usual_pools, sizeof(usual_pools));
}

void fake_kernel_stop(void)
{
	assert(!kernel.n_live);
	if (kernel.node >= 0)
		close(kernel.node);
	kernel.node = kernel.daemon = -EBADF;
}

/* A daemon that starts anew leaves unread events behind. */
static int open_node(void)
{
	int ends[2];

	if (kernel.node >= 0)
		close(kernel.node);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) < 0)
		return -1;
	kernel.daemon = ends[0];
	kernel.node = ends[1];
	return kernel.daemon;
}

int __wrap_open(const char *path, int flags, ...)
{
	va_list args;
	mode_t mode = 0;

	if (!strcmp(path, DMABUF_POOL_NODE))
		return open_node();
	if (flags & O_CREAT) {
		va_start(args, flags);
		mode = va_arg(args, mode_t);
		va_end(args);
	}
	return __real_open(path, flags, mode);
}

int __wrap_open64(const char *path, int flags, ...)
{
	return __wrap_open(path, flags & ~O_CREAT);
}

static int get_version(struct dmabuf_pool_version *version)
{
	version->major = DMABUF_POOL_MAJOR;
	version->minor = DMABUF_POOL_MINOR;
	return 0;
}

static int get_pool(struct dmabuf_pool_info *info)
{
	const uint32_t index = info->index;

	if (index >= kernel.n_pools)
		return -ENOENT;
	*info = kernel.pools[index];
	info->index = index;
	return 0;
}

/* What the names say, as fake-devices.c gives them. */
static int get_device(struct dmabuf_pool_device *device)
{
	if (!strcmp(device->name, "gone"))
		return -ENODEV;
	device->dma_mask = strcmp(device->name, "narrow") ? UINT32_MAX : UINT32_MAX >> 1;
	device->bound_pools = !strcmp(device->name, "camera");
	device->flags = strcmp(device->name, "translated")
				? 0
				: DMABUF_POOL_DEVICE_IOMMU | DMABUF_POOL_DEVICE_COHERENT;
	return 0;
}

static void assert_is_sensible(const struct dmabuf_pool_alloc *alloc)
{
	struct stat st;

	assert(alloc->size && alloc->size % 4096 == 0);
	assert(alloc->pool < kernel.n_pools);
	assert(kernel.pools[alloc->pool].mappings & 1u << alloc->mapping);
	assert(!(alloc->flags & ~(DMABUF_POOL_CONTIGUOUS | DMABUF_POOL_CHARGE)));
	assert(!alloc->fd && !alloc->id && !alloc->base && !alloc->end && !alloc->pad);
	assert(fstat(alloc->charge_socket, &st) == 0 && S_ISSOCK(st.st_mode));
}

static int check_room(const struct dmabuf_pool_alloc *alloc)
{
	const struct dmabuf_pool_info *pool = &kernel.pools[alloc->pool];
	int error = kernel.fail;

	kernel.fail = 0;
	if (error)
		return error;
	if (alloc->size > pool->max_block)
		return -E2BIG;
	if (kernel.n_live == LIVE_MAX || (pool->size && alloc->size > pool->size - pool->used))
		return -ENOSPC;
	return 0;
}

static int allocate(struct dmabuf_pool_alloc *alloc)
{
	struct dmabuf_pool_buffer *buffer = &kernel.live[kernel.n_live];
	int r, ends[2];

	assert_is_sensible(alloc);
	r = check_room(alloc);
	if (r < 0)
		return r;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	kernel.watches[kernel.n_live++] = ends[0];
	kernel.pools[alloc->pool].used += alloc->size;
	*buffer = (struct dmabuf_pool_buffer){.id = ++kernel.last_id,
					      .size = alloc->size,
					      .base = kernel.base,
					      .end = kernel.base + alloc->size,
					      .pool = alloc->pool,
					      .mapping = alloc->mapping,
					      .flags = DMABUF_POOL_CONTIGUOUS};
	memcpy(buffer->tag, alloc->tag, sizeof(buffer->tag));
	alloc->flags = DMABUF_POOL_CONTIGUOUS;
	alloc->id = buffer->id;
	alloc->base = buffer->base;
	alloc->end = buffer->end;
	alloc->fd = ends[1];
	return 0;
}

static struct dmabuf_pool_buffer get_old(uint64_t id)
{
	struct dmabuf_pool_buffer buffer = {
		.id = id, .size = 4096, .pool = kernel.n_pools - 1, .mapping = 1};

	memcpy(buffer.tag, kernel.old_tags[id % kernel.n_old_tags], sizeof(buffer.tag));
	return buffer;
}

/* Ids ascend in the table: a release keeps the order. Those of the old ones come before. */
static void list_live(struct dmabuf_pool_list *list, struct dmabuf_pool_buffer *records)
{
	unsigned int n = 0;

	for (uint64_t id = list->after + 1; id <= kernel.n_old && n < list->count; id++)
		records[n++] = get_old(id);
	for (unsigned int i = 0; i < kernel.n_live && n < list->count; i++)
		if (kernel.live[i].id > list->after)
			records[n++] = kernel.live[i];
	list->count = n;
}

static int list_buffers(struct dmabuf_pool_list *list)
{
	struct dmabuf_pool_buffer *records = (void *)(uintptr_t)list->buffers;
	const struct answer *answer = &kernel.lists[kernel.at_list];
	size_t room = list->count * sizeof(*records);

	assert(list->record_size == sizeof(*records));
	if (kernel.at_list == kernel.n_lists) {
		list_live(list, records);
		return 0;
	}
	kernel.at_list++;
	memcpy(records, answer->records, answer->size < room ? answer->size : room);
	list->count = answer->count;
	return 0;
}

static int answer_ioctl(unsigned long request, void *argument)
{
	switch (request) {
	case DMABUF_POOL_IOCTL_VERSION:
		return get_version(argument);
	case DMABUF_POOL_IOCTL_POOL:
		return get_pool(argument);
	case DMABUF_POOL_IOCTL_DEVICE:
		return get_device(argument);
	case DMABUF_POOL_IOCTL_ALLOC:
		return allocate(argument);
	case DMABUF_POOL_IOCTL_LIST:
		return list_buffers(argument);
	default:
		return -ENOTTY;
	}
}

int __wrap_ioctl(int fd, unsigned long request, void *argument)
{
	int r;

	if (fd != kernel.daemon)
		return __real_ioctl(fd, request, argument);
	r = answer_ioctl(request, argument);
	if (r < 0)
		errno = -r;
	return r < 0 ? -1 : 0;
}

static void remove_live(unsigned int i)
{
	size_t behind = --kernel.n_live - i;

	close(kernel.watches[i]);
	memmove(&kernel.watches[i], &kernel.watches[i + 1], behind * sizeof(kernel.watches[0]));
	memmove(&kernel.live[i], &kernel.live[i + 1], behind * sizeof(kernel.live[0]));
}

/* As the node does it: one read() gets all that there are. */
void fake_kernel_release(void)
{
	struct dmabuf_pool_event_release events[LIVE_MAX];
	unsigned int n = 0;

	for (unsigned int i = kernel.n_live; i-- > 0;) {
		struct pollfd watch = {.fd = kernel.watches[i]};

		if (poll(&watch, 1, 0) <= 0)
			continue;
		events[n++] = (struct dmabuf_pool_event_release){
			.base = {DMABUF_POOL_EVENT_RELEASE, sizeof(events[0])},
			.id = kernel.live[i].id,
			.size = kernel.live[i].size,
		};
		kernel.pools[kernel.live[i].pool].used -= kernel.live[i].size;
		remove_live(i);
	}
	if (n)
		fake_kernel_add_read((const uint8_t *)events, n * sizeof(events[0]));
}

uint64_t fake_kernel_get_bytes(void)
{
	uint64_t bytes = 0;

	for (unsigned int i = 0; i < kernel.n_live; i++)
		bytes += kernel.live[i].size;
	return bytes;
}

unsigned int fake_kernel_get_count(void)
{
	return kernel.n_live;
}

void fake_kernel_set_old(unsigned int n, const uint8_t tags[][256], unsigned int n_tags)
{
	assert(!kernel.last_id);
	kernel.old_tags = tags;
	kernel.n_old_tags = n_tags;
	kernel.n_old = n;
	kernel.last_id = n;
}

void fake_kernel_fail_alloc(int error)
{
	kernel.fail = error;
}

void fake_kernel_use(unsigned int pool, uint64_t bytes)
{
	kernel.pools[pool].used += bytes;
}

void fake_kernel_set_base(uint64_t base)
{
	kernel.base = base;
}

void fake_kernel_add_pool(const uint8_t *bytes, size_t size)
{
	struct dmabuf_pool_info pool = {0};

	if (kernel.n_pools == DMABUF_POOL_POOLS_MAX)
		return;
	memcpy(&pool, bytes, size < sizeof(pool) ? size : sizeof(pool));
	kernel.pools[kernel.n_pools++] = pool;
}

void fake_kernel_add_list(unsigned int count, const uint8_t *records, size_t size)
{
	if (kernel.n_lists < LISTS_MAX)
		kernel.lists[kernel.n_lists++] = (struct answer){count, records, size};
}

/* One message is what one read() returns; a daemon that does not read loses none of them. */
void fake_kernel_add_read(const uint8_t *bytes, size_t size)
{
	ssize_t n = send(kernel.node, bytes, size, MSG_NOSIGNAL);

	assert(n == (ssize_t)size || errno == EAGAIN || errno == EPIPE || errno == EBADF);
}
