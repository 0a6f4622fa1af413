/* SPDX-License-Identifier: MIT */
/*
 * All plans for a request, one after the other. Decides nothing that the policy does not.
 */
#include "outlook.h"

static void add(struct outlook *outlook, const struct plan *plan, unsigned int from,
		unsigned int to)
{
	for (unsigned int i = from; i < to; i++)
		outlook->entries[outlook->n_entries++] =
			(struct outlook_entry){plan, &plan->steps[i]};
}

void outlook_make(const struct policy_request *request, const struct facts devices[],
		  unsigned int n_devices, const struct pool pools[], unsigned int n_pools,
		  struct outlook *ret)
{
	struct policy_request wanted = *request;
	struct plan *plan;

	ret->n_plans = 0;
	ret->n_entries = 0;
	wanted.relaxed = 0;
	do {
		plan = &ret->plans[ret->n_plans++];
		policy_decide(&wanted, devices, n_devices, pools, n_pools, plan);
		add(ret, plan, 0, plan->n_tries);
		wanted.relaxed = policy_relax(plan);
	} while (wanted.relaxed);
	add(ret, plan, plan->n_tries, plan->n_steps);
}
