/* SPDX-License-Identifier: MIT */
/*
 * Requests for memory: what is preferred and given up, what the kernel gives and is given back, several
 * at once, and those that make no sense.
 */
#include "requests-fixture.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_preferred),    TEST(full_pools), TEST(several_buffers),
		TEST(alignment_is_checked), TEST(batch),      TEST(batch_of_nonsense),
		TEST(names_that_bite),      TEST(nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
