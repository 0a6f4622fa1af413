/* SPDX-License-Identifier: MIT */
/*
 * One descriptor for an event loop, and what is done when it is readable. It is epoll's, so it is
 * readable for as long as there is something to do, and any loop can poll it. Knows no frame.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>

#include "async.h"
#include "cleanup.h"

/* Of a time that is over: at once. */
void async_arrange(struct async *async)
{
	int64_t time = pending_get_time(&async->pending);
	int64_t other = notify_get_time(&async->notify);
	struct itimerspec when = {0};

	if (other < time)
		time = other;
	if (time != TIME_NEVER) {
		when.it_value.tv_sec = (time_t)(time / 1000);
		/* 0 would be never. */
		when.it_value.tv_nsec = (long)(time % 1000) * 1000000 + 1;
	}
	timerfd_settime(async->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

static int open_set(struct async *async)
{
	struct epoll_event event = {.events = EPOLLIN};

	async->set = epoll_create1(EPOLL_CLOEXEC);
	if (async->set < 0)
		return -errno;
	async->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (async->timer < 0 || epoll_ctl(async->set, EPOLL_CTL_ADD, async->timer, &event) < 0)
		return -errno;
	return 0;
}

static int async_new(struct dmabuf *conn, struct async **ret)
{
	struct async *async = calloc(1, sizeof(*async));
	int r;

	if (!async)
		return -ENOMEM;
	async->set = async->timer = -EBADF;
	r = open_set(async);
	pending_init(&async->pending, conn, async->set);
	notify_init(&async->notify, conn, async->set);
	if (r < 0) {
		async_free(async);
		return r;
	}
	*ret = async;
	return 0;
}

struct async *async_free(struct async *async)
{
	if (async) {
		pending_clear(&async->pending);
		link_drop(&async->notify.link);
		closep(&async->timer);
		closep(&async->set);
		free(async);
	}
	return NULL;
}

int async_get(struct dmabuf *conn, struct async **ret)
{
	int r;

	if (conn->watches)
		return connection_fail(conn, -EBUSY, "The connection watches: open another");
	if (!conn->async) {
		r = async_new(conn, &conn->async);
		if (r < 0)
			return connection_fail_errno(conn, r, "A descriptor to poll");
	}
	*ret = conn->async;
	return 0;
}

DMABUF_PUBLIC int dmabuf_get_fd(struct dmabuf *conn)
{
	struct async *async;
	int r = async_get(conn, &async);

	return r < 0 ? r : async->set;
}

DMABUF_PUBLIC void dmabuf_dispatch(struct dmabuf *conn)
{
	if (!conn->async)
		return;
	pending_run(&conn->async->pending);
	notify_run(&conn->async->notify);
	async_arrange(conn->async);
}
