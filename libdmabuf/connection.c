/* SPDX-License-Identifier: MIT */
/*
 * The connection to the daemon: connect and HELLO, one call at a time within its timeout, when to
 * drop the connection and connect anew. Knows no request's meaning.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>

#include "cleanup.h"
#include "private.h"

#define TIMEOUT_DEFAULT 30000u

void connection_drop(struct dmabuf *conn)
{
	/* To close is not enough: a child that was forked has the descriptor too. */
	if (conn->fd >= 0 && conn->set >= 0)
		epoll_ctl(conn->set, EPOLL_CTL_DEL, conn->fd, NULL);
	closep(&conn->fd);
	conn->fd = -EBADF;
	conn->serial = 0;
	conn->watches = false;
}

int connection_fail_protocol(struct dmabuf *conn, const char *what)
{
	connection_drop(conn);
	return connection_fail(conn, -EPROTO,
			       "dmabufd broke the protocol (%s): are libdmabuf and dmabufd of one "
			       "version?",
			       what);
}

int64_t clock_milliseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Bounds connect() and sendmsg(), which then fail with EAGAIN; recvmsg() is bounded by poll(). */
static int set_send_timeout(int fd, unsigned int milliseconds)
{
	struct timeval t = {.tv_sec = milliseconds / 1000,
			    .tv_usec = (suseconds_t)(milliseconds % 1000) * 1000};

	return setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t)) < 0 ? -errno : 0;
}

/* deadline 0: without limit. */
static int wait_readable(int fd, int64_t deadline)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	for (;;) {
		int64_t rest = deadline ? deadline - clock_milliseconds() : -1;
		int n;

		if (deadline && rest < 0)
			rest = 0;
		n = poll(&p, 1, rest > INT32_MAX ? INT32_MAX : (int)rest);
		if (n > 0)
			return 0;
		if (n == 0)
			return -ETIMEDOUT;
		if (errno != EINTR)
			return -errno;
	}
}

static int receive_reply(int fd, struct wire_frame *frame, int fds[], unsigned int *n_fds)
{
	int r = wire_receive(fd, frame, fds, n_fds);

	/*
	 * A peer that closes without having read all marks the socket broken ahead of the reply
	 * that it queued, which tells why it closed. The mark is gone once reported.
	 */
	if (r == -ECONNRESET)
		r = wire_receive(fd, frame, fds, n_fds);
	return r == 0 ? -ECONNRESET : r;
}

/* 0: without limit. */
static int64_t get_deadline(const struct dmabuf *conn)
{
	if (!conn->timeout || conn->wait == DMABUF_WAIT_FOREVER)
		return 0;
	return clock_milliseconds() + conn->timeout + conn->wait;
}

/* With its cause, or from an older daemon, or about the connection, without. */
static bool error_is_valid(const struct wire_frame *frame, size_t body)
{
	const struct dmabufd_cause *cause = &frame->cause;

	if (body < sizeof(frame->error) || !WIRE_STRING_IS_VALID(frame->error.text))
		return false;
	if (body == sizeof(frame->error))
		return true;
	return body == sizeof(frame->error) + sizeof(*cause) && cause->refusal < DMABUFD_REFUSALS &&
	       !(cause->flags & ~DMABUFD_CAUSE_OF_BUFFERS) && WIRE_STRING_IS_VALID(cause->pool) &&
	       WIRE_STRING_IS_VALID(cause->device);
}

/* The daemon refused: pass its words on. */
static int fail_status(struct dmabuf *conn, const struct wire_frame *frame, size_t body,
		       unsigned int n_fds)
{
	int status = frame->header.status;

	if (!error_is_valid(frame, body) || n_fds > 0 || status < -4095 || status > 0)
		return connection_fail_protocol(conn, "malformed error");
	/* The daemon closes the connection after such an answer. */
	if (status == -EPROTO || frame->header.serial == 0)
		connection_drop(conn);
	if (frame->error.text[0] == '\0')
		connection_fail_errno(conn, status, "dmabufd refused");
	else
		connection_fail(conn, status, "%s", frame->error.text);
	if (body > sizeof(frame->error)) {
		conn->failure.refusal = frame->cause.refusal;
		conn->failure.cause = frame->cause;
	}
	return status;
}

/*
 * An error that belongs to the connection, not to a request, has serial 0, and so has the answer to
 * a frame whose header could not be read.
 */
static bool is_reply(const struct wire_frame *frame, enum dmabufd_opcode opcode, uint32_t serial)
{
	if (frame->header.status != 0 && frame->header.serial == 0)
		return true;
	return frame->header.opcode == opcode && frame->header.serial == serial;
}

/* What was received is no frame. Nobody knows what the daemon saw last: the next call starts anew. */
static int fail_receive(struct dmabuf *conn, int error)
{
	if (error == -EPROTO)
		return connection_fail_protocol(conn, "length or descriptors of a frame");
	if (error == -EXFULL)
		return connection_fail(conn, -EMFILE,
				       "This process has no file descriptor free: see ulimit -n");
	connection_drop(conn);
	return connection_fail_transport(conn, error);
}

int connection_send(struct dmabuf *conn, enum dmabufd_opcode opcode, struct wire_frame *frame,
		    size_t body)
{
	int r;

	conn->serial = conn->serial == UINT32_MAX ? 1 : conn->serial + 1;
	frame->header = (struct dmabufd_header){.opcode = (uint16_t)opcode, .serial = conn->serial};
	r = wire_send(conn->fd, frame, sizeof(frame->header) + body, NULL, 0);
	/* Gone, but perhaps not without a word. */
	if (r >= 0 || r == -EPIPE || r == -ECONNRESET)
		return 0;
	return fail_receive(conn, r);
}

int connection_take(struct dmabuf *conn, enum dmabufd_opcode opcode, struct wire_frame *frame,
		    int fds[static DMABUFD_BUFFERS_MAX], unsigned int *n_fds)
{
	uint32_t serial = conn->serial;
	size_t body;
	int r = receive_reply(conn->fd, frame, fds, n_fds);

	if (r == -EAGAIN)
		return CONNECTION_NOT_YET;
	if (r < 0)
		return fail_receive(conn, r);
	body = (size_t)r - sizeof(frame->header);
	if (is_reply(frame, opcode, serial) && frame->header.status == 0)
		return (int)body;
	r = is_reply(frame, opcode, serial) ? fail_status(conn, frame, body, *n_fds)
					    : connection_fail_protocol(conn, "not the reply");
	wire_close_fds(fds, *n_fds);
	return r;
}

/* One attempt on the connection as it is. */
static int call(struct dmabuf *conn, enum dmabufd_opcode opcode, struct wire_frame *frame,
		size_t body, int fds[], unsigned int *n_fds)
{
	int64_t deadline = get_deadline(conn);
	int r = connection_send(conn, opcode, frame, body);

	if (r < 0)
		return r;
	r = wait_readable(conn->fd, deadline);
	if (r < 0)
		return fail_receive(conn, r);
	return connection_take(conn, opcode, frame, fds, n_fds);
}

static int enter_set(struct dmabuf *conn)
{
	struct epoll_event event = {.events = EPOLLIN};

	return conn->set >= 0 && epoll_ctl(conn->set, EPOLL_CTL_ADD, conn->fd, &event) < 0 ? -errno
											   : 0;
}

/* Who polls a set never waits elsewhere. */
static int open_socket(struct dmabuf *conn, const char *path)
{
	_cleanup_close_ int fd = -EBADF;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int r;

	if (wire_string_set(address.sun_path, sizeof(address.sun_path), path) < 0)
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | (conn->set >= 0 ? SOCK_NONBLOCK : 0),
		    0);
	if (fd < 0)
		return -errno;
	r = set_send_timeout(fd, conn->timeout);
	if (r < 0)
		return r;
	do
		r = connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
	while (r == -EINTR);
	if (r < 0)
		return r;
	conn->fd = TAKE_FD(fd);
	r = enter_set(conn);
	if (r < 0)
		connection_drop(conn);
	return r;
}

static const struct dmabufd_hello hello = {
	.major = DMABUFD_PROTOCOL_MAJOR,
	.minor = DMABUFD_PROTOCOL_MINOR,
};

static int check_hello(struct dmabuf *conn, const struct wire_frame *frame, size_t body,
		       unsigned int n_fds)
{
	if (body != sizeof(frame->hello) || n_fds > 0)
		return connection_fail_protocol(conn, "malformed hello");
	if (frame->hello.major != DMABUFD_PROTOCOL_MAJOR)
		return connection_fail(conn, -EPROTONOSUPPORT,
				       "dmabufd speaks protocol %u, this libdmabuf speaks %u: "
				       "install both from one version and restart dmabufd",
				       frame->hello.major, DMABUFD_PROTOCOL_MAJOR);
	conn->minor = frame->hello.minor;
	return 0;
}

static int say_hello(struct dmabuf *conn)
{
	struct wire_frame frame = {.hello = hello};
	int fds[DMABUFD_BUFFERS_MAX];
	unsigned int n_fds = 0;
	int r = call(conn, DMABUFD_HELLO, &frame, sizeof(frame.hello), fds, &n_fds);

	if (r < 0)
		return r;
	wire_close_fds(fds, n_fds);
	return check_hello(conn, &frame, (size_t)r, n_fds);
}

static int connect_socket(struct dmabuf *conn)
{
	/* A set-user-ID program must not be led to another daemon by its caller. */
	const char *path = secure_getenv("DMABUFD_SOCKET");
	int r;

	if (!path || !*path)
		path = DMABUFD_SOCKET_PATH;
	r = open_socket(conn, path);
	return r < 0 ? connection_fail_connect(conn, r, path) : 0;
}

static int connect_to_daemon(struct dmabuf *conn)
{
	int r = connect_socket(conn);

	if (r < 0)
		return r;
	r = say_hello(conn);
	if (r < 0)
		connection_drop(conn);
	return r;
}

int connection_start(struct dmabuf *conn)
{
	struct wire_frame frame = {.hello = hello};
	int r = connect_socket(conn);

	return r < 0 ? r : connection_send(conn, DMABUFD_HELLO, &frame, sizeof(frame.hello));
}

int connection_finish(struct dmabuf *conn)
{
	struct wire_frame frame;
	int fds[DMABUFD_BUFFERS_MAX];
	unsigned int n_fds = 0;
	int r = connection_take(conn, DMABUFD_HELLO, &frame, fds, &n_fds);

	if (r >= 0) {
		wire_close_fds(fds, n_fds);
		r = check_hello(conn, &frame, (size_t)r, n_fds);
	}
	if (r < 0 && r != CONNECTION_NOT_YET)
		connection_drop(conn);
	return r;
}

int connection_open(struct dmabuf *conn)
{
	int r;

	conn->wait = 0;
	if (conn->watches)
		return connection_fail(conn, -EBUSY, "The connection watches: open another");
	if (conn->fd >= 0)
		return 0;
	r = connect_to_daemon(conn);
	/* -ENOENT would be a missing device or pool to who asked for one. */
	return r == -ENOENT ? -ENOTCONN : r;
}

int connection_call(struct dmabuf *conn, enum dmabufd_opcode opcode, struct wire_frame *frame,
		    size_t body, unsigned int wait, int ret_fds[static DMABUFD_BUFFERS_MAX],
		    unsigned int *ret_n_fds)
{
	unsigned int n_fds = 0;
	int r = connection_open(conn);

	if (r < 0)
		return r;
	conn->wait = wait;
	if (conn->minor < (opcode > DMABUFD_REASONS ? 2 : opcode > DMABUFD_BUFFERS ? 1 : 0))
		return connection_fail_old(conn,
					   "dmabufd is too old for this: restart it, or install "
					   "the one that belongs to this libdmabuf");
	r = call(conn, opcode, frame, body, ret_fds, &n_fds);
	if (r >= 0)
		*ret_n_fds = n_fds;
	return r;
}

int connection_call_plain(struct dmabuf *conn, enum dmabufd_opcode opcode, struct wire_frame *frame,
			  size_t body)
{
	int fds[DMABUFD_BUFFERS_MAX];
	unsigned int n_fds = 0;
	int r = connection_call(conn, opcode, frame, body, 0, fds, &n_fds);

	if (r < 0 || n_fds == 0)
		return r;
	wire_close_fds(fds, n_fds);
	return connection_fail_protocol(conn, "descriptors nobody asked for");
}

int connection_receive(struct dmabuf *conn, enum dmabufd_opcode opcode, struct wire_frame *frame)
{
	/* The clock never stands at 1 again: this asks, and does not wait. */
	int r = wait_readable(conn->fd, 1);

	if (r == -ETIMEDOUT)
		return -EAGAIN;
	if (r >= 0)
		r = wire_receive_plain(conn->fd, frame);
	if (r == -EPROTO)
		return connection_fail_protocol(conn, "length or descriptors of a frame");
	if (r <= 0) {
		connection_drop(conn);
		return connection_fail_transport(conn, r ? r : -ECONNRESET);
	}
	if (frame->header.status != 0)
		return fail_status(conn, frame, (size_t)r - sizeof(frame->header), 0);
	if (frame->header.opcode != opcode || frame->header.serial != conn->serial)
		return connection_fail_protocol(conn, "not an event");
	return r - (int)sizeof(frame->header);
}

DMABUF_PUBLIC int dmabuf_connect(struct dmabuf **ret)
{
	struct dmabuf *conn = calloc(1, sizeof(*conn));
	int r;

	if (!conn) {
		connect_failure_set_out_of_memory();
		return -ENOMEM;
	}
	conn->fd = -EBADF;
	conn->set = -EBADF;
	conn->timeout = TIMEOUT_DEFAULT;
	r = connect_to_daemon(conn);
	if (r < 0) {
		connect_failure_set(&conn->failure);
		dmabuf_disconnect(conn);
		return r;
	}
	*ret = conn;
	return 0;
}

DMABUF_PUBLIC struct dmabuf *dmabuf_disconnect(struct dmabuf *conn)
{
	if (conn) {
		async_free(conn->async);
		connection_drop(conn);
		free(conn);
	}
	return NULL;
}

DMABUF_PUBLIC void dmabuf_set_timeout(struct dmabuf *conn, unsigned int milliseconds)
{
	conn->timeout = milliseconds;
	if (conn->fd >= 0)
		set_send_timeout(conn->fd, milliseconds);
}
