/* SPDX-License-Identifier: MIT */
/*
 * Who holds how much. A charge lives inside the thing that it pays for; it is taken before the
 * memory is asked for and given back when the memory is gone. Pure: knows the C library only. The
 * numbers are bytes; how limits are weighed between users is not a promise of the interface.
 */
#ifndef QUOTA_H
#define QUOTA_H

#include <stdint.h>
#include <sys/types.h>

#define QUOTA_DEVICES_MAX 8

/* Balances of all users and devices. */
struct quota;

/* One balance; it is gone when it is zero. */
struct account;

enum account_kind {
	ACCOUNT_USER,
	ACCOUNT_DEVICE,
	ACCOUNT_UNKNOWN, /* buffers found at start whose owner cannot be told */
};

/* What a charge pays for. All zero is a charge of nothing; never copy one that is taken. */
struct charge {
	uint64_t bytes;
	unsigned int n_accounts;
	struct account *accounts[1 + QUOTA_DEVICES_MAX];
};

/* Who pays. The strings are copied when needed; a device named twice pays once. */
struct payer {
	enum account_kind kind; /* ACCOUNT_USER or ACCOUNT_UNKNOWN */
	uid_t uid;
	unsigned int n_devices;
	const char *devices[QUOTA_DEVICES_MAX];
};

/* The account that refused. */
struct refusal {
	enum account_kind kind;
	uid_t uid;
	const char *device; /* the payer's string */
	uint64_t used;
	uint64_t limit;
};

/* -ENOMEM. */
int quota_new(uint64_t user_bytes_max, uint64_t device_bytes_max, struct quota **ret);

/* Asserts that everything was given back. NULL is ignored. Returns NULL. */
struct quota *quota_free(struct quota *quota);

/*
 * Charge each account of the payer, or none. -EDQUOT: *ret_refusal tells which account; it is
 * untouched otherwise. -ENOMEM.
 */
int charge_take(struct charge *charge, struct quota *quota, const struct payer *payer,
		uint64_t bytes, struct refusal *ret_refusal);

/* Charge without looking at the limits: the memory is in use already. -EOVERFLOW, -ENOMEM. */
int charge_restore(struct charge *charge, struct quota *quota, const struct payer *payer,
		   uint64_t bytes);

/* Give everything back; a second call does nothing. */
void charge_release(struct charge *charge);

uint64_t quota_get_user(const struct quota *quota, uid_t uid);
uint64_t quota_get_device(const struct quota *quota, const char *device);
uint64_t quota_get_unknown(const struct quota *quota);
uint64_t quota_get_device_limit(const struct quota *quota);

#endif
