/* SPDX-License-Identifier: MIT */
/*
 * Charges with exact numbers: at the limits, at the edges of 64 bits, and for several accounts.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

#include "quota.h"

/* Who asks, and the limits that hold for all users and all devices of a test. */
struct who {
	bool known;
	uid_t uid;
	unsigned int n_devices;
	const char *devices[8];
};

static uint64_t user_max, device_max;

static struct who user(uid_t uid, const char *a, const char *b)
{
	struct who who = {.known = true, .uid = uid, .devices = {a, b}};

	who.n_devices = (a != NULL) + (b != NULL);
	return who;
}

static struct quota *make(uint64_t user, uint64_t device)
{
	struct quota *quota = NULL;

	user_max = user;
	device_max = device;
	assert_int_equal(quota_new(&quota), 0);
	return quota;
}

static struct claim claim(enum account_kind kind, uid_t uid, const char *device, uint64_t max)
{
	return (struct claim){.id = {kind, uid, device, ""},
			      .bytes = {.max = max},
			      .buffers = {.max = INFINITE},
			      .capacity = INFINITE};
}

static unsigned int make_claims(struct claim claims[static CLAIMS_MAX], const struct who *who)
{
	unsigned int n = 0;

	claims[n++] = who->known ? claim(ACCOUNT_USER, who->uid, "", user_max)
				 : claim(ACCOUNT_UNKNOWN, 0, "", INFINITE);
	for (unsigned int i = 0; i < who->n_devices; i++) {
		claims[n++] = claim(ACCOUNT_DEVICE, 0, who->devices[i], device_max);
		if (who->known)
			claims[n++] =
				claim(ACCOUNT_USER_DEVICE, who->uid, who->devices[i], INFINITE);
	}
	return n;
}

static int take_or_tell(struct charge *charge, struct quota *quota, const struct who *who,
			uint64_t bytes, struct refusal *refusal)
{
	struct claim claims[CLAIMS_MAX];

	return charge_take(charge, quota, claims, make_claims(claims, who), bytes, refusal);
}

static int take(struct charge *charge, struct quota *quota, struct who who, uint64_t bytes)
{
	struct refusal refusal = {.used = 123};
	int r = take_or_tell(charge, quota, &who, bytes, &refusal);

	if (r != -EDQUOT)
		assert_int_equal(refusal.used, 123);
	return r;
}

static int restore(struct charge *charge, struct quota *quota, const struct who *who,
		   uint64_t bytes)
{
	struct claim claims[CLAIMS_MAX];

	return charge_restore(charge, quota, claims, make_claims(claims, who), bytes);
}

static uint64_t get(const struct quota *quota, enum account_kind kind, uid_t uid,
		    const char *device)
{
	const struct account_id id = {kind, uid, device, ""};

	return quota_get_bytes(quota, &id);
}

static uint64_t quota_get_user(const struct quota *quota, uid_t uid)
{
	return get(quota, ACCOUNT_USER, uid, "");
}

static uint64_t quota_get_device(const struct quota *quota, const char *device)
{
	return get(quota, ACCOUNT_DEVICE, 0, device);
}

static uint64_t quota_get_unknown(const struct quota *quota)
{
	return get(quota, ACCOUNT_UNKNOWN, 0, "");
}

static void exactly_the_limit(void **state)
{
	struct quota *quota = make(512, UINT64_MAX);
	struct charge a = {0}, b = {0}, c = {0};

	assert_int_equal(take(&a, quota, user(1, NULL, NULL), 513), -EDQUOT);
	assert_int_equal(a.n_accounts, 0);
	assert_int_equal(take(&a, quota, user(1, NULL, NULL), 170), 0);
	assert_int_equal(take(&b, quota, user(1, NULL, NULL), 343), -EDQUOT);
	assert_int_equal(take(&b, quota, user(1, NULL, NULL), 342), 0);
	assert_int_equal(quota_get_user(quota, 1), 512);
	assert_int_equal(take(&c, quota, user(1, NULL, NULL), 1), -EDQUOT);
	assert_int_equal(take(&c, quota, user(2, NULL, NULL), 512), 0);
	charge_release(&a);
	assert_int_equal(quota_get_user(quota, 1), 342);
	assert_int_equal(take(&a, quota, user(1, NULL, NULL), 170), 0);
	charge_release(&a);
	charge_release(&b);
	charge_release(&c);
	quota_free(quota);
}

static void release_twice(void **state)
{
	struct quota *quota = make(100, 100);
	struct charge a = {0}, b = {0};

	assert_int_equal(take(&a, quota, user(1, "d", NULL), 60), 0);
	assert_int_equal(take(&b, quota, user(1, "d", NULL), 40), 0);
	charge_release(&a);
	charge_release(&a);
	assert_int_equal(a.bytes, 0);
	assert_int_equal(quota_get_user(quota, 1), 40);
	assert_int_equal(quota_get_device(quota, "d"), 40);
	charge_release(&b);
	assert_int_equal(quota_get_user(quota, 1), 0);
	quota_free(quota);
}

static void all_accounts_or_none(void **state)
{
	struct quota *quota = make(1000, 100);
	struct charge a = {0}, b = {0};
	struct who payer = user(7, "one", "two");
	struct refusal refusal;

	assert_int_equal(take(&a, quota, user(8, "two", NULL), 60), 0);
	assert_int_equal(take_or_tell(&b, quota, &payer, 41, &refusal), -EDQUOT);
	assert_int_equal(refusal.claim.id.kind, ACCOUNT_DEVICE);
	assert_string_equal(refusal.claim.id.device, "two");
	assert_int_equal(refusal.used, 60);
	assert_int_equal(refusal.limit, 100);
	assert_int_equal(quota_get_user(quota, 7), 0);
	assert_int_equal(quota_get_device(quota, "one"), 0);
	assert_int_equal(quota_get_device(quota, "two"), 60);

	assert_int_equal(take(&b, quota, payer, 40), 0);
	assert_int_equal(quota_get_user(quota, 7), 40);
	assert_int_equal(quota_get_device(quota, "one"), 40);
	assert_int_equal(quota_get_device(quota, "two"), 100);
	charge_release(&a);
	charge_release(&b);
	quota_free(quota);
}

static void refusal_of_a_user(void **state)
{
	struct quota *quota = make(MIB(512), UINT64_MAX);
	struct who payer = user(1000, "d", NULL);
	struct charge a = {0}, b = {0};
	struct refusal refusal;

	assert_int_equal(take(&a, quota, payer, MIB(500)), 0);
	assert_int_equal(take_or_tell(&b, quota, &payer, MIB(13), &refusal), -EDQUOT);
	assert_int_equal(refusal.claim.id.kind, ACCOUNT_USER);
	assert_int_equal(refusal.claim.id.uid, 1000);
	assert_int_equal(refusal.used, MIB(500));
	assert_int_equal(refusal.limit, MIB(512));
	charge_release(&a);
	quota_free(quota);
}

static void overflow(void **state)
{
	struct quota *quota = make(UINT64_MAX, UINT64_MAX);
	struct charge a = {0}, b = {0};

	assert_int_equal(take(&a, quota, user(1, "d", NULL), UINT64_MAX - 4095), 0);
	assert_int_equal(take(&b, quota, user(1, NULL, NULL), 4096), -EDQUOT);
	assert_int_equal(take(&b, quota, user(2, "d", NULL), 4096), -EDQUOT);
	assert_int_equal(quota_get_user(quota, 2), 0);
	assert_int_equal(take(&b, quota, user(1, NULL, NULL), UINT64_MAX), -EDQUOT);
	assert_int_equal(take(&b, quota, user(1, NULL, NULL), 4095), 0);
	assert_int_equal(quota_get_user(quota, 1), UINT64_MAX);
	charge_release(&b);
	charge_release(&a);
	quota_free(quota);
}

static void limit_of_zero(void **state)
{
	struct quota *quota = make(0, 0);
	struct charge a = {0};

	assert_int_equal(take(&a, quota, user(1, NULL, NULL), 1), -EDQUOT);
	quota_free(quota);
}

/* Buffers count one each, whatever their size, and are given back one by one. */
static void buffers_at_the_limit(void **state)
{
	struct quota *quota = make(INFINITE, INFINITE);
	struct claim one = claim(ACCOUNT_USER, 1, "", INFINITE);
	struct charge a = {0}, b = {0}, c = {0};
	struct refusal refusal;

	one.buffers.max = 2;
	assert_int_equal(charge_take(&a, quota, &one, 1, 1, &refusal), 0);
	assert_int_equal(charge_take(&b, quota, &one, 1, MIB(1), &refusal), 0);
	assert_int_equal(quota_get_buffers(quota, &one.id), 2);
	assert_int_equal(charge_take(&c, quota, &one, 1, 1, &refusal), -EDQUOT);
	assert_int_equal(refusal.why, BEYOND_BUFFERS);
	assert_int_equal(refusal.used, 2);
	assert_int_equal(refusal.limit, 2);
	charge_release(&a);
	assert_int_equal(charge_take(&c, quota, &one, 1, 1, &refusal), 0);
	one.buffers.max = 0;
	assert_int_equal(charge_take(&a, quota, &one, 1, 1, &refusal), -EDQUOT);
	charge_release(&b);
	charge_release(&c);
	assert_int_equal(quota_get_buffers(quota, &one.id), 0);
	quota_free(quota);
}

static void restore_beyond_the_limits(void **state)
{
	const struct who nobody = {.uid = 5};
	struct quota *quota = make(100, 50);
	struct who payer = user(1, "d", NULL);
	struct charge a = {0}, b = {0}, c = {0};

	assert_int_equal(restore(&a, quota, &payer, 1000), 0);
	assert_int_equal(quota_get_user(quota, 1), 1000);
	assert_int_equal(take(&b, quota, user(1, NULL, NULL), 1), -EDQUOT);
	assert_int_equal(restore(&b, quota, &payer, UINT64_MAX), -EOVERFLOW);
	assert_int_equal(b.n_accounts, 0);
	assert_int_equal(restore(&c, quota, &nobody, 77), 0);
	assert_int_equal(quota_get_unknown(quota), 77);
	assert_int_equal(quota_get_user(quota, 5), 0);
	charge_release(&a);
	charge_release(&c);
	assert_int_equal(quota_get_unknown(quota), 0);
	assert_int_equal(take(&b, quota, user(1, NULL, NULL), 100), 0);
	charge_release(&b);
	quota_free(quota);
}

/* The names of a user and of a device are not mixed up, and the strings are the quota's own. */
static void names(void **state)
{
	struct quota *quota = make(100, 100);
	struct charge a = {0}, b = {0};
	char name[] = "platform:x";

	assert_int_equal(take(&a, quota, user(0, name, NULL), 10), 0);
	memset(name, 'z', sizeof(name) - 1);
	assert_int_equal(quota_get_device(quota, "platform:x"), 10);
	assert_int_equal(quota_get_device(quota, ""), 0);
	assert_int_equal(take(&b, quota, user(0, "", NULL), 20), 0);
	assert_int_equal(quota_get_user(quota, 0), 30);
	assert_int_equal(quota_get_device(quota, ""), 20);
	charge_release(&a);
	charge_release(&b);
	quota_free(quota);
}

static void eight_devices(void **state)
{
	struct quota *quota = make(100, 100);
	struct who payer = {
		.known = true, .n_devices = 8, .devices = {"a", "b", "c", "d", "e", "f", "g", "h"}};
	struct charge a = {0};

	assert_int_equal(take(&a, quota, payer, 100), 0);
	assert_int_equal(a.n_accounts, 17);
	assert_int_equal(quota_get_device(quota, "h"), 100);
	charge_release(&a);
	quota_free(quota);
}

/* More accounts than the table began with, and each is found again. */
static void many_accounts(void **state)
{
	enum {
		N = 3000
	};
	static struct charge charges[N];
	struct quota *quota = make(INFINITE, INFINITE);

	for (unsigned int i = 0; i < N; i++)
		assert_int_equal(take(&charges[i], quota, user(i, "d", NULL), i + 1), 0);
	for (unsigned int i = 0; i < N; i++) {
		assert_int_equal(quota_get_user(quota, i), i + 1);
		assert_int_equal(get(quota, ACCOUNT_USER_DEVICE, i, "d"), i + 1);
	}
	assert_int_equal(quota_get_device(quota, "d"), N * (N + 1) / 2);
	for (unsigned int i = 0; i < N; i += 2)
		charge_release(&charges[i]);
	for (unsigned int i = 0; i < N; i++)
		assert_int_equal(quota_get_user(quota, i), i % 2 ? i + 1 : 0);
	for (unsigned int i = 1; i < N; i += 2)
		charge_release(&charges[i]);
	quota_free(quota);
}

static void freed_with_a_balance(void **state)
{
	struct quota *quota = make(100, 100);
	struct charge a = {0};
	int status;
	pid_t pid;

	assert_int_equal(take(&a, quota, user(1, NULL, NULL), 1), 0);
	pid = fork();
	if (pid == 0) {
		close(STDERR_FILENO); /* the assertion's text is expected */
		quota_free(quota);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	charge_release(&a);
	quota_free(quota);
}

/* On the same accounts; and at the edge on none of them. */
static void restores_like_another(void **state)
{
	const struct who who = {.known = true, .uid = 1, .n_devices = 1, .devices = {"a"}};
	const struct account_id id = {ACCOUNT_USER_DEVICE, 1, "a", ""};
	struct charge first = {0}, second = {0}, third = {0};
	struct quota *quota = NULL;

	assert_int_equal(quota_new(&quota), 0);
	assert_int_equal(restore(&first, quota, &who, 100), 0);
	assert_int_equal(charge_restore_like(&second, &first, 20), 0);
	assert_int_equal(quota_get_bytes(quota, &id), 120);
	assert_int_equal(quota_get_buffers(quota, &id), 2);
	assert_int_equal(charge_restore_like(&third, &first, UINT64_MAX - 119), -EOVERFLOW);
	assert_int_equal(quota_get_bytes(quota, &id), 120);
	charge_release(&first);
	assert_int_equal(quota_get_bytes(quota, &id), 20);
	assert_int_equal(charge_restore_like(&third, &second, UINT64_MAX - 20), 0);
	charge_release(&second);
	charge_release(&third);
	quota_free(quota);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(restores_like_another),
		cmocka_unit_test(exactly_the_limit),
		cmocka_unit_test(release_twice),
		cmocka_unit_test(all_accounts_or_none),
		cmocka_unit_test(refusal_of_a_user),
		cmocka_unit_test(overflow),
		cmocka_unit_test(limit_of_zero),
		cmocka_unit_test(buffers_at_the_limit),
		cmocka_unit_test(restore_beyond_the_limits),
		cmocka_unit_test(names),
		cmocka_unit_test(eight_devices),
		cmocka_unit_test(many_accounts),
		cmocka_unit_test(freed_with_a_balance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
