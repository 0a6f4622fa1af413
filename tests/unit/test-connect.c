/* SPDX-License-Identifier: MIT */
/*
 * Connecting, when all is not well: each failure has its error and says what to do, and no test
 * leaves a descriptor open.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "count-fds.h"
#include "dmabuf.h"
#include "fake-daemon.h"

struct fixture {
	struct fake_daemon *daemon;
	struct dmabuf *conn;
	int n_open;
};

static int setup(void **state)
{
	static struct fixture fixture;

	fixture = (struct fixture){.n_open = count_fds()};
	fixture.daemon = fake_daemon_start();
	*state = &fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	dmabuf_disconnect(fixture->conn);
	fake_daemon_stop(fixture->daemon);
	fake_daemon_remove_socket();
	assert_int_equal(count_fds(), fixture->n_open);
	return 0;
}

static void expect_connect_fails(struct fixture *fixture, int error, const char *words)
{
	assert_int_equal(dmabuf_connect(&fixture->conn), error);
	assert_null(fixture->conn);
	assert_non_null(strstr(dmabuf_error(NULL), words));
}

static void test_no_socket(void **state)
{
	struct fixture *fixture = *state;

	fixture->daemon = fake_daemon_stop(fixture->daemon);
	expect_connect_fails(fixture, -ECONNREFUSED, "systemctl start dmabufd.socket");
	fake_daemon_remove_socket();
	expect_connect_fails(fixture, -ENOENT, "is dmabufd installed?");
}

static void test_socket_of_another_service(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	fake_daemon_remove_socket();
	assert_int_equal(WIRE_STRING_SET(address.sun_path, getenv("DMABUFD_SOCKET")), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 1), 0);
	expect_connect_fails(*state, -EPROTOTYPE, "another service");
	close(fd);
}

static void test_path_too_long(void **state)
{
	char path[200];

	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	setenv("DMABUFD_SOCKET", path, 1);
	expect_connect_fails(*state, -ENAMETOOLONG, path);
}

static bool hello_from_the_future(int fd, struct wire_frame *request)
{
	request->hello.major = DMABUFD_PROTOCOL_MAJOR + 1;
	return fake_reply(fd, request, sizeof(request->hello));
}

static bool hello_refused(int fd, struct wire_frame *request)
{
	fake_reply_error(fd, request, -EPROTONOSUPPORT, "Too old a library");
	return false;
}

/* As a daemon does that has no room: it closes without having read all. */
static bool hello_too_many(int fd, struct wire_frame *request)
{
	request->header.serial = 0;
	fake_reply_error(fd, request, -EUSERS, "Too many connections");
	return false;
}

static bool hello_too_short(int fd, struct wire_frame *request)
{
	return fake_reply(fd, request, 4);
}

static bool hello_with_descriptor(int fd, struct wire_frame *request)
{
	return fake_reply_fds(fd, request, sizeof(request->hello), 1);
}

static void test_hello(void **state)
{
	struct fixture *fixture = *state;

	fake_daemon_on_hello(fixture->daemon, hello_from_the_future);
	expect_connect_fails(fixture, -EPROTONOSUPPORT, "speaks protocol 2");
	fake_daemon_on_hello(fixture->daemon, hello_refused);
	expect_connect_fails(fixture, -EPROTONOSUPPORT, "Too old a library");
	fake_daemon_on_hello(fixture->daemon, hello_too_many);
	expect_connect_fails(fixture, -EUSERS, "Too many connections");
	fake_daemon_on_hello(fixture->daemon, hello_too_short);
	expect_connect_fails(fixture, -EPROTO, "hello");
	fake_daemon_on_hello(fixture->daemon, hello_with_descriptor);
	expect_connect_fails(fixture, -EPROTO, "hello");
}

/* The refusal comes before the daemon has read anything, and then the socket is marked broken. */
static void test_refused_unread(void **state)
{
	struct fixture *fixture = *state;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct wire_frame frame = {.header = {.status = -EUSERS}};
	int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	pid_t child;

	fake_daemon_remove_socket();
	WIRE_STRING_SET(address.sun_path, getenv("DMABUFD_SOCKET"));
	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, 1), 0);
	child = fork();
	if (child == 0) {
		int fd = accept(listener, NULL, NULL);

		usleep(100000);
		WIRE_STRING_SET(frame.error.text, "No room");
		wire_send(fd, &frame, sizeof(frame.header) + sizeof(frame.error), NULL, 0);
		_exit(0);
	}
	expect_connect_fails(fixture, -EUSERS, "No room");
	assert_int_equal(waitpid(child, NULL, 0), child);
	close(listener);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_no_socket),      TEST(test_socket_of_another_service),
		TEST(test_path_too_long),  TEST(test_hello),
		TEST(test_refused_unread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
