/* SPDX-License-Identifier: MIT */
/*
 * The words for what went wrong, one line each, with what to do about it. Owns the text that
 * dmabuf_error() returns; touches neither sockets nor frames.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "private.h"

/* Why the last dmabuf_connect() of this thread failed: there is no connection to keep it in. */
static _Thread_local char connect_error[DMABUFD_TEXT_SIZE];

int connection_fail(struct dmabuf *conn, int error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(conn->error, sizeof(conn->error), format, arguments);
	va_end(arguments);
	return error;
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

void connect_error_set(const char *text)
{
	snprintf(connect_error, sizeof(connect_error), "%s", text);
}

DMABUF_PUBLIC const char *dmabuf_error(const struct dmabuf *conn)
{
	return conn ? conn->error : connect_error;
}
