/* SPDX-License-Identifier: MIT */
/*
 * How often something may be told.
 */
#include "rate.h"

bool rate_allows(struct rate *rate, unsigned int kind, uid_t uid, uint64_t now_usec,
		 unsigned int *ret_untold)
{
	struct rate_slot *slot = &rate->slots[(uid * UINT32_C(31) + kind) % RATE_SLOTS];

	if (now_usec < slot->until) {
		slot->untold++;
		return false;
	}
	*ret_untold = slot->untold;
	*slot = (struct rate_slot){.until = now_usec + RATE_USEC};
	return true;
}
