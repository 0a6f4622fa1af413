/* SPDX-License-Identifier: MIT */
/*
 * The ledger, and ledger and quota together against a simple model, equal at each of many steps.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "test.h"

#include "ledger.h"

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

static void removal_gives_the_charge_back(void **state)
{
	const struct payer payer = {
		.kind = ACCOUNT_USER, .uid = 9, .n_devices = 1, .devices = {"d"}};
	struct ledger *ledger = NULL;
	struct quota *quota = NULL;
	struct refusal refusal;

	assert_int_equal(quota_new(100, 100, &quota), 0);
	assert_int_equal(ledger_new(&ledger), 0);
	for (uint64_t id = 1; id <= 2; id++) {
		struct buffer *buffer = make(id, 50);

		assert_int_equal(charge_take(&buffer->charge, quota, &payer, 50, &refusal), 0);
		assert_int_equal(ledger_insert(ledger, buffer), 0);
	}
	assert_int_equal(quota_get_user(quota, 9), 100);
	ledger_remove(ledger, 1);
	ledger_remove(ledger, 1);
	assert_int_equal(quota_get_user(quota, 9), 50);
	ledger_free(ledger);
	assert_int_equal(quota_get_user(quota, 9), 0);
	quota_free(quota);
}

/* The model: a table of what lives, summed up anew whenever a number is asked for. */
enum {
	USERS = 5,
	DEVICES = 4,
	LIVE = 300,
	STEPS = 40000
};
#define USER_MAX 5000
#define DEVICE_MAX 6000

struct model {
	struct {
		uint64_t id; /* 0: free */
		uint64_t size;
		uid_t uid;
		unsigned int devices; /* mask */
	} rows[LIVE];
};

static const char *const device_names[DEVICES] = {"a", "b", "c", "d"};

static uint64_t model_sum(const struct model *model, int uid, int device)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < LIVE; i++) {
		if (!model->rows[i].id || (uid >= 0 && model->rows[i].uid != (uid_t)uid))
			continue;
		if (device >= 0 && !(model->rows[i].devices & 1u << device))
			continue;
		sum += model->rows[i].size;
	}
	return sum;
}

static uint64_t model_next(const struct model *model, uint64_t after)
{
	uint64_t best = 0;

	for (unsigned int i = 0; i < LIVE; i++)
		if (model->rows[i].id > after && (!best || model->rows[i].id < best))
			best = model->rows[i].id;
	return best;
}

static bool model_allows(const struct model *model, uid_t uid, unsigned int devices, uint64_t size)
{
	if (model_sum(model, (int)uid, -1) + size > USER_MAX)
		return false;
	for (int d = 0; d < DEVICES; d++)
		if (devices & 1u << d && model_sum(model, -1, d) + size > DEVICE_MAX)
			return false;
	return true;
}

static void assert_equal_to_model(const struct model *model, const struct ledger *ledger,
				  const struct quota *quota, uint64_t cursor)
{
	assert_int_equal(ledger_get_bytes(ledger), model_sum(model, -1, -1));
	for (int u = 0; u < USERS; u++)
		assert_int_equal(quota_get_user(quota, (uid_t)u), model_sum(model, u, -1));
	for (int d = 0; d < DEVICES; d++)
		assert_int_equal(quota_get_device(quota, device_names[d]), model_sum(model, -1, d));
	assert_int_equal(next(ledger, cursor), model_next(model, cursor));
}

struct both {
	struct model model;
	struct ledger *ledger;
	struct quota *quota;
	uint64_t last_id;
	unsigned int seed, refused;
};

static void step_allocate(struct both *both, unsigned int row)
{
	uid_t uid = (uid_t)rand_r(&both->seed) % USERS;
	unsigned int devices = (unsigned int)rand_r(&both->seed) % (1u << DEVICES);
	uint64_t size = 1 + (uint64_t)rand_r(&both->seed) % 400;
	struct payer payer = {.kind = ACCOUNT_USER, .uid = uid};
	struct buffer *buffer = make(both->last_id + 1, size);
	struct refusal refusal;
	int r;

	for (int d = 0; d < DEVICES; d++)
		if (devices & 1u << d)
			payer.devices[payer.n_devices++] = device_names[d];
	r = charge_take(&buffer->charge, both->quota, &payer, size, &refusal);
	assert_int_equal(r, model_allows(&both->model, uid, devices, size) ? 0 : -EDQUOT);
	/* One in ten charges fails after it was taken, as when the kernel has no room. */
	if (r < 0 || rand_r(&both->seed) % 10 == 0) {
		both->refused += r < 0;
		buffer_free(buffer);
		return;
	}
	assert_int_equal(ledger_insert(both->ledger, buffer), 0);
	both->model.rows[row].id = ++both->last_id;
	both->model.rows[row].size = size;
	both->model.rows[row].uid = uid;
	both->model.rows[row].devices = devices;
}

static void same_as_the_model(void **state)
{
	static struct both both;

	both = (struct both){.seed = 20240229};
	assert_int_equal(quota_new(USER_MAX, DEVICE_MAX, &both.quota), 0);
	assert_int_equal(ledger_new(&both.ledger), 0);
	for (unsigned int i = 0; i < STEPS; i++) {
		unsigned int row = (unsigned int)rand_r(&both.seed) % LIVE;

		if (!both.model.rows[row].id) {
			step_allocate(&both, row);
		} else {
			assert_int_equal(ledger_remove(both.ledger, both.model.rows[row].id), 0);
			assert_int_equal(ledger_remove(both.ledger, both.model.rows[row].id),
					 -ENOENT);
			both.model.rows[row].id = 0;
		}
		assert_equal_to_model(&both.model, both.ledger, both.quota,
				      (uint64_t)rand_r(&both.seed) % (both.last_id + 2));
	}
	assert_true(both.refused > 1000); /* the limits were met */
	assert_true(ledger_get_count(both.ledger) > 10);
	ledger_free(both.ledger);
	quota_free(both.quota);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inserts_and_removes),
		cmocka_unit_test(iterates_in_order),
		cmocka_unit_test(removal_gives_the_charge_back),
		cmocka_unit_test(same_as_the_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
