/* SPDX-License-Identifier: MIT */
/*
 * A socketpair whose one end goes through the wire, and whose other end sends what it likes.
 */
#ifndef WIRE_PAIR_H
#define WIRE_PAIR_H

#include <cmocka.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "count-fds.h"

/* More than any frame may have. */
#define FDS_MAX 32

struct wire_pair {
	int peer; /* sends what it likes */
	int self; /* receives through the wire */
	int n_open;
};

static inline int wire_pair_setup(void **state)
{
	static struct wire_pair pair;
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0)
		return -1;
	pair = (struct wire_pair){.peer = fds[0], .self = fds[1], .n_open = count_fds()};
	*state = &pair;
	return 0;
}

static inline int wire_pair_teardown(void **state)
{
	struct wire_pair *pair = *state;

	close(pair->peer);
	close(pair->self);
	return 0;
}

/* What an honest sender would never do: length and n_fds in the header are what the test says. */
static inline void send_raw(int fd, const void *data, size_t length, unsigned int n_fds)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
	} control = {0};
	struct iovec part = {.iov_base = (void *)data, .iov_len = length};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	int fds[FDS_MAX];

	assert_true(n_fds <= FDS_MAX);
	if (n_fds > 0) {
		for (unsigned int i = 0; i < n_fds; i++)
			fds[i] = STDERR_FILENO;
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(&control.header), fds, n_fds * sizeof(int));
	}
	assert_int_equal(sendmsg(fd, &message, MSG_NOSIGNAL), (ssize_t)length);
}

#define TEST(function)                                                                             \
	cmocka_unit_test_setup_teardown(function, wire_pair_setup, wire_pair_teardown)

#endif
