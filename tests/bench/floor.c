/* SPDX-License-Identifier: MIT */
/*
 * What nothing can be faster than: a system call, a message there and back with descriptors and
 * without, clearing memory. It must not know the daemon.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench.h"

#define SYSCALLS 256
/* About what a request for a buffer and its answer have. */
#define MESSAGE 256

struct message {
	char bytes[MESSAGE];
	char control[CMSG_SPACE(BENCH_DESCRIPTORS * sizeof(int))];
};

static void send_message(int fd, struct message *message, const int fds[], unsigned int n)
{
	struct iovec part = {message->bytes, sizeof(message->bytes)};
	struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};

	if (n > 0) {
		header.msg_control = message->control;
		header.msg_controllen = CMSG_SPACE(n * sizeof(int));
		*CMSG_FIRSTHDR(&header) = (struct cmsghdr){
			.cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS,
			.cmsg_len = CMSG_LEN(n * sizeof(int)),
		};
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&header)), fds, n * sizeof(int));
	}
	if (sendmsg(fd, &header, MSG_NOSIGNAL) < 0)
		err(1, "sendmsg");
}

/* How many descriptors came, in fds; -1 at the end. */
static int receive_message(int fd, struct message *message, int fds[])
{
	struct iovec part = {message->bytes, sizeof(message->bytes)};
	struct msghdr header = {.msg_iov = &part,
				.msg_iovlen = 1,
				.msg_control = message->control,
				.msg_controllen = sizeof(message->control)};
	size_t length;

	if (recvmsg(fd, &header, MSG_CMSG_CLOEXEC) <= 0)
		return -1;
	if (!CMSG_FIRSTHDR(&header))
		return 0;
	length = CMSG_FIRSTHDR(&header)->cmsg_len - CMSG_LEN(0);
	memcpy(fds, CMSG_DATA(CMSG_FIRSTHDR(&header)), length);
	return (int)(length / sizeof(int));
}

/* The other process: answers with as many descriptors as the message says. */
static void answer(int fd)
{
	struct message message;
	int fds[BENCH_DESCRIPTORS];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int i = 0; i < BENCH_DESCRIPTORS; i++)
		fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	while (receive_message(fd, &message, fds) >= 0)
		send_message(fd, &message, fds, (unsigned char)message.bytes[0]);
	_exit(0);
}

static int start_answering(void)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		err(1, "socketpair");
	if (fork() == 0) {
		close(ends[0]);
		answer(ends[1]);
	}
	close(ends[1]);
	return ends[0];
}

static void round_trip(int fd, unsigned char descriptors)
{
	struct message message = {.bytes = {(char)descriptors}};
	int fds[BENCH_DESCRIPTORS];
	uint64_t t = bench_now();

	send_message(fd, &message, NULL, 0);
	if (receive_message(fd, &message, fds) != descriptors)
		errx(1, "not as many descriptors as were asked for");
	bench_sample("round trip", "socket", descriptors, bench_now() - t);
	for (unsigned int i = 0; i < descriptors; i++)
		close(fds[i]);
}

static void system_calls(void)
{
	uint64_t t = bench_now();

	for (unsigned int i = 0; i < SYSCALLS; i++)
		syscall(SYS_getppid);
	bench_sample("system call", "kernel", 0, (bench_now() - t) / SYSCALLS);
}

static void clear(void *memory, size_t size)
{
	uint64_t t = bench_now();

	memset(memory, 0, size);
	bench_sample("memset", "process", size, bench_now() - t);
}

/* Words: sizes to clear, ascending. */
void bench_floor(const struct bench_options *options)
{
	static const unsigned char descriptors[] = {0, 1, 8};
	int fd = start_answering();
	size_t most = 0;
	void *memory;

	for (char **word = options->words; *word; word++)
		most = strtoul(*word, NULL, 0);
	memory = mmap(NULL, most, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (most && memory == MAP_FAILED)
		err(1, "mmap");
	for (unsigned int i = 0; i < options->rounds; i++) {
		for (size_t k = 0; k < sizeof(descriptors); k++) {
			round_trip(fd, descriptors[k]);
			bench_settle(options);
		}
		system_calls();
		for (char **word = options->words; *word; word++)
			clear(memory, strtoul(*word, NULL, 0));
	}
}
