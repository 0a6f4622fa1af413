/* SPDX-License-Identifier: MIT */
/*
 * This library and a daemon of another minor version: one of minor 0 or 1 takes requests of its own
 * size and nothing else, and is never asked for what it does not know; a newer one is spoken to as
 * what this library knows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "connected.h"

#define SIZE_0 152 /* of a request in minor 0 */
#define SIZE_1 160
#define SIZE_2 176

static bool hello_0(int fd, struct wire_frame *request)
{
	request->hello = (struct dmabufd_hello){DMABUFD_PROTOCOL_MAJOR, 0};
	return fake_reply(fd, request, 8);
}

static bool hello_99(int fd, struct wire_frame *request)
{
	request->hello = (struct dmabufd_hello){DMABUFD_PROTOCOL_MAJOR, 99};
	return fake_reply(fd, request, 8);
}

static bool hello_1(int fd, struct wire_frame *request)
{
	request->hello = (struct dmabufd_hello){DMABUFD_PROTOCOL_MAJOR, 1};
	return fake_reply(fd, request, 8);
}

/* Takes no byte more than minor 1 had, of a question too. */
static bool honest_1(int fd, struct wire_frame *request)
{
	size_t body = request->header.length - sizeof(request->header);

	if (request->header.opcode == DMABUFD_REASONS ? body == 8 + SIZE_1 : body == SIZE_1)
		return fake_honest(fd, request);
	return fake_reply_error(fd, request, -EPROTO, "a frame of another size");
}

/* As minor 0 was: the size must be the very one. */
static bool honest_0(int fd, struct wire_frame *request)
{
	if (request->header.length == sizeof(request->header) + SIZE_0)
		return fake_honest(fd, request);
	return fake_reply_error(fd, request, -EPROTO, "a frame of another size");
}

/* Grants what waits for exactly two seconds. */
static bool expect_wait(int fd, struct wire_frame *request)
{
	if (request->header.length == sizeof(request->header) + SIZE_2 &&
	    request->request.wait == 2000000)
		return fake_honest(fd, request);
	return fake_reply_error(fd, request, -EINVAL, "not what was asked");
}

/* The first connection was made before the handlers were there. */
static void use_daemon(struct fixture *fixture, fake_handler hello, fake_handler request)
{
	fake_daemon_on_hello(fixture->daemon, hello);
	fake_daemon_on_request(fixture->daemon, request);
	fixture->conn = dmabuf_disconnect(fixture->conn);
	assert_int_equal(dmabuf_connect(&fixture->conn), 0);
}

static int allocate(struct fixture *fixture)
{
	struct dmabuf_buffer *buffer = NULL;
	int r = dmabuf_allocate(fixture->conn, fixture->request, &buffer, 1);

	assert_true((r == 0) == (buffer != NULL));
	dmabuf_buffer_free(buffer);
	return r;
}

static int ignore(const struct dmabuf_explanation *explanation, void *userdata)
{
	return 0;
}

static void test_older_daemon(void **state)
{
	struct fixture *fixture = *state;

	use_daemon(fixture, hello_0, honest_0);
	assert_int_equal(allocate(fixture), 0);
	assert_int_equal(dmabuf_explain(fixture->conn, fixture->request, ignore, NULL), 0);
	/* On a connection that the call itself makes, too. */
	fixture->conn = dmabuf_disconnect(fixture->conn);
	assert_int_equal(dmabuf_connect(&fixture->conn), 0);
	fake_daemon_stop(fixture->daemon);
	fixture->daemon = fake_daemon_start();
	fake_daemon_on_hello(fixture->daemon, hello_0);
	fake_daemon_on_request(fixture->daemon, honest_0);
	assert_int_equal(allocate(fixture), -ECONNRESET);
	assert_int_equal(allocate(fixture), 0);
}

static void test_older_daemon_cannot_wait(void **state)
{
	struct fixture *fixture = *state;

	use_daemon(fixture, hello_0, honest_0);
	dmabuf_request_set_wait(fixture->request, 1);
	assert_int_equal(allocate(fixture), -EOPNOTSUPP);
	assert_non_null(strstr(dmabuf_error(fixture->conn), "cannot wait"));
	/* To explain is not to wait. */
	assert_int_equal(dmabuf_explain(fixture->conn, fixture->request, ignore, NULL), 0);
	dmabuf_request_set_wait(fixture->request, 0);
	assert_int_equal(allocate(fixture), 0);
}

/* Sets one thing that came with minor 2. */
static int ask(struct dmabuf_request *request, unsigned int what)
{
	switch (what) {
	case 0:
		return dmabuf_request_set_alignment(request, 65536);
	case 1:
		return dmabuf_request_set_address_bits(request, 32);
	case 2:
		return dmabuf_request_set_preferred(request, DMABUF_CONSTRAINT_MAPPING);
	case 3:
		return dmabuf_request_set_usage(request, DMABUF_USAGE_CPU_READS_NEVER);
	default:
		return dmabuf_request_set_usage(request, DMABUF_USAGE_SCAN_OUT);
	}
}

/* What it knows it is asked for, in its own size; what it does not know is said here. */
static void test_daemon_of_minor_1(void **state)
{
	struct fixture *fixture = *state;

	use_daemon(fixture, hello_1, honest_1);
	dmabuf_request_set_wait(fixture->request, 1);
	assert_int_equal(allocate(fixture), 0);
	assert_int_equal(dmabuf_explain(fixture->conn, fixture->request, ignore, NULL), 0);
	for (unsigned int what = 0; what < 5; what++) {
		struct dmabuf_request *known = fixture->request;

		assert_int_equal(dmabuf_request_new(&fixture->request), 0);
		dmabuf_request_set_size(fixture->request, CONNECTED_SIZE);
		assert_int_equal(ask(fixture->request, what), 0);
		assert_int_equal(allocate(fixture), -EOPNOTSUPP);
		assert_non_null(strstr(dmabuf_error(fixture->conn), "upgrade"));
		assert_int_equal(dmabuf_explain(fixture->conn, fixture->request, ignore, NULL),
				 -EOPNOTSUPP);
		dmabuf_request_free(fixture->request);
		fixture->request = known;
	}
	assert_int_equal(allocate(fixture), 0);
}

/* Two pools as they were before minor 2: 72 bytes each. */
static bool pools_1(int fd, struct wire_frame *request)
{
	char *at = (char *)request->pools;
	const struct dmabufd_pool pools[] = {{.name = "one", .kind = 1, .max_block = 7},
					     {.name = "two", .kind = 2, .max_block = 8}};

	request->page = (struct dmabufd_page){.count = 2};
	memcpy(at, &pools[0], 72);
	memcpy(at + 72, &pools[1], 72);
	return fake_reply(fd, request, sizeof(request->page) + 2 * 72);
}

static int see_pool(const struct dmabuf_pool_info *pool, void *userdata)
{
	unsigned int *n = userdata;

	assert_string_equal(pool->name, *n ? "two" : "one");
	assert_int_equal(pool->max_block, 7 + *n);
	assert_int_equal(pool->stocked, 0);
	assert_int_equal(pool->stock_limit, 0);
	(*n)++;
	return 0;
}

static void test_pools_of_minor_1(void **state)
{
	struct fixture *fixture = *state;
	unsigned int n = 0;

	use_daemon(fixture, hello_1, pools_1);
	assert_int_equal(dmabuf_list_pools(fixture->conn, see_pool, &n), 0);
	assert_int_equal(n, 2);
	use_daemon(fixture, hello_99, pools_1);
	assert_int_equal(dmabuf_list_pools(fixture->conn, see_pool, &n), -EPROTO);
}

static void test_newer_daemon(void **state)
{
	struct fixture *fixture = *state;

	use_daemon(fixture, hello_99, NULL);
	assert_int_equal(allocate(fixture), 0);
	fake_daemon_on_request(fixture->daemon, expect_wait);
	assert_int_equal(allocate(fixture), -EINVAL);
	dmabuf_request_set_wait(fixture->request, 2000);
	assert_int_equal(allocate(fixture), 0);
}

static bool expect_forever(int fd, struct wire_frame *request)
{
	if (request->request.wait == UINT64_MAX)
		return fake_honest(fd, request);
	return fake_reply_error(fd, request, -EINVAL, "not for ever");
}

static void test_wait_without_limit(void **state)
{
	struct fixture *fixture = *state;

	fake_daemon_on_request(fixture->daemon, expect_forever);
	dmabuf_request_set_wait(fixture->request, DMABUF_WAIT_FOREVER - 1);
	assert_int_equal(allocate(fixture), -EINVAL);
	dmabuf_request_set_wait(fixture->request, DMABUF_WAIT_FOREVER);
	assert_int_equal(allocate(fixture), 0);
}

static bool stay_silent(int fd, struct wire_frame *request)
{
	return true;
}

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The daemon has its usual time to answer besides the wait, and only in the call that waits. */
static void test_wait_prolongs_the_timeout(void **state)
{
	struct fixture *fixture = *state;
	int64_t start = now();

	fake_daemon_on_request(fixture->daemon, stay_silent);
	dmabuf_set_timeout(fixture->conn, 50);
	dmabuf_request_set_wait(fixture->request, 200);
	assert_int_equal(allocate(fixture), -ETIMEDOUT);
	assert_true(now() - start >= 250);
	assert_non_null(strstr(dmabuf_error(fixture->conn), "250 ms"));
	assert_int_equal(dmabuf_explain(fixture->conn, fixture->request, ignore, NULL), -ETIMEDOUT);
	assert_non_null(strstr(dmabuf_error(fixture->conn), " 50 ms"));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_older_daemon),
		TEST(test_older_daemon_cannot_wait),
		TEST(test_daemon_of_minor_1),
		TEST(test_pools_of_minor_1),
		TEST(test_newer_daemon),
		TEST(test_wait_without_limit),
		TEST(test_wait_prolongs_the_timeout),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
