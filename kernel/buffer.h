/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One buffer: its memory, its identity and who imports it. Its dma-buf holds a reference until it
 * is released, a lookup by id holds one for as long as it works.
 */
#ifndef DBP_BUFFER_H
#define DBP_BUFFER_H

#include <linux/dma-buf.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <uapi/dmabuf_pool.h>

#include "pool.h"

struct dbp_event;

struct dbp_buffer {
	u64 id;
	struct kref refs;
	struct dbp_pool *pool;
	struct dbp_memory memory;
	struct dbp_event *event;	/* posted when the memory is back; NULL: tell nobody */
	struct mutex lock;		/* guards was_attached, only_coherent, and the syncs */
	bool was_attached;
	bool only_coherent;		/* so is every device that ever was attached */
	u8 tag[DMABUF_POOL_TAG_SIZE];
};

struct dbp_attachment {
	struct device *dev;
	struct sg_table table;	/* the importer's own addresses of the buffer's blocks */
};

static inline bool dbp_buffer_is_cached(struct dbp_buffer *buffer)
{
	return buffer->memory.mapping == DMABUF_POOL_MAPPING_CACHED;
}

/* What the CPU's page tables say of a buffer, in programs as in the kernel. */
static inline pgprot_t dbp_buffer_prot(struct dbp_buffer *buffer, pgprot_t prot)
{
	return dbp_buffer_is_cached(buffer) ? prot : pgprot_writecombine(prot);
}

/* export.c: the dma-buf side */
extern const struct dma_buf_ops dbp_dma_buf_ops;
int dbp_wait_for_devices(struct dma_buf *dmabuf, enum dma_data_direction direction);

/* map.c: the CPU's side of it */
int dbp_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma);
int dbp_vmap(struct dma_buf *dmabuf, struct iosys_map *map);
void dbp_vunmap(struct dma_buf *dmabuf, struct iosys_map *map);

/* buffer.c */
struct dma_buf *dbp_buffer_export(struct dmabuf_pool_alloc *args);
void dbp_buffer_release(struct dbp_buffer *buffer);
void dbp_buffer_describe(struct dbp_buffer *buffer, struct dmabuf_pool_buffer *to);
int dbp_buffer_next(u64 after, struct dmabuf_pool_buffer *to);
struct dbp_buffer *dbp_buffer_get(u64 id);
void dbp_buffer_put(struct dbp_buffer *buffer);

#endif
