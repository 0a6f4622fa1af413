/* SPDX-License-Identifier: MIT */
/*
 * Events as they happen: a connection that asks nothing any more and is told. Checks each event and
 * hands it to the caller's function; waits for none.
 */
#include <errno.h>

#include "private.h"

DMABUF_PUBLIC int dmabuf_watch_start(struct dmabuf *conn)
{
	struct wire_frame frame;
	int r = connection_call_plain(conn, DMABUFD_WATCH, &frame, 0);

	if (r < 0)
		return r;
	if (r != 0)
		return connection_fail_protocol(conn, "malformed reply to WATCH");
	conn->watches = true;
	return 0;
}

DMABUF_PUBLIC int dmabuf_watch_get_fd(const struct dmabuf *conn)
{
	return conn->watches ? conn->fd : -EBADF;
}

static bool event_is_valid(const struct wire_frame *frame, size_t body)
{
	const struct dmabufd_event *event = &frame->event;
	bool refused = event->type == DMABUFD_EVENT_REFUSED;

	if (body < sizeof(*event) ||
	    body != sizeof(*event) + (refused ? sizeof(frame->event_error) : 0))
		return false;
	if (refused && (event->error >= 0 || !WIRE_STRING_IS_VALID(frame->event_error.text)))
		return false;
	return WIRE_STRING_IS_VALID(event->pool) && WIRE_STRING_IS_VALID(event->name) &&
	       WIRE_STRING_IS_VALID(event->devices);
}

int event_take(struct dmabuf *conn, enum dmabufd_opcode opcode, struct wire_frame *frame)
{
	int r = connection_receive(conn, opcode, frame);

	if (r < 0)
		return r;
	return event_is_valid(frame, (size_t)r) ? 0
						: connection_fail_protocol(conn, "malformed event");
}

void event_fill(struct dmabuf_event *ret, const struct wire_frame *frame)
{
	const struct dmabufd_event *event = &frame->event;

	*ret = (struct dmabuf_event){
		.type = (enum dmabuf_event_type)event->type,
		.time = event->time,
		.number = event->number,
		.size = event->size,
		.uid = event->uid,
		.pid = (int)event->pid,
		.error = event->error,
		.pool = event->pool,
		.name = event->name,
		.devices = event->devices,
		.text = event->type == DMABUFD_EVENT_REFUSED ? frame->event_error.text : "",
	};
}

DMABUF_PUBLIC int dmabuf_watch_read(struct dmabuf *conn,
				    int (*fn)(const struct dmabuf_event *event, void *userdata),
				    void *userdata)
{
	if (!conn->watches)
		return connection_fail(conn, -EBADF, "The connection does not watch");
	for (;;) {
		struct wire_frame frame;
		struct dmabuf_event event;
		int r = event_take(conn, DMABUFD_WATCH, &frame);

		if (r == -EAGAIN)
			return 0;
		if (r < 0)
			return r;
		/* Of a daemon that knows more kinds of events. */
		if (frame.event.type < DMABUFD_EVENT_ALLOCATED ||
		    frame.event.type > DMABUFD_EVENT_LOST)
			continue;
		event_fill(&event, &frame);
		r = fn(&event, userdata);
		if (r != 0)
			return r;
	}
}
