/* SPDX-License-Identifier: MIT */
/*
 * The ledger: inserts, removals, the order of ids, and the charges that end with a buffer.
 */
#include <errno.h>

#include "test.h"

#include "claims.h"
#include "ledger.h"

static struct buffer *make(uint64_t id, uint64_t size)
{
	struct buffer *buffer = NULL;

	assert_int_equal(buffer_new(NULL, &buffer), 0);
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

static void a_gap_is_no_buffer(void **state)
{
	enum {
		N = 1000
	};
	struct ledger *ledger = NULL;

	assert_int_equal(ledger_new(&ledger), 0);
	for (uint64_t id = 1; id <= N; id++)
		insert(ledger, id, 1);
	/* All but the first and the last, from the middle on. */
	for (uint64_t id = 2; id < N; id++)
		assert_int_equal(ledger_remove(ledger, (id * 497) % (N - 2) + 2), 0);
	assert_int_equal(ledger_get_count(ledger), 2);
	assert_int_equal(next(ledger, 0), 1);
	assert_int_equal(next(ledger, 1), N);
	assert_int_equal(next(ledger, N), 0);
	for (uint64_t id = 2; id < N; id++) {
		assert_null(ledger_get(ledger, id));
		assert_int_equal(ledger_remove(ledger, id), -ENOENT);
	}
	for (uint64_t id = 2; id < N; id += 2)
		insert(ledger, id, 1);
	for (uint64_t id = 2; id < N; id++)
		assert_int_equal(next(ledger, id - 1), id + id % 2);
	assert_int_equal(ledger_get_bytes(ledger), 2 + (N - 2) / 2);
	ledger_free(ledger);
}

static void a_buffer_knows_its_owner(void **state)
{
	struct tag owner = {.uid = 5,
			    .pid = 6,
			    .name = "label",
			    .n_devices = 2,
			    .devices = {"platform:camera", "pci:x"}};
	struct buffer *buffer = NULL;

	assert_int_equal(buffer_new(&owner, &buffer), 0);
	memset(&owner, 0xff, sizeof(owner));
	assert_true(buffer->known);
	assert_int_equal(buffer->uid, 5);
	assert_int_equal(buffer->pid, 6);
	assert_string_equal(buffer->name, "label");
	assert_int_equal(buffer->n_devices, 2);
	assert_memory_equal(buffer->devices, "platform:camera\0pci:x", 22);
	buffer_free(buffer);
	assert_int_equal(buffer_new(NULL, &buffer), 0);
	assert_false(buffer->known);
	assert_int_equal(buffer->n_devices, 0);
	buffer_free(buffer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_gap_is_no_buffer),
		cmocka_unit_test(a_buffer_knows_its_owner),
		cmocka_unit_test(inserts_and_removes),
		cmocka_unit_test(iterates_in_order),
		cmocka_unit_test(removal_gives_the_charges_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
