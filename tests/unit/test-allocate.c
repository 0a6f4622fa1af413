/* SPDX-License-Identifier: MIT */
/*
 * Asking whether and asking for several things at once; and why a call failed, in numbers, whether the
 * daemon says so or the library.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "connected.h"

/* Refuses with a cause, which a test may have changed. */
static bool refuse_with(int fd, struct wire_frame *request,
			void (*change)(struct wire_frame *frame))
{
	struct wire_frame reply = {.header = request->header};

	reply.header.status = -EDQUOT;
	WIRE_STRING_SET(reply.error.text, "no quota");
	reply.cause = (struct dmabufd_cause){
		.refusal = DMABUFD_REFUSED_QUOTA,
		.flags = DMABUFD_CAUSE_OF_BUFFERS,
		.wanted = 3,
		.available = 2,
		.largest_free = 4096,
		.limit = 9,
		.pool = "camera",
		.device = "platform:isp",
	};
	if (change)
		change(&reply);
	return fake_reply(fd, &reply, sizeof(reply.error) + sizeof(reply.cause));
}

static bool refuse(int fd, struct wire_frame *request)
{
	return refuse_with(fd, request, NULL);
}

static bool refuse_shortly(int fd, struct wire_frame *request)
{
	return fake_reply_error(fd, request, -ENOSPC, "full");
}

static int allocate(struct fixture *fixture)
{
	struct dmabuf_buffer *buffer = NULL;
	int r = dmabuf_allocate(fixture->conn, fixture->request, &buffer, 1);

	assert_true((r == 0) == (buffer != NULL));
	dmabuf_buffer_free(buffer);
	return r;
}

static void test_numbers(void **state)
{
	struct fixture *fixture = *state;
	const struct dmabuf_error_info *info = dmabuf_get_error_info(fixture->conn);

	assert_int_equal(info->code, 0);
	assert_string_equal(info->text, "");
	fake_daemon_on_request(fixture->daemon, refuse);
	assert_int_equal(allocate(fixture), -EDQUOT);
	info = dmabuf_get_error_info(fixture->conn);
	assert_int_equal(info->code, -EDQUOT);
	assert_int_equal(info->refusal, DMABUF_REFUSED_QUOTA);
	assert_string_equal(info->text, "no quota");
	assert_string_equal(info->pool, "camera");
	assert_string_equal(info->device, "platform:isp");
	assert_int_equal(info->wanted, 3);
	assert_int_equal(info->available, 2);
	assert_int_equal(info->largest_free, 4096);
	assert_int_equal(info->limit, 9);
	assert_true(info->of_buffers);

	/* An older daemon says so much; nothing of the time before is left. */
	fake_daemon_on_request(fixture->daemon, refuse_shortly);
	assert_int_equal(allocate(fixture), -ENOSPC);
	info = dmabuf_get_error_info(fixture->conn);
	assert_int_equal(info->code, -ENOSPC);
	assert_int_equal(info->refusal, DMABUF_REFUSED_FULL);
	assert_string_equal(info->pool, "");
	assert_int_equal(info->wanted, 0);
	assert_false(info->of_buffers);
	/* A call that works leaves it as it is. */
	fake_daemon_on_request(fixture->daemon, NULL);
	assert_int_equal(allocate(fixture), 0);
	assert_int_equal(dmabuf_get_error_info(fixture->conn)->code, -ENOSPC);
}

#define LIAR(name, statement) LIAR_OF(refuse_with, name, statement)

LIAR(refusal, frame->cause.refusal = DMABUFD_REFUSALS)
LIAR(flags, frame->cause.flags = 2)
LIAR(pool, memset(frame->cause.pool, 'x', sizeof(frame->cause.pool)))
LIAR(device, memset(frame->cause.device, 'x', sizeof(frame->cause.device)))

static bool lie_length(int fd, struct wire_frame *request)
{
	struct wire_frame reply = {.header = request->header};

	reply.header.status = -EDQUOT;
	return fake_reply(fd, &reply, sizeof(reply.error) + sizeof(reply.cause) - 8);
}

static bool answer_check(int fd, struct wire_frame *request)
{
	return fake_reply(fd, request, 8);
}

static void test_lies(void **state)
{
	static const fake_handler lies[] = {lie_refusal, lie_flags, lie_pool, lie_device,
					    lie_length};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		fake_daemon_on_request(fixture->daemon, lies[i]);
		assert_int_equal(allocate(fixture), -EPROTO);
		assert_int_equal(dmabuf_get_error_info(fixture->conn)->refusal,
				 DMABUF_REFUSED_NO_DAEMON);
	}
	fake_daemon_on_request(fixture->daemon, answer_check);
	assert_int_equal(dmabuf_can_allocate(fixture->conn, fixture->request, 1), -EPROTO);
}

/* What the library finds itself has a kind too. */
static void test_kinds(void **state)
{
	struct fixture *fixture = *state;
	struct dmabuf_buffer *buffers[15];

	assert_int_equal(dmabuf_allocate(fixture->conn, fixture->request, buffers, 0), -EINVAL);
	assert_int_equal(dmabuf_get_error_info(fixture->conn)->refusal, DMABUF_REFUSED_INVALID);
	fixture->daemon = fake_daemon_stop(fixture->daemon);
	assert_int_equal(allocate(fixture), -ECONNRESET);
	assert_int_equal(dmabuf_get_error_info(fixture->conn)->code, -ECONNRESET);
	assert_int_equal(dmabuf_get_error_info(fixture->conn)->refusal, DMABUF_REFUSED_NO_DAEMON);
	fixture->conn = dmabuf_disconnect(fixture->conn);
	assert_int_equal(dmabuf_connect(&fixture->conn), -ECONNREFUSED);
	assert_int_equal(dmabuf_get_error_info(NULL)->code, -ECONNREFUSED);
	assert_int_equal(dmabuf_get_error_info(NULL)->refusal, DMABUF_REFUSED_NO_DAEMON);
	assert_string_equal(dmabuf_get_error_info(NULL)->text, dmabuf_error(NULL));
}

static int count(const struct dmabuf_buffer_info *buffer, void *userdata)
{
	(*(unsigned int *)userdata)++;
	return 0;
}

/* The daemon is not even asked. */
static void test_not_ours(void **state)
{
	struct fixture *fixture = *state;
	unsigned int n = 0;
	int file = memfd_create("file", MFD_CLOEXEC);

	fake_daemon_on_request(fixture->daemon, refuse);
	assert_int_equal(dmabuf_fd_get_info(fixture->conn, file, count, &n), -ENOTTY);
	assert_non_null(strstr(dmabuf_error(fixture->conn), "no dma-buf"));
	assert_int_equal(dmabuf_fd_get_info(fixture->conn, -1, count, &n), -EBADF);
	assert_int_equal(n, 0);
	close(file);
}

static bool hello_1(int fd, struct wire_frame *request)
{
	request->hello = (struct dmabufd_hello){DMABUFD_PROTOCOL_MAJOR, 1};
	return fake_reply(fd, request, 8);
}

static bool expect_three(int fd, struct wire_frame *request)
{
	if (request->header.opcode == DMABUFD_CHECK && request->request.count == 3 &&
	    request->request.size == CONNECTED_SIZE)
		return fake_reply(fd, request, 0);
	return fake_reply_error(fd, request, -EINVAL, "not what was asked");
}

static void test_can_allocate(void **state)
{
	struct fixture *fixture = *state;

	fake_daemon_on_request(fixture->daemon, expect_three);
	assert_int_equal(dmabuf_can_allocate(fixture->conn, fixture->request, 3), 0);
	assert_int_equal(dmabuf_can_allocate(fixture->conn, fixture->request, 2), -EINVAL);
	assert_int_equal(dmabuf_can_allocate(fixture->conn, fixture->request, 0), -EINVAL);
	assert_int_equal(dmabuf_can_allocate(fixture->conn, fixture->request, 15), -E2BIG);
	fake_daemon_on_request(fixture->daemon, refuse);
	assert_int_equal(dmabuf_can_allocate(fixture->conn, fixture->request, 3), -EDQUOT);
	assert_int_equal(dmabuf_get_error_info(fixture->conn)->limit, 9);
}

static void test_older_daemon(void **state)
{
	struct fixture *fixture = *state;
	const struct dmabuf_request *one[] = {fixture->request};
	struct dmabuf_buffer *buffer = NULL;

	fixture->conn = dmabuf_disconnect(fixture->conn);
	fake_daemon_on_hello(fixture->daemon, hello_1);
	assert_int_equal(dmabuf_connect(&fixture->conn), 0);
	assert_int_equal(dmabuf_can_allocate(fixture->conn, fixture->request, 1), -EOPNOTSUPP);
	assert_int_equal(dmabuf_get_error_info(fixture->conn)->refusal, DMABUF_REFUSED_OLD_DAEMON);
	assert_int_equal(dmabuf_allocate_batch(fixture->conn, one, &buffer, 1), -EOPNOTSUPP);
	assert_null(buffer);
	assert_int_equal(allocate(fixture), 0);
}

static void test_batch(void **state)
{
	struct fixture *fixture = *state;
	struct dmabuf_request *large = NULL;
	const struct dmabuf_request *requests[15];
	struct dmabuf_buffer *buffers[15] = {0};

	assert_int_equal(dmabuf_request_new(&large), 0);
	dmabuf_request_set_size(large, 100000);
	for (unsigned int i = 0; i < 15; i++)
		requests[i] = i % 2 ? large : fixture->request;
	assert_int_equal(dmabuf_allocate_batch(fixture->conn, requests, buffers, 14), 0);
	for (unsigned int i = 0; i < 14; i++) {
		assert_int_equal(dmabuf_buffer_get_size(buffers[i]), i % 2 ? 102400 : 8192);
		buffers[i] = dmabuf_buffer_free(buffers[i]);
	}
	assert_int_equal(dmabuf_allocate_batch(fixture->conn, requests, buffers, 15), -E2BIG);
	assert_int_equal(dmabuf_allocate_batch(fixture->conn, requests, buffers, 0), -EINVAL);
	dmabuf_request_set_wait(large, 1);
	assert_int_equal(dmabuf_allocate_batch(fixture->conn, requests, buffers, 2), -EINVAL);
	assert_non_null(strstr(dmabuf_error(fixture->conn), "do not wait"));
	fake_daemon_on_request(fixture->daemon, refuse);
	assert_int_equal(dmabuf_allocate_batch(fixture->conn, requests, buffers, 1), -EDQUOT);
	assert_null(buffers[0]);
	dmabuf_request_free(large);
}

/* Each buffer is held to its own request. */
static bool grant_small(int fd, struct wire_frame *request)
{
	struct wire_frame reply = {.header = request->header};

	fake_fill_buffers(reply.buffers, 2, CONNECTED_SIZE);
	return fake_reply_fds(fd, &reply, 2 * sizeof(reply.buffers[0]), 2);
}

static void test_batch_of_small_buffers(void **state)
{
	struct fixture *fixture = *state;
	struct dmabuf_request *large = NULL;
	struct dmabuf_buffer *buffers[2];

	assert_int_equal(dmabuf_request_new(&large), 0);
	dmabuf_request_set_size(large, 100000);
	fake_daemon_on_request(fixture->daemon, grant_small);
	assert_int_equal(
		dmabuf_allocate_batch(fixture->conn,
				      (const struct dmabuf_request *[]){fixture->request, large},
				      buffers, 2),
		-EPROTO);
	dmabuf_request_free(large);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_numbers),
		TEST(test_lies),
		TEST(test_kinds),
		TEST(test_can_allocate),
		TEST(test_older_daemon),
		TEST(test_batch),
		TEST(test_batch_of_small_buffers),
		TEST(test_not_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
