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

static int check_request(struct dmabuf *conn, const struct dmabuf_request *request,
			 unsigned int count)
{
	if (request->wire.size == 0)
		return connection_fail(conn, -EINVAL, "The request has no size");
	if (count == 0)
		return connection_fail(conn, -EINVAL, "A request for no buffer at all");
	if (count > DMABUFD_BUFFERS_MAX)
		return connection_fail(conn, -E2BIG,
				       "%u buffers in one request are too many: ask for at most %u "
				       "at a time",
				       count, DMABUFD_BUFFERS_MAX);
	return 0;
}

/* What came with minor 2. */
static bool is_of_minor_2(const struct dmabufd_request *wire)
{
	return wire->flags & ~(DMABUFD_CONTIGUOUS | DMABUFD_CPU_READS_OFTEN) || wire->alignment ||
	       wire->address_bits || wire->preferred;
}

int request_open(struct dmabuf *conn, const struct dmabuf_request *request)
{
	int r = connection_open(conn);

	if (r >= 0 && conn->minor < 2 && is_of_minor_2(&request->wire))
		return connection_fail(conn, -EOPNOTSUPP,
				       "dmabufd is older than libdmabuf and knows neither "
				       "alignment, address bits and preferences nor this usage: "
				       "upgrade and restart it");
	return r;
}

static int open_to_allocate(struct dmabuf *conn, const struct dmabuf_request *request)
{
	int r = request_open(conn, request);

	if (r >= 0 && conn->minor < 1 && request->wait)
		return connection_fail(
			conn, -EOPNOTSUPP,
			"dmabufd is older than libdmabuf and cannot wait for memory: upgrade "
			"and restart it, or ask without waiting");
	return r;
}

static int ask(struct dmabuf *conn, const struct dmabuf_request *request, unsigned int count,
	       unsigned int wait, struct wire_frame *frame, int fds[static DMABUFD_BUFFERS_MAX],
	       unsigned int *n_fds)
{
	int r = open_to_allocate(conn, request);

	if (r < 0)
		return r;
	frame->request = request->wire;
	frame->request.count = count;
	if (wait != DMABUF_WAIT_FOREVER)
		frame->request.wait = wait * UINT64_C(1000);
	return connection_call(conn, DMABUFD_ALLOC, frame, request_get_size(conn), wait, fds,
			       n_fds);
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
static int ask_patiently(struct dmabuf *conn, const struct dmabuf_request *request,
			 unsigned int count, struct wire_frame *frame,
			 int fds[static DMABUFD_BUFFERS_MAX], unsigned int *n_fds)
{
	uint64_t started = get_milliseconds();
	int r = ask(conn, request, count, request->wait, frame, fds, n_fds);
	unsigned int rest = r == -ECONNRESET ? get_rest(request->wait, started) : 0;

	return rest ? ask(conn, request, count, rest, frame, fds, n_fds) : r;
}

static int check_granted(struct dmabuf *conn, const struct wire_frame *frame, size_t body,
			 unsigned int n_fds, const struct dmabuf_request *request,
			 unsigned int count)
{
	if (body != count * sizeof(frame->buffers[0]) || n_fds != count)
		return connection_fail_protocol(conn, "other than the buffers asked for");
	for (unsigned int i = 0; i < count; i++)
		if (!buffer_is_valid(&frame->buffers[i]) ||
		    frame->buffers[i].size < request->wire.size)
			return connection_fail_protocol(conn, "malformed buffer");
	return 0;
}

/* Takes all fds, even when it fails. */
static int make_buffers(struct dmabuf *conn, const struct wire_frame *frame, const int fds[],
			const struct dmabuf_request *request, struct dmabuf_buffer *buffers[],
			unsigned int count)
{
	unsigned int n;

	for (n = 0; n < count; n++) {
		buffers[n] = buffer_new(&frame->buffers[n], request->wire.flags, fds[n]);
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

DMABUF_PUBLIC int dmabuf_allocate(struct dmabuf *conn, const struct dmabuf_request *request,
				  struct dmabuf_buffer *ret[], unsigned int count)
{
	struct dmabuf_buffer *buffers[DMABUFD_BUFFERS_MAX];
	struct wire_frame frame;
	int fds[DMABUFD_BUFFERS_MAX];
	unsigned int n_fds = 0;
	int r;

	r = check_request(conn, request, count);
	if (r >= 0)
		r = ask_patiently(conn, request, count, &frame, fds, &n_fds);
	if (r < 0)
		return r;
	r = check_granted(conn, &frame, (size_t)r, n_fds, request, count);
	if (r < 0) {
		wire_close_fds(fds, n_fds);
		return r;
	}
	r = make_buffers(conn, &frame, fds, request, buffers, count);
	if (r < 0)
		return r;
	for (unsigned int i = 0; i < count; i++)
		ret[i] = buffers[i];
	return 0;
}
