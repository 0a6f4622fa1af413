/* SPDX-License-Identifier: MIT */
/*
 * From settings to claims: which accounts a buffer is charged to, and what the configuration allows
 * on each. Pure.
 */
#ifndef CLAIMS_H
#define CLAIMS_H

#include "peer.h"
#include "quota.h"
#include "settings.h"

/* Who pays. The strings are borrowed; a device named twice pays once. */
struct payer {
	const struct peer *peer; /* NULL: it cannot be told who */
	unsigned int n_devices;
	const char *devices[DEVICES_MAX]; /* keys */
	const char *nodes[DEVICES_MAX];   /* "" when not known */
};

/*
 * The user, the devices, the user on each. Settings may be NULL: without limits, to restore. Returns
 * how many.
 */
unsigned int claims_of_payer(const struct settings *settings, const struct payer *payer,
			     struct claim ret[static CLAIMS_MAX]);

/*
 * The pool, the user in it, the devices in it. What is kept for other devices is read from the
 * quota. Settings may be NULL. Returns how many.
 */
unsigned int claims_on_pool(const struct settings *settings, const struct payer *payer,
			    const struct pool *pool, uint64_t bytes, const struct quota *quota,
			    struct claim ret[static CLAIMS_MAX]);

/* What per cent are of: the pool's size, or BytesMax= where the kernel does not tell it; INFINITE. */
uint64_t pool_get_whole(const struct settings *settings, const struct pool *pool);

/* Bytes that users may hold of a pool in all; INFINITE when there is no telling. */
uint64_t pool_get_capacity(const struct settings *settings, const struct pool *pool);

/* Bytes that the module may keep ready for coming buffers: none unless Stock= says so. */
uint64_t pool_get_stock(const struct settings *settings, const struct pool *pool);

/* Bytes that this Reserve= keeps of the pool; 0 when it is per cent of a size that is not known. */
uint64_t reserve_get_bytes(const struct settings *settings, const struct reserve *reserve,
			   const struct pool *pool);

struct limit limit_of_device(const struct settings *settings, const char *device, const char *node);
struct limit limit_of_connections(const struct settings *settings, const struct peer *peer);
/* Requests that wait: of one user, and of all. */
struct limit limit_of_waiters(const struct settings *settings, const struct peer *peer);
struct limit limit_of_all_waiters(const struct settings *settings);

#endif
