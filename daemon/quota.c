/* SPDX-License-Identifier: MIT */
/*
 * Who holds how much: accounts of users and devices, and the charges on them. Pure: knows neither
 * sockets nor the kernel interface nor an event loop.
 */
#include "quota.h"

#include <assert.h>
#include <errno.h>
#include <search.h>
#include <stdbool.h>
#include <string.h>

#include "cleanup.h"

struct account {
	struct quota *quota; /* whose tree it is in */
	enum account_kind kind;
	uid_t uid;
	const char *device; /* the text behind the struct, or "" */
	uint64_t bytes;
	uint64_t count; /* charges; the account goes with the last */
	char text[];
};

struct quota {
	uint64_t user_bytes_max;
	uint64_t device_bytes_max;
	void *accounts; /* tsearch() tree */
};

static int account_compare(const void *a, const void *b)
{
	const struct account *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->uid != y->uid)
		return x->uid < y->uid ? -1 : 1;
	return strcmp(x->device, y->device);
}

static struct account *account_find(const struct quota *quota, enum account_kind kind, uid_t uid,
				    const char *device)
{
	const struct account key = {.kind = kind, .uid = uid, .device = device};
	struct account **node = tfind(&key, &quota->accounts, account_compare);

	return node ? *node : NULL;
}

/* Adds an empty account, which the caller charges or drops. NULL: no memory. */
static struct account *account_add(struct quota *quota, enum account_kind kind, uid_t uid,
				   const char *device)
{
	size_t size = strlen(device) + 1;
	struct account *account = malloc(sizeof(*account) + size);

	if (!account)
		return NULL;
	*account = (struct account){.quota = quota, .kind = kind, .uid = uid};
	account->device = memcpy(account->text, device, size);
	if (!tsearch(account, &quota->accounts, account_compare)) {
		free(account);
		return NULL;
	}
	return account;
}

static void account_drop_if_empty(struct account *account)
{
	if (account->count)
		return;
	assert(account->bytes == 0);
	tdelete(account, &account->quota->accounts, account_compare);
	free(account);
}

static uint64_t account_get_limit(const struct account *account)
{
	switch (account->kind) {
	case ACCOUNT_USER:
		return account->quota->user_bytes_max;
	case ACCOUNT_DEVICE:
		return account->quota->device_bytes_max;
	default:
		return UINT64_MAX;
	}
}

int quota_new(uint64_t user_bytes_max, uint64_t device_bytes_max, struct quota **ret)
{
	struct quota *quota = calloc(1, sizeof(*quota));

	if (!quota)
		return -ENOMEM;
	quota->user_bytes_max = user_bytes_max;
	quota->device_bytes_max = device_bytes_max;
	*ret = quota;
	return 0;
}

struct quota *quota_free(struct quota *quota)
{
	/* An account lives until its last charge is released: a tree left over is a leak. */
	assert(!quota || !quota->accounts);
	free(quota);
	return NULL;
}

static void charge_drop_accounts(struct charge *charge)
{
	while (charge->n_accounts)
		account_drop_if_empty(charge->accounts[--charge->n_accounts]);
}

static int charge_add_account(struct charge *charge, struct quota *quota, enum account_kind kind,
			      uid_t uid, const char *device)
{
	struct account *account = account_find(quota, kind, uid, device);

	for (unsigned int i = 0; account && i < charge->n_accounts; i++)
		if (charge->accounts[i] == account)
			return 0;
	if (!account)
		account = account_add(quota, kind, uid, device);
	if (!account)
		return -ENOMEM;
	charge->accounts[charge->n_accounts++] = account;
	return 0;
}

/* Finds or makes each account; charges none of them. */
static int charge_add_accounts(struct charge *charge, struct quota *quota,
			       const struct payer *payer)
{
	uid_t uid = payer->kind == ACCOUNT_USER ? payer->uid : 0;
	int r = charge_add_account(charge, quota, payer->kind, uid, "");

	for (unsigned int i = 0; r >= 0 && i < payer->n_devices; i++)
		r = charge_add_account(charge, quota, ACCOUNT_DEVICE, 0, payer->devices[i]);
	return r;
}

/* The first account that has no room for so many bytes, or NULL. */
static const struct account *charge_find_full(const struct charge *charge, uint64_t bytes,
					      bool limited)
{
	for (unsigned int i = 0; i < charge->n_accounts; i++) {
		const struct account *account = charge->accounts[i];
		uint64_t sum;

		if (__builtin_add_overflow(account->bytes, bytes, &sum))
			return account;
		if (limited && sum > account_get_limit(account))
			return account;
	}
	return NULL;
}

static void charge_commit(struct charge *charge, uint64_t bytes)
{
	charge->bytes = bytes;
	for (unsigned int i = 0; i < charge->n_accounts; i++) {
		charge->accounts[i]->bytes += bytes;
		charge->accounts[i]->count++;
	}
}

/* The string must outlive the account, which may go now. */
static const char *payer_get_device(const struct payer *payer, const struct account *account)
{
	for (unsigned int i = 0; i < payer->n_devices; i++)
		if (account->kind == ACCOUNT_DEVICE && !strcmp(payer->devices[i], account->device))
			return payer->devices[i];
	return "";
}

int charge_take(struct charge *charge, struct quota *quota, const struct payer *payer,
		uint64_t bytes, struct refusal *ret_refusal)
{
	const struct account *full;
	int r;

	assert(!charge->n_accounts);
	r = charge_add_accounts(charge, quota, payer);
	if (r < 0) {
		charge_drop_accounts(charge);
		return r;
	}
	full = charge_find_full(charge, bytes, true);
	if (full) {
		*ret_refusal = (struct refusal){.kind = full->kind,
						.uid = full->uid,
						.device = payer_get_device(payer, full),
						.used = full->bytes,
						.limit = account_get_limit(full)};
		charge_drop_accounts(charge);
		return -EDQUOT;
	}
	charge_commit(charge, bytes);
	return 0;
}

int charge_restore(struct charge *charge, struct quota *quota, const struct payer *payer,
		   uint64_t bytes)
{
	int r;

	assert(!charge->n_accounts);
	r = charge_add_accounts(charge, quota, payer);
	if (r >= 0 && charge_find_full(charge, bytes, false))
		r = -EOVERFLOW;
	if (r < 0) {
		charge_drop_accounts(charge);
		return r;
	}
	charge_commit(charge, bytes);
	return 0;
}

void charge_release(struct charge *charge)
{
	for (unsigned int i = 0; i < charge->n_accounts; i++) {
		struct account *account = charge->accounts[i];

		assert(account->count > 0 && account->bytes >= charge->bytes);
		account->bytes -= charge->bytes;
		account->count--;
	}
	charge_drop_accounts(charge);
	charge->bytes = 0;
}

static uint64_t quota_get(const struct quota *quota, enum account_kind kind, uid_t uid,
			  const char *device)
{
	const struct account *account = account_find(quota, kind, uid, device);

	return account ? account->bytes : 0;
}

uint64_t quota_get_user(const struct quota *quota, uid_t uid)
{
	return quota_get(quota, ACCOUNT_USER, uid, "");
}

uint64_t quota_get_device(const struct quota *quota, const char *device)
{
	return quota_get(quota, ACCOUNT_DEVICE, 0, device);
}

uint64_t quota_get_unknown(const struct quota *quota)
{
	return quota_get(quota, ACCOUNT_UNKNOWN, 0, "");
}

uint64_t quota_get_device_limit(const struct quota *quota)
{
	return quota->device_bytes_max;
}
