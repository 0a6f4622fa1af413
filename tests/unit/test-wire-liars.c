/* SPDX-License-Identifier: MIT */
/*
 * A liar for each rule of the wire: whatever a peer sends, the receiver returns an error and has as
 * many descriptors open as before.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <errno.h>
#include <sys/resource.h>

#include "wire-pair.h"
#include "wire.h"

static struct wire_frame lie(uint32_t length, uint16_t n_fds)
{
	return (struct wire_frame){.header = {.length = length, .n_fds = n_fds, .serial = 7}};
}

/* Both receivers refuse, and nothing stays open. */
static void expect_refused(const struct wire_pair *pair, const void *data, size_t length,
			   unsigned int n_fds, int error)
{
	struct wire_frame frame;
	int fds[DMABUFD_BUFFERS_MAX];
	unsigned int n = 99;

	send_raw(pair->peer, data, length, n_fds);
	assert_int_equal(wire_receive(pair->self, &frame, fds, &n), error);
	assert_int_equal(n, 99);
	assert_int_equal(count_fds(), pair->n_open);

	send_raw(pair->peer, data, length, n_fds);
	assert_int_equal(wire_receive_plain(pair->self, &frame), error);
	assert_int_equal(count_fds(), pair->n_open);
}

static void test_header_announces_descriptors_that_are_not_there(void **state)
{
	struct wire_frame frame = lie(sizeof(frame.header), 5);

	expect_refused(*state, &frame, sizeof(frame.header), 0, -EPROTO);
}

static void test_descriptors_that_are_not_announced(void **state)
{
	struct wire_frame frame = lie(sizeof(frame.header), 0);

	expect_refused(*state, &frame, sizeof(frame.header), 1, -EPROTO);
}

static void test_more_descriptors_than_announced(void **state)
{
	struct wire_frame frame = lie(sizeof(frame.header), 2);

	expect_refused(*state, &frame, sizeof(frame.header), 3, -EPROTO);
}

static void test_more_descriptors_than_any_frame_has(void **state)
{
	struct wire_frame frame = lie(sizeof(frame.header), DMABUFD_BUFFERS_MAX);

	expect_refused(*state, &frame, sizeof(frame.header), FDS_MAX, -EPROTO);
	frame = lie(sizeof(frame.header), FDS_MAX);
	expect_refused(*state, &frame, sizeof(frame.header), FDS_MAX, -EPROTO);
}

static void test_length_smaller_than_frame(void **state)
{
	struct wire_frame frame = lie(sizeof(frame.header), 0);

	expect_refused(*state, &frame, sizeof(frame.header) + 1, 0, -EPROTO);
}

static void test_length_larger_than_frame(void **state)
{
	struct wire_frame frame = lie(sizeof(frame.header) + 1, 0);

	expect_refused(*state, &frame, sizeof(frame.header), 0, -EPROTO);
	frame = lie(UINT32_MAX, 1);
	expect_refused(*state, &frame, sizeof(frame.header), 1, -EPROTO);
}

static void test_frame_shorter_than_header(void **state)
{
	struct wire_frame frame = lie(0, 1);

	for (uint32_t length = 1; length < sizeof(frame.header); length++) {
		frame.header.length = length;
		expect_refused(*state, &frame, length, 0, -EPROTO);
		expect_refused(*state, &frame, length, 1, -EPROTO);
	}
}

static void test_truncated_frame(void **state)
{
	static char large[DMABUFD_FRAME_MAX + 1];
	struct dmabufd_header header = {.length = DMABUFD_FRAME_MAX, .n_fds = 0};

	memcpy(large, &header, sizeof(header));
	expect_refused(*state, large, sizeof(large), 0, -EPROTO);
	header = (struct dmabufd_header){.length = sizeof(large), .n_fds = 1};
	memcpy(large, &header, sizeof(header));
	expect_refused(*state, large, sizeof(large), 1, -EPROTO);
}

/* A frame of no bytes cannot be told from the end, and is treated as such. */
static void test_empty_frame(void **state)
{
	struct wire_pair *pair = *state;
	struct wire_frame frame;
	int fds[DMABUFD_BUFFERS_MAX];
	unsigned int n = 99;

	send_raw(pair->peer, "", 0, 0);
	assert_int_equal(wire_receive(pair->self, &frame, fds, &n), 0);
	send_raw(pair->peer, "", 0, 0);
	assert_int_equal(wire_receive_plain(pair->self, &frame), 0);
	expect_refused(pair, "", 0, 3, -EPROTO);
}

/* The daemon's side: what a client attaches needs no room and costs it nothing. */
static void test_plain_receive_needs_no_room(void **state)
{
	struct wire_pair *pair = *state;
	struct wire_frame frame = lie(sizeof(frame.header), 4);
	struct rlimit saved, none;

	send_raw(pair->peer, &frame, sizeof(frame.header), 4);
	frame = lie(sizeof(frame.header), 0);
	send_raw(pair->peer, &frame, sizeof(frame.header), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &saved), 0);
	none = (struct rlimit){.rlim_cur = 0, .rlim_max = saved.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(wire_receive_plain(pair->self, &frame), -EPROTO);
	assert_int_equal(wire_receive_plain(pair->self, &frame), sizeof(frame.header));
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &saved), 0);
	assert_int_equal(count_fds(), pair->n_open);
}

/* The process is at its limit: it gets some of the descriptors, and keeps none. */
static void test_no_room_for_descriptors(void **state)
{
	struct wire_pair *pair = *state;
	struct wire_frame frame = lie(sizeof(frame.header), 4);
	struct rlimit saved, few;
	int fds[DMABUFD_BUFFERS_MAX];
	unsigned int n = 99;
	int next = dup(0);

	assert_true(next >= 0);
	close(next);
	send_raw(pair->peer, &frame, sizeof(frame.header), 4);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &saved), 0);
	few = (struct rlimit){.rlim_cur = (rlim_t)next + 2, .rlim_max = saved.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_int_equal(wire_receive(pair->self, &frame, fds, &n), -EXFULL);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &saved), 0);
	assert_int_equal(n, 99);
	assert_int_equal(count_fds(), pair->n_open);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_header_announces_descriptors_that_are_not_there),
		TEST(test_descriptors_that_are_not_announced),
		TEST(test_more_descriptors_than_announced),
		TEST(test_more_descriptors_than_any_frame_has),
		TEST(test_length_smaller_than_frame),
		TEST(test_length_larger_than_frame),
		TEST(test_frame_shorter_than_header),
		TEST(test_truncated_frame),
		TEST(test_empty_frame),
		TEST(test_plain_receive_needs_no_room),
		TEST(test_no_room_for_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
