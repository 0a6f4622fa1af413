/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Release events: reserved when a buffer is allocated, delivered to the one reader when it is gone.
 */
#ifndef DBP_EVENT_H
#define DBP_EVENT_H

#include <linux/list.h>
#include <linux/types.h>

struct dbp_event {
	struct list_head link;	/* queue.unread, once posted */
	u64 id;
	u64 size;
};

struct file;
struct poll_table_struct;

struct dbp_event *dbp_event_reserve(void);
void dbp_event_cancel(struct dbp_event *event);
void dbp_event_post(struct dbp_event *event, u64 id, u64 size);

int dbp_event_claim(void);
void dbp_event_unclaim(void);
ssize_t dbp_event_read(struct file *file, char __user *to, size_t size);
__poll_t dbp_event_poll(struct file *file, struct poll_table_struct *wait);

#endif
