/* SPDX-License-Identifier: MIT */
/*
 * The daemon for tests, see fake-daemon.h. One frame at a time, honest unless told otherwise.
 */
#include "fake-daemon.h"

#include <err.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* In memory that both processes see: functions have the same address on both sides of fork(). */
struct fake_daemon {
	pid_t pid;
	_Atomic(fake_handler) hello;
	_Atomic(fake_handler) request;
	atomic_uint connections;
};

bool fake_reply_fds(int fd, struct wire_frame *request, size_t body, unsigned int n_fds)
{
	int fds[DMABUFD_BUFFERS_MAX] = {0};

	for (unsigned int i = 0; i < n_fds; i++) {
		fds[i] = memfd_create("fake", MFD_CLOEXEC);
		if (fds[i] < 0 || ftruncate(fds[i], 1 << 20) < 0)
			err(1, "memfd");
	}
	wire_send(fd, request, sizeof(request->header) + body, fds, n_fds);
	wire_close_fds(fds, n_fds);
	return true;
}

bool fake_reply(int fd, struct wire_frame *request, size_t body)
{
	return fake_reply_fds(fd, request, body, 0);
}

bool fake_reply_error(int fd, struct wire_frame *request, int status, const char *text)
{
	request->header.status = status;
	WIRE_STRING_SET(request->error.text, text);
	return fake_reply(fd, request, sizeof(request->error));
}

void fake_fill_buffers(struct dmabufd_buffer *buffers, unsigned int count, uint64_t size)
{
	for (unsigned int i = 0; i < count; i++) {
		buffers[i] = (struct dmabufd_buffer){
			.id = 100 + i,
			.size = (size + 4095) / 4096 * 4096,
			.base = 0x40000000,
			.end = 0x40000000 + (size + 4095) / 4096 * 4096,
			.kind = 2,
			.mapping = DMABUFD_MAPPING_WRITE_COMBINED,
			.flags = DMABUFD_BUFFER_CONTIGUOUS,
			.uid = 1000,
			.pid = 42,
			.pool = "camera",
			.name = "label",
			.devices = "platform:vivid.0",
		};
	}
}

static bool honest_hello(int fd, struct wire_frame *request)
{
	request->hello = (struct dmabufd_hello){DMABUFD_PROTOCOL_MAJOR, DMABUFD_PROTOCOL_MINOR};
	return fake_reply(fd, request, sizeof(request->hello));
}

/* A buffer for each request, as large as that wants it. */
static bool honest_batch(int fd, struct wire_frame *request)
{
	uint32_t n = request->batch.n_requests;
	struct wire_frame reply = {.header = request->header};

	for (uint32_t i = 0; i < n; i++)
		fake_fill_buffers(&reply.buffers[i], 1, request->batch.requests[i].size);
	return fake_reply_fds(fd, &reply, n * sizeof(reply.buffers[0]), n);
}

bool fake_honest(int fd, struct wire_frame *request)
{
	uint32_t count = request->request.count;

	switch (request->header.opcode) {
	case DMABUFD_HELLO:
		return honest_hello(fd, request);
	case DMABUFD_ALLOC:
		fake_fill_buffers(request->buffers, count, request->request.size);
		return fake_reply_fds(fd, request, count * sizeof(request->buffers[0]), count);
	case DMABUFD_CHECK:
		return fake_reply(fd, request, 0);
	case DMABUFD_BATCH:
		return honest_batch(fd, request);
	case DMABUFD_EXPLAIN:
		memset(request->body, 0, sizeof(request->body));
		request->explain.mapping = DMABUFD_MAPPING_CACHED;
		return fake_reply(fd, request, sizeof(request->explain));
	default:
		request->page = (struct dmabufd_page){0};
		return fake_reply(fd, request, sizeof(request->page));
	}
}

static bool handle(struct fake_daemon *daemon, int fd, struct wire_frame *request)
{
	fake_handler handler =
		request->header.opcode == DMABUFD_HELLO ? daemon->hello : daemon->request;

	return handler ? handler(fd, request) : fake_honest(fd, request);
}

#define CONNECTIONS_MAX 32

/* The listener is the first. */
struct server {
	struct fake_daemon *daemon;
	unsigned int n;
	struct pollfd fds[1 + CONNECTIONS_MAX];
};

static void take_connection(struct server *server)
{
	int fd = accept4(server->fds[0].fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0 || server->n > CONNECTIONS_MAX)
		_exit(1);
	server->daemon->connections++;
	server->fds[server->n++] = (struct pollfd){.fd = fd, .events = POLLIN};
}

/* Another takes the place of one that is closed. */
static void serve_connection(struct server *server, unsigned int i)
{
	struct wire_frame request;
	int fd = server->fds[i].fd;

	if (wire_receive_plain(fd, &request) > 0 && handle(server->daemon, fd, &request))
		return;
	close(fd);
	server->fds[i] = server->fds[--server->n];
}

static _Noreturn void serve(struct fake_daemon *daemon, int listener)
{
	struct server server = {.daemon = daemon, .n = 1, .fds = {{listener, POLLIN, 0}}};

	while (poll(server.fds, server.n, -1) >= 0) {
		for (unsigned int i = server.n - 1; i > 0; i--)
			if (server.fds[i].revents)
				serve_connection(&server, i);
		if (server.fds[0].revents)
			take_connection(&server);
	}
	_exit(1);
}

static void socket_path(char *path, size_t size)
{
	snprintf(path, size, "/tmp/fake-daemon-%d.sock", getpid());
}

void fake_daemon_remove_socket(void)
{
	char path[64];

	socket_path(path, sizeof(path));
	unlink(path);
}

static int start_listening(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	fake_daemon_remove_socket();
	socket_path(address.sun_path, sizeof(address.sun_path));
	setenv("DMABUFD_SOCKET", address.sun_path, 1);
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(listener, 8) < 0)
		err(1, "socket");
	return listener;
}

struct fake_daemon *fake_daemon_start(void)
{
	struct fake_daemon *daemon = mmap(NULL, sizeof(*daemon), PROT_READ | PROT_WRITE,
					  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int listener = start_listening();
	pid_t pid;

	if (daemon == MAP_FAILED)
		err(1, "mmap");
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (pid == 0) {
		/* A test that fails leaves none behind. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve(daemon, listener);
	}
	close(listener);
	daemon->pid = pid;
	return daemon;
}

struct fake_daemon *fake_daemon_stop(struct fake_daemon *daemon)
{
	if (daemon) {
		kill(daemon->pid, SIGKILL);
		waitpid(daemon->pid, NULL, 0);
		munmap(daemon, sizeof(*daemon));
	}
	return NULL;
}

void fake_daemon_on_hello(struct fake_daemon *daemon, fake_handler handler)
{
	daemon->hello = handler;
}

void fake_daemon_on_request(struct fake_daemon *daemon, fake_handler handler)
{
	daemon->request = handler;
}

unsigned int fake_daemon_connections(const struct fake_daemon *daemon)
{
	return daemon->connections;
}
