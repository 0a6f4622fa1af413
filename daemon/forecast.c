/* SPDX-License-Identifier: MIT */
/*
 * What the quota would say. The charges are taken and given back, so the answer is that of the real
 * thing. Pure: knows neither sockets nor the kernel interface.
 */
#include "forecast.h"

#include <errno.h>

#include "cleanup.h"

int forecast(struct quota *quota, const struct claim claims[], unsigned int n_claims,
	     uint64_t bytes, unsigned int count, struct refusal *ret_refusal)
{
	_cleanup_free_ struct charge *charges = calloc(count, sizeof(*charges));
	unsigned int taken;
	int r = 0;

	if (!charges)
		return -ENOMEM;
	for (taken = 0; taken < count; taken++) {
		r = charge_take(&charges[taken], quota, claims, n_claims, bytes, ret_refusal);
		if (r < 0)
			break;
	}
	if (r == -EDQUOT)
		ret_refusal->used -= refusal_is_of_buffers(ret_refusal) ? taken : taken * bytes;
	for (unsigned int i = 0; i < taken; i++)
		charge_release(&charges[i]);
	return r;
}

bool forecast_nearest(const struct quota *quota, const struct claim claims[], unsigned int n_claims,
		      struct refusal *ret)
{
	uint64_t least = INFINITE;

	for (unsigned int i = 0; i < n_claims; i++) {
		uint64_t used = quota_get_bytes(quota, &claims[i].id), max = claims[i].bytes.max;
		uint64_t left = used < max ? max - used : 0;

		if (max == INFINITE || left >= least)
			continue;
		least = left;
		*ret = (struct refusal){claims[i], BEYOND_BYTES, used, max};
	}
	return least != INFINITE;
}
