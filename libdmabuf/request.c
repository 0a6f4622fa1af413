/* SPDX-License-Identifier: MIT */
/*
 * What is wanted: building a request, and allocating with it. A request is the wire's structure
 * from the start, so what cannot be said on the wire is refused when it is set.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>

#include "private.h"

static_assert((int)DMABUF_USAGE_CONTIGUOUS == DMABUFD_CONTIGUOUS, "flags differ");
static_assert((int)DMABUF_USAGE_CPU_READS_OFTEN == DMABUFD_CPU_READS_OFTEN, "flags differ");
static_assert((int)DMABUF_MAPPING_ANY == DMABUFD_MAPPING_ANY, "mappings differ");
static_assert((int)DMABUF_MAPPING_CACHED == DMABUFD_MAPPING_CACHED, "mappings differ");
static_assert((int)DMABUF_MAPPING_WRITE_COMBINED == DMABUFD_MAPPING_WRITE_COMBINED,
	      "mappings differ");

DMABUF_PUBLIC int dmabuf_request_new(struct dmabuf_request **ret)
{
	struct dmabuf_request *request = calloc(1, sizeof(*request));

	if (!request)
		return -ENOMEM;
	request->wire.count = 1;
	*ret = request;
	return 0;
}

DMABUF_PUBLIC struct dmabuf_request *dmabuf_request_free(struct dmabuf_request *request)
{
	free(request);
	return NULL;
}

DMABUF_PUBLIC int dmabuf_request_set_size(struct dmabuf_request *request, uint64_t size)
{
	if (size == 0)
		return -EINVAL;
	request->wire.size = size;
	return 0;
}

DMABUF_PUBLIC int dmabuf_request_add_device(struct dmabuf_request *request, const char *path)
{
	struct stat st;

	if (request->wire.n_devices == DMABUFD_DEVICES_MAX)
		return -E2BIG;
	if (stat(path, &st) < 0)
		return -errno;
	if (!S_ISCHR(st.st_mode))
		return -ENODEV;
	request->wire.devices[request->wire.n_devices++] =
		(uint64_t)major(st.st_rdev) << 32 | minor(st.st_rdev);
	return 0;
}

DMABUF_PUBLIC int dmabuf_request_set_usage(struct dmabuf_request *request, unsigned int usage)
{
	if (usage & ~(DMABUFD_CONTIGUOUS | DMABUFD_CPU_READS_OFTEN))
		return -EINVAL;
	request->wire.flags = usage;
	return 0;
}

DMABUF_PUBLIC int dmabuf_request_set_mapping(struct dmabuf_request *request,
					     enum dmabuf_mapping mapping)
{
	if ((unsigned int)mapping > DMABUF_MAPPING_WRITE_COMBINED)
		return -EINVAL;
	request->wire.mapping = mapping;
	return 0;
}

DMABUF_PUBLIC int dmabuf_request_set_pool(struct dmabuf_request *request, const char *pool)
{
	return WIRE_STRING_SET(request->wire.pool, pool);
}

DMABUF_PUBLIC int dmabuf_request_set_name(struct dmabuf_request *request, const char *name)
{
	return WIRE_STRING_SET(request->wire.name, name);
}

DMABUF_PUBLIC void dmabuf_request_set_wait(struct dmabuf_request *request,
					   unsigned int milliseconds)
{
	request->wait = milliseconds;
	request->wire.wait = milliseconds == DMABUF_WAIT_FOREVER ? DMABUFD_WAIT_FOREVER
								 : milliseconds * UINT64_C(1000);
}

size_t request_get_size(const struct dmabuf *conn)
{
	return conn->minor >= 1 ? sizeof(struct dmabufd_request) : DMABUFD_REQUEST_SIZE_0;
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

/* Connected to a daemon that can do what the request asks for. */
static int open_for(struct dmabuf *conn, const struct dmabuf_request *request)
{
	int r = connection_open(conn);

	if (r < 0 || !request->wait || conn->minor >= 1)
		return r;
	return connection_fail(
		conn, -EOPNOTSUPP,
		"dmabufd is older than libdmabuf and cannot wait for memory: upgrade "
		"and restart it, or ask without waiting");
}

static int ask(struct dmabuf *conn, const struct dmabuf_request *request, unsigned int count,
	       unsigned int wait, struct wire_frame *frame, int fds[static DMABUFD_BUFFERS_MAX],
	       unsigned int *n_fds)
{
	int r = open_for(conn, request);

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
			struct dmabuf_buffer *buffers[], unsigned int count)
{
	unsigned int n;

	for (n = 0; n < count; n++) {
		buffers[n] = buffer_new(&frame->buffers[n], fds[n]);
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
	r = make_buffers(conn, &frame, fds, buffers, count);
	if (r < 0)
		return r;
	for (unsigned int i = 0; i < count; i++)
		ret[i] = buffers[i];
	return 0;
}
