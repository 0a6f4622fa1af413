/* SPDX-License-Identifier: MIT */
/*
 * Fair shares and what is kept for others, with exact numbers.
 */
#include <errno.h>

#include "test.h"

#include "quota.h"

static struct quota *make(void)
{
	struct quota *quota = NULL;

	assert_int_equal(quota_new(&quota), 0);
	return quota;
}

/* Without limits. */
static struct claim claim(enum account_kind kind, uid_t uid)
{
	return (struct claim){.id = {kind, uid, "d", ""},
			      .bytes = {.max = INFINITE},
			      .buffers = {.max = INFINITE},
			      .capacity = INFINITE};
}

static void fair_share_in_numbers(void **state)
{
	assert_int_equal(fair_share(1024, 0, 1), 512);
	assert_int_equal(fair_share(1024, 512, 2), 170);
	assert_int_equal(fair_share(1024, 682, 3), 85);
	assert_int_equal(fair_share(1024, 1024, 1), 0);
	assert_int_equal(fair_share(1024, 2000, 1), 0);
	assert_int_equal(fair_share(0, 0, 1), 0);
	assert_int_equal(fair_share(UINT64_MAX, 0, 1), INT64_MAX);
	assert_int_equal(fair_share(1, 0, 1), 0);
}

static uint64_t buffers_max = 8;

/* A part of a device's 1024 bytes and so many buffers. */
static int take_fairly(struct charge *charge, struct quota *quota, uid_t uid, uint64_t bytes,
		       struct refusal *refusal)
{
	struct claim claims[] = {claim(ACCOUNT_DEVICE, 0), claim(ACCOUNT_USER_DEVICE, uid)};

	claims[0].bytes.max = claims[0].capacity = 1024;
	claims[0].buffers.max = buffers_max;
	claims[1].bytes.fair = claims[1].buffers.fair = true;
	return charge_take(charge, quota, claims, 2, bytes, refusal);
}

static void fair_share_of_bytes(void **state)
{
	struct quota *quota = make();
	struct charge a = {0}, b = {0}, c = {0}, more = {0};
	struct refusal refusal;

	assert_int_equal(take_fairly(&a, quota, 1, 513, &refusal), -EDQUOT);
	assert_int_equal(refusal.why, BEYOND_FAIR_BYTES);
	assert_int_equal(refusal.used, 0);
	assert_int_equal(refusal.limit, 512);
	assert_int_equal(take_fairly(&a, quota, 1, 512, &refusal), 0);
	assert_int_equal(take_fairly(&more, quota, 1, 1, &refusal), -EDQUOT);
	assert_int_equal(refusal.used, 512);
	/* Two users: a third of what the first leaves. */
	assert_int_equal(take_fairly(&b, quota, 2, 171, &refusal), -EDQUOT);
	assert_int_equal(refusal.limit, 170);
	assert_int_equal(take_fairly(&b, quota, 2, 170, &refusal), 0);
	assert_int_equal(take_fairly(&c, quota, 3, 86, &refusal), -EDQUOT);
	assert_int_equal(refusal.limit, 85);
	assert_int_equal(take_fairly(&c, quota, 3, 85, &refusal), 0);
	/* The first gives all back: the other two share 1024, and the second may hold 313. */
	charge_release(&a);
	assert_int_equal(take_fairly(&more, quota, 2, 144, &refusal), -EDQUOT);
	assert_int_equal(refusal.limit, 313);
	assert_int_equal(take_fairly(&more, quota, 2, 143, &refusal), 0);
	charge_release(&more);
	charge_release(&b);
	charge_release(&c);
	assert_int_equal(take_fairly(&a, quota, 1, 512, &refusal), 0);
	charge_release(&a);
	quota_free(quota);
}

static void fair_share_of_buffers(void **state)
{
	struct quota *quota = make();
	struct charge a[4] = {0}, b = {0}, more = {0};
	struct refusal refusal;

	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(take_fairly(&a[i], quota, 1, 1, &refusal), 0);
	assert_int_equal(take_fairly(&more, quota, 1, 1, &refusal), -EDQUOT);
	assert_int_equal(refusal.why, BEYOND_FAIR_BUFFERS);
	assert_int_equal(refusal.limit, 4);
	assert_int_equal(take_fairly(&b, quota, 2, 1, &refusal), 0);
	assert_int_equal(take_fairly(&more, quota, 2, 1, &refusal), -EDQUOT);
	assert_int_equal(refusal.used, 1);
	assert_int_equal(refusal.limit, 1);
	for (unsigned int i = 0; i < 4; i++)
		charge_release(&a[i]);
	charge_release(&b);
	quota_free(quota);
}

/* What is restored beyond the limits leaves no share, and is counted as a user's. */
/* A share of nothing would make a device useless that may have few buffers: one is always fair. */
static void fair_share_of_few_buffers(void **state)
{
	struct quota *quota = make();
	struct charge a = {0}, b = {0}, c = {0};
	struct refusal refusal;

	buffers_max = 2;
	assert_int_equal(take_fairly(&a, quota, 1, 1, &refusal), 0);
	assert_int_equal(take_fairly(&b, quota, 1, 1, &refusal), -EDQUOT);
	assert_int_equal(refusal.why, BEYOND_FAIR_BUFFERS);
	assert_int_equal(refusal.limit, 1);
	assert_int_equal(take_fairly(&b, quota, 2, 1, &refusal), 0);
	assert_int_equal(take_fairly(&c, quota, 3, 1, &refusal), -EDQUOT);
	assert_int_equal(refusal.why, BEYOND_BUFFERS);
	charge_release(&a);
	charge_release(&b);
	buffers_max = 8;
	quota_free(quota);
}

static void fair_share_beyond_the_limits(void **state)
{
	struct quota *quota = make();
	const struct claim first[] = {claim(ACCOUNT_DEVICE, 0), claim(ACCOUNT_USER_DEVICE, 1)};
	struct charge a = {0}, b = {0};
	struct refusal refusal;

	assert_int_equal(charge_restore(&a, quota, first, 2, 2000), 0);
	assert_int_equal(take_fairly(&b, quota, 2, 1, &refusal), -EDQUOT);
	assert_int_equal(refusal.claim.id.kind, ACCOUNT_DEVICE);
	charge_release(&a);
	/* Of 1024 nobody known holds 24: the one user may have half of the rest. */
	assert_int_equal(charge_restore(&a, quota, first, 1, 24), 0);
	assert_int_equal(take_fairly(&b, quota, 2, 501, &refusal), -EDQUOT);
	assert_int_equal(refusal.limit, 500);
	assert_int_equal(take_fairly(&b, quota, 2, 500, &refusal), 0);
	charge_release(&a);
	charge_release(&b);
	quota_free(quota);
}

static void kept_for_others(void **state)
{
	struct quota *quota = make();
	struct claim pool = {.id = {ACCOUNT_POOL, 0, "", "p"},
			     .bytes = {.max = INFINITE},
			     .buffers = {.max = INFINITE},
			     .capacity = 100,
			     .kept = 40};
	struct charge a = {0};
	struct refusal refusal;

	assert_int_equal(charge_take(&a, quota, &pool, 1, 61, &refusal), -EDQUOT);
	assert_int_equal(refusal.why, BEYOND_KEPT);
	assert_int_equal(refusal.limit, 40);
	pool.kept = UINT64_MAX;
	assert_int_equal(charge_take(&a, quota, &pool, 1, 1, &refusal), -EDQUOT);
	pool.kept = 40;
	assert_int_equal(charge_take(&a, quota, &pool, 1, 60, &refusal), 0);
	charge_release(&a);
	pool.kept = 0;
	assert_int_equal(charge_take(&a, quota, &pool, 1, 200, &refusal), 0);
	charge_release(&a);
	quota_free(quota);
}

/* What is kept for requests that wait is refused to others, and counts beside all else. */
static void awaited_is_refused(void **state)
{
	struct quota *quota = make();
	struct charge a = {0}, b = {0};
	struct refusal refusal;
	struct claim limited = claim(ACCOUNT_DEVICE, 0);

	limited.bytes.max = 1024;
	limited.awaited_bytes = 600;
	limited.awaited_buffers = 2;
	assert_int_equal(charge_take(&a, quota, &limited, 1, 425, &refusal), -EDQUOT);
	assert_int_equal(refusal.why, BEYOND_AWAITED);
	assert_int_equal(refusal.used, 0);
	assert_int_equal(refusal.limit, 600);
	assert_int_equal(charge_take(&a, quota, &limited, 1, 424, &refusal), 0);
	assert_int_equal(charge_take(&b, quota, &limited, 1, 1, &refusal), -EDQUOT);
	assert_int_equal(refusal.why, BEYOND_AWAITED);
	/* Nobody waits any more. */
	limited.awaited_bytes = limited.awaited_buffers = 0;
	assert_int_equal(charge_take(&b, quota, &limited, 1, 600, &refusal), 0);
	charge_release(&a);
	charge_release(&b);
	quota_free(quota);
}

static int take_awaited(struct quota *quota, struct claim limited, uint64_t bytes)
{
	struct charge charge = {0};
	struct refusal refusal = {.why = BEYOND_BYTES};
	int r = charge_take(&charge, quota, &limited, 1, bytes, &refusal);

	assert_true(r == 0 || refusal.why == BEYOND_AWAITED);
	charge_release(&charge);
	return r;
}

/* Of buffers, of a capacity without what is reserved, and never of what has no limit. */
static void awaited_of_every_limit(void **state)
{
	struct quota *quota = make();
	struct claim limited = claim(ACCOUNT_POOL, 0);

	limited.awaited_bytes = 100;
	limited.awaited_buffers = 2;
	assert_int_equal(take_awaited(quota, limited, UINT64_MAX), 0);
	limited.buffers.max = 2;
	assert_int_equal(take_awaited(quota, limited, 1), -EDQUOT);
	limited.buffers.max = 3;
	assert_int_equal(take_awaited(quota, limited, 1), 0);
	limited.capacity = 1000;
	limited.kept = 300;
	assert_int_equal(take_awaited(quota, limited, 600), 0);
	assert_int_equal(take_awaited(quota, limited, 601), -EDQUOT);
	/* Sums at the edge. */
	limited.awaited_bytes = UINT64_MAX;
	assert_int_equal(take_awaited(quota, limited, 1), -EDQUOT);
	quota_free(quota);
}

/* Of a fair share: another request of the same user waits for it. */
static void awaited_of_a_share(void **state)
{
	struct quota *quota = make();
	struct claim claims[] = {claim(ACCOUNT_DEVICE, 0), claim(ACCOUNT_USER_DEVICE, 1)};
	struct charge charge = {0};
	struct refusal refusal;

	claims[0].bytes.max = claims[0].capacity = 1024;
	claims[1].bytes.fair = true;
	claims[1].awaited_bytes = 500;
	claims[1].awaited_buffers = 1;
	assert_int_equal(charge_take(&charge, quota, claims, 2, 13, &refusal), -EDQUOT);
	assert_int_equal(refusal.why, BEYOND_AWAITED);
	assert_int_equal(refusal.short_of.kind, ACCOUNT_USER_DEVICE);
	assert_int_equal(charge_take(&charge, quota, claims, 2, 12, &refusal), 0);
	charge_release(&charge);
	quota_free(quota);
}

/* A user waits for his own share, and holds back nobody, as long as that is short as well. */
static void own_shortage_counts(void **state)
{
	struct quota *quota = make();
	struct claim claims[] = {claim(ACCOUNT_DEVICE, 0), claim(ACCOUNT_USER_DEVICE, 1)};
	struct charge mine = {0}, other = {0}, more = {0};
	struct refusal refusal;

	claims[0].bytes.max = claims[0].capacity = 1024;
	assert_int_equal(charge_take(&mine, quota, claims, 2, 600, &refusal), 0);
	claims[1].id.uid = 2;
	assert_int_equal(charge_take(&other, quota, claims, 2, 400, &refusal), 0);
	claims[1].id.uid = 1;
	assert_int_equal(charge_take(&more, quota, claims, 2, 100, &refusal), -EDQUOT);
	assert_int_equal(refusal.claim.id.kind, ACCOUNT_DEVICE);
	assert_int_equal(refusal.short_of.kind, ACCOUNT_DEVICE);
	claims[1].bytes.max = 650;
	assert_int_equal(charge_take(&more, quota, claims, 2, 100, &refusal), -EDQUOT);
	assert_int_equal(refusal.claim.id.kind, ACCOUNT_DEVICE);
	assert_int_equal(refusal.why, BEYOND_BYTES);
	assert_int_equal(refusal.used, 1000);
	assert_int_equal(refusal.short_of.kind, ACCOUNT_USER_DEVICE);
	assert_int_equal(refusal.short_of.uid, 1);
	charge_release(&mine);
	charge_release(&other);
	quota_free(quota);
}

/* Whether to wait at all: how many buffers there could be if nobody else had any. */
static void most_that_could_ever_be(void **state)
{
	struct claim claims[] = {claim(ACCOUNT_USER, 1), claim(ACCOUNT_DEVICE, 0),
				 claim(ACCOUNT_USER_DEVICE, 1)};

	assert_true(claims_get_most(claims, 0, 1) == INFINITE);
	assert_true(claims_get_most(claims, 3, UINT64_MAX) == INFINITE);
	claims[0].bytes.max = 1000;
	assert_int_equal(claims_get_most(claims, 3, 1000), 1);
	assert_int_equal(claims_get_most(claims, 3, 1001), 0);
	assert_int_equal(claims_get_most(claims, 3, 100), 10);
	claims[0].buffers.max = 9;
	assert_int_equal(claims_get_most(claims, 3, 100), 9);
	/* A fair share of one user alone is a half; of the buffers at least one. */
	claims[1].bytes.max = claims[1].capacity = 1000;
	claims[2].bytes.fair = true;
	assert_int_equal(claims_get_most(claims, 3, 100), 5);
	assert_int_equal(claims_get_most(claims, 3, 501), 0);
	claims[1].kept = 200;
	assert_int_equal(claims_get_most(claims, 3, 100), 4);
	claims[1].kept = 1001;
	assert_int_equal(claims_get_most(claims, 3, 1), 0);
	claims[1].kept = 0;
	claims[1].buffers.max = 4;
	claims[2].buffers.fair = true;
	assert_int_equal(claims_get_most(claims, 3, 100), 2);
	claims[1].buffers.max = 1;
	assert_int_equal(claims_get_most(claims, 3, 100), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fair_share_in_numbers),
		cmocka_unit_test(fair_share_of_bytes),
		cmocka_unit_test(fair_share_of_buffers),
		cmocka_unit_test(fair_share_of_few_buffers),
		cmocka_unit_test(fair_share_beyond_the_limits),
		cmocka_unit_test(kept_for_others),
		cmocka_unit_test(awaited_is_refused),
		cmocka_unit_test(awaited_of_every_limit),
		cmocka_unit_test(awaited_of_a_share),
		cmocka_unit_test(own_shortage_counts),
		cmocka_unit_test(most_that_could_ever_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
