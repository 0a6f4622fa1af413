/* SPDX-License-Identifier: MIT */
/*
 * Who holds how much: accounts, and the charges on them. Pure: knows neither sockets nor the kernel
 * interface nor an event loop.
 */
#include "quota.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "cleanup.h"

#define BUCKETS_MIN 64

struct account {
	LIST_ENTRY(account) link; /* of its bucket */
	size_t hash;
	struct quota *quota; /* whose table it is in */
	struct account *whole;
	struct account_id id; /* its strings are behind the struct */
	uint64_t bytes;
	uint64_t buffers; /* the account goes with the last */
	uint64_t users;   /* of a whole: parts of users that hold something */
	char text[];
};

LIST_HEAD(bucket, account);

/* A hash table, so that a request costs the same whoever else holds how much. */
struct quota {
	size_t n_accounts;
	size_t n_buckets; /* a power of two */
	struct bucket *buckets;
};

/* FNV-1a: the names are the kernel's, and nobody can choose them to collide. */
static size_t hash_bytes(size_t hash, const void *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		hash = (hash ^ ((const unsigned char *)bytes)[i]) * 0x100000001b3;
	return hash;
}

static size_t id_hash(const struct account_id *id)
{
	size_t hash = hash_bytes(0xcbf29ce484222325, &id->kind, sizeof(id->kind));

	hash = hash_bytes(hash, &id->uid, sizeof(id->uid));
	hash = hash_bytes(hash, id->device, strlen(id->device) + 1);
	return hash_bytes(hash, id->pool, strlen(id->pool));
}

bool account_id_is_same(const struct account_id *a, const struct account_id *b)
{
	return a->kind == b->kind && a->uid == b->uid && !strcmp(a->device, b->device) &&
	       !strcmp(a->pool, b->pool);
}

static struct bucket *quota_get_bucket(const struct quota *quota, size_t hash)
{
	return &quota->buckets[hash & (quota->n_buckets - 1)];
}

static struct account *account_find(const struct quota *quota, const struct account_id *id)
{
	size_t hash = id_hash(id);
	struct account *account;

	LIST_FOREACH(account, quota_get_bucket(quota, hash), link)
	if (account->hash == hash && account_id_is_same(&account->id, id))
		return account;
	return NULL;
}

/* Twice the buckets. Without memory for them the lists in the old ones get longer. */
static void quota_grow(struct quota *quota)
{
	struct quota grown = {.n_accounts = quota->n_accounts, .n_buckets = 2 * quota->n_buckets};
	struct account *account;

	grown.buckets = calloc(grown.n_buckets, sizeof(*grown.buckets));
	if (!grown.buckets)
		return;
	for (size_t i = 0; i < quota->n_buckets; i++)
		while ((account = LIST_FIRST(&quota->buckets[i]))) {
			LIST_REMOVE(account, link);
			LIST_INSERT_HEAD(quota_get_bucket(&grown, account->hash), account, link);
		}
	free(quota->buckets);
	*quota = grown;
}

/* Adds an empty account, which the caller charges or drops. NULL: no memory. */
static struct account *account_add(struct quota *quota, const struct account_id *id)
{
	size_t device = strlen(id->device) + 1, pool = strlen(id->pool) + 1;
	struct account *account = calloc(1, sizeof(*account) + device + pool);

	if (!account)
		return NULL;
	account->quota = quota;
	account->id = *id;
	account->id.device = memcpy(account->text, id->device, device);
	account->id.pool = memcpy(account->text + device, id->pool, pool);
	account->hash = id_hash(id);
	if (quota->n_accounts == quota->n_buckets)
		quota_grow(quota);
	LIST_INSERT_HEAD(quota_get_bucket(quota, account->hash), account, link);
	quota->n_accounts++;
	return account;
}

static void account_drop_if_empty(struct account *account)
{
	if (account->buffers)
		return;
	assert(account->bytes == 0 && account->users == 0);
	LIST_REMOVE(account, link);
	account->quota->n_accounts--;
	free(account);
}

static bool is_part_of_user(enum account_kind kind)
{
	return kind == ACCOUNT_USER_DEVICE || kind == ACCOUNT_USER_POOL;
}

bool account_id_is_part(const struct account_id *part, const struct account_id *whole)
{
	return is_part_of_user(part->kind) &&
	       (part->kind == ACCOUNT_USER_DEVICE
			? whole->kind == ACCOUNT_DEVICE && !strcmp(part->device, whole->device)
			: whole->kind == ACCOUNT_POOL && !strcmp(part->pool, whole->pool));
}

static bool is_of_one_user(enum account_kind kind)
{
	return kind == ACCOUNT_USER || is_part_of_user(kind);
}

static void account_charge(struct account *account, uint64_t bytes)
{
	if (account->whole && !account->buffers)
		account->whole->users++;
	account->bytes += bytes;
	account->buffers++;
}

static void account_release(struct account *account, uint64_t bytes)
{
	assert(account->buffers > 0 && account->bytes >= bytes);
	account->bytes -= bytes;
	account->buffers--;
	if (account->whole && !account->buffers)
		account->whole->users--;
}

int quota_new(struct quota **ret)
{
	struct quota *quota = calloc(1, sizeof(*quota));

	if (!quota)
		return -ENOMEM;
	quota->n_buckets = BUCKETS_MIN;
	quota->buckets = calloc(quota->n_buckets, sizeof(*quota->buckets));
	if (!quota->buckets) {
		free(quota);
		return -ENOMEM;
	}
	*ret = quota;
	return 0;
}

struct quota *quota_free(struct quota *quota)
{
	if (!quota)
		return NULL;
	/* An account lives until its last charge is released: one left over is a leak. */
	assert(quota->n_accounts == 0);
	free(quota->buckets);
	free(quota);
	return NULL;
}

/* From the last to the first: a part goes before its whole. */
static void charge_drop_accounts(struct charge *charge)
{
	while (charge->n_accounts)
		account_drop_if_empty(charge->accounts[--charge->n_accounts]);
	free(TAKE_PTR(charge->accounts));
}

static int charge_reserve(struct charge *charge, unsigned int n_accounts)
{
	assert(!charge->accounts && n_accounts <= CLAIMS_MAX);
	if (!n_accounts)
		return 0;
	charge->accounts = calloc(n_accounts, sizeof(struct account *));
	return charge->accounts ? 0 : -ENOMEM;
}

/* Finds or makes each account; charges none of them. */
static int charge_add_accounts(struct charge *charge, struct quota *quota,
			       const struct claim claims[], unsigned int n_claims)
{
	int r = charge_reserve(charge, n_claims);

	if (r < 0)
		return r;
	for (unsigned int i = 0; i < n_claims; i++) {
		struct account *account = account_find(quota, &claims[i].id);

		if (!account)
			account = account_add(quota, &claims[i].id);
		if (!account) {
			charge_drop_accounts(charge);
			return -ENOMEM;
		}
		if (is_part_of_user(claims[i].id.kind))
			account->whole = charge->accounts[i - 1];
		charge->accounts[charge->n_accounts++] = account;
	}
	return 0;
}

uint64_t fair_share(uint64_t capacity, uint64_t others, uint64_t users)
{
	return others < capacity ? (capacity - others) / (users + 1) : 0;
}

/* The users that hold something of the whole, once this one does. */
static uint64_t count_users(const struct account *part)
{
	return part->whole->users + !part->buffers;
}

static bool refuse(struct refusal *refusal, enum refusal_why why, uint64_t limit)
{
	refusal->why = why;
	refusal->limit = limit;
	return true;
}

/* Would what is left below these limits be less than what others wait for? */
static bool is_awaited(const struct claim *claim, const struct account *account, uint64_t bytes,
		       uint64_t max_bytes, uint64_t max_buffers, struct refusal *refusal)
{
	uint64_t sum;

	if (!claim->awaited_buffers)
		return false;
	if (max_bytes != INFINITE &&
	    (__builtin_add_overflow(account->bytes, bytes, &sum) ||
	     __builtin_add_overflow(sum, claim->awaited_bytes, &sum) || sum > max_bytes))
		return refuse(refusal, BEYOND_AWAITED, claim->awaited_bytes);
	if (max_buffers != INFINITE && account->buffers + 1 + claim->awaited_buffers > max_buffers)
		return refuse(refusal, BEYOND_AWAITED, claim->awaited_bytes);
	return false;
}

/* Of the whole's capacity, what users share. */
static uint64_t get_shared(const struct claim *whole)
{
	return whole->capacity > whole->kept ? whole->capacity - whole->kept : 0;
}

/* whole is the claim before that of the part. */
static bool is_unfair(const struct claim *claim, const struct claim *whole,
		      const struct account *account, uint64_t bytes, struct refusal *refusal)
{
	uint64_t bytes_share = INFINITE, buffers_share = INFINITE;

	if (claim->bytes.fair && whole->capacity != INFINITE) {
		bytes_share = fair_share(get_shared(whole), account->whole->bytes - account->bytes,
					 count_users(account));
		if (account->bytes + bytes > bytes_share)
			return refuse(refusal, BEYOND_FAIR_BYTES, bytes_share);
	}
	if (claim->buffers.fair && whole->buffers.max != INFINITE) {
		buffers_share =
			fair_share(whole->buffers.max, account->whole->buffers - account->buffers,
				   count_users(account));
		buffers_share = buffers_share ? buffers_share : 1;
		if (account->buffers + 1 > buffers_share)
			return refuse(refusal, BEYOND_FAIR_BUFFERS, buffers_share);
	}
	return is_awaited(claim, account, bytes, bytes_share, buffers_share, refusal);
}

static uint64_t min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* What a charge may come to with this claim alone. */
static uint64_t claim_get_room(const struct claim *claim)
{
	return min(claim->bytes.max, claim->capacity == INFINITE ? INFINITE : get_shared(claim));
}

static bool is_beyond(const struct claim *claim, const struct account *account, uint64_t bytes,
		      struct refusal *refusal)
{
	uint64_t sum;

	if (__builtin_add_overflow(account->bytes, bytes, &sum) || sum > claim->bytes.max)
		return refuse(refusal, BEYOND_BYTES, claim->bytes.max);
	if (account->buffers >= claim->buffers.max)
		return refuse(refusal, BEYOND_BUFFERS, claim->buffers.max);
	if (claim->kept && claim->capacity != INFINITE &&
	    (__builtin_add_overflow(sum, claim->kept, &sum) || sum > claim->capacity))
		return refuse(refusal, BEYOND_KEPT, claim->kept);
	return is_awaited(claim, account, bytes, claim_get_room(claim), claim->buffers.max,
			  refusal);
}

/* Does a claim refuse? Then *ret tells the first that does, and why. */
static bool charge_is_refused(const struct charge *charge, const struct claim claims[],
			      uint64_t bytes, struct refusal *ret)
{
	bool refused = false;

	for (unsigned int i = 0; i < charge->n_accounts; i++) {
		const struct account *account = charge->accounts[i];
		struct refusal refusal = {.claim = claims[i], .short_of = claims[i].id};

		if (!is_beyond(&claims[i], account, bytes, &refusal) &&
		    !(account->whole &&
		      is_unfair(&claims[i], &claims[i - 1], account, bytes, &refusal)))
			continue;
		refusal.used = refusal.why == BEYOND_BUFFERS || refusal.why == BEYOND_FAIR_BUFFERS
				       ? account->buffers
				       : account->bytes;
		if (!refused)
			*ret = refusal;
		else if (is_of_one_user(claims[i].id.kind) && !is_of_one_user(ret->short_of.kind))
			ret->short_of = claims[i].id;
		refused = true;
	}
	return refused;
}

static bool charge_overflows(const struct charge *charge, uint64_t bytes)
{
	uint64_t sum;

	for (unsigned int i = 0; i < charge->n_accounts; i++)
		if (__builtin_add_overflow(charge->accounts[i]->bytes, bytes, &sum))
			return true;
	return false;
}

static void charge_commit(struct charge *charge, uint64_t bytes)
{
	charge->bytes = bytes;
	for (unsigned int i = 0; i < charge->n_accounts; i++)
		account_charge(charge->accounts[i], bytes);
}

int charge_take(struct charge *charge, struct quota *quota, const struct claim claims[],
		unsigned int n_claims, uint64_t bytes, struct refusal *ret_refusal)
{
	int r = charge_add_accounts(charge, quota, claims, n_claims);

	if (r < 0)
		return r;
	if (charge_is_refused(charge, claims, bytes, ret_refusal)) {
		charge_drop_accounts(charge);
		return -EDQUOT;
	}
	charge_commit(charge, bytes);
	return 0;
}

static int charge_commit_unless_overflow(struct charge *charge, uint64_t bytes)
{
	if (charge_overflows(charge, bytes)) {
		charge_drop_accounts(charge);
		return -EOVERFLOW;
	}
	charge_commit(charge, bytes);
	return 0;
}

int charge_restore(struct charge *charge, struct quota *quota, const struct claim claims[],
		   unsigned int n_claims, uint64_t bytes)
{
	int r = charge_add_accounts(charge, quota, claims, n_claims);

	return r < 0 ? r : charge_commit_unless_overflow(charge, bytes);
}

int charge_restore_like(struct charge *charge, const struct charge *like, uint64_t bytes)
{
	int r = charge_reserve(charge, like->n_accounts);

	if (r < 0)
		return r;
	for (unsigned int i = 0; i < like->n_accounts; i++)
		charge->accounts[charge->n_accounts++] = like->accounts[i];
	return charge_commit_unless_overflow(charge, bytes);
}

void charge_release(struct charge *charge)
{
	for (unsigned int i = 0; i < charge->n_accounts; i++)
		account_release(charge->accounts[i], charge->bytes);
	charge_drop_accounts(charge);
	charge->bytes = 0;
}

/* whole is the claim before this one, where this is of a part. */
static uint64_t claim_get_most(const struct claim *claim, const struct claim *whole, uint64_t bytes)
{
	uint64_t room = claim_get_room(claim), buffers = claim->buffers.max, share;

	if (whole && claim->bytes.fair && whole->capacity != INFINITE)
		room = min(room, fair_share(get_shared(whole), 0, 1));
	if (whole && claim->buffers.fair && whole->buffers.max != INFINITE) {
		share = fair_share(whole->buffers.max, 0, 1);
		buffers = min(buffers, share ? share : 1);
	}
	return min(room == INFINITE ? INFINITE : room / bytes, buffers);
}

uint64_t claims_get_most(const struct claim claims[], unsigned int n_claims, uint64_t bytes)
{
	uint64_t most = INFINITE;

	for (unsigned int i = 0; i < n_claims; i++) {
		bool part = is_part_of_user(claims[i].id.kind);

		most = min(most, claim_get_most(&claims[i], part ? &claims[i - 1] : NULL, bytes));
	}
	return most;
}

const struct account_id *charge_get_account(const struct charge *charge, unsigned int i)
{
	return &charge->accounts[i]->id;
}

uint64_t quota_get_bytes(const struct quota *quota, const struct account_id *id)
{
	const struct account *account = account_find(quota, id);

	return account ? account->bytes : 0;
}

uint64_t quota_get_buffers(const struct quota *quota, const struct account_id *id)
{
	const struct account *account = account_find(quota, id);

	return account ? account->buffers : 0;
}
