/* SPDX-License-Identifier: MIT */
/*
 * Events for a program that does other things too: those of the daemon, and that it is back. The
 * connection asks nothing but NOTIFY. Knows no allocation.
 */
#include <errno.h>

#include "async.h"

void notify_init(struct notify *notify, struct dmabuf *conn, int set)
{
	notify->conn = conn;
	link_init(&notify->link, set);
}

static void tell_reconnected(struct notify *notify)
{
	static const struct dmabuf_event event = {.type = DMABUF_EVENT_RECONNECTED,
						  .pool = "",
						  .name = "",
						  .devices = "",
						  .text = ""};
	bool again = notify->again;

	notify->again = true;
	if (again)
		notify->fn(&event, notify->userdata);
}

/* An older daemon has nothing to tell, but its end can be seen. */
static int ask(struct notify *notify)
{
	struct wire_frame frame;

	notify->state = NOTIFY_ASKED;
	if (notify->link.conn.minor >= 2)
		return connection_send(&notify->link.conn, DMABUFD_NOTIFY, &frame, 0);
	notify->state = NOTIFY_TOLD;
	tell_reconnected(notify);
	return 0;
}

static int take_reply(struct notify *notify)
{
	struct wire_frame frame;
	int fds[DMABUFD_BUFFERS_MAX];
	unsigned int n_fds = 0;
	int r = connection_take(&notify->link.conn, DMABUFD_NOTIFY, &frame, fds, &n_fds);

	if (r == CONNECTION_NOT_YET)
		return -EAGAIN;
	if (r < 0)
		return r;
	wire_close_fds(fds, n_fds);
	if (r > 0 || n_fds > 0)
		return connection_fail_protocol(&notify->link.conn, "malformed reply to NOTIFY");
	notify->state = NOTIFY_TOLD;
	tell_reconnected(notify);
	return 0;
}

/* Of a daemon that knows more kinds of events there are others. */
static bool is_for_programs(uint32_t type)
{
	return type == DMABUFD_EVENT_LOST || type == DMABUFD_EVENT_QUOTA_CHANGED ||
	       type == DMABUFD_EVENT_ASKED_BACK;
}

static int take_event(struct notify *notify)
{
	struct wire_frame frame;
	struct dmabuf_event event;
	int r = event_take(&notify->link.conn, DMABUFD_NOTIFY, &frame);

	if (r < 0 || !is_for_programs(frame.event.type))
		return r;
	event_fill(&event, &frame);
	notify->fn(&event, notify->userdata);
	return 0;
}

/* 0: there may be more to do now. */
static int step(struct notify *notify, int64_t now)
{
	int r = link_connect(&notify->link, now);

	if (r <= 0) {
		notify->state = NOTIFY_SILENT;
		return r < 0 ? r : -EAGAIN;
	}
	switch (notify->state) {
	case NOTIFY_SILENT:
		return ask(notify);
	case NOTIFY_ASKED:
		return take_reply(notify);
	case NOTIFY_TOLD:
		break;
	}
	return take_event(notify);
}

void notify_run(struct notify *notify)
{
	int64_t now = clock_milliseconds();
	int r;

	while (notify->fn) {
		notify->link.conn.timeout = notify->conn->timeout;
		r = step(notify, now);
		if (r == -EAGAIN)
			return;
		/* A connection that is told nothing has no use; link.c decides when to try again. */
		if (r < 0) {
			connection_drop(&notify->link.conn);
			notify->state = NOTIFY_SILENT;
		}
	}
}

int64_t notify_get_time(const struct notify *notify)
{
	return notify->fn ? link_get_time(&notify->link) : TIME_NEVER;
}

DMABUF_PUBLIC int dmabuf_set_notify(struct dmabuf *conn,
				    void (*fn)(const struct dmabuf_event *event, void *userdata),
				    void *userdata)
{
	struct async *async;
	int r = async_get(conn, &async);

	if (r < 0)
		return r;
	async->notify.fn = fn;
	async->notify.userdata = userdata;
	if (!fn) {
		link_drop(&async->notify.link);
		async->notify.state = NOTIFY_SILENT;
		async->notify.again = false;
	}
	async_arrange(async);
	return 0;
}
