/* SPDX-License-Identifier: MIT */
/*
 * The decision: which memory suits these devices. Pure: the same input gives the same plan. Knows
 * neither sockets nor the kernel interface, and nothing of quota.
 */
#ifndef POLICY_H
#define POLICY_H

#include "plan.h"

struct policy_request {
	uint64_t size; /* of one buffer, whole pages, not 0 */
	bool contiguous;
	bool cpu_reads_often;
	enum mapping mapping; /* MAPPING_ANY: decide */
	const char *pool;     /* "" for any */
};

/*
 * Fills all of *ret except steps past n_steps; it stays valid as long as devices and pools do.
 * ret->error tells whether there is anything to try.
 */
void policy_decide(const struct policy_request *request, const struct facts devices[],
		   unsigned int n_devices, const struct pool pools[], unsigned int n_pools,
		   struct plan *ret);

#endif
