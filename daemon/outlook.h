/* SPDX-License-Identifier: MIT */
/*
 * All plans for a request, one after the other: what would be tried in which order while what is
 * preferred is given up, and what is refused in the end. Pure: knows the policy only.
 */
#ifndef OUTLOOK_H
#define OUTLOOK_H

#include "policy.h"

#define PLANS_MAX (CONSTRAINTS_MAX + 1)

struct outlook_entry {
	const struct plan *plan;
	const struct step *step;
};

/* Points into itself: never copied. */
struct outlook {
	unsigned int n_plans; /* at least one, the first with all that is asked for */
	struct plan plans[PLANS_MAX];
	unsigned int n_entries; /* what is tried in any of them, then what the last refuses */
	struct outlook_entry entries[PLANS_MAX * STEPS_MAX];
};

/* As policy_decide(). */
void outlook_make(const struct policy_request *request, const struct facts devices[],
		  unsigned int n_devices, const struct pool pools[], unsigned int n_pools,
		  struct outlook *ret);

#endif
