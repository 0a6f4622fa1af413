/* SPDX-License-Identifier: MIT */
/*
 * How often something is told: exact numbers, and no way to more lines by being many.
 */
#include "test.h"

#include "rate.h"

#define START UINT64_C(5000000)

static void once_in_a_minute_for_each_user_and_kind(void **state)
{
	struct rate rate = {0};
	unsigned int untold = 99;

	assert_true(rate_allows(&rate, 1, 1000, START, &untold));
	assert_int_equal(untold, 0);
	assert_false(rate_allows(&rate, 1, 1000, START, &untold));
	assert_false(rate_allows(&rate, 1, 1000, START + RATE_USEC - 1, &untold));
	assert_true(rate_allows(&rate, 2, 1000, START, &untold));
	assert_true(rate_allows(&rate, 1, 1001, START, &untold));
	assert_int_equal(untold, 0);
	assert_true(rate_allows(&rate, 1, 1000, START + RATE_USEC, &untold));
	assert_int_equal(untold, 2);
	assert_true(rate_allows(&rate, 1, 1000, START + 2 * RATE_USEC, &untold));
	assert_int_equal(untold, 0);
}

static void many_users_get_no_more_lines_than_there_are_slots(void **state)
{
	struct rate rate = {0};
	unsigned int told = 0, untold;

	for (uid_t uid = 0; uid < 100000; uid++)
		for (unsigned int kind = 1; kind < 4; kind++)
			told += rate_allows(&rate, kind, uid, START, &untold);
	assert_int_equal(told, RATE_SLOTS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(once_in_a_minute_for_each_user_and_kind),
		cmocka_unit_test(many_users_get_no_more_lines_than_there_are_slots),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
