/* SPDX-License-Identifier: MIT */
/*
 * Honest frames over a socketpair: they arrive as they were sent, with their descriptors. What
 * liars send is in test-wire-liars.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>

#include "wire-pair.h"
#include "wire.h"

static void test_round_trip(void **state)
{
	struct wire_pair *pair = *state;
	struct wire_frame sent = {.header = {.opcode = 3, .serial = 0xabcdef01, .status = -5}};
	struct wire_frame received;
	int fds[DMABUFD_BUFFERS_MAX];
	unsigned int n = 99;
	size_t length = sizeof(sent.header) + sizeof(sent.hello);

	sent.hello.major = 11;
	assert_int_equal(wire_send(pair->peer, &sent, length, NULL, 0), 0);
	assert_int_equal(wire_receive(pair->self, &received, fds, &n), length);
	assert_int_equal(n, 0);
	assert_int_equal(received.header.length, length);
	assert_memory_equal(&received, &sent, length);

	assert_int_equal(wire_send(pair->peer, &sent, length, NULL, 0), 0);
	assert_int_equal(wire_receive_plain(pair->self, &received), length);
	assert_memory_equal(&received, &sent, length);
}

static void test_largest_frame(void **state)
{
	struct wire_pair *pair = *state;
	struct wire_frame frame = {0};

	assert_int_equal(wire_send(pair->peer, &frame, DMABUFD_FRAME_MAX, NULL, 0), 0);
	assert_int_equal(wire_receive_plain(pair->self, &frame), DMABUFD_FRAME_MAX);
}

static void test_descriptors_arrive(void **state)
{
	struct wire_pair *pair = *state;
	struct wire_frame frame = {0};
	int sent[DMABUFD_BUFFERS_MAX], received[DMABUFD_BUFFERS_MAX];
	unsigned int n = 0;

	for (int i = 0; i < DMABUFD_BUFFERS_MAX; i++)
		sent[i] = i % 2 ? pair->peer : pair->self;
	assert_int_equal(
		wire_send(pair->peer, &frame, sizeof(frame.header), sent, DMABUFD_BUFFERS_MAX), 0);
	assert_int_equal(wire_receive(pair->self, &frame, received, &n), sizeof(frame.header));
	assert_int_equal(n, DMABUFD_BUFFERS_MAX);
	assert_int_equal(frame.header.n_fds, DMABUFD_BUFFERS_MAX);
	assert_int_equal(count_fds(), pair->n_open + DMABUFD_BUFFERS_MAX);
	for (unsigned int i = 0; i < n; i++)
		assert_true(fcntl(received[i], F_GETFD) & FD_CLOEXEC);

	wire_close_fds(received, n);
	assert_int_equal(count_fds(), pair->n_open);
}

static void test_send_refuses_impossible_frames(void **state)
{
	struct wire_pair *pair = *state;
	struct wire_frame frame = {0};
	int fds[DMABUFD_BUFFERS_MAX + 1] = {0};

	assert_int_equal(wire_send(pair->peer, &frame, sizeof(frame.header) - 1, NULL, 0),
			 -EMSGSIZE);
	assert_int_equal(wire_send(pair->peer, &frame, sizeof(frame) + 1, NULL, 0), -EMSGSIZE);
	assert_int_equal(wire_send(pair->peer, &frame, sizeof(frame), fds, DMABUFD_BUFFERS_MAX + 1),
			 -EMSGSIZE);
	assert_int_equal(wire_receive_plain(pair->self, &frame), -EAGAIN);
}

static void test_end(void **state)
{
	struct wire_pair *pair = *state;
	struct wire_frame frame;
	int fds[DMABUFD_BUFFERS_MAX];
	unsigned int n = 99;

	signal(SIGPIPE, SIG_DFL);
	shutdown(pair->peer, SHUT_RDWR);
	assert_int_equal(wire_receive(pair->self, &frame, fds, &n), 0);
	assert_int_equal(wire_receive_plain(pair->self, &frame), 0);
	assert_int_equal(n, 99);
	/* And no signal, which would end this test. */
	assert_int_equal(wire_send(pair->self, &frame, sizeof(frame.header), NULL, 0), -EPIPE);
}

static void test_nothing_to_receive(void **state)
{
	struct wire_pair *pair = *state;
	struct wire_frame frame;
	int fds[DMABUFD_BUFFERS_MAX];
	unsigned int n = 99;

	assert_int_equal(wire_receive(pair->self, &frame, fds, &n), -EAGAIN);
	assert_int_equal(wire_receive_plain(pair->self, &frame), -EAGAIN);
	assert_int_equal(wire_receive(-1, &frame, fds, &n), -EBADF);
}

/* A body of so many bytes, as it was received: behind it is what was there before. */
static struct wire_frame received_frame(size_t body)
{
	struct wire_frame frame = {.header = {.length = (uint32_t)(sizeof(frame.header) + body)}};

	memset(frame.body, 0xff, sizeof(frame.body));
	memset(frame.body, 'b', body);
	return frame;
}

static void test_body_of_another_minor(void **state)
{
	const unsigned char *bytes;
	struct wire_frame frame = received_frame(24);

	assert_int_equal(wire_fit(&frame, 24), 0);
	assert_int_equal(frame.header.length, sizeof(frame.header) + 24);
	bytes = (const unsigned char *)frame.body;
	assert_int_equal(bytes[23], 'b');
	assert_int_equal(bytes[24], 0xff);
	/* Of an older one: zeros follow, and no more than what is known. */
	assert_int_equal(wire_fit(&frame, 32), 0);
	assert_int_equal(frame.header.length, sizeof(frame.header) + 32);
	assert_memory_equal(bytes + 22, "bb\0\0\0\0\0\0\0\0\xff", 11);
	/* Of a newer one: what is not known must be zero. */
	assert_int_equal(wire_fit(&frame, 24), 0);
	assert_int_equal(frame.header.length, sizeof(frame.header) + 24);
	assert_int_equal(wire_fit(&frame, 23), -EOPNOTSUPP);
	frame = received_frame(sizeof(frame.body));
	memset((unsigned char *)frame.body + 24, 0, sizeof(frame.body) - 25);
	assert_int_equal(wire_fit(&frame, 24), -EOPNOTSUPP);
	((unsigned char *)frame.body)[sizeof(frame.body) - 1] = 0;
	assert_int_equal(wire_fit(&frame, 24), 0);
}

static void test_strings(void **state)
{
	char field[4];

	assert_true(wire_string_is_valid("\0\0\0", 4));
	assert_true(wire_string_is_valid("abc", 4));
	assert_false(wire_string_is_valid("abcd", 4));
	assert_false(wire_string_is_valid("a\0c", 4));

	memset(field, 'x', sizeof(field));
	assert_int_equal(WIRE_STRING_SET(field, "a"), 0);
	assert_memory_equal(field, "a\0\0\0", 4);
	assert_int_equal(WIRE_STRING_SET(field, "abcd"), -ENAMETOOLONG);
	assert_memory_equal(field, "a\0\0\0", 4);
	assert_int_equal(WIRE_STRING_SET(field, NULL), 0);
	assert_memory_equal(field, "\0\0\0\0", 4);
	assert_int_equal(WIRE_STRING_SET(field, "abc"), 0);
	assert_true(WIRE_STRING_IS_VALID(field));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_round_trip),
		TEST(test_largest_frame),
		TEST(test_descriptors_arrive),
		TEST(test_send_refuses_impossible_frames),
		TEST(test_end),
		TEST(test_nothing_to_receive),
		TEST(test_strings),
		TEST(test_body_of_another_minor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
