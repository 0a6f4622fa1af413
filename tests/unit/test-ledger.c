/* SPDX-License-Identifier: MIT */
/*
 * The ledger, and ledger and quota together against a simple model, equal at each of many steps.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "test.h"

#include "claims.h"
#include "ledger.h"
#include "settings-from.h"

static struct buffer *make(uint64_t id, uint64_t size)
{
	struct buffer *buffer = NULL;

	assert_int_equal(buffer_new(&buffer), 0);
	buffer->id = id;
	buffer->size = size;
	return buffer;
}

static void insert(struct ledger *ledger, uint64_t id, uint64_t size)
{
	assert_int_equal(ledger_insert(ledger, make(id, size)), 0);
}

static void inserts_and_removes(void **state)
{
	struct ledger *ledger = NULL;
	struct buffer *again;

	assert_int_equal(ledger_new(&ledger), 0);
	insert(ledger, 5, 100);
	insert(ledger, UINT64_MAX, 1);
	assert_int_equal(ledger_get_bytes(ledger), 101);
	assert_int_equal(ledger_get_count(ledger), 2);

	again = make(5, 7);
	assert_int_equal(ledger_insert(ledger, again), -EEXIST);
	again->id = 0;
	assert_int_equal(ledger_insert(ledger, again), -EINVAL);
	buffer_free(again);
	assert_int_equal(ledger_get_bytes(ledger), 101);

	assert_int_equal(ledger_remove(ledger, 6), -ENOENT);
	assert_int_equal(ledger_remove(ledger, 0), -ENOENT);
	assert_int_equal(ledger_remove(ledger, 5), 0);
	assert_int_equal(ledger_remove(ledger, 5), -ENOENT);
	assert_int_equal(ledger_get_bytes(ledger), 1);
	assert_int_equal(ledger_get_count(ledger), 1);
	ledger_free(ledger);
	assert_null(ledger_free(NULL));
	assert_null(buffer_free(NULL));
}

static uint64_t next(const struct ledger *ledger, uint64_t after)
{
	const struct buffer *buffer = ledger_next(ledger, after);

	return buffer ? buffer->id : 0;
}

static void iterates_in_order(void **state)
{
	static const uint64_t ids[] = {30, 10, 50, 20, 40};
	struct ledger *ledger = NULL;

	assert_int_equal(ledger_new(&ledger), 0);
	assert_int_equal(next(ledger, 0), 0);
	for (size_t i = 0; i < N_ELEMENTS(ids); i++)
		insert(ledger, ids[i], 1);
	for (uint64_t id = 0; id < 50; id += 10)
		assert_int_equal(next(ledger, id), id + 10);
	assert_int_equal(next(ledger, 50), 0);
	assert_int_equal(next(ledger, UINT64_MAX), 0);
	/* The buffer of the cursor is gone when the next page is asked for. */
	assert_int_equal(ledger_remove(ledger, 30), 0);
	assert_int_equal(next(ledger, 30), 40);
	assert_int_equal(next(ledger, 20), 40);
	assert_int_equal(next(ledger, 35), 40);
	ledger_free(ledger);
}

static void removal_gives_the_charges_back(void **state)
{
	const struct peer peer = {.uid = 9};
	const struct payer payer = {.peer = &peer, .n_devices = 1, .devices = {"d"}, .nodes = {""}};
	const struct pool pool = {.name = "p"};
	const struct account_id user = {ACCOUNT_USER, 9, "", ""},
				in_pool = {ACCOUNT_POOL, 0, "", "p"};
	struct claim claims[CLAIMS_MAX];
	struct ledger *ledger = NULL;
	struct quota *quota = NULL;

	assert_int_equal(quota_new(&quota), 0);
	assert_int_equal(ledger_new(&ledger), 0);
	for (uint64_t id = 1; id <= 2; id++) {
		struct buffer *buffer = make(id, 50);
		unsigned int n = claims_of_payer(NULL, &payer, claims);

		assert_int_equal(n, 3);
		assert_int_equal(charge_restore(&buffer->charge, quota, claims, n, 50), 0);
		n = claims_on_pool(NULL, &payer, &pool, 50, quota, claims);
		assert_int_equal(n, 3);
		assert_int_equal(charge_restore(&buffer->pool_charge, quota, claims, n, 50), 0);
		assert_int_equal(ledger_insert(ledger, buffer), 0);
	}
	assert_int_equal(quota_get_bytes(quota, &user), 100);
	assert_int_equal(quota_get_bytes(quota, &in_pool), 100);
	ledger_remove(ledger, 1);
	ledger_remove(ledger, 1);
	assert_int_equal(quota_get_bytes(quota, &user), 50);
	assert_int_equal(quota_get_bytes(quota, &in_pool), 50);
	ledger_free(ledger);
	assert_int_equal(quota_get_bytes(quota, &user), 0);
	quota_free(quota);
}

/*
 * The model: a table of what lives, summed up anew whenever a number is asked for, and the rules of
 * dmabufd.conf(5) said once more, for one configuration.
 */
enum {
	USERS = 5,
	DEVICES = 4,
	POOLS = 3,
	LIVE = 300,
	STEPS = 20000
};
#define ANY (-1)
#define USER_BYTES 5000
#define USER_BUFFERS 22
#define DEVICE_BYTES 24000
#define DEVICE_BUFFERS 100
#define LAST_DEVICE_BYTES 6000
#define LAST_USER_BYTES 3000

static const char configuration[] = "[Daemon]\nUserBytesMax=5000\nUserBuffersMax=22\n"
				    "DeviceBytesMax=24000\nDeviceBuffersMax=100\n"
				    "[Device *:d]\nBytesMax=6000\n"
				    "[User 4]\nBytesMax=3000\n"
				    "[Device a:a]\nReserve=p0 20%\nReserve=p2 900\n"
				    "[Pool p0]\nBytesMax=75%\nUserBytesMax=infinity\n"
				    "[Pool p1]\nUserBytesMax=1200\n";

/* The same for the pools; device 0 has the reservations. */
static const struct {
	uint64_t max, user_max, capacity, reserved;
	bool fair;
} rules[POOLS] = {
	{4500, INFINITE, 4500, 1200, false},
	{INFINITE, 1200, 6000, 0, false},
	{INFINITE, INFINITE, 6000, 900, true},
};

struct row {
	uint64_t id; /* 0: free */
	uint64_t size;
	int uid;
	unsigned int devices; /* mask */
	int pool;
};

struct model {
	struct row rows[LIVE];
};

static const char *const device_names[DEVICES] = {"a:a", "a:b", "a:c", "a:d"};
static const struct pool pools[POOLS] = {
	{.name = "p0", .size = 6000}, {.name = "p1", .size = 6000}, {.name = "p2", .size = 6000}};

static bool row_is(const struct row *row, int uid, int device, int pool)
{
	return row->id && (uid == ANY || row->uid == uid) && (pool == ANY || row->pool == pool) &&
	       (device == ANY || row->devices & 1u << device);
}

static uint64_t model_sum(const struct model *model, int uid, int device, int pool)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < LIVE; i++)
		if (row_is(&model->rows[i], uid, device, pool))
			sum += model->rows[i].size;
	return sum;
}

static uint64_t model_count(const struct model *model, int uid, int device, int pool)
{
	uint64_t n = 0;

	for (unsigned int i = 0; i < LIVE; i++)
		n += row_is(&model->rows[i], uid, device, pool);
	return n;
}

/* The users that hold something there, and uid, plus one. */
static uint64_t model_sharers(const struct model *model, int uid, int device, int pool)
{
	uint64_t n = 1;

	for (int u = 0; u < USERS; u++)
		n += u == uid || model_count(model, u, device, pool);
	return n;
}

static bool model_user_allows(const struct model *model, int uid, uint64_t size)
{
	return model_sum(model, uid, ANY, ANY) + size <=
		       (uid == 4 ? LAST_USER_BYTES : USER_BYTES) &&
	       model_count(model, uid, ANY, ANY) + 1 <= USER_BUFFERS;
}

static bool model_device_allows(const struct model *model, int uid, int device, uint64_t size)
{
	uint64_t max = device == 3 ? LAST_DEVICE_BYTES : DEVICE_BYTES;
	uint64_t bytes = model_sum(model, ANY, device, ANY);
	uint64_t count = model_count(model, ANY, device, ANY);
	uint64_t own = model_sum(model, uid, device, ANY);
	uint64_t own_count = model_count(model, uid, device, ANY);
	uint64_t n = model_sharers(model, uid, device, ANY);

	return bytes + size <= max && count + 1 <= DEVICE_BUFFERS &&
	       n * (own + size) <= max - (bytes - own) &&
	       (!own_count || n * (own_count + 1) <= DEVICE_BUFFERS - (count - own_count));
}

static bool model_allows(const struct model *model, int uid, unsigned int devices, uint64_t size)
{
	if (!model_user_allows(model, uid, size))
		return false;
	for (int d = 0; d < DEVICES; d++)
		if (devices & 1u << d && !model_device_allows(model, uid, d, size))
			return false;
	return true;
}

static bool model_pool_allows(const struct model *model, int uid, unsigned int devices, int pool,
			      uint64_t size)
{
	uint64_t bytes = model_sum(model, ANY, ANY, pool), own = model_sum(model, uid, ANY, pool);
	uint64_t used = model_sum(model, ANY, 0, pool);
	uint64_t unused = used < rules[pool].reserved ? rules[pool].reserved - used : 0;
	uint64_t left = rules[pool].capacity - (devices & 1 ? 0 : unused);

	if (bytes + size > rules[pool].max || own + size > rules[pool].user_max)
		return false;
	if (!(devices & 1) && unused && bytes + size > left)
		return false;
	if (!rules[pool].fair || (devices & 1 && size <= unused))
		return true;
	return bytes - own <= left &&
	       model_sharers(model, uid, ANY, pool) * (own + size) <= left - (bytes - own);
}

static uint64_t model_next(const struct model *model, uint64_t after)
{
	uint64_t best = 0;

	for (unsigned int i = 0; i < LIVE; i++)
		if (model->rows[i].id > after && (!best || model->rows[i].id < best))
			best = model->rows[i].id;
	return best;
}

static void assert_account(const struct quota *quota, const struct model *model,
			   enum account_kind kind, int uid, int device, int pool)
{
	const struct account_id id = {kind, uid == ANY ? 0 : (uid_t)uid,
				      device == ANY ? "" : device_names[device],
				      pool == ANY ? "" : pools[pool].name};

	assert_int_equal(quota_get_bytes(quota, &id), model_sum(model, uid, device, pool));
	assert_int_equal(quota_get_buffers(quota, &id), model_count(model, uid, device, pool));
}

static void assert_equal_to_model(const struct model *model, const struct ledger *ledger,
				  const struct quota *quota, uint64_t cursor)
{
	assert_int_equal(ledger_get_bytes(ledger), model_sum(model, ANY, ANY, ANY));
	assert_int_equal(ledger_get_count(ledger), model_count(model, ANY, ANY, ANY));
	for (int u = 0; u < USERS; u++) {
		assert_account(quota, model, ACCOUNT_USER, u, ANY, ANY);
		for (int d = 0; d < DEVICES; d++)
			assert_account(quota, model, ACCOUNT_USER_DEVICE, u, d, ANY);
		for (int p = 0; p < POOLS; p++)
			assert_account(quota, model, ACCOUNT_USER_POOL, u, ANY, p);
	}
	for (int d = 0; d < DEVICES; d++) {
		assert_account(quota, model, ACCOUNT_DEVICE, ANY, d, ANY);
		for (int p = 0; p < POOLS; p++)
			assert_account(quota, model, ACCOUNT_DEVICE_POOL, ANY, d, p);
	}
	for (int p = 0; p < POOLS; p++)
		assert_account(quota, model, ACCOUNT_POOL, ANY, ANY, p);
	assert_int_equal(next(ledger, cursor), model_next(model, cursor));
}

struct both {
	struct model model;
	struct settings *settings;
	struct ledger *ledger;
	struct quota *quota;
	uint64_t last_id;
	unsigned int seed;
	unsigned int refused[5][2]; /* by why, and of parts */
};

static int charge_both(struct both *both, struct buffer *buffer, const struct payer *payer,
		       int pool, struct refusal *refusal)
{
	struct claim claims[CLAIMS_MAX];
	unsigned int n = claims_of_payer(both->settings, payer, claims);
	int r = charge_take(&buffer->charge, both->quota, claims, n, buffer->size, refusal);

	if (r < 0)
		return r;
	n = claims_on_pool(both->settings, payer, &pools[pool], buffer->size, both->quota, claims);
	return charge_take(&buffer->pool_charge, both->quota, claims, n, buffer->size, refusal);
}

static void step_allocate(struct both *both, struct row *row)
{
	const int uid = rand_r(&both->seed) % USERS, pool = rand_r(&both->seed) % POOLS;
	const unsigned int devices = (unsigned int)rand_r(&both->seed) % (1u << DEVICES);
	const uint64_t size = 1 + (uint64_t)rand_r(&both->seed) % 400;
	const struct peer peer = {.uid = (uid_t)uid};
	struct payer payer = {.peer = &peer};
	struct buffer *buffer = make(both->last_id + 1, size);
	struct refusal refusal;
	bool allowed = model_allows(&both->model, uid, devices, size) &&
		       model_pool_allows(&both->model, uid, devices, pool, size);
	int r;

	for (int d = 0; d < DEVICES; d++)
		if (devices & 1u << d) {
			payer.nodes[payer.n_devices] = "";
			payer.devices[payer.n_devices++] = device_names[d];
		}
	r = charge_both(both, buffer, &payer, pool, &refusal);
	assert_int_equal(r, allowed ? 0 : -EDQUOT);
	if (r < 0)
		both->refused[refusal.why][refusal.claim.id.pool[0] != '\0']++;
	/* One in ten charges fails after it was taken, as when the kernel has no room. */
	if (r < 0 || rand_r(&both->seed) % 10 == 0) {
		buffer_free(buffer);
		return;
	}
	assert_int_equal(ledger_insert(both->ledger, buffer), 0);
	*row = (struct row){++both->last_id, size, uid, devices, pool};
}

static void both_free(struct both *both)
{
	ledger_free(both->ledger);
	quota_free(both->quota);
	settings_free(both->settings);
}

static void same_as_the_model(void **state)
{
	static struct both both;

	both = (struct both){.seed = 20240229, .settings = settings_from(configuration)};
	assert_int_equal(quota_new(&both.quota), 0);
	assert_int_equal(ledger_new(&both.ledger), 0);
	for (unsigned int i = 0; i < STEPS; i++) {
		struct row *row = &both.model.rows[(unsigned int)rand_r(&both.seed) % LIVE];

		if (!row->id) {
			step_allocate(&both, row);
		} else {
			assert_int_equal(ledger_remove(both.ledger, row->id), 0);
			assert_int_equal(ledger_remove(both.ledger, row->id), -ENOENT);
			row->id = 0;
		}
		assert_equal_to_model(&both.model, both.ledger, both.quota,
				      (uint64_t)rand_r(&both.seed) % (both.last_id + 2));
	}
	assert_true(both.refused[BEYOND_BYTES][0] > 100);
	assert_true(both.refused[BEYOND_BYTES][1] > 100);
	assert_true(both.refused[BEYOND_BUFFERS][0] > 10);
	assert_true(both.refused[BEYOND_FAIR_BYTES][0] > 100);
	assert_true(both.refused[BEYOND_FAIR_BYTES][1] > 100);
	assert_true(both.refused[BEYOND_FAIR_BUFFERS][0] > 100);
	assert_true(both.refused[BEYOND_KEPT][1] > 5);
	assert_true(ledger_get_count(both.ledger) > 10);
	both_free(&both);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inserts_and_removes),
		cmocka_unit_test(iterates_in_order),
		cmocka_unit_test(removal_gives_the_charges_back),
		cmocka_unit_test(same_as_the_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
