/* SPDX-License-Identifier: MIT */
/*
 * The library and a daemon that answers anything: what it hands to a program is sound, what is not
 * is an error with a text, and no descriptor stays open. Knows the library from within, to be its
 * daemon in the same process.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "target.h"

#include "../unit/count-fds.h"
#include "async.h"
#include "input.h"

#define SIZE 5000 /* of what is asked for */
#define FDS_MAX 20

enum call {
	ALLOCATE,
	EXPLAIN,
	POOLS,
	DEVICES,
	BUFFERS,
	CAN_ALLOCATE,
	BATCH,
	START,
	NOTIFY,
	N_CALLS
};

static const uint16_t opcodes[N_CALLS] = {
	[ALLOCATE] = DMABUFD_ALLOC,  [EXPLAIN] = DMABUFD_EXPLAIN, [POOLS] = DMABUFD_POOLS,
	[DEVICES] = DMABUFD_DEVICES, [BUFFERS] = DMABUFD_BUFFERS, [CAN_ALLOCATE] = DMABUFD_CHECK,
	[BATCH] = DMABUFD_BATCH,     [START] = DMABUFD_ALLOC,     [NOTIFY] = DMABUFD_NOTIFY,
};

/* Sound in as much as the input wants it: the header of the reply that the library waits for. */
static void set_header(struct wire_frame *frame, size_t body, unsigned int n_fds, enum call call,
		       uint32_t serial)
{
	frame->header.length = (uint32_t)(sizeof(frame->header) + body);
	frame->header.opcode = opcodes[call];
	frame->header.n_fds = (uint16_t)n_fds;
	frame->header.serial = serial;
}

static void send_reply(int fd, struct input *input, enum call call, uint32_t serial)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
	} control = {0};
	struct wire_frame frame = {0};
	struct iovec part = {.iov_base = &frame};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	uint8_t how = input_take_u8(input);
	unsigned int n_fds = how / 2 % (FDS_MAX + 1);
	size_t size = input_take_u16(input) % (sizeof(frame) - sizeof(frame.header) + 1);

	if (how % 2) {
		frame.header.status = input_take_u8(input) % 8 ? 0 : -EDQUOT;
		input_copy(input, frame.body, size);
		set_header(&frame, size, n_fds, call, serial);
		size += sizeof(frame.header);
	} else {
		input_copy(input, &frame, size);
	}
	part.iov_len = size;
	if (n_fds) {
		control.header =
			(struct cmsghdr){CMSG_LEN(n_fds * sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
	}
	for (unsigned int i = 0; i < n_fds; i++)
		((int *)CMSG_DATA(&control.header))[i] = STDIN_FILENO;
	sendmsg(fd, &message, MSG_NOSIGNAL);
}

static int see_pool(const struct dmabuf_pool_info *pool, void *userdata)
{
	assert(strlen(pool->name) < DMABUFD_NAME_SIZE);
	return 0;
}

static int see_device(const struct dmabuf_device_info *device, void *userdata)
{
	assert(strlen(device->node) < DMABUFD_NODE_SIZE);
	assert(strlen(device->device) < DMABUFD_NODE_SIZE);
	assert(!device->pool || strlen(device->pool) < DMABUFD_NAME_SIZE);
	return 0;
}

static int see_buffer(const struct dmabuf_buffer_info *buffer, void *userdata)
{
	assert(strlen(buffer->pool) < DMABUFD_NAME_SIZE);
	assert(strlen(buffer->name) < DMABUFD_NAME_SIZE);
	assert(strlen(buffer->devices) < DMABUFD_DEVICE_SIZE);
	return 0;
}

static int see_explanation(const struct dmabuf_explanation *explanation, void *userdata)
{
	assert(strlen(explanation->contiguous_why) < DMABUFD_WHY_SIZE);
	assert(strlen(explanation->address_why) < DMABUFD_WHY_SIZE);
	assert(strlen(explanation->mapping_why) < DMABUFD_WHY_SIZE);
	for (unsigned int i = 0; i < explanation->n_steps; i++) {
		assert(strlen(explanation->steps[i].pool) < DMABUFD_NAME_SIZE);
		assert(strlen(explanation->steps[i].why) < DMABUFD_WHY_SIZE);
	}
	return 0;
}

static void see_granted(struct dmabuf_buffer *buffers[], unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		assert(dmabuf_buffer_get_size(buffers[i]) >= SIZE);
		assert(strlen(dmabuf_buffer_get_pool(buffers[i])) < DMABUFD_NAME_SIZE);
		assert(dmabuf_buffer_get_fd(buffers[i]) >= 0);
		assert(dmabuf_buffer_get_relaxed(buffers[i]) <= DMABUFD_CONSTRAINTS);
		dmabuf_buffer_free(buffers[i]);
	}
}

static int allocate(struct dmabuf *conn, const struct dmabuf_request *request, unsigned int n)
{
	struct dmabuf_buffer *buffers[DMABUFD_BUFFERS_MAX];
	int r = dmabuf_allocate(conn, request, buffers, n);

	if (r >= 0)
		see_granted(buffers, n);
	return r;
}

static int allocate_batch(struct dmabuf *conn, const struct dmabuf_request *request, unsigned int n)
{
	const struct dmabuf_request *requests[DMABUFD_BUFFERS_MAX];
	struct dmabuf_buffer *buffers[DMABUFD_BUFFERS_MAX];
	int r;

	for (unsigned int i = 0; i < n; i++)
		requests[i] = request;
	r = dmabuf_allocate_batch(conn, requests, buffers, n);
	if (r >= 0)
		see_granted(buffers, n);
	return r;
}

static void see_end(int result, struct dmabuf_buffer *const buffers[], unsigned int n_buffers,
		    void *userdata)
{
	assert(result <= 0 && (result == 0 || dmabuf_error(userdata)[0]));
	for (unsigned int i = 0; i < n_buffers; i++) {
		assert(dmabuf_buffer_get_size(buffers[i]) >= SIZE);
		dmabuf_buffer_free(buffers[i]);
	}
}

static void see_event(const struct dmabuf_event *event, void *userdata)
{
	assert(strlen(event->pool) < DMABUFD_NAME_SIZE);
	assert(strlen(event->name) < DMABUFD_NAME_SIZE);
	assert(strlen(event->devices) < DMABUFD_DEVICE_SIZE);
	assert(strlen(event->text) < DMABUFD_TEXT_SIZE);
}

/* As if it had connected: the program's connection is where the replies are. */
static void lend(struct dmabuf *conn, struct link *link)
{
	struct epoll_event event = {.events = EPOLLIN};
	int r;

	link->conn.fd = dup(conn->fd);
	link->conn.minor = DMABUFD_PROTOCOL_MINOR;
	link->state = LINK_UP;
	r = epoll_ctl(conn->async->set, EPOLL_CTL_ADD, link->conn.fd, &event);
	assert(r >= 0);
	r = fcntl(link->conn.fd, F_SETFL, O_NONBLOCK);
	assert(r >= 0);
}

static int start(struct dmabuf *conn, const struct dmabuf_request *request, unsigned int n)
{
	int r = dmabuf_allocate_start(conn, request, n, see_end, conn, NULL);

	if (r < 0)
		return r;
	lend(conn, &conn->async->pending.link);
	for (unsigned int turns = 0; turns < 10; turns++)
		dmabuf_dispatch(conn);
	return 0;
}

static int notify(struct dmabuf *conn)
{
	int r = dmabuf_set_notify(conn, see_event, NULL);

	if (r < 0)
		return r;
	lend(conn, &conn->async->notify.link);
	for (unsigned int turns = 0; turns < 10; turns++)
		dmabuf_dispatch(conn);
	return 0;
}

static int make_call(struct dmabuf *conn, enum call call, unsigned int n)
{
	struct dmabuf_request *request = NULL;
	int r = dmabuf_request_new(&request);

	assert(r >= 0);
	dmabuf_request_set_size(request, SIZE);
	switch (call) {
	case ALLOCATE:
		r = allocate(conn, request, 1 + n % DMABUFD_BUFFERS_MAX);
		break;
	case EXPLAIN:
		r = dmabuf_explain(conn, request, see_explanation, NULL);
		break;
	case POOLS:
		r = dmabuf_list_pools(conn, see_pool, NULL);
		break;
	case DEVICES:
		r = dmabuf_list_devices(conn, see_device, NULL);
		break;
	case CAN_ALLOCATE:
		r = dmabuf_can_allocate(conn, request, 1 + n % DMABUFD_BUFFERS_MAX);
		break;
	case BATCH:
		r = allocate_batch(conn, request, 1 + n % DMABUFD_BUFFERS_MAX);
		break;
	case START:
		r = start(conn, request, 1 + n % DMABUFD_BUFFERS_MAX);
		break;
	case NOTIFY:
		r = notify(conn);
		break;
	case BUFFERS:
	case N_CALLS:
		r = dmabuf_list_buffers(conn, see_buffer, NULL);
		break;
	}
	dmabuf_request_free(request);
	return r;
}

static void check_error_info(const struct dmabuf_error_info *info, int r)
{
	assert(r >= 0 || info->code == r);
	assert(strlen(info->pool) < DMABUFD_NAME_SIZE);
	assert(strlen(info->device) < DMABUFD_NODE_SIZE);
	assert(info->refusal <= DMABUF_REFUSED_OLD_DAEMON);
}

/* One call, whose replies are there before it asks; then the daemon is gone. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input input = {bytes, size};
	uint8_t first = input_take_u8(&input);
	enum call call = first % N_CALLS;
	struct dmabuf *conn = calloc(1, sizeof(*conn));
	int before = count_fds(), ends[2], r;

	setenv("DMABUFD_SOCKET", "/nonexistent/dmabufd.sock", 1);
	r = socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends);
	assert(r >= 0 && conn);
	*conn = (struct dmabuf){
		.fd = ends[0], .set = -EBADF, .timeout = 1000, .minor = DMABUFD_PROTOCOL_MINOR};
	for (uint32_t serial = 1; input.size && serial < 8; serial++)
		send_reply(ends[1], &input, call, serial);
	shutdown(ends[1], SHUT_WR);
	r = make_call(conn, call, first / N_CALLS);
	assert(r >= 0 || dmabuf_error(conn)[0]);
	check_error_info(dmabuf_get_error_info(conn), r);
	close(ends[1]);
	dmabuf_disconnect(conn);
	assert(count_fds() == before);
	return 0;
}
