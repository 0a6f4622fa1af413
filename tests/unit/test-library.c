/* SPDX-License-Identifier: MIT */
/*
 * Calls of the library to a daemon that refuses, is silent, or goes away: the reconnect rule, the
 * timeout, the daemon's words. No test leaves a descriptor open.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "connected.h"

static bool refuse(int fd, struct wire_frame *request)
{
	return fake_reply_error(fd, request, -EDQUOT, "alice has 3 MiB of 3 MiB");
}

static void expect_refused(struct fixture *fixture, fake_handler handler, int error,
			   const char *words)
{
	struct dmabuf_buffer *buffer = NULL;

	fake_daemon_on_request(fixture->daemon, handler);
	assert_int_equal(dmabuf_allocate(fixture->conn, fixture->request, &buffer, 1), error);
	assert_null(buffer);
	assert_non_null(strstr(dmabuf_error(fixture->conn), words));
}

static void expect_granted(struct fixture *fixture)
{
	struct dmabuf_buffer *buffer = NULL;

	fake_daemon_on_request(fixture->daemon, NULL);
	assert_int_equal(dmabuf_allocate(fixture->conn, fixture->request, &buffer, 1), 0);
	assert_non_null(buffer);
	assert_null(dmabuf_buffer_free(buffer));
}

static void test_words_of_the_daemon(void **state)
{
	struct fixture *fixture = *state;

	assert_string_equal(dmabuf_error(fixture->conn), "");
	expect_refused(fixture, refuse, -EDQUOT, "alice has 3 MiB of 3 MiB");
	expect_granted(fixture);
	assert_int_equal(fake_daemon_connections(fixture->daemon), 1);
}

static bool hang_up(int fd, struct wire_frame *request)
{
	return false;
}

/* In the daemon's process, which lives on. */
static bool hang_up_once(int fd, struct wire_frame *request)
{
	static bool done;

	if (done)
		return fake_honest(fd, request);
	done = true;
	return false;
}

/* Longer than the request may wait. */
static bool hang_up_late(int fd, struct wire_frame *request)
{
	poll(NULL, 0, 1 + (int)(request->request.wait / 1000));
	return hang_up_once(fd, request);
}

static void test_who_waits_outlives_one_daemon(void **state)
{
	struct fixture *fixture = *state;
	struct dmabuf_buffer *buffer = NULL;

	dmabuf_request_set_wait(fixture->request, 60000);
	fake_daemon_on_request(fixture->daemon, hang_up_once);
	assert_int_equal(dmabuf_allocate(fixture->conn, fixture->request, &buffer, 1), 0);
	dmabuf_buffer_free(buffer);
	assert_int_equal(fake_daemon_connections(fixture->daemon), 2);
	/* And no more than one. */
	expect_refused(fixture, hang_up, -ECONNRESET, "nothing was allocated");
	assert_int_equal(fake_daemon_connections(fixture->daemon), 3);
	expect_granted(fixture);
}

static void test_who_waited_long_enough_does_not_ask_again(void **state)
{
	struct fixture *fixture = *state;

	dmabuf_request_set_wait(fixture->request, 5);
	expect_refused(fixture, hang_up_late, -ECONNRESET, "nothing was allocated");
	expect_granted(fixture);
}

static void test_reconnect(void **state)
{
	struct fixture *fixture = *state;

	/* While it works on the request. */
	expect_refused(fixture, hang_up, -ECONNRESET, "nothing was allocated");
	expect_granted(fixture);
	assert_int_equal(fake_daemon_connections(fixture->daemon), 2);

	/* Between two calls. */
	fake_daemon_stop(fixture->daemon);
	fixture->daemon = fake_daemon_start();
	expect_refused(fixture, NULL, -ECONNRESET, "nothing was allocated");
	expect_granted(fixture);

	/* For good. */
	fixture->daemon = fake_daemon_stop(fixture->daemon);
	fixture->daemon = fake_daemon_start();
	expect_refused(fixture, NULL, -ECONNRESET, "nothing was allocated");
	fake_daemon_remove_socket();
	expect_refused(fixture, NULL, -ENOTCONN, "is dmabufd installed?");
}

/* An answer, and then the end for a reason of its own. */
static bool grant_and_leave(int fd, struct wire_frame *request)
{
	struct wire_frame last = {.header = {.opcode = DMABUFD_HELLO}};

	fake_honest(fd, request);
	fake_reply_error(fd, &last, -ESHUTDOWN, "Away until tomorrow");
	return false;
}

static void test_last_words(void **state)
{
	struct fixture *fixture = *state;
	struct dmabuf_buffer *buffer = NULL;

	fake_daemon_on_request(fixture->daemon, grant_and_leave);
	assert_int_equal(dmabuf_allocate(fixture->conn, fixture->request, &buffer, 1), 0);
	dmabuf_buffer_free(buffer);
	/* It is gone when the next request is sent. */
	usleep(100000);
	expect_refused(fixture, NULL, -ESHUTDOWN, "Away until tomorrow");
	expect_granted(fixture);
}

static bool stay_silent(int fd, struct wire_frame *request)
{
	return true;
}

static void test_timeout(void **state)
{
	struct fixture *fixture = *state;

	dmabuf_set_timeout(fixture->conn, 50);
	expect_refused(fixture, stay_silent, -ETIMEDOUT, "50 ms");
	/* A late reply must not be taken for that of the next call. */
	expect_granted(fixture);
	assert_int_equal(fake_daemon_connections(fixture->daemon), 2);
	dmabuf_set_timeout(fixture->conn, 0);
	expect_granted(fixture);
}

static void test_wrong_requests_stay_here(void **state)
{
	struct fixture *fixture = *state;
	struct dmabuf_buffer *buffers[15];
	struct dmabuf_request *empty;

	fake_daemon_on_request(fixture->daemon, hang_up);
	assert_int_equal(dmabuf_allocate(fixture->conn, fixture->request, buffers, 0), -EINVAL);
	assert_int_equal(dmabuf_allocate(fixture->conn, fixture->request, buffers, 15), -E2BIG);
	assert_non_null(strstr(dmabuf_error(fixture->conn), "at most 14"));
	assert_int_equal(dmabuf_request_new(&empty), 0);
	assert_int_equal(dmabuf_allocate(fixture->conn, empty, buffers, 1), -EINVAL);
	assert_null(dmabuf_request_free(empty));
	expect_granted(fixture);
}

static void test_fourteen_buffers(void **state)
{
	struct fixture *fixture = *state;
	struct dmabuf_buffer *buffers[14];
	int before = count_fds();

	assert_int_equal(dmabuf_allocate(fixture->conn, fixture->request, buffers, 14), 0);
	assert_int_equal(count_fds(), before + 14);
	for (int i = 0; i < 14; i++) {
		assert_int_equal(dmabuf_buffer_get_id(buffers[i]), 100 + i);
		dmabuf_buffer_free(buffers[i]);
	}
}

static void test_no_room_for_descriptors(void **state)
{
	struct fixture *fixture = *state;
	struct dmabuf_buffer *buffers[14] = {0};
	struct rlimit saved, few;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &saved), 0);
	few = (struct rlimit){(rlim_t)count_fds(), saved.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_int_equal(dmabuf_allocate(fixture->conn, fixture->request, buffers, 14), -EMFILE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &saved), 0);
	assert_null(buffers[0]);
	expect_granted(fixture);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_words_of_the_daemon),
		TEST(test_reconnect),
		TEST(test_who_waits_outlives_one_daemon),
		TEST(test_who_waited_long_enough_does_not_ask_again),
		TEST(test_last_words),
		TEST(test_timeout),
		TEST(test_wrong_requests_stay_here),
		TEST(test_fourteen_buffers),
		TEST(test_no_room_for_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
