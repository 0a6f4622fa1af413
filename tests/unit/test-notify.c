/* SPDX-License-Identifier: MIT */
/*
 * Events for a program that does other things too: those that are for it arrive, others do not, and
 * it is told when the daemon is back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#include "connected.h"

static void dispatch_until(struct fixture *fixture, unsigned int n)
{
	while (fixture->n < n) {
		struct pollfd p = {.fd = dmabuf_get_fd(fixture->conn), .events = POLLIN};

		assert_int_equal(poll(&p, 1, 10000), 1);
		dmabuf_dispatch(fixture->conn);
	}
}

static bool send_event(int fd, uint32_t serial, struct dmabufd_event event)
{
	struct wire_frame frame = {.header = {.opcode = DMABUFD_NOTIFY, .serial = serial},
				   .event = event};

	return fake_reply(fd, &frame, sizeof(event));
}

/* Two that are for programs among two that are not. */
static bool tell(int fd, struct wire_frame *request)
{
	uint32_t serial = request->header.serial;

	if (request->header.opcode != DMABUFD_NOTIFY)
		return fake_honest(fd, request);
	fake_reply(fd, request, 0);
	send_event(fd, serial, (struct dmabufd_event){.type = DMABUFD_EVENT_RELEASED});
	send_event(fd, serial,
		   (struct dmabufd_event){.type = DMABUFD_EVENT_QUOTA_CHANGED,
					  .number = 7,
					  .size = 1 << 20,
					  .uid = 1000});
	send_event(fd, serial, (struct dmabufd_event){.type = 999});
	/* The library's own is nothing that a daemon may say. */
	send_event(fd, serial, (struct dmabufd_event){.type = DMABUF_EVENT_RECONNECTED});
	return send_event(fd, serial,
			  (struct dmabufd_event){.type = DMABUFD_EVENT_ASKED_BACK,
						 .size = 4096,
						 .pool = "camera"});
}

static void see_told(const struct dmabuf_event *event, void *userdata)
{
	struct fixture *fixture = userdata;

	if (++fixture->n == 1) {
		assert_int_equal(event->type, DMABUF_EVENT_QUOTA_CHANGED);
		assert_int_equal(event->number, 7);
		assert_int_equal(event->size, 1 << 20);
		assert_int_equal(event->uid, 1000);
		return;
	}
	assert_int_equal(event->type, DMABUF_EVENT_ASKED_BACK);
	assert_string_equal(event->pool, "camera");
	assert_int_equal(event->size, 4096);
}

static int see_pool(const struct dmabuf_pool_info *pool, void *userdata)
{
	return 0;
}

static void test_events(void **state)
{
	struct fixture *fixture = *state;

	fake_daemon_on_request(fixture->daemon, tell);
	assert_int_equal(dmabuf_set_notify(fixture->conn, see_told, fixture), 0);
	assert_int_equal(fixture->n, 0);
	dispatch_until(fixture, 2);
	assert_int_equal(fixture->n, 2);
	/* The connection goes on as before. */
	assert_int_equal(fake_daemon_connections(fixture->daemon), 2);
	assert_int_equal(dmabuf_list_pools(fixture->conn, see_pool, NULL), 0);
}

static void count_events(const struct dmabuf_event *event, void *userdata)
{
	struct fixture *fixture = userdata;

	fixture->n++;
}

static void see_reconnected(const struct dmabuf_event *event, void *userdata)
{
	struct fixture *fixture = userdata;

	fixture->n++;
	assert_int_equal(event->type, DMABUF_EVENT_RECONNECTED);
	assert_string_equal(event->pool, "");
	assert_string_equal(event->text, "");
}

/*
 * HELLO and NOTIFY are answered, and nothing more is there: that nothing comes can only be waited for,
 * longer than a busy machine leaves the other process alone.
 */
static void dispatch_until_rest(struct fixture *fixture)
{
	struct pollfd p = {.fd = dmabuf_get_fd(fixture->conn), .events = POLLIN};

	while (poll(&p, 1, 1000) > 0)
		dmabuf_dispatch(fixture->conn);
}

static void connect_and_lose(struct fixture *fixture)
{
	unsigned int connections = fake_daemon_connections(fixture->daemon);

	assert_int_equal(dmabuf_set_notify(fixture->conn, see_reconnected, fixture), 0);
	while (fake_daemon_connections(fixture->daemon) == connections)
		dmabuf_dispatch(fixture->conn);
	dispatch_until_rest(fixture);
	assert_int_equal(fixture->n, 0);
	fixture->daemon = fake_daemon_stop(fixture->daemon);
	for (unsigned int i = 0; i < 5; i++)
		dmabuf_dispatch(fixture->conn);
	assert_int_equal(fixture->n, 0);
	fixture->daemon = fake_daemon_start();
}

static bool answer_empty(int fd, struct wire_frame *request)
{
	return fake_reply(fd, request, 0);
}

static void test_reconnected(void **state)
{
	struct fixture *fixture = *state;
	struct pollfd p = {.events = POLLIN};

	fake_daemon_on_request(fixture->daemon, answer_empty);
	connect_and_lose(fixture);
	fake_daemon_on_request(fixture->daemon, answer_empty);
	dispatch_until(fixture, 1);
	assert_int_equal(fixture->n, 1);
	p.fd = dmabuf_get_fd(fixture->conn);
	/* Nobody asks any more: neither what comes nor the daemon's end is anything to do. */
	assert_int_equal(dmabuf_set_notify(fixture->conn, NULL, NULL), 0);
	fixture->daemon = fake_daemon_stop(fixture->daemon);
	assert_int_equal(poll(&p, 1, 50), 0);
	fixture->daemon = fake_daemon_start();
	fake_daemon_on_request(fixture->daemon, answer_empty);
	dmabuf_dispatch(fixture->conn);
	assert_int_equal(fake_daemon_connections(fixture->daemon), 0);
	/* Who asks for the first time was not away. */
	assert_int_equal(dmabuf_set_notify(fixture->conn, see_reconnected, fixture), 0);
	dispatch_until_rest(fixture);
	assert_int_equal(fake_daemon_connections(fixture->daemon), 1);
	assert_int_equal(fixture->n, 1);
}

static bool minor_1(int fd, struct wire_frame *request)
{
	request->hello = (struct dmabufd_hello){DMABUFD_PROTOCOL_MAJOR, 1};
	return fake_reply(fd, request, sizeof(request->hello));
}

/* It would be an error to send NOTIFY; that it is back can be told all the same. */
static bool hang_up_on_notify(int fd, struct wire_frame *request)
{
	return request->header.opcode != DMABUFD_NOTIFY && fake_honest(fd, request);
}

static void test_older_daemon(void **state)
{
	struct fixture *fixture = *state;

	fake_daemon_on_hello(fixture->daemon, minor_1);
	fake_daemon_on_request(fixture->daemon, hang_up_on_notify);
	connect_and_lose(fixture);
	fake_daemon_on_hello(fixture->daemon, minor_1);
	fake_daemon_on_request(fixture->daemon, hang_up_on_notify);
	dispatch_until(fixture, 1);
	assert_int_equal(fixture->n, 1);
}

static bool lie_reply_with_body(int fd, struct wire_frame *request)
{
	return fake_reply(fd, request, 8);
}

static bool lie_event(int fd, struct wire_frame *request)
{
	fake_reply(fd, request, 0);
	return send_event(
		fd, request->header.serial,
		(struct dmabufd_event){.type = DMABUFD_EVENT_ASKED_BACK, .pool = {'x', 0, 'x'}});
}

static bool refuse(int fd, struct wire_frame *request)
{
	return fake_reply_error(fd, request, -ENOMEM, "no");
}

static bool leave(int fd, struct wire_frame *request)
{
	fake_reply(fd, request, 0);
	return false;
}

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* None of them is told, and none makes the program's loop spin: the library takes its time. */
static void test_lies(void **state)
{
	static const fake_handler lies[] = {lie_reply_with_body, lie_event, refuse, leave};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		unsigned int before = fake_daemon_connections(fixture->daemon);
		struct pollfd p = {.fd = dmabuf_get_fd(fixture->conn), .events = POLLIN};
		int64_t end = now() + 600;

		fake_daemon_on_request(fixture->daemon, lies[i]);
		assert_int_equal(dmabuf_set_notify(fixture->conn, count_events, fixture), 0);
		while (now() < end || fake_daemon_connections(fixture->daemon) == before)
			if (poll(&p, 1, 50) > 0)
				dmabuf_dispatch(fixture->conn);
		/* At once, after 250 ms, and 500 ms after that. */
		assert_in_range(fake_daemon_connections(fixture->daemon), before + 1, before + 2);
		assert_int_equal(dmabuf_set_notify(fixture->conn, NULL, NULL), 0);
	}
	/* A connection that was there and is there again, and left again. */
	assert_true(fixture->n <= 2);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_events),
		TEST(test_reconnected),
		TEST(test_older_daemon),
		TEST(test_lies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
