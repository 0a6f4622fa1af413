/* SPDX-License-Identifier: MIT */
/*
 * Sends frames of which each breaks a rule of docs/protocol.md, one on each connection, and expects
 * what the page says: -EPROTO, no descriptor, the end of the connection. Knows the protocol, and the
 * daemon by its socket only. usage: malformed COUNT SEED DEVICE, the last as a request has it
 */
#include <err.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "dmabufd-protocol.h"

#define SENT_MAX 8192
#define FDS_MAX 253 /* that the kernel takes with one message */

/* What is sent. */
struct message {
	size_t size;
	unsigned int n_fds;
	union {
		struct {
			struct dmabufd_header header;
			union {
				struct dmabufd_hello hello;
				struct dmabufd_request request;
				struct dmabufd_cursor cursor;
			};
		};
		unsigned char bytes[SENT_MAX];
	};
};

static uint64_t seed, device;

/* 0 to n - 1; xorshift64, so that a seed gives the same frames everywhere. */
static uint32_t draw(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 32) % n;
}

static void set_size(struct message *m, size_t size)
{
	m->size = size;
	m->header.length = (uint32_t)size;
}

/* A request that would be served, of any opcode behind HELLO. */
static void make_sound(struct message *m)
{
	memset(m, 0, sizeof(m->header) + sizeof(m->request) + offsetof(struct message, header));
	m->header.opcode = (uint16_t)(DMABUFD_ALLOC + draw(DMABUFD_BUFFERS - DMABUFD_ALLOC + 1));
	m->header.serial = 7;
	if (m->header.opcode != DMABUFD_ALLOC && m->header.opcode != DMABUFD_EXPLAIN) {
		set_size(m, sizeof(m->header) + sizeof(m->cursor));
		return;
	}
	set_size(m, sizeof(m->header) + sizeof(m->request));
	m->request.size = 4096;
	m->request.count = 1;
	m->request.n_devices = 1;
	m->request.devices[0] = device;
}

static void fill_at_random(struct message *m, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		m->bytes[i] = (unsigned char)draw(256);
}

static void truncate_it(struct message *m)
{
	m->size = 1 + draw((uint32_t)m->size - 1);
}

static void empty_it(struct message *m)
{
	m->size = 0;
}

static void lengthen(struct message *m)
{
	size_t size = m->size + 1 + draw(SENT_MAX - (uint32_t)m->size);

	fill_at_random(m, m->size, size);
	m->size = size;
}

/* Of a size that frames may have, and another length in it. */
static void make_noise(struct message *m)
{
	m->size = 1 + draw(DMABUFD_FRAME_MAX);
	fill_at_random(m, 0, m->size);
	m->header.length = (uint32_t)m->size + 1 + draw(4096);
}

static void change_length(struct message *m)
{
	m->header.length += 1 + draw(UINT32_MAX - 1);
}

static void change_opcode(struct message *m)
{
	m->header.opcode = (uint16_t)(draw(8) ? 256 + draw(65280) : 0);
}

static void claim_fds(struct message *m)
{
	m->header.n_fds = (uint16_t)(1 + draw(65535));
}

static void attach_fds(struct message *m)
{
	m->n_fds = 1 + draw(FDS_MAX);
	m->header.n_fds = (uint16_t)(draw(2) ? m->n_fds : 0);
}

static void set_status(struct message *m)
{
	m->header.status = (int32_t)(1 + draw(UINT32_MAX));
}

static void greet_again(struct message *m)
{
	m->header.opcode = DMABUFD_HELLO;
	m->hello.major = DMABUFD_PROTOCOL_MAJOR;
	set_size(m, sizeof(m->header) + sizeof(m->hello));
}

/* What is wrong with a request for memory itself. */
static void break_request(struct message *m)
{
	do
		make_sound(m);
	while (m->header.opcode > DMABUFD_EXPLAIN);
	switch (draw(6)) {
	case 0:
		m->request.flags = (DMABUFD_FLAGS + 1) << draw(21);
		return;
	case 1:
		m->request.mapping = 3 + draw(UINT32_MAX - 3);
		return;
	case 2:
		m->request.count = draw(2) ? 0 : DMABUFD_BUFFERS_MAX + 1 + draw(INT32_MAX);
		return;
	case 3:
		m->request.n_devices = draw(2) ? 0 : DMABUFD_DEVICES_MAX + 1 + draw(INT32_MAX);
		return;
	case 4:
		memset(m->request.pool, 'p', sizeof(m->request.pool));
		return;
	default:
		m->request.name[1 + draw(sizeof(m->request.name) - 1)] = 'n';
		return;
	}
}

static void make_malformed(struct message *m)
{
	static void (*const ways[])(struct message * m) = {
		truncate_it, empty_it,   lengthen,   make_noise,  change_length, change_opcode,
		claim_fds,   attach_fds, set_status, greet_again, break_request,
	};

	make_sound(m);
	ways[draw(sizeof(ways) / sizeof(ways[0]))](m);
}

static ssize_t send_message(int fd, struct message *m)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
	} control = {.header = {CMSG_LEN(m->n_fds * sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
	struct iovec part = {.iov_base = m->bytes, .iov_len = m->size};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	if (m->n_fds) {
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(m->n_fds * sizeof(int));
	}
	for (unsigned int i = 0; i < m->n_fds; i++)
		((int *)CMSG_DATA(&control.header))[i] = STDIN_FILENO;
	return sendmsg(fd, &message, MSG_NOSIGNAL);
}

/* The status of the reply; 1: the connection is over. Descriptors are none of it. */
static int receive(int fd)
{
	unsigned char bytes[DMABUFD_FRAME_MAX];
	struct iovec part = {.iov_base = bytes, .iov_len = sizeof(bytes)};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	struct dmabufd_header header;
	ssize_t n = recvmsg(fd, &message, 0);

	if (n == 0 || (n < 0 && errno == ECONNRESET))
		return 1;
	if (n < (ssize_t)sizeof(header))
		err(EXIT_FAILURE, "no reply");
	memcpy(&header, bytes, sizeof(header));
	if (message.msg_flags & MSG_CTRUNC || header.n_fds)
		errx(EXIT_FAILURE, "a descriptor came");
	return header.status;
}

static int connect_and_greet(void)
{
	const struct sockaddr_un address = {AF_UNIX, "/run/dmabufd/dmabufd.sock"};
	struct message hello = {.header = {.opcode = DMABUFD_HELLO, .serial = 1}};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		err(EXIT_FAILURE, "cannot connect");
	hello.hello.major = DMABUFD_PROTOCOL_MAJOR;
	set_size(&hello, sizeof(hello.header) + sizeof(hello.hello));
	if (send_message(fd, &hello) < 0 || receive(fd) != 0)
		errx(EXIT_FAILURE, "no HELLO");
	return fd;
}

static void fail(const struct message *m, const char *what, int status)
{
	fprintf(stderr, "%s: %d, to %zu bytes with %u descriptors:", what, status, m->size,
		m->n_fds);
	for (size_t i = 0; i < m->size; i++)
		fprintf(stderr, " %02x", m->bytes[i]);
	errx(EXIT_FAILURE, "\n");
}

/* Nothing, as from one who is gone, is no frame and gets no answer. */
static void break_once(struct message *m)
{
	int status, fd = connect_and_greet();

	make_malformed(m);
	/* Where the kernel can refuse descriptors for the daemon, it does. */
	if (send_message(fd, m) >= 0) {
		status = receive(fd);
		if (status != -EPROTO && !(status == 1 && m->size == 0))
			fail(m, "status", status);
		status = status == 1 ? 1 : receive(fd);
		if (status != 1)
			fail(m, "goes on", status);
	} else if (errno != EPERM || !m->n_fds) {
		err(EXIT_FAILURE, "cannot send");
	}
	close(fd);
}

int main(int argc, char *argv[])
{
	static struct message message;

	if (argc != 4)
		errx(EXIT_FAILURE, "usage: malformed COUNT SEED DEVICE");
	seed = strtoull(argv[2], NULL, 0);
	device = strtoull(argv[3], NULL, 0);
	for (unsigned long n = strtoul(argv[1], NULL, 0); n; n--)
		break_once(&message);
	return EXIT_SUCCESS;
}
