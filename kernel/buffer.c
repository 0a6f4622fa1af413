// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a buffer from allocation to release, and the list of those alive. What importers and
 * programs do with one meanwhile is in export.c.
 */
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/memcontrol.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/xarray.h>

#include "arith.h"
#include "buffer.h"
#include "charge.h"
#include "event.h"
#include "stock.h"

/* By id. An entry is there from before the export until the release; live_lock keeps it whole. */
static DEFINE_XARRAY(live);
static DEFINE_MUTEX(live_lock);
static atomic64_t last_id;

static int publish(struct dbp_buffer *buffer)
{
	int ret;

	mutex_lock(&live_lock);
	ret = xa_err(xa_store(&live, buffer->id, buffer, GFP_KERNEL));
	mutex_unlock(&live_lock);
	return ret;
}

static void withdraw(struct dbp_buffer *buffer)
{
	mutex_lock(&live_lock);
	xa_erase(&live, buffer->id);
	mutex_unlock(&live_lock);
}

static struct dbp_buffer *buffer_new(struct dbp_pool *pool, struct dmabuf_pool_alloc *args)
{
	struct dbp_buffer *buffer;
	int ret;

	buffer = kzalloc(sizeof(*buffer), GFP_KERNEL_ACCOUNT | __GFP_RETRY_MAYFAIL);
	if (!buffer)
		return ERR_PTR(dbp_charge_is_refused(sizeof(*buffer)) ? -EDQUOT : -ENOMEM);
	buffer->id = atomic64_inc_return(&last_id);
	kref_init(&buffer->refs);
	buffer->pool = pool;
	buffer->memory.size = args->size;
	buffer->memory.mapping = args->mapping;
	buffer->memory.contiguous = args->flags & DMABUF_POOL_CONTIGUOUS;
	buffer->memory.charged = args->flags & DMABUF_POOL_CHARGE;
	buffer->memory.max_address = args->max_address ?: U64_MAX;
	memcpy(buffer->tag, args->tag, sizeof(buffer->tag));
	mutex_init(&buffer->lock);

	buffer->event = dbp_event_reserve();
	if (IS_ERR(buffer->event)) {
		ret = PTR_ERR(buffer->event);
		goto free_buffer;
	}
	ret = dbp_stock_take(pool, &buffer->memory);
	if (ret)
		goto cancel_event;
	ret = publish(buffer);
	if (ret)
		goto free_memory;
	return buffer;

free_memory:
	dbp_stock_give(buffer->pool, &buffer->memory);
cancel_event:
	dbp_event_cancel(buffer->event);
free_buffer:
	kfree(buffer);
	return ERR_PTR(ret);
}

static void buffer_end(struct kref *refs)
{
	struct dbp_buffer *buffer = container_of(refs, struct dbp_buffer, refs);

	dbp_stock_give(buffer->pool, &buffer->memory);
	if (buffer->event)
		dbp_event_post(buffer->event, buffer->id, buffer->memory.size);
	kfree(buffer);
}

void dbp_buffer_put(struct dbp_buffer *buffer)
{
	kref_put(&buffer->refs, buffer_end);
}

/* The dma-buf is gone: nobody finds the buffer any more, and who found it finishes. */
void dbp_buffer_release(struct dbp_buffer *buffer)
{
	withdraw(buffer);
	dbp_buffer_put(buffer);
}

/* NULL when no such buffer lives. */
struct dbp_buffer *dbp_buffer_get(u64 id)
{
	struct dbp_buffer *buffer;

	mutex_lock(&live_lock);
	buffer = xa_load(&live, id);
	if (buffer)
		kref_get(&buffer->refs);
	mutex_unlock(&live_lock);
	return buffer;
}

/* Never exported: nobody knows of it, so nobody is told that it is gone. */
static void buffer_drop(struct dbp_buffer *buffer)
{
	withdraw(buffer);
	dbp_event_cancel(buffer->event);
	buffer->event = NULL;
	dbp_buffer_put(buffer);
}

static int check_alloc(struct dmabuf_pool_alloc *args, struct dbp_pool *pool)
{
	if (!pool)
		return -ENOENT;
	if (args->mapping != DMABUF_POOL_MAPPING_CACHED &&
	    args->mapping != DMABUF_POOL_MAPPING_WRITE_COMBINED)
		return -EINVAL;
	if (!(pool->mappings & (1 << args->mapping)))
		return -EOPNOTSUPP;
	return dbp_size_round(&args->size);
}

static void buffer_report(struct dbp_buffer *buffer, struct dmabuf_pool_alloc *args)
{
	struct dmabuf_pool_buffer info = {};

	dbp_buffer_describe(buffer, &info);
	args->flags = info.flags;
	args->id = info.id;
	args->base = info.base;
	args->end = info.end;
}

static struct dma_buf *export(struct dbp_buffer *buffer, struct dmabuf_pool_alloc *args)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dmabuf;

	if (IS_ERR(buffer))
		return ERR_CAST(buffer);
	buffer_report(buffer, args);
	info.ops = &dbp_dma_buf_ops;
	info.size = buffer->memory.size;
	info.flags = O_RDWR | O_CLOEXEC;
	info.priv = buffer;
	dmabuf = dma_buf_export(&info);
	if (IS_ERR(dmabuf))
		buffer_drop(buffer);
	/* From here the dma-buf owns the buffer: the only undo is dma_buf_put(). */
	return dmabuf;
}

/*
 * The buffer is charged to the cgroup for which it is. Its file is charged to nobody: the kernel
 * would rather kill somebody in that cgroup than fail to open a file.
 */
static struct dma_buf *export_charged(struct dbp_pool *pool, struct dmabuf_pool_alloc *args)
{
	struct mem_cgroup *memcg, *own;
	struct dbp_buffer *buffer;
	struct dma_buf *dmabuf;

	memcg = dbp_charge_target(args->charge_socket);
	if (IS_ERR(memcg))
		return ERR_CAST(memcg);
	own = set_active_memcg(memcg);
	buffer = buffer_new(pool, args);
	set_active_memcg(dbp_charge_root(memcg));
	dmabuf = export(buffer, args);
	set_active_memcg(own);
	mem_cgroup_put(memcg);
	return dmabuf;
}

struct dma_buf *dbp_buffer_export(struct dmabuf_pool_alloc *args)
{
	struct dbp_pool *pool = dbp_pool_get(args->pool);
	int ret;

	ret = check_alloc(args, pool);
	if (ret)
		return ERR_PTR(ret);
	if (args->flags & DMABUF_POOL_CHARGE)
		return export_charged(pool, args);
	return export(buffer_new(pool, args), args);
}

void dbp_buffer_describe(struct dbp_buffer *buffer, struct dmabuf_pool_buffer *to)
{
	struct scatterlist *sg;
	int i;

	to->id = buffer->id;
	to->size = buffer->memory.size;
	to->base = U64_MAX;
	to->end = 0;
	for_each_sgtable_sg(&buffer->memory.table, sg, i) {
		to->base = min_t(u64, to->base, sg_phys(sg));
		to->end = max_t(u64, to->end, sg_phys(sg) + sg->length);
	}
	to->pool = buffer->pool->index;
	to->mapping = buffer->memory.mapping;
	to->flags = buffer->memory.contiguous ? DMABUF_POOL_CONTIGUOUS : 0;
	memcpy(to->tag, buffer->tag, sizeof(to->tag));
}

/* The live buffer with the lowest id above @after: 0, or -ENOENT when there is none. */
int dbp_buffer_next(u64 after, struct dmabuf_pool_buffer *to)
{
	unsigned long id = after;
	struct dbp_buffer *buffer;

	mutex_lock(&live_lock);
	buffer = xa_find_after(&live, &id, ULONG_MAX, XA_PRESENT);
	if (buffer)
		dbp_buffer_describe(buffer, to);
	mutex_unlock(&live_lock);
	return buffer ? 0 : -ENOENT;
}
