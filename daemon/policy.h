/* SPDX-License-Identifier: MIT */
/*
 * The decision: which memory suits these devices. Pure: the same input gives the same plan. Knows
 * neither sockets nor the kernel interface, and nothing of quota.
 */
#ifndef POLICY_H
#define POLICY_H

#include "plan.h"

/* What devices do with a buffer, named or not. A mask. */
enum role {
	ROLE_CAMERA = 1 << 0,
	ROLE_ENCODE = 1 << 1,
	ROLE_DECODE = 1 << 2,
	ROLE_SCAN_OUT = 1 << 3,
};

/* How often the CPU does something. */
enum often {
	OFTEN_UNSAID = 0,
	OFTEN_NEVER,
	OFTEN_RARELY,
	OFTEN,
};

struct policy_request {
	uint64_t size; /* of one buffer, whole pages, not 0 */
	bool contiguous;
	enum often cpu_reads, cpu_writes;
	unsigned int roles;
	enum mapping mapping;   /* MAPPING_ANY: decide */
	uint64_t alignment;     /* of the first address, a power of two; up to a page is 0 */
	uint64_t max_address;   /* highest that is allowed; 0 for any */
	unsigned int preferred; /* of what is asked for: constraints that may be relaxed */
	unsigned int relaxed;   /* those that are: 0, or what policy_relax() said */
	const char *pool;       /* "" for any */
};

/*
 * Fills all of *ret except steps past n_steps; it stays valid as long as devices and pools do.
 * ret->error tells whether there is anything to try.
 */
void policy_decide(const struct policy_request *request, const struct facts devices[],
		   unsigned int n_devices, const struct pool pools[], unsigned int n_pools,
		   struct plan *ret);

/*
 * When nothing suits or has room: policy_request.relaxed for another plan, which asks for one thing
 * less, or 0 when the plan has nothing left that may be relaxed.
 */
unsigned int policy_relax(const struct plan *plan);

#endif
