/* SPDX-License-Identifier: MIT */
/*
 * Which section applies to whom, and what it comes to in bytes; the words of a refusal.
 */
#include <errno.h>
#include <string.h>

#include "claims.h"
#include "match.h"
#include "refusal.h"
#include "settings-from.h"

static const struct claim *find(const struct claim claims[], unsigned int n, enum account_kind kind,
				const char *device)
{
	for (unsigned int i = 0; i < n; i++)
		if (claims[i].id.kind == kind && !strcmp(claims[i].id.device, device))
			return &claims[i];
	fail_msg("no claim of kind %d on \"%s\"", kind, device);
	return NULL;
}

/* The node before the name before patterns; of patterns, the line that was read last. */
static void device_sections(void **state)
{
	static const struct {
		const char *device, *node;
		uint64_t expected;
		const char *section;
	} rows[] = {
		{"platform:camera", "/dev/video0", 4, "Device /dev/video0"},
		{"platform:camera", "/dev/video1", 3, "Device platform:camera"},
		{"platform:camera", "", 3, "Device platform:camera"},
		{"platform:codec", "/dev/video0", 4, "Device /dev/video0"},
		{"platform:codec", "/dev/video9", 6, "Device platform:*"},
		{"pci:0000:00:02.0", "/dev/video9", 5, "Device /dev/video*"},
		{"pci:0000:00:02.0", "/dev/dri/card0", 1, "Device *"},
		{"pci:0000:00:02.0", "", 1, "Device *"},
		{"platform:x[1]", "", 6, "Device platform:*"},
	};
	struct settings *settings = settings_from("[Device platform:camera]\nBytesMax=3\n"
						  "[Device /dev/video0]\nBytesMax=4\n"
						  "[Device platform:*]\nBuffersMax=9\n"
						  "[Device *]\nBytesMax=1\n"
						  "[Device /dev/video*]\nBytesMax=5\n"
						  "[Device platform:*]\nBytesMax=6\n");

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct limit limit = limit_of_device(settings, rows[i].device, rows[i].node);

		assert_int_equal(limit.max, rows[i].expected);
		assert_string_equal(limit.section, rows[i].section);
		assert_string_equal(limit.key, "BytesMax");
	}
	settings_free(settings);
}

/* A line that resets a key leaves it to the next best section. */
static void device_reset(void **state)
{
	struct settings *settings =
		settings_from("[Device a:a]\nBytesMax=3\n[Device a:*]\nBytesMax=2\n"
			      "[Device a:a]\nBytesMax=\n[Daemon]\nDeviceBytesMax=9\n");

	assert_int_equal(limit_of_device(settings, "a:a", "").max, 2);
	assert_int_equal(limit_of_device(settings, "b:a", "").max, 9);
	assert_string_equal(limit_of_device(settings, "b:a", "").key, "DeviceBytesMax");
	assert_string_equal(limit_of_device(settings, "b:a", "").section, "Daemon");
	settings_free(settings);
}

static void user_sections(void **state)
{
	gid_t groups[] = {21, 20};
	const struct peer peers[] = {
		{.uid = 7, .gid = 1},
		{.uid = 8, .gid = 20},
		{.uid = 8, .gid = 1, .n_groups = 2, .groups = groups},
		{.uid = 7, .gid = 20},
		{.uid = 9, .gid = 1},
	};
	static const uint64_t bytes[] = {1, 2, 3, 1, MIB(512)};
	static const uint64_t connections[] = {64, 5, 5, 5, 64};
	static const uint64_t waiters[] = {16, 16, 4, 16, 16};
	struct settings *settings = settings_from(
		"[User 7]\nBytesMax=1\n"
		"[User @20]\nBytesMax=2\nConnectionsMax=5\n[User @21]\nBytesMax=3\nWaitersMax=4\n");

	for (size_t i = 0; i < N_ELEMENTS(peers); i++) {
		const struct payer payer = {.peer = &peers[i]};
		struct claim claims[CLAIMS_MAX];

		assert_int_equal(claims_of_payer(settings, &payer, claims), 1);
		assert_int_equal(claims[0].id.kind, ACCOUNT_USER);
		assert_int_equal(claims[0].bytes.max, bytes[i]);
		assert_int_equal(claims[0].buffers.max, 8192);
		assert_int_equal(limit_of_connections(settings, &peers[i]).max, connections[i]);
		assert_int_equal(limit_of_waiters(settings, &peers[i]).max, waiters[i]);
	}
	assert_int_equal(limit_of_all_waiters(settings).max, 256);
	settings_free(settings);
}

static const struct peer alice = {.uid = 1000};

static struct payer on(const char *a, const char *b)
{
	struct payer payer = {.peer = &alice, .devices = {a, b}, .nodes = {"", ""}};

	payer.n_devices = (a != NULL) + (b != NULL);
	return payer;
}

static void claims_on_devices(void **state)
{
	struct settings *settings = settings_from("[Daemon]\nUserDeviceBuffersMax=7\n"
						  "[Device a:b]\nUserBytesMax=5\nBuffersMax=6\n");
	struct payer payer = on("a:a", "a:b");
	struct claim claims[CLAIMS_MAX];
	const struct claim *claim;
	unsigned int n = claims_of_payer(settings, &payer, claims);

	assert_int_equal(n, 5);
	claim = find(claims, n, ACCOUNT_DEVICE, "a:a");
	assert_int_equal(claim->bytes.max, MIB(512));
	assert_int_equal(claim->capacity, MIB(512));
	assert_int_equal(claim->buffers.max, 16384);
	claim = find(claims, n, ACCOUNT_USER_DEVICE, "a:a");
	assert_ptr_equal(claim - 1, find(claims, n, ACCOUNT_DEVICE, "a:a"));
	assert_int_equal(claim->bytes.max, INFINITE);
	assert_true(claim->bytes.fair);
	assert_int_equal(claim->buffers.max, 7);
	assert_false(claim->buffers.fair); /* the administrator has decided */
	claim = find(claims, n, ACCOUNT_DEVICE, "a:b");
	assert_int_equal(claim->buffers.max, 6);
	claim = find(claims, n, ACCOUNT_USER_DEVICE, "a:b");
	assert_int_equal(claim->bytes.max, 5);
	assert_false(claim->bytes.fair);

	payer = on("a:a", "a:a");
	assert_int_equal(claims_of_payer(settings, &payer, claims), 3);
	payer.peer = NULL;
	assert_int_equal(claims_of_payer(settings, &payer, claims), 2);
	assert_int_equal(claims[0].id.kind, ACCOUNT_UNKNOWN);
	assert_int_equal(claims_of_payer(NULL, &payer, claims), 2);
	settings_free(settings);
}

static void fair_share_off(void **state)
{
	struct settings *settings = settings_from("[Daemon]\nFairShare=no\n");
	const struct pool pool = {.name = "p", .size = 100};
	struct payer payer = on("a:a", NULL);
	struct claim claims[CLAIMS_MAX];
	struct quota *quota = NULL;

	assert_int_equal(quota_new(&quota), 0);
	assert_int_equal(claims_of_payer(settings, &payer, claims), 3);
	assert_false(claims[2].bytes.fair);
	assert_false(claims[2].buffers.fair);
	assert_int_equal(claims_on_pool(settings, &payer, &pool, 1, quota, claims), 3);
	assert_int_equal(claims[1].id.kind, ACCOUNT_USER_POOL);
	assert_false(claims[1].bytes.fair);
	quota_free(quota);
	settings_free(settings);
}

/* What a pool of this size comes to under these lines of its section. */
static void pools_in_numbers(void **state)
{
	static const struct {
		uint64_t size;
		const char *text;
		uint64_t max, capacity, user_max;
		bool fair;
	} rows[] = {
		{1000, "", INFINITE, 1000, INFINITE, true},
		{0, "", INFINITE, INFINITE, INFINITE, true},
		{1000, "BytesMax=50%\n", 500, 500, INFINITE, true},
		{999, "BytesMax=50%\n", 499, 499, INFINITE, true},
		{1000, "BytesMax=0\n", 0, 0, INFINITE, true},
		{1000, "BytesMax=0%\n", 0, 0, INFINITE, true},
		{1000, "BytesMax=5000\n", 5000, 1000, INFINITE, true},
		{1000, "BytesMax=infinity\n", INFINITE, 1000, INFINITE, true},
		{1000, "UserBytesMax=100%\n", INFINITE, 1000, 1000, false},
		{1000, "UserBytesMax=10%\nBytesMax=500\n", 500, 500, 100, false},
		{1000, "UserBytesMax=700\n", INFINITE, 1000, 700, false},
		/* Per cent of a size that is not known limit nothing, but of BytesMax= they do. */
		{0, "BytesMax=50%\n", INFINITE, INFINITE, INFINITE, true},
		{0, "UserBytesMax=50%\n", INFINITE, INFINITE, INFINITE, false},
		{0, "BytesMax=600\nUserBytesMax=50%\n", 600, 600, 300, false},
		{0, "BytesMax=600\n", 600, 600, INFINITE, true},
		{UINT64_MAX - 1, "BytesMax=100%\n", UINT64_MAX - 1, UINT64_MAX - 1, INFINITE, true},
	};
	struct quota *quota = NULL;

	assert_int_equal(quota_new(&quota), 0);
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct pool pool = {.name = "p", .size = rows[i].size};
		struct payer payer = on("a:a", "a:b");
		struct claim claims[CLAIMS_MAX];
		struct settings *settings;
		char text[128];

		snprintf(text, sizeof(text), "[Pool p]\n%s[Pool q]\nBytesMax=1\n", rows[i].text);
		settings = settings_from(text);
		assert_int_equal(claims_on_pool(settings, &payer, &pool, 1, quota, claims), 4);
		assert_int_equal(claims[0].bytes.max, rows[i].max);
		assert_int_equal(claims[0].capacity, rows[i].capacity);
		assert_int_equal(claims[0].kept, 0);
		assert_int_equal(claims[1].bytes.max, rows[i].user_max);
		assert_int_equal(claims[1].bytes.fair, rows[i].fair);
		assert_int_equal(claims[2].id.kind, ACCOUNT_DEVICE_POOL);
		assert_string_equal(claims[3].id.device, "a:b");
		settings_free(settings);
	}
	quota_free(quota);
}

static void reservations(void **state)
{
	const struct pool pool = {.name = "p", .size = 1000}, unknown = {.name = "u"};
	const struct account_id used = {ACCOUNT_DEVICE_POOL, 0, "a:a", "p"};
	const struct claim claim = {.id = used};
	struct settings *settings =
		settings_from("[Device a:a]\nReserve=p 40%\nReserve=q 900\nReserve=u 50%\n"
			      "[Device a:b]\nReserve=p 100\n");
	struct payer nobody = on("a:x", NULL), a = on("a:a", NULL), both = on("a:b", "a:a");
	struct claim claims[CLAIMS_MAX];
	struct charge charge = {0};
	struct quota *quota = NULL;

	assert_int_equal(quota_new(&quota), 0);
	claims_on_pool(settings, &nobody, &pool, 1, quota, claims);
	assert_int_equal(claims[0].kept, 500);
	assert_true(claims[1].bytes.fair);
	claims_on_pool(settings, &a, &pool, 400, quota, claims);
	assert_int_equal(claims[0].kept, 100);
	assert_false(claims[1].bytes.fair);
	claims_on_pool(settings, &a, &pool, 401, quota, claims);
	assert_true(claims[1].bytes.fair);
	claims_on_pool(settings, &both, &pool, 1, quota, claims);
	assert_int_equal(claims[0].kept, 0);
	claims_on_pool(settings, &nobody, &unknown, 1, quota, claims);
	assert_int_equal(claims[0].kept, 0);

	/* What its device uses already is kept no more. */
	assert_int_equal(charge_restore(&charge, quota, &claim, 1, 300), 0);
	claims_on_pool(settings, &nobody, &pool, 1, quota, claims);
	assert_int_equal(claims[0].kept, 200);
	claims_on_pool(settings, &a, &pool, 101, quota, claims);
	assert_true(claims[1].bytes.fair);
	charge_release(&charge);
	assert_int_equal(charge_restore(&charge, quota, &claim, 1, 5000), 0);
	claims_on_pool(settings, &nobody, &pool, 1, quota, claims);
	assert_int_equal(claims[0].kept, 100);
	charge_release(&charge);
	quota_free(quota);
	settings_free(settings);
}

static void reservations_beyond_64_bits(void **state)
{
	const struct pool pool = {.name = "p", .size = 1000};
	struct settings *settings = settings_from("[Device a:a]\nReserve=p 9223372036854775807\n"
						  "[Device a:b]\nReserve=p 9223372036854775807\n"
						  "[Device a:c]\nReserve=p 9223372036854775807\n");
	struct payer nobody = on("a:x", NULL);
	struct claim claims[CLAIMS_MAX];
	struct quota *quota = NULL;

	assert_int_equal(quota_new(&quota), 0);
	claims_on_pool(settings, &nobody, &pool, 1, quota, claims);
	assert_int_equal(claims[0].kept, INFINITE);
	quota_free(quota);
	settings_free(settings);
}

static void assert_says(const char *expected, struct account_id id, enum refusal_why why,
			uint64_t used, uint64_t limit)
{
	const struct refusal refusal = {
		.claim = {.id = id,
			  .bytes = {.section = "User @video", .key = "BytesMax"},
			  .buffers = {.section = "Daemon", .key = "UserBuffersMax"}},
		.why = why,
		.used = used,
		.limit = limit,
	};
	char text[REFUSAL_TEXT_SIZE];

	refusal_say(&refusal, text);
	assert_string_equal(text, expected);
}

static void words(void **state)
{
	const struct account_id user = {ACCOUNT_USER, 7, "", ""};
	const struct account_id device = {ACCOUNT_DEVICE, 0, "a:a", ""};
	const struct account_id user_device = {ACCOUNT_USER_DEVICE, 7, "a:a", ""};
	const struct account_id pool = {ACCOUNT_POOL, 0, "", "p"};
	const struct account_id user_pool = {ACCOUNT_USER_POOL, 7, "", "p"};

	assert_says("user 7 holds 3.0 MiB of 4.0 MiB: close buffers, or raise BytesMax= in [User "
		    "@video] of dmabufd.conf",
		    user, BEYOND_BYTES, MIB(3), MIB(4));
	assert_says("user 7 holds 16 of 16 buffers: close buffers, or raise UserBuffersMax= in "
		    "[Daemon] of dmabufd.conf",
		    user, BEYOND_BUFFERS, 16, 16);
	assert_says("a:a has 0 B of 4.0 KiB: close buffers, or raise BytesMax= in [User @video] of "
		    "dmabufd.conf",
		    device, BEYOND_BYTES, 0, 4096);
	assert_says("for a:a user 7 holds 1.0 KiB of a fair share of 2.0 KiB: close buffers, or "
		    "see FairShare= and UserDeviceBytesMax= of dmabufd.conf",
		    user_device, BEYOND_FAIR_BYTES, 1024, 2048);
	assert_says("for a:a user 7 holds 1 of a fair share of 2 buffers: close buffers, or see "
		    "FairShare= and UserDeviceBuffersMax= of dmabufd.conf",
		    user_device, BEYOND_FAIR_BUFFERS, 1, 2);
	assert_says("in pool p user 7 holds 1.0 KiB of a fair share of 2.0 KiB: close buffers, or "
		    "see FairShare= and UserBytesMax= in [Pool p] of dmabufd.conf",
		    user_pool, BEYOND_FAIR_BYTES, 1024, 2048);
	assert_says("2.0 KiB of it are reserved for other devices: see Reserve= in dmabufd.conf",
		    pool, BEYOND_KEPT, 0, 2048);
}

/* What a pool keeps ready: what is assigned, and nothing by default. */
static void stock(void **state)
{
	static const struct {
		const char *text;
		struct pool pool;
		uint64_t expected;
	} rows[] = {
		{"", {.name = "p", .kind = KIND_COHERENT, .size = 64, .free_known = true}, 0},
		{"", {.name = "p", .kind = KIND_COHERENT, .size = 64}, 0},
		{"", {.name = "p", .kind = KIND_CMA, .size = 64}, 0},
		{"[Pool p]\nStock=0\n",
		 {.name = "p", .kind = KIND_COHERENT, .size = 64, .free_known = true},
		 0},
		{"[Pool p]\nStock=50%\n", {.name = "p", .kind = KIND_CMA, .size = 64}, 32},
		{"[Pool q]\nStock=50%\n", {.name = "p", .kind = KIND_CMA, .size = 64}, 0},
		{"[Pool p]\nStock=infinity\n", {.name = "p", .kind = KIND_CMA}, INFINITE},
		{"[Pool p]\nStock=50%\n", {.name = "p", .kind = KIND_CMA}, 0},
		{"[Pool p]\nStock=50%\nBytesMax=8\n", {.name = "p", .kind = KIND_CMA}, 4},
		{"[Pool p]\nStock=8\n", {.name = "p", .kind = KIND_BUDDY}, 0},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct settings *settings = settings_from(rows[i].text);

		assert_int_equal(pool_get_stock(settings, &rows[i].pool), rows[i].expected);
		settings_free(settings);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stock),
		cmocka_unit_test(device_sections),
		cmocka_unit_test(device_reset),
		cmocka_unit_test(user_sections),
		cmocka_unit_test(claims_on_devices),
		cmocka_unit_test(fair_share_off),
		cmocka_unit_test(pools_in_numbers),
		cmocka_unit_test(reservations),
		cmocka_unit_test(reservations_beyond_64_bits),
		cmocka_unit_test(words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
