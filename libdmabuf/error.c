/* SPDX-License-Identifier: MIT */
/*
 * The words for what went wrong, one line each, with what to do about it. Owns the text that
 * dmabuf_error() returns; touches neither sockets nor frames.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "private.h"

static_assert((int)DMABUF_REFUSED_QUOTA == DMABUFD_REFUSED_QUOTA, "refusals differ");
static_assert((int)DMABUF_REFUSED_FULL == DMABUFD_REFUSED_FULL, "refusals differ");
static_assert((int)DMABUF_REFUSED_UNSUITABLE == DMABUFD_REFUSED_UNSUITABLE, "refusals differ");
static_assert((int)DMABUF_REFUSED_ACCESS == DMABUFD_REFUSED_ACCESS, "refusals differ");
static_assert((int)DMABUF_REFUSED_DEVICE == DMABUFD_REFUSED_DEVICE, "refusals differ");
static_assert((int)DMABUF_REFUSED_INVALID == DMABUFD_REFUSED_INVALID, "refusals differ");
static_assert((int)DMABUF_REFUSED_MODULE == DMABUFD_REFUSED_MODULE, "refusals differ");
static_assert((int)DMABUF_REFUSED_OTHER == DMABUFD_REFUSED_OTHER, "refusals differ");

/* Why the last dmabuf_connect() of this thread failed: there is no connection to keep it in. */
static _Thread_local struct failure connect_failure;

/* An errno means one thing wherever it comes from. */
static enum dmabuf_refusal classify(int error)
{
	switch (error) {
	case -EDQUOT:
		return DMABUF_REFUSED_QUOTA;
	case -ENOSPC:
		return DMABUF_REFUSED_FULL;
	case -E2BIG:
	case -EOPNOTSUPP:
		return DMABUF_REFUSED_UNSUITABLE;
	case -EACCES:
		return DMABUF_REFUSED_ACCESS;
	case -ENODEV:
		return DMABUF_REFUSED_DEVICE;
	case -EINVAL:
		return DMABUF_REFUSED_INVALID;
	case -ENXIO:
		return DMABUF_REFUSED_MODULE;
	case -ENOENT:
	case -ENOTCONN:
	case -ECONNREFUSED:
	case -ECONNRESET:
	case -ETIMEDOUT:
	case -EPROTO:
	case -EPROTONOSUPPORT:
		return DMABUF_REFUSED_NO_DAEMON;
	default:
		return DMABUF_REFUSED_OTHER;
	}
}

int connection_fail(struct dmabuf *conn, int error, const char *format, ...)
{
	va_list arguments;

	conn->failure.code = error;
	conn->failure.refusal = classify(error);
	conn->failure.cause = (struct dmabufd_cause){0};
	va_start(arguments, format);
	vsnprintf(conn->failure.text, sizeof(conn->failure.text), format, arguments);
	va_end(arguments);
	return error;
}

int connection_fail_old(struct dmabuf *conn, const char *text)
{
	connection_fail(conn, -EOPNOTSUPP, "%s", text);
	conn->failure.refusal = DMABUF_REFUSED_OLD_DAEMON;
	return -EOPNOTSUPP;
}

int connection_fail_errno(struct dmabuf *conn, int error, const char *what)
{
	/* %m reads errno, and needs no buffer that another thread could overwrite. */
	errno = -error;
	return connection_fail(conn, error, "%s: %m", what);
}

static int fail_timeout(struct dmabuf *conn)
{
	return connection_fail(conn, -ETIMEDOUT,
			       "dmabufd did not answer within %llu ms: see systemctl status "
			       "dmabufd",
			       (unsigned long long)conn->timeout + conn->wait);
}

int connection_fail_transport(struct dmabuf *conn, int error)
{
	switch (error) {
	case -EPIPE:
	case -ECONNRESET:
		return connection_fail(conn, -ECONNRESET,
				       "dmabufd closed the connection, it stopped or was "
				       "restarted; nothing was allocated: try again, or see "
				       "journalctl -u dmabufd");
	case -EAGAIN:
	case -ETIMEDOUT:
		return fail_timeout(conn);
	default:
		return connection_fail_errno(conn, error, "Talking to dmabufd failed");
	}
}

int connection_fail_connect(struct dmabuf *conn, int error, const char *path)
{
	switch (error) {
	case -ENOENT:
		return connection_fail(conn, error,
				       "%s does not exist: is dmabufd installed? systemctl start "
				       "dmabufd.socket",
				       path);
	case -ECONNREFUSED:
		return connection_fail(conn, error,
				       "Nobody listens at %s: systemctl start dmabufd.socket, and "
				       "see journalctl -u dmabufd",
				       path);
	case -EACCES:
	case -EPERM:
		return connection_fail(conn, -EACCES,
				       "%s is closed to this user: compare its group (ls -l) with "
				       "yours (id)",
				       path);
	case -EPROTOTYPE:
		return connection_fail(conn, error,
				       "%s is the socket of another service: check $DMABUFD_SOCKET",
				       path);
	case -EAGAIN:
		return fail_timeout(conn);
	default:
		return connection_fail_errno(conn, error, path);
	}
}

void connect_failure_set(const struct failure *failure)
{
	connect_failure = *failure;
}

void connect_failure_set_out_of_memory(void)
{
	connect_failure = (struct failure){
		.code = -ENOMEM, .refusal = DMABUF_REFUSED_OTHER, .text = "Out of memory"};
}

DMABUF_PUBLIC const char *dmabuf_error(const struct dmabuf *conn)
{
	return conn ? conn->failure.text : connect_failure.text;
}

DMABUF_PUBLIC const struct dmabuf_error_info *dmabuf_get_error_info(const struct dmabuf *conn)
{
	/* Nothing of the connection changes that another call could see. */
	struct failure *failure = conn ? (struct failure *)&conn->failure : &connect_failure;
	const struct dmabufd_cause *cause = &failure->cause;

	failure->info = (struct dmabuf_error_info){
		.code = failure->code,
		.refusal = (enum dmabuf_refusal)failure->refusal,
		.text = failure->text,
		.pool = cause->pool,
		.device = cause->device,
		.wanted = cause->wanted,
		.available = cause->available,
		.largest_free = cause->largest_free,
		.limit = cause->limit,
		.of_buffers = !!(cause->flags & DMABUFD_CAUSE_OF_BUFFERS),
	};
	return &failure->info;
}
