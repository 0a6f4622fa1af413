/* SPDX-License-Identifier: MIT */
/*
 * What the library makes of replies: buffers, lists page by page, explanations; and a liar for each
 * rule, after which the connection is dropped, no descriptor stays open and the next call works.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "connected.h"

/* Changes one thing in an honest answer to ALLOC for two buffers. */
static bool answer(int fd, struct wire_frame *request, void (*change)(struct wire_frame *frame))
{
	fake_fill_buffers(request->buffers, 2, CONNECTED_SIZE);
	change(request);
	return fake_reply_fds(fd, request, 2 * sizeof(request->buffers[0]), 2);
}

#define LIAR(name, statement) LIAR_OF(answer, name, statement)

LIAR(id, frame->buffers[1].id = 0)
LIAR(size, frame->buffers[1].size = CONNECTED_SIZE - 1)
LIAR(end, frame->buffers[1].end = frame->buffers[1].base - 1)
LIAR(kind, frame->buffers[1].kind = 4)
LIAR(mapping, frame->buffers[1].mapping = DMABUFD_MAPPING_ANY)
LIAR(flags, frame->buffers[1].flags = 2)
LIAR(relaxed, frame->buffers[1].relaxed = DMABUFD_CONSTRAINTS + 1)
LIAR(pool, memset(frame->buffers[1].pool, 'x', sizeof(frame->buffers[1].pool)))
LIAR(name, frame->buffers[1].name[DMABUFD_NAME_SIZE - 1] = 'x')
LIAR(devices, memset(frame->buffers[1].devices, 'x', sizeof(frame->buffers[1].devices)))
LIAR(opcode, frame->header.opcode = DMABUFD_POOLS)
LIAR(serial, frame->header.serial++)
LIAR(serial_zero, frame->header.serial = 0)
LIAR(status, frame->header.status = 1)
LIAR(status_body, frame->header.status = -ENOSPC)

static bool lie_count(int fd, struct wire_frame *request)
{
	fake_fill_buffers(request->buffers, 3, CONNECTED_SIZE);
	return fake_reply_fds(fd, request, 3 * sizeof(request->buffers[0]), 3);
}

static bool lie_body(int fd, struct wire_frame *request)
{
	fake_fill_buffers(request->buffers, 2, CONNECTED_SIZE);
	return fake_reply_fds(fd, request, 2 * sizeof(request->buffers[0]) - 8, 2);
}

static bool lie_too_few_fds(int fd, struct wire_frame *request)
{
	fake_fill_buffers(request->buffers, 2, CONNECTED_SIZE);
	return fake_reply_fds(fd, request, 2 * sizeof(request->buffers[0]), 1);
}

static bool lie_too_many_fds(int fd, struct wire_frame *request)
{
	fake_fill_buffers(request->buffers, 2, CONNECTED_SIZE);
	return fake_reply_fds(fd, request, 2 * sizeof(request->buffers[0]), 3);
}

static bool lie_error_text(int fd, struct wire_frame *request)
{
	request->header.status = -ENOSPC;
	memset(request->error.text, 'x', sizeof(request->error.text));
	return fake_reply(fd, request, sizeof(request->error));
}

static bool lie_error_fds(int fd, struct wire_frame *request)
{
	request->header.status = -ENOSPC;
	memset(&request->error, 0, sizeof(request->error));
	return fake_reply_fds(fd, request, sizeof(request->error), 1);
}

static bool lie_error_long(int fd, struct wire_frame *request)
{
	request->header.status = -ENOSPC;
	memset(&request->error, 0, sizeof(request->error));
	return fake_reply(fd, request, sizeof(request->error) + 8);
}

static bool lie_error_positive(int fd, struct wire_frame *request)
{
	return fake_reply_error(fd, request, ENOSPC, "not an error");
}

static bool lie_error_range(int fd, struct wire_frame *request)
{
	return fake_reply_error(fd, request, -4096, "no such errno");
}

static void test_lies_about_buffers(void **state)
{
	static const fake_handler lies[] = {
		lie_id,          lie_size,        lie_end,          lie_kind,
		lie_mapping,     lie_flags,       lie_relaxed,      lie_pool,
		lie_name,        lie_devices,     lie_opcode,       lie_serial,
		lie_serial_zero, lie_status,      lie_status_body,  lie_count,
		lie_body,        lie_too_few_fds, lie_too_many_fds, lie_error_text,
		lie_error_fds,   lie_error_range, lie_error_long,   lie_error_positive,
	};
	struct fixture *fixture = *state;
	struct dmabuf_buffer *buffers[2] = {0};

	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		fake_daemon_on_request(fixture->daemon, lies[i]);
		assert_int_equal(dmabuf_allocate(fixture->conn, fixture->request, buffers, 2),
				 -EPROTO);
		assert_null(buffers[0]);
		assert_int_equal(count_fds(), fixture->n_open);

		fake_daemon_on_request(fixture->daemon, NULL);
		assert_int_equal(dmabuf_allocate(fixture->conn, fixture->request, buffers, 2), 0);
		assert_int_equal(fake_daemon_connections(fixture->daemon), i + 2);
		buffers[0] = dmabuf_buffer_free(buffers[0]);
		buffers[1] = dmabuf_buffer_free(buffers[1]);
	}
}

static bool refuse_without_words(int fd, struct wire_frame *request)
{
	return fake_reply_error(fd, request, -ENOSPC, "");
}

static bool refuse_frame(int fd, struct wire_frame *request)
{
	fake_reply_error(fd, request, -EPROTO, "The frame breaks a rule");
	return false;
}

static void test_errors(void **state)
{
	struct fixture *fixture = *state;
	struct dmabuf_buffer *buffer;

	fake_daemon_on_request(fixture->daemon, refuse_without_words);
	assert_int_equal(dmabuf_allocate(fixture->conn, fixture->request, &buffer, 1), -ENOSPC);
	assert_non_null(strstr(dmabuf_error(fixture->conn), strerror(ENOSPC)));
	assert_int_equal(fake_daemon_connections(fixture->daemon), 1);

	/* The daemon hangs up after this: the next call must not run into it. */
	fake_daemon_on_request(fixture->daemon, refuse_frame);
	assert_int_equal(dmabuf_allocate(fixture->conn, fixture->request, &buffer, 1), -EPROTO);
	assert_string_equal(dmabuf_error(fixture->conn), "The frame breaks a rule");
	fake_daemon_on_request(fixture->daemon, NULL);
	assert_int_equal(dmabuf_allocate(fixture->conn, fixture->request, &buffer, 1), 0);
	dmabuf_buffer_free(buffer);
}

static bool hide_addresses(int fd, struct wire_frame *request)
{
	fake_fill_buffers(request->buffers, 1, CONNECTED_SIZE);
	request->buffers[0].base = request->buffers[0].end = 0;
	return fake_reply_fds(fd, request, sizeof(request->buffers[0]), 1);
}

static void test_buffer(void **state)
{
	struct fixture *fixture = *state;
	struct dmabuf_buffer *buffer = NULL;
	uint64_t base = 1, end = 2;

	assert_int_equal(dmabuf_allocate(fixture->conn, fixture->request, &buffer, 1), 0);
	assert_int_equal(dmabuf_buffer_get_id(buffer), 100);
	assert_int_equal(dmabuf_buffer_get_size(buffer), 8192);
	assert_string_equal(dmabuf_buffer_get_pool(buffer), "camera");
	assert_int_equal(dmabuf_buffer_get_kind(buffer), DMABUF_KIND_CMA);
	assert_int_equal(dmabuf_buffer_get_mapping(buffer), DMABUF_MAPPING_WRITE_COMBINED);
	assert_int_equal(dmabuf_buffer_is_contiguous(buffer), 1);
	assert_int_equal(dmabuf_buffer_get_address(buffer, &base, &end), 0);
	assert_int_equal(base, 0x40000000);
	assert_int_equal(end, 0x40002000);
	buffer = dmabuf_buffer_free(buffer);

	fake_daemon_on_request(fixture->daemon, hide_addresses);
	assert_int_equal(dmabuf_allocate(fixture->conn, fixture->request, &buffer, 1), 0);
	assert_int_equal(dmabuf_buffer_get_address(buffer, &base, &end), -EPERM);
	assert_int_equal(base, 0x40000000);
	dmabuf_buffer_free(buffer);
}

static void test_map_and_take(void **state)
{
	struct fixture *fixture = *state;
	struct dmabuf_buffer *buffer = NULL;
	void *first = NULL, *second = NULL;
	int fd;

	assert_int_equal(dmabuf_allocate(fixture->conn, fixture->request, &buffer, 1), 0);
	dmabuf_buffer_unmap(buffer);
	assert_int_equal(dmabuf_buffer_map(buffer, &first), 0);
	assert_int_equal(dmabuf_buffer_map(buffer, &second), 0);
	assert_ptr_equal(first, second);
	memset(first, 1, 8192);

	/* A memfd is no dma-buf: the call gets as far as the kernel. */
	assert_int_equal(dmabuf_buffer_begin_access(buffer, DMABUF_ACCESS_READ), -ENOTTY);
	assert_int_equal(dmabuf_buffer_end_access(buffer, 0), -EINVAL);
	assert_int_equal(dmabuf_buffer_end_access(buffer, 4), -EINVAL);

	fd = dmabuf_buffer_take_fd(buffer);
	assert_true(fd >= 0);
	assert_int_equal(dmabuf_buffer_take_fd(buffer), -EBADF);
	assert_int_equal(dmabuf_buffer_get_fd(buffer), -EBADF);
	assert_int_equal(dmabuf_buffer_map(buffer, &first), -EBADF);
	assert_int_equal(dmabuf_buffer_begin_access(buffer, DMABUF_ACCESS_READ), -EBADF);
	assert_int_equal(dmabuf_fd_begin_access(fd, DMABUF_ACCESS_READ), -ENOTTY);
	assert_int_equal(dmabuf_fd_end_access(-1, DMABUF_ACCESS_READ), -EBADF);

	assert_int_equal(dmabuf_fd_begin_access_range(fd, 0, 1, DMABUF_ACCESS_READ), -ENOTTY);
	assert_int_equal(dmabuf_fd_end_access_range(fd, (1 << 20) - 1, 2, DMABUF_ACCESS_READ),
			 -EINVAL);
	assert_int_equal(dmabuf_fd_end_access_range(fd, 1, UINT64_MAX, DMABUF_ACCESS_READ),
			 -EINVAL);
	assert_int_equal(dmabuf_fd_end_access_range(fd, 0, 0, DMABUF_ACCESS_READ), -EINVAL);
	assert_int_equal(dmabuf_fd_end_access_range(fd, 0, 1, 0), -EINVAL);
	assert_int_equal(dmabuf_fd_end_access_range(-1, 0, 1, DMABUF_ACCESS_READ), -EBADF);
	dmabuf_buffer_free(buffer);
	assert_int_equal(close(fd), 0);
}

static void test_usage(struct dmabuf_request *r)
{
	assert_int_equal(dmabuf_request_set_usage(r, 2047 & ~(2 | 4 | 16 | 32)), 0);
	assert_int_equal(dmabuf_request_set_usage(r, 2048), -EINVAL);
	/* One word on reads, and one on writes. */
	assert_int_equal(dmabuf_request_set_usage(r, 2 | 4), -EINVAL);
	assert_int_equal(dmabuf_request_set_usage(r, 4 | 8), -EINVAL);
	assert_int_equal(dmabuf_request_set_usage(r, 2 | 8), -EINVAL);
	assert_int_equal(dmabuf_request_set_usage(r, 16 | 32), -EINVAL);
	assert_int_equal(dmabuf_request_set_usage(r, 32 | 64), -EINVAL);
	assert_int_equal(dmabuf_request_set_usage(r, 2 | 64), 0);
}

static void test_constraints(void **state)
{
	struct fixture *fixture = *state;
	struct dmabuf_request *r = fixture->request;

	assert_int_equal(dmabuf_request_set_alignment(r, 0), 0);
	assert_int_equal(dmabuf_request_set_alignment(r, 1), 0);
	assert_int_equal(dmabuf_request_set_alignment(r, UINT64_C(1) << 63), 0);
	assert_int_equal(dmabuf_request_set_alignment(r, 3), -EINVAL);
	assert_int_equal(dmabuf_request_set_address_bits(r, 64), 0);
	assert_int_equal(dmabuf_request_set_address_bits(r, 65), -EINVAL);
	assert_int_equal(dmabuf_request_set_preferred(r, 15), 0);
	assert_int_equal(dmabuf_request_set_preferred(r, 16), -EINVAL);
}

/* By path, by number and by a descriptor of one's own, what is named is the same. */
static bool expect_null_thrice(int fd, struct wire_frame *request)
{
	const uint64_t *devices = request->request.devices;
	const uint64_t null = UINT64_C(1) << 32 | 3;

	if (request->request.n_devices == 3 && devices[0] == null && devices[1] == null &&
	    devices[2] == null && request->header.n_fds == 0)
		return fake_honest(fd, request);
	return fake_reply_error(fd, request, -EINVAL, "not what was asked");
}

static void test_devices(void **state)
{
	struct fixture *fixture = *state;
	struct dmabuf_request *r = fixture->request;
	struct dmabuf_buffer *buffer = NULL;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), file = memfd_create("file", MFD_CLOEXEC);

	assert_int_equal(dmabuf_request_add_device(r, "/dev/null"), 0);
	assert_int_equal(dmabuf_request_add_device_number(r, makedev(1, 3)), 0);
	assert_int_equal(dmabuf_request_add_device_fd(r, null), 0);
	assert_int_equal(dmabuf_request_add_device_fd(r, file), -ENODEV);
	assert_int_equal(dmabuf_request_add_device_fd(r, -1), -EBADF);
	assert_int_equal(dmabuf_request_add_device_number(r, 0), -ENODEV);
	fake_daemon_on_request(fixture->daemon, expect_null_thrice);
	assert_int_equal(dmabuf_allocate(fixture->conn, r, &buffer, 1), 0);
	dmabuf_buffer_free(buffer);
	for (int i = 3; i < 8; i++)
		assert_int_equal(dmabuf_request_add_device_fd(r, null), 0);
	assert_int_equal(dmabuf_request_add_device_fd(r, null), -E2BIG);
	assert_int_equal(dmabuf_request_add_device_number(r, makedev(1, 3)), -E2BIG);
	close(null);
	close(file);
}

static bool grant_relaxed(int fd, struct wire_frame *request)
{
	fake_fill_buffers(request->buffers, 1, CONNECTED_SIZE);
	request->buffers[0].relaxed = DMABUFD_CONSTRAINT_ALIGNMENT | DMABUFD_CONSTRAINT_ADDRESS;
	return fake_reply_fds(fd, request, sizeof(request->buffers[0]), 1);
}

/* What the CPU was said not to do is not possible. */
static void test_map_as_said(void **state)
{
	struct fixture *fixture = *state;
	struct dmabuf_buffer *buffer = NULL;
	int ends[2];
	void *map = NULL;

	assert_int_equal(pipe(ends), 0);
	fake_daemon_on_request(fixture->daemon, grant_relaxed);
	dmabuf_request_set_usage(fixture->request, DMABUF_USAGE_CPU_WRITES_NEVER);
	assert_int_equal(dmabuf_allocate(fixture->conn, fixture->request, &buffer, 1), 0);
	assert_int_equal(dmabuf_buffer_get_relaxed(buffer),
			 DMABUF_CONSTRAINT_ALIGNMENT | DMABUF_CONSTRAINT_ADDRESS);
	assert_int_equal(dmabuf_buffer_map(buffer, &map), 0);
	/* The kernel writes there for us, or refuses. */
	assert_int_equal(write(ends[1], map, 1), 1);
	assert_int_equal(read(ends[0], map, 1), -1);
	assert_int_equal(errno, EFAULT);
	dmabuf_buffer_free(buffer);

	dmabuf_request_set_usage(fixture->request,
				 DMABUF_USAGE_CPU_WRITES_NEVER | DMABUF_USAGE_CPU_READS_NEVER);
	assert_int_equal(dmabuf_allocate(fixture->conn, fixture->request, &buffer, 1), 0);
	assert_int_equal(dmabuf_buffer_map(buffer, &map), -EACCES);
	dmabuf_buffer_free(buffer);
	close(ends[0]);
	close(ends[1]);
}

static void test_request(void **state)
{
	struct fixture *fixture = *state;
	struct dmabuf_request *r = fixture->request;

	assert_int_equal(dmabuf_request_set_size(r, 0), -EINVAL);
	assert_int_equal(dmabuf_request_set_usage(r, 3), 0);
	test_usage(r);
	assert_int_equal(dmabuf_request_set_mapping(r, DMABUF_MAPPING_WRITE_COMBINED), 0);
	assert_int_equal(dmabuf_request_set_mapping(r, (enum dmabuf_mapping)3), -EINVAL);
	assert_int_equal(dmabuf_request_set_name(r, "1234567890123456789012345678901"), 0);
	assert_int_equal(dmabuf_request_set_name(r, "12345678901234567890123456789012"),
			 -ENAMETOOLONG);
	assert_int_equal(dmabuf_request_set_pool(r, NULL), 0);
	assert_int_equal(dmabuf_request_add_device(r, "/dev/does-not-exist"), -ENOENT);
	assert_int_equal(dmabuf_request_add_device(r, "/"), -ENODEV);
	for (int i = 0; i < 8; i++)
		assert_int_equal(dmabuf_request_add_device(r, "/dev/null"), 0);
	assert_int_equal(dmabuf_request_add_device(r, "/dev/null"), -E2BIG);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_lies_about_buffers),
		TEST(test_errors),
		TEST(test_buffer),
		TEST(test_map_and_take),
		TEST(test_request),
		TEST(test_constraints),
		TEST(test_devices),
		TEST(test_map_as_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
