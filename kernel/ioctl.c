// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctls: sizes, reserved fields and flags are checked here, and a descriptor is published
 * here, last of all. Memory is somebody else's.
 */
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/nospec.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "arith.h"
#include "buffer.h"
#include "cache.h"
#include "facts.h"
#include "ioctl.h"
#include "pool.h"
#include "stock.h"

/* What a handler made that user space does not know yet. */
struct outcome {
	struct dma_buf *dmabuf;	/* NULL when no descriptor is to be published */
	int fd;			/* reserved for it */
};

static int ioctl_version(void *data, struct outcome *outcome)
{
	struct dmabuf_pool_version *args = data;

	args->major = DMABUF_POOL_MAJOR;
	args->minor = DMABUF_POOL_MINOR;
	return 0;
}

static int ioctl_pool(void *data, struct outcome *outcome)
{
	struct dmabuf_pool_info *args = data;
	struct dbp_pool *pool = dbp_pool_get(args->index);

	if (!pool)
		return -ENOENT;
	dbp_pool_describe(pool, args);
	return 0;
}

static int ioctl_device(void *data, struct outcome *outcome)
{
	struct dmabuf_pool_device *args = data;

	if (args->dma_mask || args->bound_pools || args->flags || args->pad)
		return -EINVAL;
	if (args->segment_size || args->segment_boundary)
		return -EINVAL;
	return dbp_facts(args);
}

static int ioctl_alloc(void *data, struct outcome *outcome)
{
	struct dmabuf_pool_alloc *args = data;
	struct dma_buf *dmabuf;
	int fd;

	if (args->flags & ~(DMABUF_POOL_CONTIGUOUS | DMABUF_POOL_CHARGE))
		return -EINVAL;
	if (args->pad || (args->charge_socket && !(args->flags & DMABUF_POOL_CHARGE)))
		return -EINVAL;
	if (args->fd || args->id || args->base || args->end)
		return -EINVAL;
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	dmabuf = dbp_buffer_export(args);
	if (IS_ERR(dmabuf)) {
		put_unused_fd(fd);
		return PTR_ERR(dmabuf);
	}
	args->fd = fd;
	outcome->fd = fd;
	outcome->dmabuf = dmabuf;
	return 0;
}

static int ioctl_describe(void *data, struct outcome *outcome)
{
	struct dmabuf_pool_describe *args = data;
	struct dma_buf *dmabuf;
	int ret = -EINVAL;

	if (args->pad)
		return -EINVAL;
	dmabuf = dma_buf_get(args->fd);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	if (dmabuf->ops == &dbp_dma_buf_ops) {
		dbp_buffer_describe(dmabuf->priv, &args->buffer);
		ret = 0;
	}
	dma_buf_put(dmabuf);
	return ret;
}

static int ioctl_list(void *data, struct outcome *outcome)
{
	struct dmabuf_pool_list *args = data;
	struct dmabuf_pool_buffer record = {};
	u8 __user *to = u64_to_user_ptr(args->buffers);
	u32 room = args->count;

	if (args->record_size < sizeof(record) || args->record_size > PAGE_SIZE)
		return -EINVAL;
	record.id = args->after;
	for (args->count = 0; args->count < room; args->count++) {
		if (dbp_buffer_next(record.id, &record))
			break;
		if (copy_to_user(to, &record, sizeof(record)) ||
		    clear_user(to + sizeof(record), args->record_size - sizeof(record)))
			return -EFAULT;
		to += args->record_size;
	}
	return 0;
}

static enum dma_data_direction direction_of(u32 flags)
{
	switch (flags & (DMABUF_POOL_SYNC_READ | DMABUF_POOL_SYNC_WRITE)) {
	case DMABUF_POOL_SYNC_READ:
		return DMA_FROM_DEVICE;
	case DMABUF_POOL_SYNC_WRITE:
		return DMA_TO_DEVICE;
	case DMABUF_POOL_SYNC_READ | DMABUF_POOL_SYNC_WRITE:
		return DMA_BIDIRECTIONAL;
	default:
		return DMA_NONE;
	}
}

/* A part of a buffer, and which end of what access. */
struct part {
	struct dbp_range range;
	u32 flags;
	enum dma_data_direction direction;
};

static int find_part(struct part *part, struct dbp_buffer *buffer, u64 offset, u64 length,
		     u32 flags)
{
	u32 known = DMABUF_POOL_SYNC_READ | DMABUF_POOL_SYNC_WRITE | DMABUF_POOL_SYNC_END;

	part->range = (struct dbp_range){ .skip = offset, .left = length };
	part->flags = flags;
	part->direction = direction_of(flags);
	if ((flags & ~known) || part->direction == DMA_NONE)
		return -EINVAL;
	return dbp_range_within(offset, length, buffer->memory.size) ? 0 : -EINVAL;
}

static void sync_part(struct dbp_buffer *buffer, const struct part *part)
{
	dbp_cache_sync(buffer, part->range, part->direction, part->flags & DMABUF_POOL_SYNC_END);
}

static int ioctl_sync(void *data, struct outcome *outcome)
{
	struct dmabuf_pool_sync *args = data;
	struct dbp_buffer *buffer;
	struct part part;
	int ret;

	if (args->pad)
		return -EINVAL;
	buffer = dbp_buffer_get(args->id);
	if (!buffer)
		return -ENOENT;
	ret = find_part(&part, buffer, args->offset, args->length, args->flags);
	if (!ret)
		sync_part(buffer, &part);
	dbp_buffer_put(buffer);
	return ret;
}

static int sync_range(struct dma_buf *dmabuf, const struct dmabuf_pool_sync_range *args)
{
	struct part part;
	int ret;

	if (dmabuf->ops != &dbp_dma_buf_ops)
		return -EINVAL;
	ret = find_part(&part, dmabuf->priv, args->offset, args->length, args->flags);
	if (!ret && !(args->flags & DMABUF_POOL_SYNC_END))
		ret = dbp_wait_for_devices(dmabuf, part.direction);
	if (!ret)
		sync_part(dmabuf->priv, &part);
	return ret;
}

static int ioctl_sync_range(void *data, struct outcome *outcome)
{
	struct dmabuf_pool_sync_range *args = data;
	struct dma_buf *dmabuf = dma_buf_get(args->fd);
	int ret;

	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	ret = sync_range(dmabuf, args);
	dma_buf_put(dmabuf);
	return ret;
}

static int ioctl_stock(void *data, struct outcome *outcome)
{
	struct dmabuf_pool_stock *args = data;
	struct dbp_pool *pool = dbp_pool_get(args->pool);

	if (args->pad)
		return -EINVAL;
	return pool ? dbp_stock_limit(pool, args->limit) : -ENOENT;
}

struct command {
	unsigned int number;
	int (*run)(void *data, struct outcome *outcome);
};

static const struct command commands[] = {
	[_IOC_NR(DMABUF_POOL_IOCTL_VERSION)] = { DMABUF_POOL_IOCTL_VERSION, ioctl_version },
	[_IOC_NR(DMABUF_POOL_IOCTL_POOL)] = { DMABUF_POOL_IOCTL_POOL, ioctl_pool },
	[_IOC_NR(DMABUF_POOL_IOCTL_DEVICE)] = { DMABUF_POOL_IOCTL_DEVICE, ioctl_device },
	[_IOC_NR(DMABUF_POOL_IOCTL_ALLOC)] = { DMABUF_POOL_IOCTL_ALLOC, ioctl_alloc },
	[_IOC_NR(DMABUF_POOL_IOCTL_DESCRIBE)] = { DMABUF_POOL_IOCTL_DESCRIBE, ioctl_describe },
	[_IOC_NR(DMABUF_POOL_IOCTL_LIST)] = { DMABUF_POOL_IOCTL_LIST, ioctl_list },
	[_IOC_NR(DMABUF_POOL_IOCTL_SYNC)] = { DMABUF_POOL_IOCTL_SYNC, ioctl_sync },
	[_IOC_NR(DMABUF_POOL_IOCTL_STOCK)] = { DMABUF_POOL_IOCTL_STOCK, ioctl_stock },
	[_IOC_NR(DMABUF_POOL_IOCTL_SYNC_RANGE)] = {
		DMABUF_POOL_IOCTL_SYNC_RANGE, ioctl_sync_range
	},
};

union arguments {
	struct dmabuf_pool_version version;
	struct dmabuf_pool_info pool;
	struct dmabuf_pool_device device;
	struct dmabuf_pool_alloc alloc;
	struct dmabuf_pool_describe describe;
	struct dmabuf_pool_list list;
	struct dmabuf_pool_sync sync;
	struct dmabuf_pool_stock stock;
	struct dmabuf_pool_sync_range sync_range;
};

/* Everything of the number but the size must match; the size is negotiated. */
static const struct command *find_command(unsigned int number)
{
	unsigned int nr = _IOC_NR(number);
	const struct command *command;

	if (nr >= ARRAY_SIZE(commands))
		return NULL;
	command = &commands[array_index_nospec(nr, ARRAY_SIZE(commands))];
	if ((command->number ^ number) & ~(_IOC_SIZEMASK << _IOC_SIZESHIFT))
		return NULL;
	return command;
}

/* A later version of the caller may know more fields than we do, and must have left them zero. */
static int clear_rest(void __user *user, size_t known, size_t given)
{
	if (given <= known)
		return 0;
	return clear_user(user + known, given - known) ? -EFAULT : 0;
}

/*
 * Nobody can take back a descriptor that is installed, so everything that can fail comes first.
 */
static int publish(struct outcome *outcome, int ret)
{
	if (!outcome->dmabuf)
		return ret;
	if (ret) {
		put_unused_fd(outcome->fd);
		dma_buf_put(outcome->dmabuf);
		return ret;
	}
	fd_install(outcome->fd, outcome->dmabuf->file);
	return 0;
}

long dbp_ioctl(struct file *file, unsigned int number, unsigned long argument)
{
	const struct command *command = find_command(number);
	void __user *user = (void __user *)argument;
	struct outcome outcome = {};
	union arguments data = {};
	size_t given, known;
	int ret;

	if (!command)
		return -ENOTTY;
	given = _IOC_SIZE(number);
	known = _IOC_SIZE(command->number);
	ret = copy_struct_from_user(&data, known, user, given);
	if (ret)
		return ret;
	ret = command->run(&data, &outcome);
	if (ret)
		return ret;
	if (copy_to_user(user, &data, min(given, known)))
		ret = -EFAULT;
	else
		ret = clear_rest(user, known, given);
	return publish(&outcome, ret);
}

/* The way for who holds a buffer, and has no other right: the descriptor is what it shows. */
long dbp_ioctl_of_holder(struct file *file, unsigned int number, unsigned long argument)
{
	if (_IOC_NR(number) != _IOC_NR(DMABUF_POOL_IOCTL_SYNC_RANGE))
		return -ENOTTY;
	return dbp_ioctl(file, number, argument);
}
