/* SPDX-License-Identifier: MIT */
/*
 * Status and events through the library: they arrive whole, what does not hold together does not
 * reach the caller, and a connection that watches does nothing else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "connected.h"

static void fill_status(struct wire_frame *frame)
{
	struct dmabufd_status *status = &frame->status;

	memset(frame->body, 0, sizeof(frame->body));
	WIRE_STRING_SET(status->version, "0.1.0");
	status->module_major = 1;
	status->module_minor = 2;
	status->uptime = 3;
	status->clients = 4;
	status->watchers = 5;
	status->buffers = 6;
	status->bytes = 7;
	status->connections = 8;
	status->requests = 9;
	status->reloads = 10;
	status->lost = 11;
	status->usec = 12;
	for (unsigned int i = 0; i < DMABUFD_REFUSALS; i++)
		status->refusals[i] = 20 + i;
	for (unsigned int i = 0; i < DMABUFD_BUCKETS; i++)
		status->buckets[i] = (struct dmabufd_bucket){i + 1, 40 + i};
	status->buckets[DMABUFD_BUCKETS - 1].usec = UINT64_MAX;
	status->n_pools = WIRE_POOL_COUNTS_MAX;
	for (unsigned int i = 0; i < WIRE_POOL_COUNTS_MAX; i++)
		frame->pool_counts[i] = (struct dmabufd_pool_count){"camera", 60 + i, 200 + i};
}

static bool answer_status(int fd, struct wire_frame *request,
			  void (*change)(struct wire_frame *frame))
{
	fill_status(request);
	if (change)
		change(request);
	return fake_reply(fd, request,
			  sizeof(request->status) +
				  WIRE_POOL_COUNTS_MAX * sizeof(request->pool_counts[0]));
}

static bool tell_status(int fd, struct wire_frame *request)
{
	return answer_status(fd, request, NULL);
}

static int see_status(const struct dmabuf_status_info *status, void *userdata)
{
	struct fixture *fixture = userdata;

	fixture->n++;
	assert_string_equal(status->version, "0.1.0");
	assert_null(status->module_missing);
	assert_int_equal(status->module_major, 1);
	assert_int_equal(status->module_minor, 2);
	assert_int_equal(status->uptime, 3);
	assert_int_equal(status->clients, 4);
	assert_int_equal(status->watchers, 5);
	assert_int_equal(status->buffers, 6);
	assert_int_equal(status->bytes, 7);
	assert_int_equal(status->connections, 8);
	assert_int_equal(status->requests, 9);
	assert_int_equal(status->reloads, 10);
	assert_int_equal(status->lost, 11);
	assert_int_equal(status->duration, 12);
	assert_int_equal(status->n_refusals, DMABUFD_REFUSALS);
	assert_int_equal(status->refusals[DMABUF_REFUSED_OTHER], 20 + DMABUF_REFUSED_OTHER);
	assert_int_equal(status->n_buckets, DMABUFD_BUCKETS);
	assert_int_equal(status->buckets[1].bound, 2);
	assert_int_equal(status->buckets[1].count, 41);
	assert_int_equal(status->n_pools, WIRE_POOL_COUNTS_MAX);
	assert_string_equal(status->pools[1].pool, "camera");
	assert_int_equal(status->pools[1].buffers, 61);
	assert_int_equal(status->pools[1].bytes, 201);
	return 77;
}

static void test_status(void **state)
{
	struct fixture *fixture = *state;

	fake_daemon_on_request(fixture->daemon, tell_status);
	assert_int_equal(dmabuf_get_status(fixture->conn, see_status, fixture), 77);
	assert_int_equal(fixture->n, 1);
}

#define LIAR(name, statement) LIAR_OF(answer_status, name, statement)

LIAR(pools_low, frame->status.n_pools--)
LIAR(pools_high, frame->status.n_pools++)
LIAR(pools_huge, frame->status.n_pools = UINT32_MAX)
LIAR(pad, frame->status.pad = 1)
LIAR(version, memset(frame->status.version, 'x', DMABUFD_NAME_SIZE))
LIAR(missing, memset(frame->status.missing, 'x', DMABUFD_WHY_SIZE))
LIAR(name, memset(frame->pool_counts[1].name, 'x', DMABUFD_NAME_SIZE))
LIAR(bounds, frame->status.buckets[3].usec = frame->status.buckets[2].usec)
LIAR(last_bound, frame->status.buckets[DMABUFD_BUCKETS - 1].usec--)

static bool lie_short(int fd, struct wire_frame *request)
{
	return fake_reply(fd, request, sizeof(request->status) - 8);
}

static void test_lies_about_status(void **state)
{
	static const fake_handler lies[] = {
		lie_pools_low, lie_pools_high, lie_pools_huge, lie_pad,        lie_version,
		lie_missing,   lie_name,       lie_bounds,     lie_last_bound, lie_short,
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		fake_daemon_on_request(fixture->daemon, lies[i]);
		assert_int_equal(dmabuf_get_status(fixture->conn, see_status, fixture), -EPROTO);
	}
	assert_int_equal(fixture->n, 0);
}

static bool send_event(int fd, uint32_t serial, struct dmabufd_event event, const char *text)
{
	struct wire_frame frame = {.header = {.opcode = DMABUFD_WATCH, .serial = serial},
				   .event = event};
	size_t body = sizeof(event);

	if (text) {
		WIRE_STRING_SET(frame.event_error.text, text);
		body += sizeof(frame.event_error);
	}
	return fake_reply(fd, &frame, body);
}

/* One of each kind that matters, one from the future, and then the end. */
static bool tell_events(int fd, struct wire_frame *request)
{
	uint32_t serial = request->header.serial;

	fake_reply(fd, request, 0);
	send_event(fd, serial,
		   (struct dmabufd_event){.type = DMABUFD_EVENT_ALLOCATED,
					  .time = 5,
					  .number = 100,
					  .size = 4096,
					  .uid = 1000,
					  .pid = 42,
					  .pool = "camera",
					  .name = "label",
					  .devices = "platform:vivid.0"},
		   NULL);
	send_event(fd, serial, (struct dmabufd_event){.type = 999}, NULL);
	send_event(fd, serial,
		   (struct dmabufd_event){.type = DMABUFD_EVENT_REFUSED, .error = -EDQUOT},
		   "3 of 3");
	return send_event(fd, serial,
			  (struct dmabufd_event){.type = DMABUFD_EVENT_LOST, .number = 331}, NULL);
}

static bool tell_events_and_leave(int fd, struct wire_frame *request)
{
	tell_events(fd, request);
	return false;
}

static int see_event(const struct dmabuf_event *event, void *userdata)
{
	struct fixture *fixture = userdata;

	switch (++fixture->n) {
	case 1:
		assert_int_equal(event->type, DMABUF_EVENT_ALLOCATED);
		assert_int_equal(event->time, 5);
		assert_int_equal(event->number, 100);
		assert_int_equal(event->size, 4096);
		assert_int_equal(event->uid, 1000);
		assert_int_equal(event->pid, 42);
		assert_string_equal(event->pool, "camera");
		assert_string_equal(event->name, "label");
		assert_string_equal(event->devices, "platform:vivid.0");
		assert_string_equal(event->text, "");
		break;
	case 2:
		assert_int_equal(event->type, DMABUF_EVENT_REFUSED);
		assert_int_equal(event->error, -EDQUOT);
		assert_string_equal(event->text, "3 of 3");
		break;
	default:
		assert_int_equal(event->type, DMABUF_EVENT_LOST);
		assert_int_equal(event->number, 331);
		break;
	}
	return fixture->n == fixture->stop_at ? 77 : 0;
}

/* Until so many events were seen or something else is returned. */
static int read_until(struct fixture *fixture, unsigned int n)
{
	int r = 0;

	while (r == 0 && fixture->n < n) {
		struct pollfd p = {.fd = dmabuf_watch_get_fd(fixture->conn), .events = POLLIN};

		assert_int_equal(poll(&p, 1, 10000), 1);
		r = dmabuf_watch_read(fixture->conn, see_event, fixture);
	}
	return r;
}

static void test_events(void **state)
{
	struct fixture *fixture = *state;

	fake_daemon_on_request(fixture->daemon, tell_events);
	assert_int_equal(dmabuf_watch_get_fd(fixture->conn), -EBADF);
	assert_int_equal(dmabuf_watch_read(fixture->conn, see_event, fixture), -EBADF);
	assert_int_equal(dmabuf_watch_start(fixture->conn), 0);
	fixture->stop_at = 1;
	assert_int_equal(read_until(fixture, 1), 77);
	assert_int_equal(read_until(fixture, 3), 0);
	assert_int_equal(fixture->n, 3);
	/* None there: it does not wait. */
	assert_int_equal(dmabuf_watch_read(fixture->conn, see_event, fixture), 0);
	assert_int_equal(dmabuf_get_status(fixture->conn, see_status, fixture), -EBUSY);
	assert_int_equal(dmabuf_watch_start(fixture->conn), -EBUSY);
	assert_true(dmabuf_watch_get_fd(fixture->conn) >= 0);
}

static void test_daemon_stops(void **state)
{
	struct fixture *fixture = *state;

	fake_daemon_on_request(fixture->daemon, tell_events_and_leave);
	assert_int_equal(dmabuf_watch_start(fixture->conn), 0);
	assert_int_equal(read_until(fixture, 4), -ECONNRESET);
	assert_int_equal(fixture->n, 3);
	assert_int_equal(dmabuf_watch_get_fd(fixture->conn), -EBADF);
	fake_daemon_on_request(fixture->daemon, tell_status);
	fixture->n = 0;
	assert_int_equal(dmabuf_get_status(fixture->conn, see_status, fixture), 77);
}

#define EVENT_LIAR(name, event, text)                                                              \
	static bool lie_event_##name(int fd, struct wire_frame *request)                           \
	{                                                                                          \
		fake_reply(fd, request, 0);                                                        \
		return send_event(fd, request->header.serial, (struct dmabufd_event)event, text);  \
	}
#define EVENT(...)                                                                                 \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}

EVENT_LIAR(no_words, EVENT(.type = DMABUFD_EVENT_REFUSED, .error = -1), NULL)
EVENT_LIAR(words, EVENT(.type = DMABUFD_EVENT_LEFT), "words")
EVENT_LIAR(no_error, EVENT(.type = DMABUFD_EVENT_REFUSED), "words")
EVENT_LIAR(pool, EVENT(.type = DMABUFD_EVENT_LEFT, .pool = {'x', 0, 'x'}), NULL)
EVENT_LIAR(name, EVENT(.type = DMABUFD_EVENT_LEFT, .name = {'x', 0, 'x'}), NULL)
EVENT_LIAR(devices, EVENT(.type = DMABUFD_EVENT_LEFT, .devices = {'x', 0, 'x'}), NULL)

static bool lie_event_serial(int fd, struct wire_frame *request)
{
	fake_reply(fd, request, 0);
	return send_event(fd, request->header.serial + 1,
			  (struct dmabufd_event){.type = DMABUFD_EVENT_LEFT}, NULL);
}

static bool lie_event_opcode(int fd, struct wire_frame *request)
{
	fake_reply(fd, request, 0);
	request->header.opcode = DMABUFD_STATUS;
	return fake_reply(fd, request, sizeof(request->event));
}

static void test_lies_about_events(void **state)
{
	static const fake_handler lies[] = {
		lie_event_no_words, lie_event_words,   lie_event_no_error, lie_event_pool,
		lie_event_name,     lie_event_devices, lie_event_serial,   lie_event_opcode,
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		fake_daemon_on_request(fixture->daemon, lies[i]);
		assert_int_equal(dmabuf_watch_start(fixture->conn), 0);
		assert_int_equal(read_until(fixture, 1), -EPROTO);
	}
	assert_int_equal(fixture->n, 0);
}

static bool lie_reply_with_body(int fd, struct wire_frame *request)
{
	return fake_reply(fd, request, 8);
}

static void test_malformed_reply(void **state)
{
	struct fixture *fixture = *state;

	fake_daemon_on_request(fixture->daemon, lie_reply_with_body);
	assert_int_equal(dmabuf_watch_start(fixture->conn), -EPROTO);
	assert_int_equal(dmabuf_watch_get_fd(fixture->conn), -EBADF);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_status),       TEST(test_lies_about_status), TEST(test_events),
		TEST(test_daemon_stops), TEST(test_lies_about_events), TEST(test_malformed_reply),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
