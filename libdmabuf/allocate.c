/* SPDX-License-Identifier: MIT */
/*
 * Asking for memory with a request, and the buffers that come of it. What the daemon grants is
 * believed when it keeps to the protocol.
 */
#include <errno.h>
#include <time.h>

#include "private.h"

size_t request_get_size(const struct dmabuf *conn)
{
	static const size_t sizes[] = {DMABUFD_REQUEST_SIZE_0, DMABUFD_REQUEST_SIZE_1};

	return conn->minor < 2 ? sizes[conn->minor] : sizeof(struct dmabufd_request);
}

static int check_count(struct dmabuf *conn, unsigned int count)
{
	if (count > DMABUFD_BUFFERS_MAX)
		return connection_fail(conn, -E2BIG,
				       "%u buffers in one request are too many: ask for at most %u "
				       "at a time",
				       count, DMABUFD_BUFFERS_MAX);
	if (count == 0)
		return connection_fail(conn, -EINVAL, "A request for no buffer at all");
	return 0;
}

int request_check(struct dmabuf *conn, const struct dmabuf_request *request, unsigned int count)
{
	int r = check_count(conn, count);

	if (r >= 0 && request->wire.size == 0)
		return connection_fail(conn, -EINVAL, "The request has no size");
	return r;
}

/* What came with minor 2. */
static bool is_of_minor_2(const struct dmabufd_request *wire)
{
	return wire->flags & ~(DMABUFD_CONTIGUOUS | DMABUFD_CPU_READS_OFTEN) || wire->alignment ||
	       wire->address_bits || wire->preferred;
}

static int check_minor(struct dmabuf *conn, const struct dmabuf_request *request)
{
	if (conn->minor < 2 && is_of_minor_2(&request->wire))
		return connection_fail_old(
			conn,
			"dmabufd is older than libdmabuf and knows neither alignment, "
			"address bits and preferences nor this usage: upgrade and restart it");
	return 0;
}

int request_open(struct dmabuf *conn, const struct dmabuf_request *request)
{
	int r = connection_open(conn);

	return r < 0 ? r : check_minor(conn, request);
}

int request_check_daemon(struct dmabuf *conn, const struct dmabuf_request *request)
{
	int r = check_minor(conn, request);

	if (r >= 0 && conn->minor < 1 && request->wait)
		return connection_fail_old(
			conn, "dmabufd is older than libdmabuf and cannot wait for memory: upgrade "
			      "and restart it, or ask without waiting");
	return r;
}

static int open_to_allocate(struct dmabuf *conn, const struct dmabuf_request *request)
{
	int r = connection_open(conn);

	return r < 0 ? r : request_check_daemon(conn, request);
}

/* What is asked for in one call: buffer i is for request i, or all are for the first. */
struct wanted {
	const struct dmabuf_request *const *requests;
	bool each; /* a request for each buffer */
	unsigned int count;
};

static const struct dmabuf_request *wanted_get(const struct wanted *wanted, unsigned int i)
{
	return wanted->requests[wanted->each ? i : 0];
}

static int check_granted(struct dmabuf *conn, const struct wire_frame *frame, size_t body,
			 unsigned int n_fds, const struct wanted *wanted)
{
	if (body != wanted->count * sizeof(frame->buffers[0]) || n_fds != wanted->count)
		return connection_fail_protocol(conn, "other than the buffers asked for");
	for (unsigned int i = 0; i < wanted->count; i++)
		if (!buffer_is_valid(&frame->buffers[i]) ||
		    frame->buffers[i].size < wanted_get(wanted, i)->wire.size)
			return connection_fail_protocol(conn, "malformed buffer");
	return 0;
}

/* Takes all fds, even when it fails. */
static int make_buffers(struct dmabuf *conn, const struct wire_frame *frame, const int fds[],
			const struct wanted *wanted, struct dmabuf_buffer *buffers[])
{
	unsigned int n, count = wanted->count;

	for (n = 0; n < count; n++) {
		buffers[n] =
			buffer_new(&frame->buffers[n], wanted_get(wanted, n)->wire.flags, fds[n]);
		if (!buffers[n])
			break;
	}
	if (n == count)
		return 0;

	wire_close_fds(fds + n, count - n);
	while (n-- > 0)
		dmabuf_buffer_free(buffers[n]);
	return connection_fail(conn, -ENOMEM, "Out of memory");
}

/* Takes all fds, even when it fails. */
static int take_granted(struct dmabuf *conn, const struct wire_frame *frame, size_t body,
			const int fds[], unsigned int n_fds, const struct wanted *wanted,
			struct dmabuf_buffer *ret[])
{
	int r = check_granted(conn, frame, body, n_fds, wanted);

	if (r < 0) {
		wire_close_fds(fds, n_fds);
		return r;
	}
	return make_buffers(conn, frame, fds, wanted, ret);
}

int request_finish(struct dmabuf *conn, const struct dmabuf_request *request, unsigned int count,
		   const struct wire_frame *frame, size_t body, const int fds[], unsigned int n_fds,
		   struct dmabuf_buffer *ret[])
{
	const struct wanted wanted = {&request, false, count};

	return take_granted(conn, frame, body, fds, n_fds, &wanted, ret);
}

/*
 * Send the frame, whose body has so many bytes, and take what is granted; so many milliseconds may be
 * waited for it.
 */
static int ask(struct dmabuf *conn, enum dmabufd_opcode opcode, struct wire_frame *frame,
	       size_t body, unsigned int wait, const struct wanted *wanted,
	       struct dmabuf_buffer *ret[])
{
	struct dmabuf_buffer *buffers[DMABUFD_BUFFERS_MAX];
	int fds[DMABUFD_BUFFERS_MAX], r;
	unsigned int n_fds = 0;

	r = connection_call(conn, opcode, frame, body, wait, fds, &n_fds);
	if (r < 0)
		return r;
	r = take_granted(conn, frame, (size_t)r, fds, n_fds, wanted, buffers);
	if (r < 0)
		return r;
	for (unsigned int i = 0; i < wanted->count; i++)
		ret[i] = buffers[i];
	return 0;
}

static int ask_for(struct dmabuf *conn, const struct dmabuf_request *request, unsigned int wait,
		   struct dmabuf_buffer *ret[], unsigned int count)
{
	const struct wanted wanted = {&request, false, count};
	struct wire_frame frame = {.request = request->wire};
	int r = open_to_allocate(conn, request);

	if (r < 0)
		return r;
	frame.request.count = count;
	if (wait != DMABUF_WAIT_FOREVER)
		frame.request.wait = wait * UINT64_C(1000);
	return ask(conn, DMABUFD_ALLOC, &frame, request_get_size(conn), wait, &wanted, ret);
}

static uint64_t get_milliseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Of the time that a request may wait; 0: none. */
static unsigned int get_rest(unsigned int wait, uint64_t started)
{
	uint64_t passed = get_milliseconds() - started;

	if (wait == DMABUF_WAIT_FOREVER)
		return wait;
	return passed < wait ? wait - (unsigned int)passed : 0;
}

/*
 * A request that waits outlives one daemon: for the kernel module the daemon may have to start anew.
 * Only one, as this request may be what daemons fall over.
 */
DMABUF_PUBLIC int dmabuf_allocate(struct dmabuf *conn, const struct dmabuf_request *request,
				  struct dmabuf_buffer *ret[], unsigned int count)
{
	uint64_t started = get_milliseconds();
	unsigned int rest;
	int r = request_check(conn, request, count);

	if (r < 0)
		return r;
	r = ask_for(conn, request, request->wait, ret, count);
	rest = r == -ECONNRESET ? get_rest(request->wait, started) : 0;
	return rest ? ask_for(conn, request, rest, ret, count) : r;
}

DMABUF_PUBLIC int dmabuf_can_allocate(struct dmabuf *conn, const struct dmabuf_request *request,
				      unsigned int count)
{
	struct wire_frame frame = {.request = request->wire};
	int r = request_check(conn, request, count);

	if (r < 0)
		return r;
	frame.request.count = count;
	r = connection_call_plain(conn, DMABUFD_CHECK, &frame, sizeof(frame.request));
	return r > 0 ? connection_fail_protocol(conn, "an answer that is too long") : r;
}

static int check_batch(struct dmabuf *conn, const struct dmabuf_request *const requests[],
		       unsigned int n)
{
	int r = check_count(conn, n);

	for (unsigned int i = 0; r >= 0 && i < n; i++) {
		r = request_check(conn, requests[i], n);
		if (r >= 0 && requests[i]->wait)
			return connection_fail(conn, -EINVAL,
					       "Requests in a batch do not wait: ask again later");
	}
	return r;
}

DMABUF_PUBLIC int dmabuf_allocate_batch(struct dmabuf *conn,
					const struct dmabuf_request *const requests[],
					struct dmabuf_buffer *ret[], unsigned int n)
{
	const struct wanted wanted = {requests, true, n};
	struct wire_frame frame = {
		.batch = {.n_requests = n, .request_size = sizeof(struct dmabufd_request)}};
	int r = check_batch(conn, requests, n);

	if (r < 0)
		return r;
	for (unsigned int i = 0; i < n; i++) {
		frame.batch.requests[i] = requests[i]->wire;
		frame.batch.requests[i].count = 1;
	}
	return ask(conn, DMABUFD_BATCH, &frame, offsetof(struct dmabufd_batch, requests[n]), 0,
		   &wanted, ret);
}
