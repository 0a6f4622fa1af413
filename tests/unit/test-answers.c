/* SPDX-License-Identifier: MIT */
/*
 * What a client is told: what was given up, whether it could, why not in numbers, which buffer it is;
 * and nothing that its version does not know.
 */
#include "requests-fixture.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_is_told),      TEST(would_it),    TEST(would_all_of_it), TEST(causes),
		TEST(cause_in_buffers), TEST(which_is_it), TEST(explanation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
