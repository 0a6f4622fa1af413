/* SPDX-License-Identifier: MIT */
/*
 * Requests for memory and their replies, byte by byte: the daemon is the real one, kernel and
 * devices are those of the fuzz targets. After each test nothing is alive.
 */
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

static int start(void **state)
{
	fake_kernel_start();
	return daemon_start(&manager);
}

static void release(void)
{
	wire_close_fds(fds, n_fds);
	n_fds = 0;
	fake_kernel_release();
	assert_int_equal(manager_read_events(manager), 0);
	daemon_run(manager);
}

static int stop(void **state)
{
	release();
	assert_int_equal(fake_kernel_get_count(), 0);
	assert_int_equal(ledger_get_count(manager->ledger), 0);
	manager = manager_free(manager);
	fake_kernel_stop();
	return 0;
}

/* The status of the reply, which is then in frame. Descriptors of the one before are released. */
static int call(int fd, uint16_t opcode, const void *bytes, size_t size)
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

static int connect_minor(unsigned int uid, uint32_t minor)
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

static int allocate(int fd, const struct dmabufd_request *request)
{
	return call(fd, DMABUFD_ALLOC, request, sizeof(*request));
}

static void assert_text(const char *words)
{
	assert_true(WIRE_STRING_IS_VALID(frame.error.text));
	if (!strstr(frame.error.text, words))
		fail_msg("\"%s\" lacks \"%s\"", frame.error.text, words);
}

static void assert_granted(const char *pool, uint32_t mapping, uint32_t relaxed)
{
	assert_int_equal(n_fds, 1);
	assert_int_equal(body, sizeof(frame.buffers[0]));
	assert_string_equal(frame.buffers[0].pool, pool);
	assert_int_equal(frame.buffers[0].mapping, mapping);
	assert_int_equal(frame.buffers[0].relaxed, relaxed);
}

/* The camera's pool cannot be mapped cached; the area can, until it is full. */
static void what_is_preferred(void **state)
{
	struct dmabufd_request request = ask(MIB(4), 1);
	int fd = connect_minor(0, 2);

	request.devices[0] = CAMERA;
	request.n_devices = 1;
	request.mapping = DMABUFD_MAPPING_CACHED;
	assert_int_equal(allocate(fd, &request), 0);
	assert_granted("area", DMABUFD_MAPPING_CACHED, 0);
	strcpy(request.pool, "camera");
	assert_int_equal(allocate(fd, &request), -EOPNOTSUPP);
	request.preferred = DMABUFD_CONSTRAINT_MAPPING;
	assert_int_equal(allocate(fd, &request), 0);
	assert_granted("camera", DMABUFD_MAPPING_WRITE_COMBINED, DMABUFD_CONSTRAINT_MAPPING);
	/* Too large even so, and it says so. */
	request.size = MIB(9);
	assert_int_equal(allocate(fd, &request), -E2BIG);
	assert_text("even without the mapping: no suitable pool");
	close(fd);
}

/* A full pool is as good a reason as one that does not suit. */
static void full_pools(void **state)
{
	struct dmabufd_request request = ask(MIB(4), 1);
	int fd = connect_minor(0, 2);

	request.devices[0] = TRANSLATED;
	request.n_devices = 1;
	request.flags = DMABUFD_CONTIGUOUS;
	strcpy(request.pool, "area");
	request.preferred = DMABUFD_CONSTRAINT_CONTIGUOUS;
	fake_kernel_fail_alloc(-ENOSPC);
	assert_int_equal(allocate(fd, &request), 0);
	assert_granted("area", DMABUFD_MAPPING_CACHED, DMABUFD_CONSTRAINT_CONTIGUOUS);
	request.preferred = 0;
	fake_kernel_fail_alloc(-ENOSPC);
	assert_int_equal(allocate(fd, &request), -ENOSPC);
	/* What the kernel fails in for another reason is no reason to give anything up. */
	request.preferred = DMABUFD_CONSTRAINT_CONTIGUOUS;
	fake_kernel_fail_alloc(-ENOMEM);
	assert_int_equal(allocate(fd, &request), -ENOMEM);
	close(fd);
}

/* Several buffers of a request are alike, and those of the first plan are given back. */
static void several_buffers(void **state)
{
	struct dmabufd_request request = ask(MIB(2), 5);
	int fd = connect_minor(0, 2);

	request.devices[0] = CAMERA;
	request.n_devices = 1;
	strcpy(request.pool, "camera");
	request.mapping = DMABUFD_MAPPING_CACHED;
	request.preferred = DMABUFD_CONSTRAINT_MAPPING;
	/* 6 MiB for each user, with or without any mapping. */
	assert_int_equal(allocate(fd, &request), -EDQUOT);
	assert_text("no quota for 10.0 MiB more: user 0 holds 0 B");
	/* Half of the pool is a fair share, and a full one is a reason to look for another plan. */
	request.count = 3;
	assert_int_equal(allocate(fd, &request), -EDQUOT);
	assert_text("even without the mapping: no quota");
	request.size = MIB(1);
	assert_int_equal(allocate(fd, &request), 0);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(frame.buffers[i].relaxed, DMABUFD_CONSTRAINT_MAPPING);
	assert_int_equal(n_fds, 3);
	close(fd);
}

/* The kernel's word counts: what is not aligned is given back. */
static void alignment_is_checked(void **state)
{
	struct dmabufd_request request = ask(MIB(1), 1);
	int fd = connect_minor(0, 2);

	request.devices[0] = TRANSLATED;
	request.n_devices = 1;
	request.alignment = MIB(1);
	assert_int_equal(allocate(fd, &request), 0);
	assert_int_equal(frame.buffers[0].base % MIB(1), 0);
	fake_kernel_set_base(GIB(1) + KIB(64));
	assert_int_equal(allocate(fd, &request), -ENOSPC);
	assert_text("not aligned like that");
	release();
	assert_int_equal(fake_kernel_get_count(), 0);
	request.alignment = KIB(64);
	assert_int_equal(allocate(fd, &request), 0);
	request.alignment = MIB(1);
	request.preferred = DMABUFD_CONSTRAINT_ALIGNMENT;
	assert_int_equal(allocate(fd, &request), 0);
	assert_granted("system", DMABUFD_MAPPING_CACHED, DMABUFD_CONSTRAINT_ALIGNMENT);
	close(fd);
}

/* A client of minor 1 finds zero where it has padding, in lists too; the tag keeps it. */
static void who_is_told(void **state)
{
	struct dmabufd_request request = ask(PAGE, 1);
	int fd = connect_minor(0, 2), old = connect_minor(0, 1);
	int kept;

	request.devices[0] = CAMERA;
	request.n_devices = 1;
	request.flags = DMABUFD_CPU_READS_OFTEN;
	assert_int_equal(call(old, DMABUFD_ALLOC, &request, DMABUFD_REQUEST_SIZE_1), 0);
	assert_granted("camera", DMABUFD_MAPPING_WRITE_COMBINED, 0);
	assert_int_equal(allocate(fd, &request), 0);
	assert_granted("camera", DMABUFD_MAPPING_WRITE_COMBINED, DMABUFD_CONSTRAINT_MAPPING);
	kept = dup(fds[0]);
	close(fd);
	close(old);
	daemon_run(manager);
	manager_free(manager);
	assert_int_equal(daemon_start(&manager), 0);
	fd = connect_minor(0, 2);
	old = connect_minor(0, 1);
	assert_int_equal(call(fd, DMABUFD_BUFFERS, &(struct dmabufd_cursor){0}, 8), 0);
	assert_int_equal(frame.page.count, 1);
	assert_int_equal(frame.listed[0].relaxed, DMABUFD_CONSTRAINT_MAPPING);
	assert_int_equal(call(old, DMABUFD_BUFFERS, &(struct dmabufd_cursor){0}, 8), 0);
	assert_int_equal(frame.listed[0].relaxed, 0);
	close(kept);
	close(fd);
	close(old);
}

static int check(int fd, const struct dmabufd_request *request)
{
	int r = call(fd, DMABUFD_CHECK, request, sizeof(*request));

	assert_int_equal(fake_kernel_get_count(), 0);
	assert_int_equal(n_fds, 0);
	assert_int_equal(body, r ? sizeof(frame.error) + sizeof(frame.cause) : 0);
	return r;
}

/* The same answer as of the real thing, word for word, and nothing done. */
static void assert_same(int fd, const struct dmabufd_request *request, int expected)
{
	struct wire_frame answer;

	assert_int_equal(check(fd, request), expected);
	answer = frame;
	assert_int_equal(allocate(fd, request), expected);
	if (expected) {
		assert_string_equal(answer.error.text, frame.error.text);
		assert_memory_equal(&answer.cause, &frame.cause, sizeof(frame.cause));
	}
	release();
}

static void would_it(void **state)
{
	struct dmabufd_request request = ask(MIB(1), 1);
	int fd = connect_minor(1000, 2), root = connect_minor(0, 2);

	assert_same(fd, &request, -EACCES); /* no device */
	request.devices[0] = CAMERA;
	request.n_devices = 1;
	assert_same(fd, &request, 0);
	request.count = 14;
	assert_same(fd, &request, -EDQUOT);
	request.count = 1;
	request.size = GIB(1);
	assert_same(fd, &request, -E2BIG);
	request.size = MIB(1);
	strcpy(request.pool, "nowhere");
	assert_same(fd, &request, -EOPNOTSUPP);
	strcpy(request.pool, "camera");
	request.mapping = DMABUFD_MAPPING_CACHED;
	assert_same(fd, &request, -EOPNOTSUPP);
	request.preferred = DMABUFD_CONSTRAINT_MAPPING;
	assert_same(fd, &request, 0);
	request.size = MIB(5);
	assert_same(fd, &request, -EDQUOT); /* a fair share */
	request.devices[0] = UINT64_C(1) << 32 | 99;
	assert_same(fd, &request, -ENODEV);
	/* For no device at all. */
	request = ask(MIB(1), 1);
	assert_same(root, &request, 0);
	close(fd);
	close(root);
}

/* Room that several buffers of one request take from one another. */
static void would_all_of_it(void **state)
{
	struct dmabufd_request request = ask(MIB(1), 2);
	int fd = connect_minor(0, 2);

	fake_kernel_use(1, MIB(16) - MIB(2));
	strcpy(request.pool, "area");
	assert_same(fd, &request, 0);
	fake_kernel_use(1, PAGE);
	assert_int_equal(check(fd, &request), -ENOSPC);
	request.count = 1;
	assert_int_equal(check(fd, &request), 0);
	close(fd);
}

static void assert_cause(uint32_t refusal, const char *pool, const char *device, uint64_t wanted,
			 uint64_t available, uint64_t limit)
{
	assert_int_equal(body, sizeof(frame.error) + sizeof(frame.cause));
	assert_int_equal(frame.cause.refusal, refusal);
	assert_string_equal(frame.cause.pool, pool);
	assert_string_equal(frame.cause.device, device);
	assert_int_equal(frame.cause.wanted, wanted);
	assert_int_equal(frame.cause.available, available);
	assert_int_equal(frame.cause.limit, limit);
}

static void causes(void **state)
{
	struct dmabufd_request request = ask(MIB(7), 1);
	int fd = connect_minor(1000, 2), old = connect_minor(1000, 1);

	request.devices[0] = CAMERA;
	request.n_devices = 1;
	assert_int_equal(allocate(fd, &request), -EDQUOT);
	assert_cause(DMABUFD_REFUSED_QUOTA, "", "", MIB(7), MIB(6), MIB(6));
	assert_int_equal(frame.cause.flags, 0);
	assert_int_equal(call(old, DMABUFD_ALLOC, &request, DMABUFD_REQUEST_SIZE_1), -EDQUOT);
	assert_int_equal(body, sizeof(frame.error));

	request.size = MIB(5);
	strcpy(request.pool, "camera");
	assert_int_equal(allocate(fd, &request), -EDQUOT);
	assert_cause(DMABUFD_REFUSED_QUOTA, "camera", "", MIB(5), MIB(4), MIB(4));

	request.size = MIB(1);
	fake_kernel_fail_alloc(-ENOSPC);
	assert_int_equal(allocate(fd, &request), -ENOSPC);
	assert_cause(DMABUFD_REFUSED_FULL, "camera", "", MIB(1), MIB(8), MIB(8));

	request.size = MIB(40);
	assert_int_equal(allocate(fd, &request), -E2BIG);
	assert_cause(DMABUFD_REFUSED_UNSUITABLE, "camera", "", MIB(40), MIB(8), MIB(8));

	request.devices[0] = UINT64_C(1) << 32 | 99;
	assert_int_equal(allocate(fd, &request), -ENODEV);
	assert_cause(DMABUFD_REFUSED_DEVICE, "", "1:99", 0, 0, 0);
	close(fd);
	close(old);
}

/* 20 buffers for each user. */
static void cause_in_buffers(void **state)
{
	struct dmabufd_request request = ask(PAGE, 14);
	int fd = connect_minor(0, 2), other = connect_minor(0, 2), kept[14];

	assert_int_equal(allocate(fd, &request), 0);
	memcpy(kept, fds, sizeof(kept));
	n_fds = 0;
	assert_int_equal(allocate(other, &request), -EDQUOT);
	assert_cause(DMABUFD_REFUSED_QUOTA, "", "", 14, 6, 20);
	assert_int_equal(frame.cause.flags, DMABUFD_CAUSE_OF_BUFFERS);
	wire_close_fds(kept, 14);
	close(fd);
	close(other);
}

static int describe(int fd, uint64_t id, uint64_t inode, uint64_t size)
{
	const struct dmabufd_identity identity = {id, inode, size};

	return call(fd, DMABUFD_DESCRIBE, &identity, sizeof(identity));
}

static void which_is_it(void **state)
{
	struct dmabufd_request request = ask(MIB(1), 2);
	int fd = connect_minor(1000, 2), root = connect_minor(0, 2), other = connect_minor(1001, 2);
	uint64_t first, inodes[2];
	int kept[2];

	request.devices[0] = CAMERA;
	request.n_devices = 1;
	strcpy(request.name, "preview");
	assert_int_equal(allocate(fd, &request), 0);
	first = frame.buffers[0].id;
	for (unsigned int i = 0; i < 2; i++) {
		struct stat st;

		kept[i] = fds[i];
		assert_int_equal(fstat(fds[i], &st), 0);
		inodes[i] = st.st_ino;
	}
	n_fds = 0;
	assert_int_equal(describe(fd, first, inodes[0], MIB(1)), 0);
	assert_int_equal(body, sizeof(frame.buffers[0]));
	assert_int_equal(frame.buffers[0].id, first);
	assert_string_equal(frame.buffers[0].name, "preview");
	assert_string_equal(frame.buffers[0].pool, "camera");
	/* By its inode, whatever its name says. */
	assert_int_equal(describe(fd, 0, inodes[1], MIB(1)), 0);
	assert_int_equal(frame.buffers[0].id, first + 1);
	assert_int_equal(describe(fd, first, inodes[1], MIB(1)), 0);
	assert_int_equal(frame.buffers[0].id, first + 1);
	assert_int_equal(describe(fd, first, inodes[0] + 100000, MIB(1)), -ENOENT);
	assert_int_equal(describe(fd, first, inodes[0], PAGE), -ENOENT);
	assert_int_equal(describe(root, first, inodes[0], MIB(1)), 0);
	assert_int_equal(describe(other, first, inodes[0], MIB(1)), -EACCES);

	/* The next daemon has the names, not the inodes. */
	close(fd);
	close(root);
	close(other);
	daemon_run(manager);
	manager_free(manager);
	assert_int_equal(daemon_start(&manager), 0);
	fd = connect_minor(1000, 2);
	assert_int_equal(describe(fd, first, inodes[0], MIB(1)), 0);
	assert_int_equal(frame.buffers[0].id, first);
	assert_int_equal(describe(fd, 0, inodes[0], MIB(1)), -ENOENT);
	assert_int_equal(describe(fd, first, inodes[0], PAGE), -ENOENT);
	close(fd);
	wire_close_fds(kept, 2);
}

static int send_batch(int fd, const struct dmabufd_batch *batch)
{
	return call(fd, DMABUFD_BATCH, batch,
		    offsetof(struct dmabufd_batch, requests[batch->n_requests]));
}

static void batch(void **state)
{
	struct dmabufd_batch wanted = {.n_requests = 3, .request_size = sizeof(wanted.requests[0])};
	int fd = connect_minor(0, 2);

	wanted.requests[0] = ask(MIB(1), 1);
	wanted.requests[1] = ask(PAGE, 2);
	wanted.requests[2] = ask(KIB(64), 1);
	strcpy(wanted.requests[2].pool, "area");
	assert_int_equal(send_batch(fd, &wanted), 0);
	assert_int_equal(n_fds, 4);
	assert_int_equal(body, 4 * sizeof(frame.buffers[0]));
	assert_int_equal(frame.buffers[0].size, MIB(1));
	assert_int_equal(frame.buffers[1].size, PAGE);
	assert_int_equal(frame.buffers[2].size, PAGE);
	assert_int_equal(frame.buffers[3].size, KIB(64));
	assert_string_equal(frame.buffers[3].pool, "area");

	/* The last takes the others with it, and what they got is there at once. */
	wanted.requests[2].size = MIB(6);
	assert_int_equal(send_batch(fd, &wanted), -EDQUOT);
	assert_text("request 3 of 3: no quota");
	assert_int_equal(n_fds, 0);
	release();
	assert_int_equal(fake_kernel_get_count(), 0);
	assert_int_equal(ledger_get_count(manager->ledger), 0);

	/* What one of them gives up costs the others nothing. */
	wanted.requests[1] = ask(MIB(1), 1);
	strcpy(wanted.requests[1].pool, "area");
	wanted.requests[1].alignment = MIB(16);
	wanted.requests[1].preferred = DMABUFD_CONSTRAINT_ALIGNMENT;
	wanted.requests[2].size = PAGE;
	assert_int_equal(send_batch(fd, &wanted), 0);
	assert_int_equal(n_fds, 3);
	assert_int_equal(frame.buffers[0].relaxed, 0);
	assert_int_equal(frame.buffers[1].relaxed, DMABUFD_CONSTRAINT_ALIGNMENT);
	close(fd);
}

static void batch_of_nonsense(void **state)
{
	struct dmabufd_batch wanted = {.n_requests = 2, .request_size = sizeof(wanted.requests[0])};
	int fd = connect_minor(0, 2);

	wanted.requests[0] = wanted.requests[1] = ask(PAGE, 7);
	assert_int_equal(send_batch(fd, &wanted), 0);
	wanted.requests[1].count = 8;
	assert_int_equal(send_batch(fd, &wanted), -E2BIG);
	wanted.requests[1].count = UINT32_MAX;
	assert_int_equal(send_batch(fd, &wanted), -E2BIG);
	wanted.requests[1].count = 1;
	wanted.requests[1].wait = 1;
	assert_int_equal(send_batch(fd, &wanted), -EINVAL);
	wanted.requests[1].wait = 0;
	wanted.request_size += 8;
	assert_int_equal(send_batch(fd, &wanted), -EOPNOTSUPP);
	wanted.request_size -= 8;
	/* A request that is not there is one of zeros. */
	wanted.n_requests = 3;
	assert_int_equal(
		call(fd, DMABUFD_BATCH, &wanted, offsetof(struct dmabufd_batch, requests[2])),
		-EPROTO);
	close(fd);
	for (uint32_t n = 0; n <= 15; n += 15) {
		fd = connect_minor(0, 2);
		wanted.n_requests = n;
		assert_int_equal(call(fd, DMABUFD_BATCH, &wanted,
				      offsetof(struct dmabufd_batch, requests[1])),
				 -EPROTO);
		close(fd);
	}
}

static void assert_told_nothing(int watcher)
{
	assert_true(wire_receive_plain(watcher, &frame) > 0);
	assert_int_equal(frame.event.type, DMABUFD_EVENT_REFUSED);
	assert_string_equal(frame.event.name, "");
	assert_string_equal(frame.event.pool, "");
}

/* Who watches is not told what would steer a terminal, whatever the request was refused for. */
static void names_that_bite(void **state)
{
	struct {
		struct dmabufd_request request;
		uint64_t more;
	} later = {ask(PAGE, 1), 1};
	struct dmabufd_batch many = {.n_requests = 1, .request_size = sizeof(many.requests[0])};
	int watcher = connect_minor(0, 2), fd = connect_minor(1000, 2);

	strcpy(later.request.name, "\33[2J");
	memset(later.request.pool, 'x', sizeof(later.request.pool));
	many.requests[0] = later.request;
	many.requests[0].count = 99;
	assert_int_equal(call(watcher, DMABUFD_WATCH, "", 0), 0);
	assert_int_equal(call(fd, DMABUFD_ALLOC, &later, sizeof(later)), -EOPNOTSUPP);
	assert_told_nothing(watcher);
	assert_int_equal(send_batch(fd, &many), -E2BIG);
	assert_told_nothing(watcher);
	close(fd);
	close(watcher);
}

static void nonsense(void **state)
{
	const struct dmabufd_request sound = ask(PAGE, 1);
	struct dmabufd_request requests[] = {sound, sound, sound, sound, sound, sound};

	requests[0].flags = DMABUFD_FLAGS + 1;
	requests[1].flags = DMABUFD_CPU_READS_OFTEN | DMABUFD_CPU_READS_NEVER;
	requests[2].flags = DMABUFD_CPU_WRITES_RARELY | DMABUFD_CPU_WRITES_NEVER;
	requests[3].alignment = 3;
	requests[4].address_bits = 65;
	requests[5].preferred = DMABUFD_CONSTRAINTS + 1;
	for (size_t i = 0; i < N_ELEMENTS(requests); i++) {
		int fd = connect_minor(0, 2);

		assert_int_equal(allocate(fd, &requests[i]), -EPROTO);
		close(fd);
	}
}

/* What would be tried without what is in it, and the alignment only for who knows of it. */
static void explanation(void **state)
{
	struct dmabufd_question question = {.request = ask(KIB(64), 1)};
	int fd = connect_minor(0, 2), old = connect_minor(0, 1);

	question.request.alignment = MIB(1);
	question.request.preferred = DMABUFD_CONSTRAINT_ALIGNMENT;
	question.cursor.after = 3;
	assert_int_equal(call(fd, DMABUFD_REASONS, &question, sizeof(question)), 0);
	assert_int_equal(frame.reasons[0].about, DMABUFD_ABOUT_QUOTA);
	assert_int_equal(frame.reasons[1].about, DMABUFD_ABOUT_ALIGNMENT);
	assert_string_equal(frame.reasons[1].why, "to 1.0 MiB: the request prefers it");
	assert_int_equal(frame.reasons[2].about, DMABUFD_ABOUT_POOL);
	assert_string_equal(frame.reasons[2].pool, "system");
	assert_non_null(strstr(frame.reasons[2].why, "; without the alignment"));
	assert_int_equal(call(old, DMABUFD_REASONS, &question, sizeof(question)), 0);
	assert_int_equal(frame.reasons[1].about, DMABUFD_ABOUT_POOL);
	close(fd);
	close(old);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_preferred),
		TEST(full_pools),
		TEST(several_buffers),
		TEST(alignment_is_checked),
		TEST(who_is_told),
		TEST(would_it),
		TEST(would_all_of_it),
		TEST(causes),
		TEST(cause_in_buffers),
		TEST(which_is_it),
		TEST(batch),
		TEST(batch_of_nonsense),
		TEST(nonsense),
		TEST(explanation),
		TEST(names_that_bite),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
