/* SPDX-License-Identifier: MIT */
/*
 * Ledger, quota and claims beside the model, equal at each of many random steps: buffers come and
 * go, the configuration changes, and the daemon starts anew from the tags that the kernel kept. The
 * module is faked by what it would list.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

#include "claims.h"
#include "model.h"
#include "rebuild.h"
#include "settings-from.h"

#define STEPS 20000

struct both {
	struct model model;
	struct settings *settings[MODEL_CONFIGURATIONS];
	struct ledger *ledger;
	struct quota *quota;
	uint64_t last_id;
	unsigned int seed;
};

static struct both both;

/* What the steps of all seeds met. */
static struct {
	unsigned int refused[5][2]; /* by why, and of parts */
	unsigned int restarts, reloads, unknown;
} seen;

static unsigned int at_random(unsigned int n)
{
	return (unsigned int)rand_r(&both.seed) % n;
}

static const struct settings *settings_now(void)
{
	return both.settings[both.model.configuration];
}

static const struct row *find_row(uint64_t id)
{
	const struct row *row = both.model.rows;

	while (row->id != id)
		row++;
	return row;
}

static void fill_tag(const struct row *row, uint8_t ret[static TAG_SIZE])
{
	struct tag tag = {.uid = (uid_t)row->uid, .pid = 7};

	for (int d = 0; d < MODEL_DEVICES; d++)
		if (row->devices & 1u << d)
			strcpy(tag.devices[tag.n_devices++], model_devices[d]);
	assert_int_equal(tag_pack(&tag, ret), 0);
	if (row->spoiled)
		memset(ret, 0xff, TAG_SIZE);
}

/* The kernel's side of rebuild(). */
int module_list(const struct module *module, uint64_t after, struct module_buffer *ret,
		unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		const struct row *row;

		after = model_next(&both.model, after);
		if (!after)
			break;
		row = find_row(after);
		ret[i] = (struct module_buffer){
			.id = row->id, .size = row->size, .pool = (unsigned int)row->pool};
		fill_tag(row, ret[i].tag);
	}
	return (int)i;
}

const struct pool *module_get_pools(const struct module *module, unsigned int *ret_n)
{
	*ret_n = MODEL_POOLS;
	return model_pools;
}

static void assert_balance(const struct account_id *id, uint64_t bytes, uint64_t buffers)
{
	assert_int_equal(quota_get_bytes(both.quota, id), bytes);
	assert_int_equal(quota_get_buffers(both.quota, id), buffers);
}

static void assert_account(enum account_kind kind, int uid, int device, int pool)
{
	const struct account_id id = {kind, uid < 0 ? 0 : (uid_t)uid,
				      device == ANY ? "" : model_devices[device],
				      pool == ANY ? "" : model_pools[pool].name};

	assert_balance(&id, model_sum(&both.model, uid, device, pool),
		       model_count(&both.model, uid, device, pool));
}

static void assert_equal_to_model(uint64_t cursor)
{
	const struct buffer *next = ledger_next(both.ledger, cursor);

	assert_int_equal(ledger_get_bytes(both.ledger), model_sum(&both.model, ANY, ANY, ANY));
	assert_int_equal(ledger_get_count(both.ledger), model_count(&both.model, ANY, ANY, ANY));
	for (int u = 0; u < MODEL_USERS; u++) {
		assert_account(ACCOUNT_USER, u, ANY, ANY);
		for (int d = 0; d < MODEL_DEVICES; d++)
			assert_account(ACCOUNT_USER_DEVICE, u, d, ANY);
		for (int p = 0; p < MODEL_POOLS; p++)
			assert_account(ACCOUNT_USER_POOL, u, ANY, p);
	}
	for (int d = 0; d < MODEL_DEVICES; d++) {
		assert_account(ACCOUNT_DEVICE, ANY, d, ANY);
		for (int p = 0; p < MODEL_POOLS; p++)
			assert_account(ACCOUNT_DEVICE_POOL, ANY, d, p);
	}
	for (int p = 0; p < MODEL_POOLS; p++)
		assert_account(ACCOUNT_POOL, ANY, ANY, p);
	assert_account(ACCOUNT_UNKNOWN, UNKNOWN, ANY, ANY);
	assert_int_equal(next ? next->id : 0, model_next(&both.model, cursor));
}

static int charge(struct buffer *buffer, const struct payer *payer, int pool,
		  struct refusal *refusal)
{
	struct claim claims[CLAIMS_MAX];
	unsigned int n = claims_of_payer(settings_now(), payer, claims);
	int r = charge_take(&buffer->charge, both.quota, claims, n, buffer->size, refusal);

	if (r < 0)
		return r;
	n = claims_on_pool(settings_now(), payer, &model_pools[pool], buffer->size, both.quota,
			   claims);
	return charge_take(&buffer->pool_charge, both.quota, claims, n, buffer->size, refusal);
}

/* One device in four is named twice, as by two nodes of it. */
static void name_devices(unsigned int devices, struct payer *payer)
{
	for (int d = 0; d < MODEL_DEVICES; d++)
		for (unsigned int n = devices & 1u << d ? 1 + !at_random(4) : 0; n; n--) {
			payer->nodes[payer->n_devices] = "";
			payer->devices[payer->n_devices++] = model_devices[d];
		}
}

static void step_allocate(struct row *row)
{
	const struct row wanted = {both.last_id + 1,
				   1 + at_random(400),
				   (int)at_random(MODEL_USERS),
				   at_random(1u << MODEL_DEVICES),
				   (int)at_random(MODEL_POOLS),
				   !at_random(20)};
	const struct peer peer = {.uid = (uid_t)wanted.uid};
	struct payer payer = {.peer = &peer};
	struct buffer *buffer = NULL;
	struct refusal refusal;
	bool allowed =
		model_allows(&both.model, wanted.uid, wanted.devices, wanted.pool, wanted.size);
	int r;

	assert_int_equal(buffer_new(NULL, &buffer), 0);
	buffer->id = wanted.id;
	buffer->size = wanted.size;
	name_devices(wanted.devices, &payer);
	r = charge(buffer, &payer, wanted.pool, &refusal);
	assert_int_equal(r, allowed ? 0 : -EDQUOT);
	if (r < 0)
		seen.refused[refusal.why][refusal.claim.id.pool[0] != '\0']++;
	/* One in ten charges fails after it was taken, as when the kernel has no room. */
	if (r < 0 || !at_random(10)) {
		buffer_free(buffer);
		return;
	}
	assert_int_equal(ledger_insert(both.ledger, buffer), 0);
	both.last_id++;
	*row = wanted;
}

static void step_release(struct row *row)
{
	assert_int_equal(ledger_remove(both.ledger, row->id), 0);
	assert_int_equal(ledger_remove(both.ledger, row->id), -ENOENT);
	row->id = 0;
}

/* The books go with the daemon; quota_free() asserts that no charge outlives its buffer. */
static void step_restart(void)
{
	ledger_free(both.ledger);
	quota_free(both.quota);
	assert_int_equal(quota_new(&both.quota), 0);
	assert_int_equal(ledger_new(&both.ledger), 0);
	assert_int_equal(rebuild(NULL, both.ledger, both.quota), 0);
	model_restart(&both.model);
	seen.restarts++;
	seen.unknown += model_count(&both.model, UNKNOWN, ANY, ANY) > 0;
}

static void step_reload(void)
{
	both.model.configuration = (both.model.configuration + 1) % MODEL_CONFIGURATIONS;
	seen.reloads++;
}

static void step(void)
{
	struct row *row = &both.model.rows[at_random(MODEL_ROWS)];

	if (!at_random(1000))
		step_restart();
	else if (!at_random(1000))
		step_reload();
	else if (row->id)
		step_release(row);
	else
		step_allocate(row);
}

/* The steps met each kind of refusal, of wholes and of parts, and all that can happen beside. */
static void assert_much_was_seen(void)
{
	assert_true(seen.refused[BEYOND_BYTES][0] > 100);
	assert_true(seen.refused[BEYOND_BYTES][1] > 100);
	assert_true(seen.refused[BEYOND_BUFFERS][0] > 10);
	assert_true(seen.refused[BEYOND_FAIR_BYTES][0] > 100);
	assert_true(seen.refused[BEYOND_FAIR_BYTES][1] > 100);
	assert_true(seen.refused[BEYOND_FAIR_BUFFERS][0] > 100);
	assert_true(seen.refused[BEYOND_KEPT][1] > 5);
	assert_true(seen.restarts > 5 && seen.reloads > 5 && seen.unknown > 5);
}

static void same_as_the_model(unsigned int seed)
{
	both = (struct both){.seed = seed};
	for (unsigned int i = 0; i < MODEL_CONFIGURATIONS; i++)
		both.settings[i] = settings_from(model_configurations[i]);
	assert_int_equal(quota_new(&both.quota), 0);
	assert_int_equal(ledger_new(&both.ledger), 0);
	for (unsigned int i = 0; i < STEPS; i++) {
		step();
		assert_equal_to_model(at_random((unsigned int)both.last_id + 2));
	}
	assert_true(ledger_get_count(both.ledger) > 10);
	ledger_free(both.ledger);
	quota_free(both.quota);
	for (unsigned int i = 0; i < MODEL_CONFIGURATIONS; i++)
		settings_free(both.settings[i]);
}

/* The same steps each time; in the long run, those of a hundred other seeds as well. */
static void same_at_every_step(void **state)
{
	const char *set = getenv("DMABUFD_LONG");
	unsigned int n = set && !strcmp(set, "1") ? 100 : 1;

	for (unsigned int i = 0; i < n; i++) {
		print_message("seed %u\n", 20240229 + i);
		same_as_the_model(20240229 + i);
	}
	assert_much_was_seen();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_at_every_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
