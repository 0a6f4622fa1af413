/* SPDX-License-Identifier: MIT */
/*
 * What the daemon tells programs: other limits to those whose they are, and memory asked back from
 * those who have some. The daemon is the real one, served step by step; kernel and devices are those
 * of the fuzz targets.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "test.h"

#include "client.h"
#include "daemon.h"
#include "fake-kernel.h"
#include "fake-peer.h"
#include "notify.h"
#include "settings-from.h"
#include "wire.h"

static struct manager *manager;
static int kept[64];
static unsigned int n_kept;

static int start(void **state)
{
	fake_kernel_start();
	n_kept = 0;
	return daemon_start(&manager);
}

static void release_all(void)
{
	while (n_kept)
		close(kept[--n_kept]);
	fake_kernel_release();
	assert_true(manager_read_events(manager) >= 0);
}

static int stop(void **state)
{
	daemon_run(manager);
	release_all();
	assert_true(LIST_EMPTY(&manager->clients));
	assert_true(LIST_EMPTY(&manager->notified));
	manager = manager_free(manager);
	fake_kernel_stop();
	return 0;
}

/* The reply's status, or -EAGAIN when there is no frame. What comes with it is kept. */
static int receive(int fd, struct wire_frame *frame)
{
	int fds[DMABUFD_BUFFERS_MAX], r;
	unsigned int n_fds;

	daemon_run(manager);
	r = wire_receive(fd, frame, fds, &n_fds);
	if (r <= 0)
		return r ? r : -ECONNRESET;
	memcpy(kept + n_kept, fds, n_fds * sizeof(int));
	n_kept += n_fds;
	return frame->header.status;
}

static int call(int fd, uint16_t opcode, struct wire_frame *frame, size_t body)
{
	frame->header = (struct dmabufd_header){.opcode = opcode, .serial = 7};
	assert_int_equal(wire_send(fd, frame, sizeof(frame->header) + body, NULL, 0), 0);
	return receive(fd, frame);
}

static int connect_as(unsigned int uid)
{
	struct wire_frame frame = {.hello = {DMABUFD_PROTOCOL_MAJOR, DMABUFD_PROTOCOL_MINOR}};
	int fd = fake_peer_connect(manager, uid);

	assert_int_equal(call(fd, DMABUFD_HELLO, &frame, sizeof(frame.hello)), 0);
	return fd;
}

static int notified_as(unsigned int uid)
{
	struct wire_frame frame;
	int fd = connect_as(uid);

	assert_int_equal(call(fd, DMABUFD_NOTIFY, &frame, 0), 0);
	assert_int_equal(frame.header.length, sizeof(frame.header));
	return fd;
}

static void assert_event(int fd, uint32_t type, struct wire_frame *frame)
{
	assert_int_equal(receive(fd, frame), 0);
	assert_int_equal(frame->header.opcode, DMABUFD_NOTIFY);
	assert_int_equal(frame->header.serial, 7);
	assert_int_equal(frame->header.length, sizeof(frame->header) + sizeof(frame->event));
	assert_int_equal(frame->event.type, type);
}

static void assert_no_event(int fd)
{
	struct wire_frame frame;

	assert_int_equal(receive(fd, &frame), -EAGAIN);
}

/* As a reload does it. */
static void set(const char *text)
{
	struct settings *settings = settings_from(text);

	notify_of_settings(manager, settings);
	settings_free(manager->settings);
	manager->settings = settings;
}

static void limits_are_told_to_whose_they_are(void **state)
{
	int one, other, plain;
	struct wire_frame frame;

	set("");
	one = notified_as(1000);
	other = notified_as(1001);
	plain = connect_as(1000);
	set("[User 1000]\nBytesMax=3M\nBuffersMax=5\n");
	assert_event(one, DMABUFD_EVENT_QUOTA_CHANGED, &frame);
	assert_int_equal(frame.event.size, MIB(3));
	assert_int_equal(frame.event.number, 5);
	assert_int_equal(frame.event.uid, 1000);
	assert_true(frame.event.time > 0);
	assert_no_event(other);
	/* The same again is no news. */
	set("[User 1000]\nBytesMax=3M\nBuffersMax=5\n[Daemon]\nUserConnectionsMax=9\n");
	assert_no_event(one);
	/* A pool is everybody's. */
	set("[User 1000]\nBytesMax=3M\nBuffersMax=5\n[Pool camera]\nBytesMax=1M\n");
	assert_event(one, DMABUFD_EVENT_QUOTA_CHANGED, &frame);
	assert_event(other, DMABUFD_EVENT_QUOTA_CHANGED, &frame);
	assert_int_equal(frame.event.uid, 1001);
	/* Who did not ask is told nothing. */
	assert_no_event(plain);
	close(one);
	close(other);
	close(plain);
}

/* For the fake device that both pools suit. */
static int allocate_from(int fd, const char *pool, uint64_t size, unsigned int count, uint64_t wait)
{
	struct wire_frame frame = {.request = {.size = size, .count = count, .wait = wait}};

	wire_string_set(frame.request.pool, sizeof(frame.request.pool), pool);
	frame.request.n_devices = 1;
	frame.request.devices[0] = UINT64_C(1) << 32 | 3;
	return call(fd, DMABUFD_ALLOC, &frame, sizeof(frame.request));
}

static int allocate(int fd, uint64_t size, uint64_t wait)
{
	return allocate_from(fd, "area", size, 1, wait);
}

/* The fake peers are one process: what makes them others is the pid that the daemon has. */
static void become(uid_t uid, pid_t pid)
{
	struct client *client;

	LIST_FOREACH(client, &manager->clients, link)
	if (client->peer.uid == uid)
		client->peer.pid = pid;
}

/* One has all of the area but a part, and would know what is asked of it. */
static void fill(int holder)
{
	while (allocate(holder, MIB(1), 0) == 0)
		;
	assert_true(n_kept > 0);
}

static void memory_is_asked_back(void **state)
{
	int told, holder, bystander, elsewhere, asks;
	struct wire_frame frame;

	set("[Daemon]\nFairShare=no\n");
	told = notified_as(1000);
	holder = connect_as(1000);
	bystander = notified_as(1001);
	elsewhere = connect_as(1001);
	asks = connect_as(1002);
	become(1002, 77);
	assert_int_equal(allocate_from(elsewhere, "system", MIB(1), 1, 0), 0);
	fill(holder);
	/* Its own refusal is nothing that it is asked for. */
	assert_no_event(told);
	memset(manager->asked_back_until, 0, sizeof(manager->asked_back_until));
	assert_int_equal(allocate(asks, MIB(2), 0), -ENOSPC);
	assert_event(told, DMABUFD_EVENT_ASKED_BACK, &frame);
	assert_string_equal(frame.event.pool, "area");
	assert_int_equal(frame.event.size, MIB(2));
	/* Nobody learns who it was. */
	assert_int_equal(frame.event.uid, 0);
	assert_int_equal(frame.event.pid, 0);
	assert_no_event(bystander);
	/* Seldom. */
	assert_int_equal(allocate(asks, MIB(2), 0), -ENOSPC);
	assert_no_event(told);
	/* Who waits asks as well. */
	memset(manager->asked_back_until, 0, sizeof(manager->asked_back_until));
	assert_int_equal(allocate(asks, MIB(1), UINT64_MAX), -EAGAIN);
	assert_event(told, DMABUFD_EVENT_ASKED_BACK, &frame);
	assert_int_equal(frame.event.size, MIB(1));
	/* And gets it. */
	close(kept[--n_kept]);
	fake_kernel_release();
	assert_true(manager_read_events(manager) >= 0);
	assert_int_equal(receive(asks, &frame), 0);
	close(told);
	close(holder);
	close(bystander);
	close(elsewhere);
	close(asks);
}

/* What nobody could give back is not asked for. */
static void nothing_is_asked_in_vain(void **state)
{
	int told, holder, asks;

	set("[Daemon]\nFairShare=no\n");
	told = notified_as(1000);
	holder = connect_as(1000);
	asks = connect_as(1002);
	become(1002, 77);
	assert_int_equal(allocate(holder, MIB(1), 0), 0);
	assert_int_equal(allocate(asks, MIB(100), 0), -E2BIG);
	assert_int_equal(allocate_from(asks, "area", MIB(2), 14, 0), -ENOSPC);
	assert_no_event(told);
	/* A limit of who asks is not for others to help. */
	set("[Daemon]\nFairShare=no\n[User 1002]\nBytesMax=2M\n");
	assert_int_equal(allocate(asks, MIB(1), 0), 0);
	assert_int_equal(allocate(asks, MIB(2), 0), -EDQUOT);
	set("[Daemon]\nFairShare=no\n[Pool area]\nUserBytesMax=1M\n");
	assert_int_equal(receive(told, &(struct wire_frame){0}), 0);
	assert_int_equal(allocate(asks, MIB(1), 0), -EDQUOT);
	assert_no_event(told);
	close(told);
	close(holder);
	close(asks);
}

static void who_is_told_asks_nothing(void **state)
{
	struct wire_frame frame = {0};
	int fd = notified_as(1000);

	assert_int_equal(call(fd, DMABUFD_STATUS, &frame, 0), -EPROTO);
	assert_int_equal(receive(fd, &frame), -ECONNRESET);
	close(fd);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(limits_are_told_to_whose_they_are),
		TEST(memory_is_asked_back),
		TEST(nothing_is_asked_in_vain),
		TEST(who_is_told_asks_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
