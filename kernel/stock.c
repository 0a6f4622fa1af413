// SPDX-License-Identifier: GPL-2.0-only
/*
 * The stock of a pool: memory of released buffers, and some taken in advance, kept for the next
 * buffer of the same size and mapping. To clear memory, and to move others out of a CMA area, takes
 * a thousand times as long as to hand it over; here it is done while nobody waits.
 *
 * Memory lies in one of two lists. What a buffer left is used: it still has the last user's bytes
 * and is given to nobody. A worker clears it and prepares it for its mapping, and then it is ready.
 * All of it counts as stocked, not as used by anybody, and goes back to the pool when the limit
 * says so, when the pool has nothing else left, and, of CMA, when the kernel is short of memory.
 *
 * Memory of the page allocator is not kept: it is charged to somebody's memory cgroup from its
 * allocation to its end.
 */
#include <linux/bitmap.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/shrinker.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "cache.h"
#include "pool.h"
#include "stock.h"

/*
 * So long after the last request memory is taken in advance. A program that gives back and asks
 * again meanwhile gets its own memory, and nothing need be taken.
 */
#define QUIET_TIME (HZ / 2)

/* One buffer's worth of memory that is in no buffer. */
struct entry {
	struct list_head link;
	struct dbp_memory memory;
};

/* Longer lists are not worth their search. */
#define ENTRIES_MAX 64
/* Cameras ask for so many buffers at most before they start. */
#define REFILL_MAX 16

/* The kernel would use it with the attributes of ours. It stays counted as in use. */
static int lose_memory(struct dbp_pool *pool, struct dbp_memory *mem)
{
	dbp_pool_unstock(pool, mem);
	pr_crit("pool %s: page attributes cannot be restored: %zu bytes are lost\n", pool->name,
		mem->size);
	return -ENOMEM;
}

/* Memory that is ready for its mapping, or it is not ours any more. */
static int make_ready(struct dbp_pool *pool, struct dbp_memory *mem)
{
	int ret = dbp_cache_prepare(pool, mem);

	if (ret == -EUCLEAN)
		return lose_memory(pool, mem);
	if (ret)
		dbp_pool_release(pool, mem);
	return ret;
}

static int take_fresh(struct dbp_pool *pool, struct dbp_memory *mem)
{
	return dbp_pool_alloc(pool, mem) ?: make_ready(pool, mem);
}

static void give_back(struct dbp_pool *pool, struct dbp_memory *mem)
{
	if (dbp_cache_restore(pool, mem))
		lose_memory(pool, mem);
	else
		dbp_pool_release(pool, mem);
}

static void entry_free(struct dbp_pool *pool, struct entry *entry)
{
	give_back(pool, &entry->memory);
	kfree(entry);
}

static bool is_wanted(struct dbp_memory *have, struct dbp_memory *want)
{
	return have->size == want->size && have->mapping == want->mapping &&
	       sg_phys(have->table.sgl) + have->size - 1 <= want->max_address;
}

/* Ready memory that will do, the newest first, or NULL. It is in use from here on. */
static struct entry *take_ready(struct dbp_pool *pool, struct dbp_memory *want)
{
	struct entry *entry, *found = NULL;

	spin_lock(&pool->lock);
	list_for_each_entry(entry, &pool->ready, link) {
		if (is_wanted(&entry->memory, want)) {
			list_del(&entry->link);
			pool->n_stocked--;
			found = entry;
			break;
		}
	}
	spin_unlock(&pool->lock);
	if (found)
		dbp_pool_unstock(pool, &found->memory);
	return found;
}

/* What lies longest lies last. */
static struct entry *take_oldest(struct dbp_pool *pool, struct list_head *list)
{
	struct entry *entry = NULL;

	spin_lock(&pool->lock);
	if (!list_empty(list)) {
		entry = list_last_entry(list, struct entry, link);
		list_del(&entry->link);
		pool->n_stocked--;
	}
	spin_unlock(&pool->lock);
	return entry;
}

/* What is not clean yet goes first. NULL when there is none. */
static struct entry *take_any(struct dbp_pool *pool)
{
	return take_oldest(pool, &pool->unclean) ?: take_oldest(pool, &pool->ready);
}

/*
 * False when there is no room for it. What the worker brings back is counted already, and may have
 * lost its room meanwhile.
 */
static bool add(struct dbp_pool *pool, struct entry *entry, struct list_head *list)
{
	struct dbp_memory *mem = &entry->memory;
	u64 more = mem->stocked ? 0 : mem->size;
	bool fits;

	spin_lock(&pool->lock);
	fits = pool->stocked + more <= pool->stock_limit && pool->n_stocked < ENTRIES_MAX;
	if (fits) {
		pool->stocked += more;
		mem->stocked = true;
		list_add(&entry->link, list);
		pool->n_stocked++;
	}
	spin_unlock(&pool->lock);
	return fits;
}

static bool exceeds(struct dbp_pool *pool, u64 more)
{
	bool yes;

	spin_lock(&pool->lock);
	yes = pool->stocked + more > pool->stock_limit || pool->n_stocked >= ENTRIES_MAX;
	spin_unlock(&pool->lock);
	return yes;
}

/* What has lain longest goes, until so many more bytes are within the limit. */
static void make_room(struct dbp_pool *pool, u64 more)
{
	struct entry *entry;

	while (exceeds(pool, more)) {
		entry = take_any(pool);
		if (!entry)
			return;
		entry_free(pool, entry);
	}
}

static void drop_lists(struct dbp_pool *pool)
{
	struct entry *entry;

	while ((entry = take_any(pool)))
		entry_free(pool, entry);
}

/* All of it, what the workers have at hand included: somebody needs the pool itself. */
static void drop_all(struct dbp_pool *pool)
{
	drop_lists(pool);
	cancel_delayed_work_sync(&pool->refill);
	flush_work(&pool->clean);
	drop_lists(pool);
}

/* What was asked for last will be asked for again. */
static void remember(struct dbp_pool *pool, struct dbp_memory *mem)
{
	spin_lock(&pool->lock);
	pool->wanted = *mem;
	spin_unlock(&pool->lock);
	mod_delayed_work(system_unbound_wq, &pool->refill, QUIET_TIME);
}

/* Other sizes may stand in the way, so all of it goes. */
static int take_all_else(struct dbp_pool *pool, struct dbp_memory *mem, int error)
{
	if (error != -ENOSPC && error != -ERANGE)
		return error;
	if (!dbp_pool_stocked(pool))
		return error;
	drop_all(pool);
	return take_fresh(pool, mem);
}

/*
 * @mem with its size, mapping and limits filled in gets memory, zeroed and prepared. Errors as
 * DMABUF_POOL_IOCTL_ALLOC tells them.
 */
int dbp_stock_take(struct dbp_pool *pool, struct dbp_memory *mem)
{
	struct dbp_memory want = *mem;
	struct entry *entry;
	int ret = 0;

	if (!READ_ONCE(pool->stock_limit))
		return take_fresh(pool, mem);
	entry = take_ready(pool, mem);
	if (entry) {
		*mem = entry->memory;
		kfree(entry);
	} else {
		ret = take_fresh(pool, mem);
		if (ret)
			ret = take_all_else(pool, mem, ret);
	}
	if (!ret)
		remember(pool, &want);
	return ret;
}

static bool keep(struct dbp_pool *pool, struct dbp_memory *mem)
{
	struct entry *entry;

	if (mem->size > READ_ONCE(pool->stock_limit))
		return false;
	entry = kmalloc(sizeof(*entry), GFP_KERNEL);
	if (!entry)
		return false;
	make_room(pool, mem->size);
	entry->memory = *mem;
	if (!add(pool, entry, &pool->unclean)) {
		kfree(entry);
		return false;
	}
	queue_work(system_unbound_wq, &pool->clean);
	return true;
}

/* The memory of a buffer that is gone. */
void dbp_stock_give(struct dbp_pool *pool, struct dbp_memory *mem)
{
	if (!keep(pool, mem))
		give_back(pool, mem);
}

/* The last user's bytes, where nobody reaches the memory any more. */
static void zero(struct dbp_memory *mem)
{
	u8 *vaddr = mem->vaddr ?: page_address(sg_page(mem->table.sgl));
	size_t done, step;

	for (done = 0; done < mem->size; done += step) {
		step = min_t(size_t, mem->size - done, SZ_1M);
		memset(vaddr + done, 0, step);
		cond_resched();
	}
	wmb(); /* zeros reach memory before any other mapping is made */
}

static int clean_memory(struct dbp_pool *pool, struct dbp_memory *mem)
{
	if (dbp_cache_restore(pool, mem))
		return lose_memory(pool, mem);
	zero(mem);
	return make_ready(pool, mem);
}

static void clean_work(struct work_struct *work)
{
	struct dbp_pool *pool = container_of(work, struct dbp_pool, clean);
	struct entry *entry;

	while ((entry = take_oldest(pool, &pool->unclean))) {
		if (clean_memory(pool, &entry->memory))
			kfree(entry);
		else if (!add(pool, entry, &pool->ready))
			entry_free(pool, entry);
	}
}

static bool refill_once(struct dbp_pool *pool)
{
	struct entry *entry;

	entry = kzalloc(sizeof(*entry), GFP_KERNEL);
	if (!entry)
		return false;
	spin_lock(&pool->lock);
	entry->memory = pool->wanted;
	spin_unlock(&pool->lock);
	if (exceeds(pool, entry->memory.size) || take_fresh(pool, &entry->memory)) {
		kfree(entry);
		return false;
	}
	if (add(pool, entry, &pool->ready))
		return true;
	entry_free(pool, entry);
	return false;
}

static void refill_work(struct work_struct *work)
{
	struct dbp_pool *pool = container_of(to_delayed_work(work), struct dbp_pool, refill);
	unsigned int n;

	for (n = 0; n < REFILL_MAX && refill_once(pool); n++)
		cond_resched();
}

static void clear_pages(struct dbp_pool *pool, struct list_head *list, unsigned long *pages)
{
	struct entry *entry;

	list_for_each_entry(entry, list, link)
		bitmap_clear(pages, PHYS_PFN(sg_phys(entry->memory.table.sgl) - pool->base),
			     entry->memory.size >> PAGE_SHIFT);
}

/* In @pages, a bit for each of the region, the stock is free. What a worker has at hand is not. */
void dbp_stock_clear(struct dbp_pool *pool, unsigned long *pages)
{
	spin_lock(&pool->lock);
	clear_pages(pool, &pool->unclean, pages);
	clear_pages(pool, &pool->ready, pages);
	spin_unlock(&pool->lock);
}

/* Bytes that may be stocked; what is more goes at once. */
int dbp_stock_limit(struct dbp_pool *pool, u64 limit)
{
	if (pool->kind == DMABUF_POOL_KIND_BUDDY)
		return -EOPNOTSUPP;
	spin_lock(&pool->lock);
	pool->stock_limit = limit;
	spin_unlock(&pool->lock);
	make_room(pool, 0);
	return 0;
}

void dbp_stock_init(struct dbp_pool *pool)
{
	INIT_LIST_HEAD(&pool->unclean);
	INIT_LIST_HEAD(&pool->ready);
	INIT_WORK(&pool->clean, clean_work);
	INIT_DELAYED_WORK(&pool->refill, refill_work);
}

/* Nobody asks for memory any more, and no buffer is left. */
void dbp_stock_end(struct dbp_pool *pool)
{
	pool->stock_limit = 0;
	drop_all(pool);
}

/* A region without a kernel mapping is of no use to the kernel. */
static u64 reclaimable(struct dbp_pool *pool)
{
	return pool->kind == DMABUF_POOL_KIND_CMA ? dbp_pool_stocked(pool) >> PAGE_SHIFT : 0;
}

static unsigned long count_pages(struct shrinker *shrinker, struct shrink_control *control)
{
	struct dbp_pool *pool;
	unsigned long n = 0;
	u32 i;

	for (i = 0; (pool = dbp_pool_get(i)); i++)
		n += reclaimable(pool);
	return n ?: SHRINK_EMPTY;
}

static unsigned long shrink_pool(struct dbp_pool *pool, unsigned long wanted)
{
	unsigned long n = 0;
	struct entry *entry;

	while (n < wanted && reclaimable(pool)) {
		entry = take_any(pool);
		if (!entry)
			break;
		n += entry->memory.size >> PAGE_SHIFT;
		entry_free(pool, entry);
	}
	return n;
}

static unsigned long free_pages_of_stock(struct shrinker *shrinker, struct shrink_control *control)
{
	struct dbp_pool *pool;
	unsigned long n = 0;
	u32 i;

	for (i = 0; n < control->nr_to_scan && (pool = dbp_pool_get(i)); i++)
		n += shrink_pool(pool, control->nr_to_scan - n);
	return n ?: SHRINK_STOP;
}

static struct shrinker *shrinker;

/* Once the table of pools is complete. */
int dbp_stock_register(void)
{
	shrinker = dbp_shrinker_new(count_pages, free_pages_of_stock);
	return shrinker ? 0 : -ENOMEM;
}

void dbp_stock_unregister(void)
{
	dbp_shrinker_free(shrinker);
}
