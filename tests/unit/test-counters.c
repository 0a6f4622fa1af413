/* SPDX-License-Identifier: MIT */
/*
 * Counters with exact numbers: every error has its reason, every duration its bucket.
 */
#include <errno.h>
#include <stdio.h>

#include "test.h"

#include "counters.h"

static void buffers_by_pool(void **state)
{
	struct counters counters = {0};

	counters_add_buffer(&counters, "camera", 4096);
	counters_add_buffer(&counters, "codec", 8192);
	counters_add_buffer(&counters, "camera", MIB(1));
	assert_int_equal(counters_get_pool(&counters, "camera").buffers, 2);
	assert_int_equal(counters_get_pool(&counters, "camera").bytes, MIB(1) + 4096);
	assert_int_equal(counters_get_pool(&counters, "codec").buffers, 1);
	assert_int_equal(counters_get_pool(&counters, "codec").bytes, 8192);
	assert_int_equal(counters_get_pool(&counters, "cod").buffers, 0);
	assert_int_equal(counters_get_pool(&counters, "").bytes, 0);
}

/* A name too many is left out, and those that are there go on. */
static void more_pools_than_there_can_be(void **state)
{
	struct counters counters = {0};
	char name[POOL_NAME_SIZE];

	for (unsigned int i = 0; i < POOLS_MAX + 1; i++) {
		snprintf(name, sizeof(name), "pool%u", i);
		counters_add_buffer(&counters, name, i);
	}
	counters_add_buffer(&counters, "pool63", 1);
	assert_int_equal(counters_get_pool(&counters, "pool63").bytes, 64);
	assert_int_equal(counters_get_pool(&counters, "pool64").buffers, 0);
}

static void refusals_by_reason(void **state)
{
	static const struct {
		int error;
		enum refused expected;
	} rows[] = {
		{-EDQUOT, REFUSED_BY_QUOTA},      {-ENOSPC, REFUSED_BY_FULL_POOLS},
		{-E2BIG, REFUSED_AS_UNSUITABLE},  {-EOPNOTSUPP, REFUSED_AS_UNSUITABLE},
		{-EACCES, REFUSED_BY_ACCESS},     {-ENODEV, REFUSED_FOR_DEVICE},
		{-EINVAL, REFUSED_AS_INVALID},    {-EPROTO, REFUSED_AS_INVALID},
		{-ENXIO, REFUSED_WITHOUT_MODULE}, {-EMFILE, REFUSED_OTHERWISE},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct counters counters = {0};

		counters_add_refusal(&counters, rows[i].error);
		for (unsigned int j = 0; j < N_REFUSED; j++)
			assert_int_equal(counters.refusals[j], j == rows[i].expected);
	}
}

static void durations_by_bucket(void **state)
{
	static const struct {
		uint64_t usec;
		unsigned int bucket;
	} rows[] = {{0, 0},
		    {50, 0},
		    {51, 1},
		    {1000, 4},
		    {1001, 5},
		    {2500000, BUCKETS - 2},
		    {2500001, BUCKETS - 1},
		    {UINT64_MAX, BUCKETS - 1}};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct counters counters = {0};

		counters_add_duration(&counters, rows[i].usec);
		assert_true(counters.usec == rows[i].usec);
		for (unsigned int j = 0; j < BUCKETS; j++)
			assert_int_equal(counters.buckets[j], j == rows[i].bucket);
	}
	for (unsigned int j = 1; j < BUCKETS; j++)
		assert_true(bucket_get_bound(j) > bucket_get_bound(j - 1));
	assert_true(bucket_get_bound(BUCKETS - 1) == INFINITE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buffers_by_pool),
		cmocka_unit_test(more_pools_than_there_can_be),
		cmocka_unit_test(refusals_by_reason),
		cmocka_unit_test(durations_by_bucket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
