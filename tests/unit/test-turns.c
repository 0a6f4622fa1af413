/* SPDX-License-Identifier: MIT */
/*
 * Users take turns, on however many connections they ask. The daemon is the real one, served step by
 * step; kernel and devices are those of the fuzz targets.
 */
#include <errno.h>
#include <unistd.h>

#include "test.h"

#include "daemon.h"
#include "fake-kernel.h"
#include "fake-peer.h"
#include "wire.h"

enum {
	CROWD = 20
};

static struct manager *manager;

static int start(void **state)
{
	fake_kernel_start();
	return daemon_start(&manager);
}

static int stop(void **state)
{
	daemon_run(manager);
	assert_true(LIST_EMPTY(&manager->clients));
	assert_true(LIST_EMPTY(&manager->users));
	manager = manager_free(manager);
	fake_kernel_stop();
	return 0;
}

static void ask(int fd, uint16_t opcode)
{
	struct wire_frame frame = {.header = {.opcode = opcode, .serial = 1}};

	frame.hello.major = opcode == DMABUFD_HELLO ? DMABUFD_PROTOCOL_MAJOR : 0;
	assert_int_equal(wire_send(fd, &frame,
				   sizeof(frame.header) +
					   (opcode == DMABUFD_WATCH ? 0 : sizeof(frame.hello)),
				   NULL, 0),
			 0);
}

static bool is_answered(int fd)
{
	int fds[DMABUFD_BUFFERS_MAX], r;
	unsigned int n_fds;
	struct wire_frame frame;

	r = wire_receive(fd, &frame, fds, &n_fds);
	assert_true(r > 0 || r == -EAGAIN);
	return r > 0;
}

static int connect_as(unsigned int uid)
{
	int fd = fake_peer_connect(manager, uid);

	ask(fd, DMABUFD_HELLO);
	daemon_run(manager);
	assert_true(is_answered(fd));
	return fd;
}

/* How many of these are answered in so many turns. */
static unsigned int serve(unsigned int turns, const int fds[], unsigned int n)
{
	unsigned int answered = 0;

	while (turns--)
		assert_int_equal(sd_event_run(manager->event, 0), 1);
	for (unsigned int i = 0; i < n; i++)
		answered += is_answered(fds[i]);
	return answered;
}

static void ask_all(const int fds[], unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		ask(fds[i], DMABUFD_POOLS);
}

static void close_all(const int fds[], unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		close(fds[i]);
}

static void a_crowd_is_one_user(void **state)
{
	int crowd[CROWD], one = connect_as(1), other;

	for (unsigned int i = 0; i < CROWD; i++)
		crowd[i] = connect_as(2);
	other = connect_as(3);
	ask_all(crowd, CROWD);
	ask_all(&one, 1);
	ask_all(&other, 1);
	/* Each of the three was served as long ago as they connected. */
	assert_int_equal(serve(1, &one, 1), 1);
	assert_int_equal(serve(1, crowd, CROWD), 1);
	assert_int_equal(serve(1, &other, 1), 1);
	/* Nobody else waits now, until one does. */
	assert_int_equal(serve(5, crowd, CROWD), 5);
	ask_all(&one, 1);
	assert_int_equal(serve(1, &one, 1), 1);
	assert_int_equal(serve(CROWD - 6, crowd, CROWD), CROWD - 6);
	close_all(crowd, CROWD);
	close_all(&one, 1);
	close_all(&other, 1);
}

/* To leave and come again is no way to the front. */
static void who_comes_goes_last(void **state)
{
	int first = connect_as(1), second;

	ask_all(&first, 1);
	second = fake_peer_connect(manager, 2);
	ask(second, DMABUFD_HELLO);
	assert_int_equal(serve(1, &first, 1), 1);
	assert_int_equal(serve(1, &second, 1), 1);
	close(first);
	close(second);
}

/* Who asks again waits for the other connections of that user, too. */
static void connections_of_a_user_take_turns(void **state)
{
	int eager = connect_as(1), patient[2] = {connect_as(1), connect_as(1)};

	ask_all(&eager, 1);
	ask_all(patient, 2);
	assert_int_equal(serve(1, &eager, 1), 1);
	ask_all(&eager, 1);
	assert_int_equal(serve(2, patient, 2), 2);
	assert_int_equal(serve(1, &eager, 1), 1);
	close(eager);
	close_all(patient, 2);
}

/* A watcher whose socket was full is told of its loss once it reads again. */
static void a_watcher_that_reads_again_is_told(void **state)
{
	int watcher = connect_as(0), fds[DMABUFD_BUFFERS_MAX];
	struct wire_frame frame;
	unsigned int n_fds;

	ask(watcher, DMABUFD_WATCH);
	daemon_run(manager);
	while (!manager->counters.lost)
		close(connect_as(1));
	daemon_run(manager);
	frame.event.type = 0;
	while (frame.event.type != DMABUFD_EVENT_LOST) {
		assert_true(wire_receive(watcher, &frame, fds, &n_fds) > 0);
		daemon_run(manager);
	}
	assert_int_equal(frame.event.number, manager->counters.lost);
	assert_true(wire_receive(watcher, &frame, fds, &n_fds) == -EAGAIN);
	close(watcher);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_crowd_is_one_user, start, stop),
		cmocka_unit_test_setup_teardown(who_comes_goes_last, start, stop),
		cmocka_unit_test_setup_teardown(connections_of_a_user_take_turns, start, stop),
		cmocka_unit_test_setup_teardown(a_watcher_that_reads_again_is_told, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
