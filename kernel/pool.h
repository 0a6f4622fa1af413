/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pools: where memory comes from. A pool is declared when the module loads and lives as long as the
 * module, so nothing here is counted or locked. Pools know nothing of dma-bufs.
 */
#ifndef DBP_POOL_H
#define DBP_POOL_H

#include <linux/platform_device.h>
#include <linux/scatterlist.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>
#include <uapi/dmabuf_pool.h>

struct dbp_pool;
struct device_node;
struct gen_pool;

/* Memory taken from a pool, zeroed. */
struct dbp_memory {
	size_t size;
	bool contiguous;	/* in: one block wanted; out: is one block */
	bool charged;		/* in: to the memory cgroup that is active, where that can be */
	u32 mapping;		/* in: DMABUF_POOL_MAPPING_* */
	u64 max_address;	/* in: highest physical address; U64_MAX for no limit */
	struct sg_table table;	/* the blocks, lowest address first where there is one block */
	void *vaddr;		/* kernel mapping of a no-map region, else NULL */
	dma_addr_t handle;	/* the provider's own */
	bool mapped;		/* at handle, for the pool's device */
	bool stocked;		/* in no buffer: counted in the pool's stock */
};

/*
 * One way to take and give back memory. Errors of alloc as DMABUF_POOL_IOCTL_ALLOC tells them;
 * the caller has checked size and mapping against the pool.
 */
struct dbp_pool_ops {
	int (*alloc)(struct dbp_pool *pool, struct dbp_memory *mem);
	void (*free)(struct dbp_pool *pool, struct dbp_memory *mem);
	u64 (*free_block)(struct dbp_pool *pool); /* NULL where it cannot be known */
	void (*destroy)(struct dbp_pool *pool);	/* may be NULL; sees half-made pools */
};

struct dbp_pool {
	const struct dbp_pool_ops *ops;
	char name[DMABUF_POOL_NAME_SIZE];
	u32 index;
	u32 kind;
	u32 mappings;		/* bit (1 << DMABUF_POOL_MAPPING_*) for each it can give */
	u32 flags;
	u64 base;		/* physical; 0 when the pool has no fixed place */
	u64 size;		/* 0 when unknown or without limit */
	u64 max_block;
	spinlock_t lock;	/* guards what is counted, and the stock */
	u64 taken;		/* bytes that are in buffers or stocked */
	u64 stocked;		/* bytes that are in no buffer */
	struct platform_device *pdev; /* allocates and maintains caches in the pool's name */
	struct device_node *region;   /* of the device tree; NULL when there is none */
	struct gen_pool *ranges;      /* coherent, exclusive: free addresses */
	void *vaddr;		      /* coherent, exclusive: kernel mapping of the region */

	/* stock.c */
	u64 stock_limit;
	u32 n_stocked;			/* in the lists */
	struct list_head unclean;	/* with the last user's bytes */
	struct list_head ready;
	struct dbp_memory wanted;	/* what was asked for last */
	struct work_struct clean;
	struct delayed_work refill;
};

/* pool.c: the table */
struct dbp_pool *dbp_pool_new(const char *name, u32 kind);
int dbp_pool_add(struct dbp_pool *pool);
void dbp_pool_free(struct dbp_pool *pool);
void dbp_pools_free(void);
struct dbp_pool *dbp_pool_get(u32 index);
void dbp_pool_describe(struct dbp_pool *pool, struct dmabuf_pool_info *info);
u64 dbp_pools_bound_to(struct device_node *device);

/* pool.c: memory */
int dbp_pool_alloc(struct dbp_pool *pool, struct dbp_memory *mem);
void dbp_pool_release(struct dbp_pool *pool, struct dbp_memory *mem);
void dbp_pool_unstock(struct dbp_pool *pool, struct dbp_memory *mem);
u64 dbp_pool_stocked(struct dbp_pool *pool);
int dbp_memory_set_block(struct dbp_memory *mem, phys_addr_t base);

/* pool-*.c: make a pool of one kind; each adds it to the table or leaves nothing behind */
int dbp_coherent_exclusive(const char *name, struct device_node *region, phys_addr_t base,
			   size_t size);
int dbp_coherent_shared(const char *name, struct device_node *node, struct device_node *region,
			phys_addr_t base, size_t size);
int dbp_cma_region(const char *name, struct device_node *node, struct device_node *region,
		   phys_addr_t base, size_t size);
int dbp_cma_default(const char *name);
int dbp_buddy(const char *name);

/* declare.c: all pools that the device tree and the module parameters declare */
int dbp_declare_pools(void);

#endif
