/* SPDX-License-Identifier: MIT */
/*
 * The fixture of tests of the daemon's answers: it is the real one, served step by step; kernel and
 * devices are those of the fuzz targets. After each test nothing is alive.
 */
#ifndef REQUESTS_FIXTURE_H
#define REQUESTS_FIXTURE_H

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

#include "daemon.h"
#include "fake-kernel.h"
#include "fake-peer.h"
#include "wire.h"

#define CAMERA (UINT64_C(1) << 32 | 3)     /* not coherent, no IOMMU; the pool camera is its own */
#define TRANSLATED (UINT64_C(1) << 32 | 7) /* coherent, with IOMMU */

static struct manager *manager;
static struct wire_frame frame; /* the last reply */
static size_t body;             /* its bytes */
static int fds[DMABUFD_BUFFERS_MAX];
static unsigned int n_fds;

static inline int start(void **state)
{
	fake_kernel_start();
	return daemon_start(&manager);
}

static inline void release(void)
{
	wire_close_fds(fds, n_fds);
	n_fds = 0;
	fake_kernel_release();
	assert_int_equal(manager_read_events(manager), 0);
	daemon_run(manager);
}

static inline int stop(void **state)
{
	release();
	assert_int_equal(fake_kernel_get_count(), 0);
	assert_int_equal(ledger_get_count(manager->ledger), 0);
	manager = manager_free(manager);
	fake_kernel_stop();
	return 0;
}

/* The status of the reply, which is then in frame. Descriptors of the one before are released. */
static inline int call(int fd, uint16_t opcode, const void *bytes, size_t size)
{
	struct wire_frame request = {.header = {.opcode = opcode, .serial = 1}};
	int r;

	release();
	memcpy(request.body, bytes, size);
	assert_int_equal(wire_send(fd, &request, sizeof(request.header) + size, NULL, 0), 0);
	daemon_run(manager);
	memset(&frame, 0xa5, sizeof(frame));
	r = wire_receive(fd, &frame, fds, &n_fds);
	assert_true(r >= (int)sizeof(frame.header));
	body = (size_t)r - sizeof(frame.header);
	return frame.header.status;
}

static inline int connect_minor(unsigned int uid, uint32_t minor)
{
	const struct dmabufd_hello hello = {DMABUFD_PROTOCOL_MAJOR, minor};
	int fd = fake_peer_connect(manager, uid);

	assert_int_equal(call(fd, DMABUFD_HELLO, &hello, sizeof(hello)), 0);
	assert_int_equal(frame.hello.minor, DMABUFD_PROTOCOL_MINOR);
	return fd;
}

static struct dmabufd_request ask(uint64_t size, uint32_t count)
{
	return (struct dmabufd_request){.size = size, .count = count};
}

static inline int allocate(int fd, const struct dmabufd_request *request)
{
	return call(fd, DMABUFD_ALLOC, request, sizeof(*request));
}

static inline void assert_text(const char *words)
{
	assert_true(WIRE_STRING_IS_VALID(frame.error.text));
	if (!strstr(frame.error.text, words))
		fail_msg("\"%s\" lacks \"%s\"", frame.error.text, words);
}

static inline void assert_granted(const char *pool, uint32_t mapping, uint32_t relaxed)
{
	assert_int_equal(n_fds, 1);
	assert_int_equal(body, sizeof(frame.buffers[0]));
	assert_string_equal(frame.buffers[0].pool, pool);
	assert_int_equal(frame.buffers[0].mapping, mapping);
	assert_int_equal(frame.buffers[0].relaxed, relaxed);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, start, stop)

#endif
