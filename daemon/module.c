/* SPDX-License-Identifier: MIT */
/*
 * The kernel module: the only file that speaks its interface. Holds the one descriptor of the node;
 * a dma-buf passes through and is never kept.
 */
#include "module.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "uapi/dmabuf_pool.h"

static_assert(POOLS_MAX == DMABUF_POOL_POOLS_MAX, "pools");
static_assert(POOL_NAME_SIZE == DMABUF_POOL_NAME_SIZE, "names of pools");
static_assert(TAG_SIZE == DMABUF_POOL_TAG_SIZE, "tags");
static_assert(DEVICE_KEY_SIZE == DMABUF_POOL_BUS_SIZE + DMABUF_POOL_DEVICE_SIZE, "keys");
static_assert((int)KIND_COHERENT == DMABUF_POOL_KIND_COHERENT, "kinds");
static_assert((int)KIND_CMA == DMABUF_POOL_KIND_CMA, "kinds");
static_assert((int)KIND_BUDDY == DMABUF_POOL_KIND_BUDDY, "kinds");
static_assert((int)MAPPING_CACHED == DMABUF_POOL_MAPPING_CACHED, "mappings");
static_assert((int)MAPPING_WRITE_COMBINED == DMABUF_POOL_MAPPING_WRITE_COMBINED, "mappings");

struct module {
	int fd;
	uint32_t major, minor; /* of its interface */
	bool can_charge;       /* memory cgroups, since 1.1 */
	unsigned int n_pools;
	struct pool pools[POOLS_MAX];
};

static int module_ioctl(int fd, unsigned long request, void *argument)
{
	int r;

	do
		r = ioctl(fd, request, argument);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : 0;
}

static int check_version(struct module *module)
{
	struct dmabuf_pool_version version = {.major = DMABUF_POOL_MAJOR,
					      .minor = DMABUF_POOL_MINOR};
	int r = module_ioctl(module->fd, DMABUF_POOL_IOCTL_VERSION, &version);

	if (r < 0)
		return r;
	module->major = version.major;
	module->minor = version.minor;
	module->can_charge = version.minor >= 1;
	return version.major == DMABUF_POOL_MAJOR ? 0 : -EPROTONOSUPPORT;
}

static int read_pool(int fd, unsigned int index, struct pool *ret)
{
	struct dmabuf_pool_info info = {.index = index};
	int r = module_ioctl(fd, DMABUF_POOL_IOCTL_POOL, &info);

	if (r < 0)
		return r;
	*ret = (struct pool){
		.kind = info.kind,
		.mappings = info.mappings,
		.base = info.base,
		.size = info.size,
		.used = info.used,
		.max_block = info.max_block,
		.free_known = info.flags & DMABUF_POOL_FREE_KNOWN,
		.free_block = info.free_block,
		.stocked = info.stocked,
		.stock_limit = info.stock_limit,
		.system = info.flags & DMABUF_POOL_SYSTEM,
	};
	memcpy(ret->name, info.name, sizeof(ret->name) - 1);
	return 0;
}

int module_read_pools(struct module *module)
{
	unsigned int n;
	int r;

	for (n = 0; n < POOLS_MAX; n++) {
		r = read_pool(module->fd, n, &module->pools[n]);
		if (r == -ENOENT)
			break;
		if (r < 0)
			return r;
	}
	module->n_pools = n;
	return 0;
}

int module_set_stock(const struct module *module, unsigned int pool, uint64_t limit)
{
	struct dmabuf_pool_stock args = {.pool = pool, .limit = limit};

	return module_ioctl(module->fd, DMABUF_POOL_IOCTL_STOCK, &args);
}

static void module_closep(struct module **module)
{
	module_close(*module);
}

int module_open(struct module **ret)
{
	/* Opening for reading claims the release events: none is missed from here on. */
	int fd = open(DMABUF_POOL_NODE, O_RDWR | O_CLOEXEC | O_NONBLOCK);

	return fd < 0 ? -errno : module_adopt(fd, ret);
}

int module_adopt(int fd, struct module **ret)
{
	_cleanup_(module_closep) struct module *module = calloc(1, sizeof(*module));
	int r;

	if (!module) {
		close(fd);
		return -ENOMEM;
	}
	module->fd = fd;
	r = check_version(module);
	if (r >= 0)
		r = module_read_pools(module);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(module);
	return 0;
}

bool module_is_at_node(const struct module *module)
{
	struct stat ours, node;

	return fstat(module->fd, &ours) >= 0 && stat(DMABUF_POOL_NODE, &node) >= 0 &&
	       S_ISCHR(node.st_mode) && node.st_rdev == ours.st_rdev;
}

struct module *module_close(struct module *module)
{
	if (module && module->fd >= 0)
		close(module->fd);
	free(module);
	return NULL;
}

int module_get_fd(const struct module *module)
{
	return module->fd;
}

void module_get_version(const struct module *module, uint32_t *ret_major, uint32_t *ret_minor)
{
	*ret_major = module->major;
	*ret_minor = module->minor;
}

const struct pool *module_get_pools(const struct module *module, unsigned int *ret_n)
{
	*ret_n = module->n_pools;
	return module->pools;
}

/* A key is bus:name. */
static int device_set_key(struct dmabuf_pool_device *device, const char *key)
{
	const char *colon = strchr(key, ':');

	if (!colon || (size_t)(colon - key) >= sizeof(device->bus) ||
	    strlen(colon + 1) >= sizeof(device->name))
		return -ENODEV;
	memcpy(device->bus, key, (size_t)(colon - key));
	strcpy(device->name, colon + 1);
	return 0;
}

int module_get_facts(const struct module *module, const char *key, struct facts *ret)
{
	struct dmabuf_pool_device device = {0};
	int r = device_set_key(&device, key);

	if (r >= 0)
		r = module_ioctl(module->fd, DMABUF_POOL_IOCTL_DEVICE, &device);
	if (r < 0)
		return r == -EOPNOTSUPP ? -ENODEV : r;
	if (!device.dma_mask)
		return -ENODEV;
	*ret = (struct facts){
		.coherent = device.flags & DMABUF_POOL_DEVICE_COHERENT,
		.iommu = device.flags & DMABUF_POOL_DEVICE_IOMMU,
		.dma_mask = device.dma_mask,
		.bound = device.bound_pools,
	};
	strcpy(ret->key, key);
	return 0;
}

int module_allocate(const struct module *module, const struct module_request *request,
		    struct module_buffer *ret, int *ret_fd)
{
	struct dmabuf_pool_alloc alloc = {
		.size = request->size,
		.max_address = request->max_address,
		.pool = request->pool,
		.mapping = request->mapping,
		.flags = request->contiguous ? DMABUF_POOL_CONTIGUOUS : 0,
	};
	int r;

	if (module->can_charge) {
		alloc.flags |= DMABUF_POOL_CHARGE;
		alloc.charge_socket = request->client;
	}
	memcpy(alloc.tag, request->tag, sizeof(alloc.tag));
	r = module_ioctl(module->fd, DMABUF_POOL_IOCTL_ALLOC, &alloc);
	if (r < 0)
		return r;
	ret->id = alloc.id;
	ret->size = alloc.size;
	ret->base = alloc.base;
	ret->end = alloc.end;
	ret->pool = alloc.pool;
	ret->mapping = alloc.mapping;
	ret->contiguous = alloc.flags & DMABUF_POOL_CONTIGUOUS;
	*ret_fd = alloc.fd;
	return 0;
}

static void buffer_from_record(const struct dmabuf_pool_buffer *record, struct module_buffer *ret)
{
	*ret = (struct module_buffer){
		.id = record->id,
		.size = record->size,
		.base = record->base,
		.end = record->end,
		.pool = record->pool,
		.mapping = record->mapping,
		.contiguous = record->flags & DMABUF_POOL_CONTIGUOUS,
	};
	memcpy(ret->tag, record->tag, sizeof(ret->tag));
}

int module_list(const struct module *module, uint64_t after, struct module_buffer *ret,
		unsigned int n)
{
	_cleanup_free_ struct dmabuf_pool_buffer *records = calloc(n, sizeof(*records));
	struct dmabuf_pool_list list = {
		.after = after,
		.buffers = (uintptr_t)records,
		.count = n,
		.record_size = sizeof(*records),
	};
	int r;

	if (!records)
		return -ENOMEM;
	r = module_ioctl(module->fd, DMABUF_POOL_IOCTL_LIST, &list);
	if (r < 0)
		return r;
	if (list.count > n)
		return -EPROTO;
	for (unsigned int i = 0; i < list.count; i++)
		buffer_from_record(&records[i], &ret[i]);
	return (int)list.count;
}

/* Records lie whole and one after the other in what one read() returns. */
static int parse_events(const char *bytes, size_t size, void (*fn)(uint64_t id, void *userdata),
			void *userdata)
{
	for (size_t at = 0; at < size;) {
		struct dmabuf_pool_event event;
		struct dmabuf_pool_event_release release;

		if (size - at < sizeof(event))
			return -EPROTO;
		memcpy(&event, bytes + at, sizeof(event));
		if (event.length < sizeof(event) || event.length % 8 || event.length > size - at)
			return -EPROTO;
		if (event.type == DMABUF_POOL_EVENT_RELEASE) {
			if (event.length < sizeof(release))
				return -EPROTO;
			memcpy(&release, bytes + at, sizeof(release));
			fn(release.id, userdata);
		}
		at += event.length;
	}
	return 0;
}

int module_read_events(const struct module *module, void (*fn)(uint64_t id, void *userdata),
		       void *userdata)
{
	char bytes[4096];

	for (;;) {
		ssize_t n = read(module->fd, bytes, sizeof(bytes));
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		if (n == 0)
			return -EPROTO;
		r = parse_events(bytes, (size_t)n, fn, userdata);
		if (r < 0)
			return r;
		/* A full buffer may hide more; anything less was all of it. */
		if ((size_t)n + sizeof(struct dmabuf_pool_event_release) <= sizeof(bytes))
			return 0;
	}
}
