/* SPDX-License-Identifier: MIT */
/*
 * Frames and descriptors in and out of one socket, see wire.h. Holds no state and keeps no
 * descriptor: what a broken frame brings along is closed before the error is returned.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "wire.h"

/* Aligned as struct cmsghdr must be, with room for the descriptors of one reply. */
union control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(DMABUFD_BUFFERS_MAX * sizeof(int))];
};

static void put_fds(struct msghdr *message, union control *control, const int fds[],
		    unsigned int n_fds)
{
	if (n_fds == 0)
		return;

	message->msg_control = control;
	message->msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
	control->header.cmsg_level = SOL_SOCKET;
	control->header.cmsg_type = SCM_RIGHTS;
	control->header.cmsg_len = CMSG_LEN(n_fds * sizeof(int));
	memcpy(CMSG_DATA(&control->header), fds, n_fds * sizeof(int));
}

/* The control buffer holds DMABUFD_BUFFERS_MAX descriptors: the kernel opens no more than that. */
static unsigned int take_fds(struct msghdr *message, int fds[static DMABUFD_BUFFERS_MAX])
{
	unsigned int n_fds = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		size_t size = c->cmsg_len - CMSG_LEN(0);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		memcpy(fds + n_fds, CMSG_DATA(c), size);
		n_fds += size / sizeof(int);
	}
	return n_fds;
}

static int receive(int fd, struct msghdr *message, int flags)
{
	ssize_t n;

	do
		n = recvmsg(fd, message, flags);
	while (n < 0 && errno == EINTR);

	return n < 0 ? -errno : (int)n;
}

/* The length must be the real one; MSG_TRUNC says that it was not received whole. */
static bool length_is_valid(const struct msghdr *message, const struct dmabufd_header *header,
			    int length)
{
	return !(message->msg_flags & MSG_TRUNC) && length >= (int)sizeof(*header) &&
	       header->length == (uint32_t)length;
}

static int check_fds(const struct msghdr *message, const struct dmabufd_header *header,
		     unsigned int n_fds)
{
	bool lost = message->msg_flags & MSG_CTRUNC;

	/* The kernel drops what it can find no number for; nothing else makes it deliver fewer. */
	if (lost && n_fds < header->n_fds && header->n_fds <= DMABUFD_BUFFERS_MAX)
		return -EXFULL;
	return lost || n_fds != header->n_fds ? -EPROTO : 0;
}

int wire_send(int fd, struct wire_frame *frame, size_t length, const int fds[], unsigned int n_fds)
{
	struct iovec part = {.iov_base = frame, .iov_len = length};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	union control control = {0};
	ssize_t n;

	if (length < sizeof(frame->header) || length > sizeof(*frame) ||
	    n_fds > DMABUFD_BUFFERS_MAX)
		return -EMSGSIZE;

	frame->header.length = (uint32_t)length;
	frame->header.n_fds = (uint16_t)n_fds;
	put_fds(&message, &control, fds, n_fds);
	do
		n = sendmsg(fd, &message, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);

	/* A sequenced packet goes whole or not at all. */
	return n < 0 ? -errno : 0;
}

int wire_receive(int fd, struct wire_frame *frame, int ret_fds[static DMABUFD_BUFFERS_MAX],
		 unsigned int *ret_n_fds)
{
	union control control;
	struct iovec part = {.iov_base = frame, .iov_len = sizeof(*frame)};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};
	int fds[DMABUFD_BUFFERS_MAX];
	unsigned int n_fds;
	int length, r = -EPROTO;

	length = receive(fd, &message, MSG_CMSG_CLOEXEC);
	if (length < 0)
		return length;

	n_fds = take_fds(&message, fds);
	if (length_is_valid(&message, &frame->header, length))
		r = check_fds(&message, &frame->header, n_fds);
	else if (length == 0 && n_fds == 0)
		return 0;
	if (r < 0) {
		wire_close_fds(fds, n_fds);
		return r;
	}

	memcpy(ret_fds, fds, n_fds * sizeof(int));
	*ret_n_fds = n_fds;
	return length;
}

int wire_receive_plain(int fd, struct wire_frame *frame)
{
	struct iovec part = {.iov_base = frame, .iov_len = sizeof(*frame)};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	int length;

	/* Without a control buffer the kernel drops descriptors unopened and sets MSG_CTRUNC. */
	length = receive(fd, &message, 0);
	if (length < 0)
		return length;
	if (message.msg_flags & MSG_CTRUNC)
		return -EPROTO;
	if (length == 0)
		return 0;
	return length_is_valid(&message, &frame->header, length) && frame->header.n_fds == 0
		       ? length
		       : -EPROTO;
}

int wire_fit(struct wire_frame *frame, size_t body)
{
	unsigned char *bytes = (unsigned char *)frame->body;
	size_t received = frame->header.length - sizeof(frame->header);

	for (size_t i = body; i < received; i++)
		if (bytes[i])
			return -EOPNOTSUPP;
	if (received < body)
		memset(bytes + received, 0, body - received);
	frame->header.length = (uint32_t)(sizeof(frame->header) + body);
	return 0;
}

void wire_close_fds(const int fds[], unsigned int n_fds)
{
	for (unsigned int i = 0; i < n_fds; i++)
		close(fds[i]);
}

bool wire_string_is_valid(const char *string, size_t size)
{
	const char *end = memchr(string, '\0', size);

	if (!end)
		return false;
	for (; end < string + size; end++)
		if (*end != '\0')
			return false;
	return true;
}

int wire_string_set(char *field, size_t size, const char *string)
{
	size_t length = string ? strlen(string) : 0;

	if (length >= size)
		return -ENAMETOOLONG;

	memset(field, 0, size);
	if (length > 0)
		memcpy(field, string, length);
	return 0;
}
