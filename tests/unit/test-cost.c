/* SPDX-License-Identifier: MIT */
/*
 * What a request costs does not grow with what else is there: live buffers, connections, users; and
 * to know a buffer again costs the same whether few live or many. Costs are processor time, compared
 * with each other and never with a clock: what grows with the number would be far beyond the bounds.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

#include "daemon.h"
#include "fake-kernel.h"
#include "fake-peer.h"
#include "rebuild.h"
#include "wire.h"

enum {
	FEW = 512,
	MANY = 8192,
	CROWD = 1024,
	N_OWNERS = 8,
	ROUNDS = 40,
	REQUESTS = 20 /* in one round; so many buffers may a user have, see daemon.c */
};

static struct manager *manager;

static int make_room(void **state)
{
	struct rlimit limit;
	int r = getrlimit(RLIMIT_NOFILE, &limit);

	limit.rlim_cur = limit.rlim_max;
	return r < 0 ? r : setrlimit(RLIMIT_NOFILE, &limit);
}

/* Buffers of some programs, of which each names another pair of devices. */
static void make_tags(uint8_t tags[N_OWNERS][TAG_SIZE])
{
	for (unsigned int i = 0; i < N_OWNERS; i++) {
		struct tag owner = {.uid = 77 + i / 2, .pid = (pid_t)(1000 + i), .n_devices = 2};

		sprintf(owner.devices[0], "platform:something%u", i);
		sprintf(owner.devices[1], "pci:0000:00:%02u.0", i);
		assert_int_equal(tag_pack(&owner, tags[i]), 0);
	}
}

static void start(unsigned int n_old)
{
	static uint8_t tags[N_OWNERS][TAG_SIZE];

	make_tags(tags);
	fake_kernel_start();
	fake_kernel_set_old(n_old, tags, N_OWNERS);
	assert_int_equal(daemon_start(&manager), 0);
	assert_int_equal(ledger_get_count(manager->ledger), n_old);
}

static void stop(void)
{
	daemon_run(manager);
	assert_true(LIST_EMPTY(&manager->users));
	manager = manager_free(manager);
	fake_kernel_stop();
}

static uint64_t get_time(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Of many rounds the cheapest: what others do on this machine makes some dearer, and none cheaper. */
static double get_cost(void (*fn)(void *), void (*undo)(void *), void *userdata,
		       unsigned int rounds)
{
	uint64_t least = UINT64_MAX;

	while (rounds--) {
		uint64_t started = get_time(), cost;

		fn(userdata);
		cost = get_time() - started;
		if (undo)
			undo(userdata);
		least = cost < least ? cost : least;
	}
	return (double)least;
}

/* Ask, serve and read the reply: its status. */
static int call(int fd, uint16_t opcode, const void *body, size_t size, int ret_fds[])
{
	struct wire_frame frame = {.header = {.opcode = opcode, .serial = 1}};
	unsigned int n_fds;

	memcpy(frame.body, body, size);
	assert_int_equal(wire_send(fd, &frame, sizeof(frame.header) + size, NULL, 0), 0);
	assert_int_equal(sd_event_run(manager->event, 0), 1);
	assert_true(wire_receive(fd, &frame, ret_fds, &n_fds) > 0);
	return frame.header.status;
}

static int connect_as(unsigned int uid)
{
	const struct dmabufd_hello hello = {.major = DMABUFD_PROTOCOL_MAJOR};
	int fds[DMABUFD_BUFFERS_MAX], fd = fake_peer_connect(manager, uid);

	assert_int_equal(call(fd, DMABUFD_HELLO, &hello, sizeof(hello), fds), 0);
	return fd;
}

static int allocate(int fd, int *ret)
{
	const struct dmabufd_request request = {
		.size = 4096, .count = 1, .n_devices = 1, .devices = {UINT64_C(1) << 32 | 3}};
	int fds[DMABUFD_BUFFERS_MAX], r;

	r = call(fd, DMABUFD_ALLOC, &request, sizeof(request), fds);
	*ret = r < 0 ? -EBADF : fds[0];
	return r;
}

static void release(int buffer)
{
	close(buffer);
	fake_kernel_release();
	assert_int_equal(manager_read_events(manager), 0);
}

/* A connection that keeps what it gets. */
struct hoarder {
	int fd;
	unsigned int n;
	int buffers[REQUESTS];
};

static void allocate_often(void *hoarder)
{
	struct hoarder *h = hoarder;

	for (; h->n < REQUESTS; h->n++)
		assert_int_equal(allocate(h->fd, &h->buffers[h->n]), 0);
}

static void release_all(void *hoarder)
{
	struct hoarder *h = hoarder;

	while (h->n)
		release(h->buffers[--h->n]);
}

static void be_refused_often(void *hoarder)
{
	const struct hoarder *h = hoarder;
	int buffer;

	for (unsigned int i = 0; i < REQUESTS; i++)
		assert_int_equal(allocate(h->fd, &buffer), -EDQUOT);
}

/* Hardly anything but the turn itself. */
static void look_often(void *hoarder)
{
	const struct hoarder *h = hoarder;
	const struct dmabufd_cursor cursor = {.after = 0};
	int fds[DMABUFD_BUFFERS_MAX];

	for (unsigned int i = 0; i < REQUESTS; i++)
		assert_int_equal(call(h->fd, DMABUFD_POOLS, &cursor, sizeof(cursor), fds), 0);
}

/* Nanoseconds of one request, beside so many buffers and connections of so many users. */
static double get_cost_beside(void (*requests)(void *), unsigned int buffers,
			      unsigned int connections, unsigned int users)
{
	struct hoarder one = {0};
	int crowd[CROWD];
	double cost;

	start(buffers);
	for (unsigned int i = 0; i < connections; i++)
		crowd[i] = connect_as(1000 + i % users);
	one.fd = connect_as(1000);
	cost = get_cost(requests, release_all, &one, ROUNDS) / REQUESTS;
	for (unsigned int i = 0; i < connections; i++)
		close(crowd[i]);
	close(one.fd);
	stop();
	return cost;
}

static void assert_is_at_most(double factor, double dear, double cheap, const char *what)
{
	print_message("%s: %.0f ns, or else %.0f ns: %.2f times\n", what, dear, cheap,
		      dear / cheap);
	assert_true(dear <= factor * cheap);
}

static void beside_many_buffers(void **state)
{
	assert_is_at_most(2, get_cost_beside(allocate_often, MANY, 0, 1),
			  get_cost_beside(allocate_often, 0, 0, 1),
			  "an allocation beside 8192 buffers");
}

static void beside_many_connections(void **state)
{
	assert_is_at_most(2, get_cost_beside(allocate_often, 0, CROWD, 1),
			  get_cost_beside(allocate_often, 0, 0, 1),
			  "an allocation beside 1024 connections of its user");
	assert_is_at_most(2, get_cost_beside(look_often, 0, CROWD, 1),
			  get_cost_beside(look_often, 0, 0, 1),
			  "a turn beside 1024 connections of its user");
}

static void beside_many_users(void **state)
{
	assert_is_at_most(2, get_cost_beside(allocate_often, 0, CROWD, CROWD),
			  get_cost_beside(allocate_often, 0, 0, 1),
			  "an allocation beside 1024 users");
}

/*
 * Who knocks with his quota full has one turn before each of another's at most, see test-turns.c. So
 * that such a turn is no dearer keeps the other's within twice of what it costs alone, even where
 * memory costs nothing.
 */
static void a_refusal_is_no_dearer(void **state)
{
	struct hoarder one = {0};
	double refused, served;

	start(0);
	one.fd = connect_as(1000);
	served = get_cost(allocate_often, release_all, &one, ROUNDS) / REQUESTS;
	allocate_often(&one);
	refused = get_cost(be_refused_often, NULL, &one, ROUNDS) / REQUESTS;
	release_all(&one);
	close(one.fd);
	stop();
	assert_is_at_most(1, refused, served, "a refusal beside an allocation");
}

static void rebuild_once(void *userdata)
{
	struct ledger *ledger = NULL;
	struct quota *quota = NULL;

	assert_int_equal(ledger_new(&ledger), 0);
	assert_int_equal(quota_new(&quota), 0);
	assert_int_equal(rebuild(manager->module, ledger, quota), 0);
	ledger_free(ledger);
	quota_free(quota);
}

/* Nanoseconds for each of so many buffers. */
static double get_cost_of_rebuild(unsigned int buffers)
{
	double cost;

	start(buffers);
	cost = get_cost(rebuild_once, NULL, NULL, 10) / buffers;
	stop();
	return cost;
}

static void to_know_again(void **state)
{
	assert_is_at_most(3, get_cost_of_rebuild(MANY), get_cost_of_rebuild(FEW),
			  "to know one of 8192 buffers again (alone: of 512)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(beside_many_buffers), cmocka_unit_test(beside_many_connections),
		cmocka_unit_test(beside_many_users),   cmocka_unit_test(a_refusal_is_no_dearer),
		cmocka_unit_test(to_know_again),
	};

	return cmocka_run_group_tests(tests, make_room, NULL);
}
