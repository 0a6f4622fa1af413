// SPDX-License-Identifier: GPL-2.0-only
/*
 * The queue of release events. Posting cannot fail, so none is lost while there is a reader;
 * without one they are dropped, for the next reader starts from the list of live buffers.
 */
#include <linux/fs.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/uaccess.h>
#include <linux/wait.h>
#include <uapi/dmabuf_pool.h>

#include "event.h"

/* Live buffers and unread events together: a reader that sleeps forever stops the allocations. */
#define EVENTS_MAX 65536

static struct {
	spinlock_t lock;	/* guards unread and claimed */
	struct list_head unread;
	bool claimed;
	atomic_t reserved;
	wait_queue_head_t wait;
} queue = {
	.lock = __SPIN_LOCK_UNLOCKED(queue.lock),
	.unread = LIST_HEAD_INIT(queue.unread),
	.wait = __WAIT_QUEUE_HEAD_INITIALIZER(queue.wait),
};

struct dbp_event *dbp_event_reserve(void)
{
	struct dbp_event *event;

	if (atomic_inc_return(&queue.reserved) > EVENTS_MAX) {
		atomic_dec(&queue.reserved);
		return ERR_PTR(-ENOBUFS);
	}
	event = kmalloc(sizeof(*event), GFP_KERNEL);
	if (!event) {
		atomic_dec(&queue.reserved);
		return ERR_PTR(-ENOMEM);
	}
	return event;
}

void dbp_event_cancel(struct dbp_event *event)
{
	kfree(event);
	atomic_dec(&queue.reserved);
}

void dbp_event_post(struct dbp_event *event, u64 id, u64 size)
{
	bool claimed;

	event->id = id;
	event->size = size;
	spin_lock(&queue.lock);
	claimed = queue.claimed;
	if (claimed)
		list_add_tail(&event->link, &queue.unread);
	spin_unlock(&queue.lock);

	if (claimed)
		wake_up_interruptible(&queue.wait);
	else
		dbp_event_cancel(event);
}

int dbp_event_claim(void)
{
	int ret = 0;

	spin_lock(&queue.lock);
	if (queue.claimed)
		ret = -EBUSY;
	queue.claimed = true;
	spin_unlock(&queue.lock);
	return ret;
}

void dbp_event_unclaim(void)
{
	struct dbp_event *event, *next;
	LIST_HEAD(forgotten);

	spin_lock(&queue.lock);
	queue.claimed = false;
	list_splice_init(&queue.unread, &forgotten);
	spin_unlock(&queue.lock);

	list_for_each_entry_safe(event, next, &forgotten, link)
		dbp_event_cancel(event);
}

static struct dbp_event *take_first(void)
{
	struct dbp_event *event;

	spin_lock(&queue.lock);
	event = list_first_entry_or_null(&queue.unread, struct dbp_event, link);
	if (event)
		list_del(&event->link);
	spin_unlock(&queue.lock);
	return event;
}

static void put_back(struct dbp_event *event)
{
	spin_lock(&queue.lock);
	list_add(&event->link, &queue.unread);
	spin_unlock(&queue.lock);
}

static struct dbp_event *wait_first(bool nonblock)
{
	struct dbp_event *event;
	int ret;

	event = take_first();
	if (event)
		return event;
	if (nonblock)
		return ERR_PTR(-EAGAIN);
	ret = wait_event_interruptible(queue.wait, (event = take_first()));
	return ret ? ERR_PTR(ret) : event;
}

/* A record that cannot be written goes back to the front: an event is read once or not at all. */
static int copy_event(struct dbp_event *event, char __user *to)
{
	struct dmabuf_pool_event_release record = {
		.base.type = DMABUF_POOL_EVENT_RELEASE,
		.base.length = sizeof(record),
		.id = event->id,
		.size = event->size,
	};

	if (copy_to_user(to, &record, sizeof(record))) {
		put_back(event);
		return -EFAULT;
	}
	dbp_event_cancel(event);
	return sizeof(record);
}

ssize_t dbp_event_read(struct file *file, char __user *to, size_t size)
{
	size_t record = sizeof(struct dmabuf_pool_event_release), done = 0;
	struct dbp_event *event;
	int ret;

	if (size < record)
		return -EINVAL;
	event = wait_first(file->f_flags & O_NONBLOCK);
	if (IS_ERR(event))
		return PTR_ERR(event);
	while (event) {
		ret = copy_event(event, to + done);
		if (ret < 0)
			return done ? done : ret;
		done += ret;
		event = size - done >= record ? take_first() : NULL;
	}
	return done;
}

__poll_t dbp_event_poll(struct file *file, struct poll_table_struct *wait)
{
	__poll_t events = 0;

	poll_wait(file, &queue.wait, wait);
	spin_lock(&queue.lock);
	if (!list_empty(&queue.unread))
		events = EPOLLIN | EPOLLRDNORM;
	spin_unlock(&queue.lock);
	return events;
}
