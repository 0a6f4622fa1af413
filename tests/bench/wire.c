/* SPDX-License-Identifier: MIT */
/*
 * The daemon without the library: requests as bare messages. What of an allocation's time is the
 * library's, what the daemon's loop, what the decision, what the kernel module.
 */
#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "bench.h"
#include "dmabufd-protocol.h"

struct frame {
	struct dmabufd_header header;
	union {
		struct dmabufd_hello hello;
		struct dmabufd_cursor cursor;
		struct dmabufd_request request;
		struct dmabufd_error error;
		char bytes[DMABUFD_FRAME_MAX - sizeof(struct dmabufd_header)];
	};
};

static void send_frame(int fd, struct frame *frame, enum dmabufd_opcode opcode, size_t body)
{
	frame->header = (struct dmabufd_header){
		.length = (uint32_t)(sizeof(frame->header) + body),
		.opcode = (uint16_t)opcode,
		.serial = 1,
	};
	if (send(fd, frame, frame->header.length, MSG_NOSIGNAL) < 0)
		err(1, "send");
}

/* The descriptor of the reply, or -1. */
static int receive_frame(int fd, struct frame *frame)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr header;
	} control;
	struct iovec part = {frame, sizeof(*frame)};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};
	int descriptor = -1;

	if (recvmsg(fd, &message, MSG_CMSG_CLOEXEC) <= 0)
		err(1, "no answer");
	if (frame->header.status != 0)
		errx(1, "%.*s", (int)sizeof(frame->error.text), frame->error.text);
	if (CMSG_FIRSTHDR(&message))
		memcpy(&descriptor, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(descriptor));
	return descriptor;
}

int wire_connect(void)
{
	struct frame frame = {
		.hello = {.major = DMABUFD_PROTOCOL_MAJOR, .minor = DMABUFD_PROTOCOL_MINOR}};
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = DMABUFD_SOCKET_PATH};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		err(1, "connect");
	send_frame(fd, &frame, DMABUFD_HELLO, sizeof(frame.hello));
	receive_frame(fd, &frame);
	return fd;
}

void wire_ask(int fd, uint64_t size)
{
	struct frame frame = {.request = {.size = size,
					  .count = 1,
					  .mapping = DMABUFD_MAPPING_CACHED,
					  .pool = "system"}};

	send_frame(fd, &frame, DMABUFD_ALLOC, sizeof(frame.request));
}

int wire_answer(int fd)
{
	struct frame frame;
	int descriptor = receive_frame(fd, &frame);

	if (descriptor < 0)
		errx(1, "an answer without descriptor");
	return descriptor;
}

/* The list of buffers behind the last: the daemon reads, looks, answers, and asks no kernel. */
static void ask_nothing(int fd, const struct bench_options *options)
{
	struct frame frame = {.cursor = {.after = UINT64_MAX}};
	uint64_t t = bench_now();

	send_frame(fd, &frame, DMABUFD_BUFFERS, sizeof(frame.cursor));
	receive_frame(fd, &frame);
	bench_sample("nothing asked", options->broker, 0, bench_now() - t);
	bench_settle(options);
}

static void ask_buffer(int fd, uint64_t size, const struct bench_options *options)
{
	uint64_t t = bench_now();
	int descriptor;

	wire_ask(fd, size);
	descriptor = wire_answer(fd);
	bench_sample("without library", options->broker, size, bench_now() - t);
	close(descriptor);
	bench_settle(options);
}

/* Words: sizes. */
void bench_wire(const struct bench_options *options)
{
	int fd = wire_connect();

	for (unsigned int i = 0; i < options->rounds; i++) {
		ask_nothing(fd, options);
		for (char **word = options->words; *word; word++)
			ask_buffer(fd, strtoul(*word, NULL, 0), options);
	}
}
