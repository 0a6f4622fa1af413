/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One buffer: its memory, its identity and its dma-buf. A buffer lives from dbp_buffer_new() to the
 * release of its dma-buf, and nothing but its dma-buf holds it.
 */
#ifndef DBP_BUFFER_H
#define DBP_BUFFER_H

#include <linux/dma-buf.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <uapi/dmabuf_pool.h>

#include "pool.h"

struct dbp_event;

struct dbp_buffer {
	u64 id;
	struct dbp_pool *pool;
	struct dbp_memory memory;
	u32 mapping;
	struct dbp_event *event;	/* posted by the release */
	struct mutex lock;		/* guards attachments */
	struct list_head attachments;	/* dbp_attachment.link */
	u8 tag[DMABUF_POOL_TAG_SIZE];
};

/* export.c: the dma-buf side */
extern const struct dma_buf_ops dbp_dma_buf_ops;

static inline bool dbp_buffer_is_cached(struct dbp_buffer *buffer)
{
	return buffer->mapping == DMABUF_POOL_MAPPING_CACHED;
}

/* buffer.c */
struct dma_buf *dbp_buffer_export(struct dmabuf_pool_alloc *args);
void dbp_buffer_release(struct dbp_buffer *buffer);
void dbp_buffer_describe(struct dbp_buffer *buffer, struct dmabuf_pool_buffer *to);
int dbp_buffer_next(u64 after, struct dmabuf_pool_buffer *to);

#endif
