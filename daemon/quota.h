/* SPDX-License-Identifier: MIT */
/*
 * Who holds how much: accounts, and charges on them. A charge lives inside the thing that it pays
 * for; it is taken before the memory is asked for and given back when the memory is gone. Keeps
 * balances, not limits: each claim brings its own, so that new ones hold at once. Pure: knows the C
 * library only. The numbers are bytes and buffers.
 */
#ifndef QUOTA_H
#define QUOTA_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "pool.h"

/* Of one charge: the user, and for each device the device and the user on it. */
#define CLAIMS_MAX (1 + 2 * DEVICES_MAX)

/* All balances. */
struct quota;

/* One balance; it is gone when no charge is on it. */
struct account;

enum account_kind {
	ACCOUNT_USER,
	ACCOUNT_DEVICE,
	ACCOUNT_USER_DEVICE, /* a part of ACCOUNT_DEVICE */
	ACCOUNT_POOL,
	ACCOUNT_USER_POOL,   /* a part of ACCOUNT_POOL */
	ACCOUNT_DEVICE_POOL, /* a part of ACCOUNT_POOL */
	ACCOUNT_UNKNOWN,     /* buffers found at start whose owner cannot be told */
};

/* Which account: what the kind does not name is 0 or "". */
struct account_id {
	enum account_kind kind;
	uid_t uid;
	const char *device;
	const char *pool;
};

struct limit {
	uint64_t max;
	bool fair; /* besides: at most a fair share of the whole, of buffers at least one */
	/* Where max comes from, for a person; NULL when nowhere. */
	const char *section;
	const char *key;
};

/*
 * One account that a charge is on. That of a part comes behind that of its whole: the account of
 * all users on the device, or in the pool.
 */
struct claim {
	struct account_id id; /* borrowed strings, copied when needed */
	struct limit bytes;
	struct limit buffers;
	uint64_t capacity; /* bytes that users share; INFINITE when there is no telling */
	uint64_t kept;     /* of the capacity, for others than who claims */
	/* Besides, for requests that wait longer for this account. */
	uint64_t awaited_bytes;
	uint64_t awaited_buffers; /* 0: none is waited for */
};

/* What a charge pays for. All zero is a charge of nothing; never copy one that is taken. */
struct charge {
	uint64_t bytes;
	unsigned int n_accounts;
	struct account **accounts; /* as many as it needs: there is a charge for each buffer */
};

enum refusal_why {
	BEYOND_BYTES,
	BEYOND_BUFFERS,
	BEYOND_FAIR_BYTES,   /* limit: the share */
	BEYOND_FAIR_BUFFERS, /* the same */
	BEYOND_KEPT,         /* limit: bytes kept for others */
	BEYOND_AWAITED,      /* limit: bytes that others wait for */
};

/* The first claim that was refused. */
struct refusal {
	struct claim claim;
	enum refusal_why why;
	uint64_t used;
	uint64_t limit;
	/* What must come free first: this claim's account, or one of the user alone that refuses too. */
	struct account_id short_of;
};

/* used and limit are numbers of buffers, not bytes. */
static inline bool refusal_is_of_buffers(const struct refusal *refusal)
{
	return refusal->why == BEYOND_BUFFERS || refusal->why == BEYOND_FAIR_BUFFERS;
}

/* -ENOMEM. */
int quota_new(struct quota **ret);

/* Asserts that everything was given back. NULL is ignored. Returns NULL. */
struct quota *quota_free(struct quota *quota);

/*
 * Charge a buffer of so many bytes to each account, or to none. The ids are different ones. -EDQUOT:
 * *ret_refusal tells which claim and why; it is untouched otherwise. -ENOMEM.
 */
int charge_take(struct charge *charge, struct quota *quota, const struct claim claims[],
		unsigned int n_claims, uint64_t bytes, struct refusal *ret_refusal);

/* The same without a look at the limits: the memory is in use already. -EOVERFLOW, -ENOMEM. */
int charge_restore(struct charge *charge, struct quota *quota, const struct claim claims[],
		   unsigned int n_claims, uint64_t bytes);

/* The same on the accounts of a charge that is taken. */
int charge_restore_like(struct charge *charge, const struct charge *like, uint64_t bytes);

/* Give everything back; a second call does nothing. */
void charge_release(struct charge *charge);

/* How many buffers of so many bytes the claims would let be charged if nothing else was. */
uint64_t claims_get_most(const struct claim claims[], unsigned int n_claims, uint64_t bytes);

/* An account that the charge is on; i is less than charge->n_accounts. Its strings are borrowed. */
const struct account_id *charge_get_account(const struct charge *charge, unsigned int i);

bool account_id_is_same(const struct account_id *a, const struct account_id *b);

/* Is one an account of one user in what the other is for all users? */
bool account_id_is_part(const struct account_id *part, const struct account_id *whole);

/*
 * What one of so many users may hold in all, of what the others leave: each could take as much
 * again, and one more user would still find room. users counts who asks.
 */
uint64_t fair_share(uint64_t capacity, uint64_t others, uint64_t users);

/* Balances; 0 when there is no such account. */
uint64_t quota_get_bytes(const struct quota *quota, const struct account_id *id);
uint64_t quota_get_buffers(const struct quota *quota, const struct account_id *id);

#endif
