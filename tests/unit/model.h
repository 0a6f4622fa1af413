/* SPDX-License-Identifier: MIT */
/*
 * The model that ledger, quota and claims are compared with: a table of what lives, summed up anew
 * whenever a number is asked for, and the rules of dmabufd.conf(5) said once more, for two
 * configurations. Uses nothing of what it is compared with but the names of pools.
 */
#ifndef MODEL_H
#define MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "pool.h"

enum {
	MODEL_USERS = 5,
	MODEL_DEVICES = 4,
	MODEL_POOLS = 3,
	MODEL_ROWS = 300,
	MODEL_CONFIGURATIONS = 2,
};
#define ANY (-1)
#define UNKNOWN (-2) /* whose tag could not be read */

struct row {
	uint64_t id; /* 0: free */
	uint64_t size;
	int uid;
	unsigned int devices; /* mask */
	int pool;
	bool spoiled; /* its tag makes no sense: a restart forgets uid and devices */
};

struct model {
	unsigned int configuration; /* in force */
	struct row rows[MODEL_ROWS];
};

extern const char *const model_configurations[MODEL_CONFIGURATIONS];
extern const char *const model_devices[MODEL_DEVICES];
extern const struct pool model_pools[MODEL_POOLS];

/* What lives of this user, on this device, in this pool; each may be ANY. */
uint64_t model_sum(const struct model *model, int uid, int device, int pool);
uint64_t model_count(const struct model *model, int uid, int device, int pool);

/* The smallest id greater than this one; 0 when there is none. */
uint64_t model_next(const struct model *model, uint64_t after);

/* May the user have so many bytes of this pool for these devices, a mask? */
bool model_allows(const struct model *model, int uid, unsigned int devices, int pool,
		  uint64_t size);

/* What a daemon that starts anew knows of what lives. */
void model_restart(struct model *model);

#endif
