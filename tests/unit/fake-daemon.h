/* SPDX-License-Identifier: MIT */
/*
 * A daemon for tests of the library: a process that answers on a socket what the test tells it to.
 * Buffers are memfds.
 */
#ifndef FAKE_DAEMON_H
#define FAKE_DAEMON_H

#include <stdatomic.h>

#include "wire.h"

/*
 * Answer one request with fake_reply() or the like, or not at all. Called in the daemon's process:
 * must not assert, and sees nothing that the test wrote later. Returns false to hang up.
 */
typedef bool (*fake_handler)(int fd, struct wire_frame *request);

struct fake_daemon;

/* Listens at $DMABUFD_SOCKET, which it sets. Ends the test program when it cannot. */
struct fake_daemon *fake_daemon_start(void);
/* Kills it. */
struct fake_daemon *fake_daemon_stop(struct fake_daemon *daemon);
/* Remove the socket that the last daemon left. */
void fake_daemon_remove_socket(void);

/* From now on; each NULL for the honest answer. */
void fake_daemon_on_hello(struct fake_daemon *daemon, fake_handler handler);
void fake_daemon_on_request(struct fake_daemon *daemon, fake_handler handler);

/* Connections so far. */
unsigned int fake_daemon_connections(const struct fake_daemon *daemon);

/* The reply to request is its own frame with another body. */
bool fake_reply(int fd, struct wire_frame *request, size_t body);
bool fake_reply_fds(int fd, struct wire_frame *request, size_t body, unsigned int n_fds);
bool fake_reply_error(int fd, struct wire_frame *request, int status, const char *text);

/* Honest answers, which a lying handler starts from. */
void fake_fill_buffers(struct dmabufd_buffer *buffers, unsigned int count, uint64_t size);
bool fake_honest(int fd, struct wire_frame *request);

/*
 * A handler lie_NAME: an answer but for what the statement does to its frame. answer is a function of
 * fd, request and such a change.
 */
#define LIAR_OF(answer, name, statement)                                                           \
	static void change_##name(struct wire_frame *frame)                                        \
	{                                                                                          \
		statement;                                                                         \
	}                                                                                          \
	static bool lie_##name(int fd, struct wire_frame *request)                                 \
	{                                                                                          \
		return answer(fd, request, change_##name);                                         \
	}

#endif
