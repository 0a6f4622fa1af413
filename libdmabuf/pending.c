/* SPDX-License-Identifier: MIT */
/*
 * Allocations that were started. The daemon has one at a time, in the order in which they were
 * started; when it is away, that one is sent again to the next. Nothing can be allocated twice: what
 * was not received is closed with the connection.
 */
#include <errno.h>
#include <stdlib.h>

#include "async.h"

/* A request that is there when the connection breaks so often, each time soon, may be the reason. */
#define BREAKS_MAX 3
#define SOON_MS 1000

struct dmabuf_allocation {
	TAILQ_ENTRY(dmabuf_allocation) link; /* pending.allocations */
	struct async *async;
	struct dmabuf_request request; /* a copy */
	unsigned int count;
	void (*fn)(int result, struct dmabuf_buffer *const buffers[], unsigned int n_buffers,
		   void *userdata);
	void *userdata;
	uint64_t number;
	/* Since it is the first: */
	bool first;
	int64_t wait_until; /* as the request says */
	int64_t deadline;
	bool sent;
	int64_t sent_at;
	unsigned int breaks;
};

void pending_init(struct pending *pending, struct dmabuf *conn, int set)
{
	pending->conn = conn;
	link_init(&pending->link, set);
	TAILQ_INIT(&pending->allocations);
}

/* Its time begins. */
static void become_first(struct dmabuf_allocation *allocation, unsigned int timeout, int64_t now)
{
	bool for_ever = allocation->request.wait == DMABUF_WAIT_FOREVER;

	if (allocation->first)
		return;
	allocation->first = true;
	allocation->wait_until = for_ever ? TIME_NEVER : now + allocation->request.wait;
	allocation->deadline = for_ever || !timeout ? TIME_NEVER : allocation->wait_until + timeout;
}

static void leave(struct pending *pending, struct dmabuf_allocation *allocation)
{
	TAILQ_REMOVE(&pending->allocations, allocation, link);
	free(allocation);
}

/* Tell the program, which may start and cancel others. */
static void end(struct pending *pending, struct dmabuf_allocation *allocation, int result,
		struct dmabuf_buffer *const buffers[])
{
	struct dmabuf_allocation told = *allocation;

	leave(pending, allocation);
	if (result < 0) {
		pending->conn->failure = pending->link.conn.failure;
		pending->conn->failure.code = result;
	}
	told.fn(result, result < 0 ? NULL : buffers, result < 0 ? 0 : told.count, told.userdata);
}

/* Those that are there; the program may start more. */
static void end_all(struct pending *pending, int error)
{
	struct dmabuf_allocation *allocation;
	uint64_t last = pending->last_number;

	while ((allocation = TAILQ_FIRST(&pending->allocations)) && allocation->number <= last)
		end(pending, allocation, error, NULL);
}

/* Of errors when connecting: the daemon may be back soon. */
static bool may_come_back(int error)
{
	return error == -ENOTCONN || error == -ECONNREFUSED || error == -ECONNRESET ||
	       error == -EAGAIN || error == -ETIMEDOUT;
}

/* 1: connected. 0: later. Negative: the allocations that were there are at their end. */
static int connect_for(struct pending *pending, struct dmabuf_allocation *allocation, int64_t now)
{
	int r;

	pending->link.conn.timeout = pending->conn->timeout;
	pending->link.conn.wait = 0;
	r = link_connect(&pending->link, now);
	if (r > 0)
		return r;
	if (r < 0 && !may_come_back(r)) {
		end_all(pending, r);
		return r;
	}
	if (now < allocation->deadline)
		return 0;
	r = pending->link.state == LINK_DOWN
		    ? pending->link.error
		    : connection_fail_transport(&pending->link.conn, -ETIMEDOUT);
	end_all(pending, r);
	return r;
}

static int send_it(struct dmabuf *conn, struct dmabuf_allocation *allocation, int64_t now)
{
	struct wire_frame frame = {.request = allocation->request.wire};
	int r = request_check_daemon(conn, &allocation->request);

	if (r < 0)
		return r;
	frame.request.count = allocation->count;
	if (allocation->wait_until != TIME_NEVER)
		frame.request.wait = now < allocation->wait_until
					     ? (uint64_t)(allocation->wait_until - now) * 1000
					     : 0;
	allocation->sent = true;
	allocation->sent_at = now;
	return connection_send(conn, DMABUFD_ALLOC, &frame, request_get_size(conn));
}

static int take_reply(struct pending *pending, struct dmabuf_allocation *allocation, int64_t now,
		      struct dmabuf_buffer *buffers[])
{
	struct dmabuf *conn = &pending->link.conn;
	struct wire_frame frame;
	int fds[DMABUFD_BUFFERS_MAX];
	unsigned int n_fds = 0;
	int r = connection_take(conn, DMABUFD_ALLOC, &frame, fds, &n_fds);

	if (r == CONNECTION_NOT_YET && now >= allocation->deadline) {
		link_drop(&pending->link);
		conn->wait = allocation->request.wait;
		return connection_fail_transport(conn, -ETIMEDOUT);
	}
	if (r < 0)
		return r;
	return request_finish(conn, &allocation->request, allocation->count, &frame, (size_t)r, fds,
			      n_fds, buffers);
}

/* The connection broke. */
static bool may_send_again(struct dmabuf_allocation *allocation, int64_t now)
{
	if (now - allocation->sent_at >= SOON_MS)
		allocation->breaks = 0;
	allocation->sent = false;
	return ++allocation->breaks < BREAKS_MAX && now < allocation->deadline;
}

/* True when there may be more to do now. */
static bool step(struct pending *pending, struct dmabuf_allocation *allocation, int64_t now)
{
	struct dmabuf_buffer *buffers[DMABUFD_BUFFERS_MAX];
	int r;

	become_first(allocation, pending->conn->timeout, now);
	r = connect_for(pending, allocation, now);
	if (r <= 0)
		return r < 0;
	r = allocation->sent ? 0 : send_it(&pending->link.conn, allocation, now);
	if (r >= 0)
		r = take_reply(pending, allocation, now, buffers);
	if (r == CONNECTION_NOT_YET)
		return false;
	if (r == -ECONNRESET && may_send_again(allocation, now))
		return true;
	end(pending, allocation, r, buffers);
	return true;
}

/* Nothing is asked: what can be read now is the answer to HELLO, or the end. */
static void rest(struct pending *pending, int64_t now)
{
	struct wire_frame frame;

	if (pending->link.state == LINK_DOWN || link_connect(&pending->link, now) <= 0)
		return;
	if (connection_receive(&pending->link.conn, DMABUFD_ALLOC, &frame) != -EAGAIN)
		link_drop(&pending->link);
}

void pending_run(struct pending *pending)
{
	struct dmabuf_allocation *allocation;
	int64_t now = clock_milliseconds();
	uint64_t last = pending->last_number;

	/* A program that starts one for each that fails comes back to its loop nevertheless. */
	while ((allocation = TAILQ_FIRST(&pending->allocations)) && allocation->number <= last)
		if (!step(pending, allocation, now))
			return;
	if (!allocation)
		rest(pending, now);
}

int64_t pending_get_time(const struct pending *pending)
{
	const struct dmabuf_allocation *allocation = TAILQ_FIRST(&pending->allocations);
	int64_t time = link_get_time(&pending->link);

	if (!allocation)
		return TIME_NEVER;
	if (!allocation->first || (pending->link.state == LINK_UP && !allocation->sent))
		return 0;
	return allocation->deadline < time ? allocation->deadline : time;
}

void pending_clear(struct pending *pending)
{
	while (!TAILQ_EMPTY(&pending->allocations))
		leave(pending, TAILQ_FIRST(&pending->allocations));
	link_drop(&pending->link);
}

DMABUF_PUBLIC int dmabuf_allocate_start(struct dmabuf *conn, const struct dmabuf_request *request,
					unsigned int count,
					void (*fn)(int result,
						   struct dmabuf_buffer *const buffers[],
						   unsigned int n_buffers, void *userdata),
					void *userdata, struct dmabuf_allocation **ret)
{
	struct dmabuf_allocation *allocation;
	struct async *async;
	int r = request_check(conn, request, count);

	if (r >= 0)
		r = async_get(conn, &async);
	if (r < 0)
		return r;
	allocation = calloc(1, sizeof(*allocation));
	if (!allocation)
		return connection_fail(conn, -ENOMEM, "Out of memory");
	allocation->async = async;
	allocation->request = *request;
	allocation->count = count;
	allocation->fn = fn;
	allocation->userdata = userdata;
	allocation->number = ++async->pending.last_number;
	/* However long the daemon was away, this is tried now. */
	if (TAILQ_EMPTY(&async->pending.allocations) && async->pending.link.state == LINK_DOWN)
		link_drop(&async->pending.link);
	TAILQ_INSERT_TAIL(&async->pending.allocations, allocation, link);
	async_arrange(async);
	if (ret)
		*ret = allocation;
	return 0;
}

DMABUF_PUBLIC void dmabuf_allocate_cancel(struct dmabuf_allocation *allocation)
{
	struct async *async;

	if (!allocation)
		return;
	async = allocation->async;
	/* To hang up is how the daemon is told, and closes what is on its way. */
	if (allocation->sent)
		link_drop(&async->pending.link);
	leave(&async->pending, allocation);
	async_arrange(async);
}
