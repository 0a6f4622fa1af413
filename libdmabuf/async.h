/* SPDX-License-Identifier: MIT */
/*
 * What does not block: connections that nobody waits for, allocations that were started, and events.
 * Each part does what can be done now and says when it has something to do next; async.c makes one
 * descriptor of that. Not installed.
 */
#ifndef DMABUF_ASYNC_H
#define DMABUF_ASYNC_H

#include <sys/queue.h>

#include "private.h"

#define TIME_NEVER INT64_MAX

/* A connection to the daemon, of its own, that is made again when it breaks. */
struct link {
	struct dmabuf conn;
	enum link_state {
		LINK_DOWN,
		LINK_GREETS, /* waits for the answer to HELLO */
		LINK_UP
	} state;
	int64_t time;  /* DOWN: when to connect; GREETS: when to give up; UP: since when */
	int64_t pause; /* milliseconds, before the last attempt */
	int error;     /* why it is down */
};

/* The set is epoll's. */
void link_init(struct link *link, int set);

/* Do what can be done. 1: it is up. 0: not yet. Negative: it cannot be, and link_get_time() is later. */
int link_connect(struct link *link, int64_t now);

/* Hang up; link_connect() may connect at once, whatever was before. */
void link_drop(struct link *link);

/* When link_connect() has something to do, whatever comes. */
int64_t link_get_time(const struct link *link);

/* Allocations that were started; the first is the one that the daemon has. */
struct pending {
	struct dmabuf *conn; /* the program's: its settings, and the text of errors */
	struct link link;
	TAILQ_HEAD(, dmabuf_allocation) allocations;
	uint64_t last_number;
};

void pending_init(struct pending *pending, struct dmabuf *conn, int set);
void pending_run(struct pending *pending);
int64_t pending_get_time(const struct pending *pending);
/* No function of the program is called. */
void pending_clear(struct pending *pending);

struct notify {
	struct dmabuf *conn; /* as above */
	struct link link;
	enum notify_state {
		NOTIFY_SILENT,
		NOTIFY_ASKED, /* waits for the reply to NOTIFY */
		NOTIFY_TOLD
	} state;
	bool again; /* it was told before: this is a new connection */
	void (*fn)(const struct dmabuf_event *event, void *userdata); /* NULL: nobody asks */
	void *userdata;
};

void notify_init(struct notify *notify, struct dmabuf *conn, int set);
void notify_run(struct notify *notify);
int64_t notify_get_time(const struct notify *notify);

struct async {
	int set;   /* epoll: timer and connections; the program polls it */
	int timer; /* expires when the first part has something to do */
	struct pending pending;
	struct notify notify;
};

/* Made when it is needed. -EBUSY: the connection watches. -EMFILE, -ENFILE, -ENOMEM. */
int async_get(struct dmabuf *conn, struct async **ret);

/* Something is to be done at another time than before. */
void async_arrange(struct async *async);

#endif
