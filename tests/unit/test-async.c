/* SPDX-License-Identifier: MIT */
/*
 * What does not block: allocations that were started, their order, their end, and the one descriptor
 * that tells when there is something to do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "connected.h"

/* One allocation's end. */
struct outcome {
	unsigned int n;     /* how often it was told */
	unsigned int order; /* among all */
	int result;
	struct dmabuf_buffer *buffers[3];
	unsigned int n_buffers;
	char text[128];
	struct dmabuf *conn;
};

static unsigned int order;

static void see_end(int result, struct dmabuf_buffer *const buffers[], unsigned int n_buffers,
		    void *userdata)
{
	struct outcome *outcome = userdata;

	outcome->n++;
	outcome->order = ++order;
	outcome->result = result;
	outcome->n_buffers = n_buffers;
	for (unsigned int i = 0; i < n_buffers && i < 3; i++)
		outcome->buffers[i] = buffers[i];
	snprintf(outcome->text, sizeof(outcome->text), "%s", dmabuf_error(outcome->conn));
}

static void outcome_free(struct outcome *outcome)
{
	for (unsigned int i = 0; i < 3; i++)
		outcome->buffers[i] = dmabuf_buffer_free(outcome->buffers[i]);
}

static struct dmabuf_allocation *start(struct fixture *fixture, struct outcome *outcome,
				       unsigned int count)
{
	struct dmabuf_allocation *allocation = NULL;

	*outcome = (struct outcome){.conn = fixture->conn};
	assert_int_equal(dmabuf_allocate_start(fixture->conn, fixture->request, count, see_end,
					       outcome, &allocation),
			 0);
	assert_non_null(allocation);
	/* Told by dispatch, and by nothing else. */
	assert_int_equal(outcome->n, 0);
	return allocation;
}

static bool is_ready(const struct fixture *fixture, int milliseconds)
{
	struct pollfd p = {.fd = dmabuf_get_fd(fixture->conn), .events = POLLIN};

	return poll(&p, 1, milliseconds) > 0;
}

/* As an event loop does. */
static void run_until_told(struct fixture *fixture, const struct outcome *outcome)
{
	while (!outcome->n) {
		assert_true(is_ready(fixture, 10000));
		dmabuf_dispatch(fixture->conn);
	}
}

/* Soon nothing is to be done: no loop would spin. */
static void assert_rests(struct fixture *fixture)
{
	unsigned int turns = 0;

	while (is_ready(fixture, 50)) {
		assert_true(++turns < 20);
		dmabuf_dispatch(fixture->conn);
	}
}

static void test_one(void **state)
{
	struct fixture *fixture = *state;
	struct outcome outcome;

	start(fixture, &outcome, 2);
	run_until_told(fixture, &outcome);
	assert_int_equal(outcome.result, 0);
	assert_int_equal(outcome.n_buffers, 2);
	assert_int_equal(dmabuf_buffer_get_size(outcome.buffers[1]), 8192);
	assert_true(fcntl(dmabuf_buffer_get_fd(outcome.buffers[1]), F_GETFD) >= 0);
	assert_rests(fixture);
	assert_int_equal(outcome.n, 1);
	outcome_free(&outcome);
}

static void test_order(void **state)
{
	struct fixture *fixture = *state;
	struct outcome outcomes[5];

	order = 0;
	for (unsigned int i = 0; i < 5; i++)
		start(fixture, &outcomes[i], 1);
	/* A copy is what counts. */
	dmabuf_request_set_size(fixture->request, 1 << 20);
	run_until_told(fixture, &outcomes[4]);
	for (unsigned int i = 0; i < 5; i++) {
		assert_int_equal(outcomes[i].result, 0);
		assert_int_equal(outcomes[i].order, i + 1);
		assert_int_equal(dmabuf_buffer_get_size(outcomes[i].buffers[0]), 8192);
		outcome_free(&outcomes[i]);
	}
	/* All on one connection, beside the program's. */
	assert_int_equal(fake_daemon_connections(fixture->daemon), 2);
}

static bool no_quota(int fd, struct wire_frame *request)
{
	return fake_reply_error(fd, request, -EDQUOT, "3 of 3");
}

static void test_refused(void **state)
{
	struct fixture *fixture = *state;
	struct outcome outcome, next;

	fake_daemon_on_request(fixture->daemon, no_quota);
	start(fixture, &outcome, 1);
	run_until_told(fixture, &outcome);
	assert_int_equal(outcome.result, -EDQUOT);
	assert_int_equal(outcome.n_buffers, 0);
	assert_string_equal(outcome.text, "3 of 3");
	fake_daemon_on_request(fixture->daemon, NULL);
	start(fixture, &next, 1);
	run_until_told(fixture, &next);
	assert_int_equal(next.result, 0);
	outcome_free(&next);
}

/* The daemon's own error is an answer, whatever it is called. */
static bool refuse_for_now(int fd, struct wire_frame *request)
{
	return fake_reply_error(fd, request, -EAGAIN, "not now");
}

static void test_refused_for_now(void **state)
{
	struct fixture *fixture = *state;
	struct outcome outcome;

	fake_daemon_on_request(fixture->daemon, refuse_for_now);
	start(fixture, &outcome, 1);
	run_until_told(fixture, &outcome);
	assert_int_equal(outcome.result, -EAGAIN);
	assert_string_equal(outcome.text, "not now");
	/* And so is one to HELLO, which no daemon would give. */
	fake_daemon_on_hello(fixture->daemon, refuse_for_now);
	fixture->conn = dmabuf_disconnect(fixture->conn);
	assert_int_equal(dmabuf_connect(&fixture->conn), -EAGAIN);
}

static void test_never_started(void **state)
{
	struct fixture *fixture = *state;
	struct outcome outcome = {.conn = fixture->conn};

	assert_int_equal(
		dmabuf_allocate_start(fixture->conn, fixture->request, 0, see_end, &outcome, NULL),
		-EINVAL);
	assert_int_equal(
		dmabuf_allocate_start(fixture->conn, fixture->request, 15, see_end, &outcome, NULL),
		-E2BIG);
	dmabuf_dispatch(fixture->conn);
	assert_int_equal(outcome.n, 0);
	assert_rests(fixture);
}

/* What blocks has a connection of its own, whatever was started. */
static bool never_answer(int fd, struct wire_frame *request)
{
	return request->header.opcode == DMABUFD_ALLOC || fake_honest(fd, request);
}

static int see_nothing(const struct dmabuf_pool_info *pool, void *userdata)
{
	return 0;
}

static void test_beside_what_blocks(void **state)
{
	struct fixture *fixture = *state;
	struct outcome outcome;

	fake_daemon_on_request(fixture->daemon, never_answer);
	start(fixture, &outcome, 1);
	assert_rests(fixture);
	assert_int_equal(dmabuf_list_pools(fixture->conn, see_nothing, NULL), 0);
	assert_int_equal(outcome.n, 0);
	/* The end of the connection is nothing that is told. */
	fixture->conn = dmabuf_disconnect(fixture->conn);
	assert_int_equal(outcome.n, 0);
}

static bool answer_the_second(int fd, struct wire_frame *request)
{
	static unsigned int n;

	return (request->header.opcode == DMABUFD_ALLOC && ++n == 1) || fake_honest(fd, request);
}

/* That the first had no answer is not the end of the second. */
static void test_timeout(void **state)
{
	struct fixture *fixture = *state;
	struct outcome outcome, next;

	fake_daemon_on_request(fixture->daemon, answer_the_second);
	dmabuf_set_timeout(fixture->conn, 500);
	start(fixture, &outcome, 1);
	start(fixture, &next, 1);
	run_until_told(fixture, &outcome);
	assert_int_equal(outcome.result, -ETIMEDOUT);
	assert_non_null(strstr(outcome.text, "within 500 ms"));
	run_until_told(fixture, &next);
	assert_int_equal(next.result, 0);
	outcome_free(&next);
}

/* What the daemon is told is how long is left. */
static bool wait_says_a_second(int fd, struct wire_frame *request)
{
	bool right = request->header.opcode != DMABUFD_ALLOC ||
		     (request->request.wait > 500000 && request->request.wait <= 1000000);

	return right ? fake_honest(fd, request) : fake_reply_error(fd, request, -EBADE, "wait");
}

static void test_wait_is_sent(void **state)
{
	struct fixture *fixture = *state;
	struct outcome outcome;

	fake_daemon_on_request(fixture->daemon, wait_says_a_second);
	dmabuf_request_set_wait(fixture->request, 1000);
	start(fixture, &outcome, 1);
	run_until_told(fixture, &outcome);
	assert_int_equal(outcome.result, 0);
	outcome_free(&outcome);
}

static void test_cancel(void **state)
{
	struct fixture *fixture = *state;
	struct outcome outcomes[3];
	struct dmabuf_allocation *first, *second;
	unsigned int connections;

	fake_daemon_on_request(fixture->daemon, never_answer);
	first = start(fixture, &outcomes[0], 1);
	second = start(fixture, &outcomes[1], 1);
	start(fixture, &outcomes[2], 1);
	assert_rests(fixture);
	connections = fake_daemon_connections(fixture->daemon);
	/* One that the daemon has not got, and one that it has: then the connection is given up. */
	dmabuf_allocate_cancel(second);
	assert_rests(fixture);
	assert_int_equal(fake_daemon_connections(fixture->daemon), connections);
	fake_daemon_on_request(fixture->daemon, NULL);
	dmabuf_allocate_cancel(first);
	run_until_told(fixture, &outcomes[2]);
	assert_int_equal(outcomes[2].result, 0);
	assert_int_equal(outcomes[0].n + outcomes[1].n, 0);
	assert_int_equal(fake_daemon_connections(fixture->daemon), connections + 1);
	outcome_free(&outcomes[2]);
	dmabuf_allocate_cancel(NULL);
	assert_rests(fixture);
}

/* Granted, and cancelled before anybody looked: the descriptors are closed, as teardown checks. */
static void test_cancel_what_was_granted(void **state)
{
	struct fixture *fixture = *state;
	struct dmabuf_allocation *allocation;
	struct outcome outcome;

	start(fixture, &outcome, 1);
	run_until_told(fixture, &outcome);
	/* Connected: this sends it, and seldom has the answer at once. */
	do {
		outcome_free(&outcome);
		allocation = start(fixture, &outcome, 3);
		dmabuf_dispatch(fixture->conn);
	} while (outcome.n);
	assert_true(is_ready(fixture, 10000));
	dmabuf_allocate_cancel(allocation);
	assert_rests(fixture);
	assert_int_equal(outcome.n, 0);
}

static void start_another(int result, struct dmabuf_buffer *const buffers[], unsigned int n_buffers,
			  void *userdata)
{
	struct outcome *outcome = userdata;
	struct dmabuf_request *request = NULL;

	assert_int_equal(n_buffers, 1);
	dmabuf_buffer_free(buffers[0]);
	assert_int_equal(dmabuf_request_new(&request), 0);
	dmabuf_request_set_size(request, 4096);
	assert_int_equal(dmabuf_allocate_start(outcome->conn, request, 1, see_end, outcome, NULL),
			 0);
	dmabuf_request_free(request);
}

static void test_start_when_told(void **state)
{
	struct fixture *fixture = *state;
	struct outcome outcome = {.conn = fixture->conn};

	assert_int_equal(dmabuf_allocate_start(fixture->conn, fixture->request, 1, start_another,
					       &outcome, NULL),
			 0);
	run_until_told(fixture, &outcome);
	assert_int_equal(outcome.result, 0);
	outcome_free(&outcome);
}

/* A daemon that is there before the timeout is over is there in time. */
static void test_daemon_away(void **state)
{
	struct fixture *fixture = *state;
	struct outcome outcome;

	fixture->daemon = fake_daemon_stop(fixture->daemon);
	fake_daemon_remove_socket();
	start(fixture, &outcome, 1);
	for (unsigned int i = 0; i < 3; i++)
		dmabuf_dispatch(fixture->conn);
	assert_int_equal(outcome.n, 0);
	fixture->daemon = fake_daemon_start();
	run_until_told(fixture, &outcome);
	assert_int_equal(outcome.result, 0);
	outcome_free(&outcome);
}

static void test_daemon_stays_away(void **state)
{
	struct fixture *fixture = *state;
	struct outcome outcomes[2];

	fixture->daemon = fake_daemon_stop(fixture->daemon);
	dmabuf_set_timeout(fixture->conn, 100);
	start(fixture, &outcomes[0], 1);
	start(fixture, &outcomes[1], 1);
	run_until_told(fixture, &outcomes[0]);
	/* All at once. */
	assert_int_equal(outcomes[0].result, -ECONNREFUSED);
	assert_int_equal(outcomes[1].result, -ECONNREFUSED);
	assert_non_null(strstr(outcomes[1].text, "Nobody listens"));
	fake_daemon_remove_socket();
	start(fixture, &outcomes[0], 1);
	run_until_told(fixture, &outcomes[0]);
	assert_int_equal(outcomes[0].result, -ENOTCONN);
}

static bool hang_up_once(int fd, struct wire_frame *request)
{
	static bool done;

	if (done || request->header.opcode != DMABUFD_ALLOC)
		return fake_honest(fd, request);
	done = true;
	return false;
}

static bool hang_up(int fd, struct wire_frame *request)
{
	return request->header.opcode != DMABUFD_ALLOC && fake_honest(fd, request);
}

static void test_daemon_restarts(void **state)
{
	struct fixture *fixture = *state;
	struct outcome outcome;

	fake_daemon_on_request(fixture->daemon, hang_up_once);
	start(fixture, &outcome, 1);
	run_until_told(fixture, &outcome);
	assert_int_equal(outcome.result, 0);
	assert_int_equal(fake_daemon_connections(fixture->daemon), 3);
	outcome_free(&outcome);
	/* One that the daemon dies of each time comes to an end. */
	fake_daemon_on_request(fixture->daemon, hang_up);
	start(fixture, &outcome, 1);
	run_until_told(fixture, &outcome);
	assert_int_equal(outcome.result, -ECONNRESET);
	/* Three times: once where it was connected, and twice anew. */
	assert_int_equal(fake_daemon_connections(fixture->daemon), 5);
}

/* The daemon goes while nothing is asked. */
static void test_restart_at_rest(void **state)
{
	struct fixture *fixture = *state;
	struct outcome outcome;

	start(fixture, &outcome, 1);
	run_until_told(fixture, &outcome);
	outcome_free(&outcome);
	fixture->daemon = fake_daemon_stop(fixture->daemon);
	assert_true(is_ready(fixture, 10000));
	assert_rests(fixture);
	fixture->daemon = fake_daemon_start();
	start(fixture, &outcome, 1);
	run_until_told(fixture, &outcome);
	assert_int_equal(outcome.result, 0);
	outcome_free(&outcome);
}

static bool too_many(int fd, struct wire_frame *request)
{
	return fake_reply_error(fd, request, -EUSERS, "too many connections") && false;
}

static void test_refused_connection(void **state)
{
	struct fixture *fixture = *state;
	struct outcome outcomes[2];

	fake_daemon_on_hello(fixture->daemon, too_many);
	start(fixture, &outcomes[0], 1);
	start(fixture, &outcomes[1], 1);
	run_until_told(fixture, &outcomes[0]);
	assert_int_equal(outcomes[0].result, -EUSERS);
	assert_int_equal(outcomes[1].result, -EUSERS);
	assert_string_equal(outcomes[0].text, "too many connections");
	/* To ask again would not help. */
	assert_int_equal(fake_daemon_connections(fixture->daemon), 2);
	assert_rests(fixture);
}

static bool lie_short(int fd, struct wire_frame *request)
{
	return fake_reply_fds(fd, request, 8, 1);
}

static void test_lie(void **state)
{
	struct fixture *fixture = *state;
	struct outcome outcome;

	fake_daemon_on_request(fixture->daemon, lie_short);
	start(fixture, &outcome, 1);
	run_until_told(fixture, &outcome);
	assert_int_equal(outcome.result, -EPROTO);
}

static bool send_unasked(int fd, struct wire_frame *request)
{
	struct wire_frame again = *request;

	fake_honest(fd, request);
	return fake_honest(fd, &again);
}

/* A reply to nothing is no reason to spin. */
static void test_unasked(void **state)
{
	struct fixture *fixture = *state;
	struct outcome outcome;

	fake_daemon_on_request(fixture->daemon, send_unasked);
	start(fixture, &outcome, 1);
	run_until_told(fixture, &outcome);
	assert_int_equal(outcome.result, 0);
	outcome_free(&outcome);
	assert_rests(fixture);
}

static bool answer_empty(int fd, struct wire_frame *request)
{
	return fake_reply(fd, request, 0);
}

static void test_not_while_watching(void **state)
{
	struct fixture *fixture = *state;
	struct outcome outcome = {.conn = fixture->conn};

	fake_daemon_on_request(fixture->daemon, answer_empty);
	assert_int_equal(dmabuf_watch_start(fixture->conn), 0);
	assert_int_equal(dmabuf_get_fd(fixture->conn), -EBUSY);
	assert_int_equal(
		dmabuf_allocate_start(fixture->conn, fixture->request, 1, see_end, &outcome, NULL),
		-EBUSY);
	assert_int_equal(dmabuf_set_notify(fixture->conn, NULL, NULL), -EBUSY);
	dmabuf_dispatch(fixture->conn);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_one),
		TEST(test_order),
		TEST(test_refused),
		TEST(test_refused_for_now),
		TEST(test_never_started),
		TEST(test_beside_what_blocks),
		TEST(test_timeout),
		TEST(test_wait_is_sent),
		TEST(test_cancel),
		TEST(test_cancel_what_was_granted),
		TEST(test_start_when_told),
		TEST(test_daemon_away),
		TEST(test_daemon_stays_away),
		TEST(test_daemon_restarts),
		TEST(test_restart_at_rest),
		TEST(test_refused_connection),
		TEST(test_lie),
		TEST(test_unasked),
		TEST(test_not_while_watching),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
