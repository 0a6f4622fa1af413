/* SPDX-License-Identifier: MIT */
/*
 * What the quota would say to a request, without a charge left behind. Pure: knows the quota and the
 * C library only.
 */
#ifndef FORECAST_H
#define FORECAST_H

#include "quota.h"

/*
 * Would so many buffers of so many bytes be charged? 0, or what charge_take() would return for the
 * first that is refused; then *ret_refusal counts what is held now, without the buffers before it.
 */
int forecast(struct quota *quota, const struct claim claims[], unsigned int n_claims,
	     uint64_t bytes, unsigned int count, struct refusal *ret_refusal);

/* The limit on bytes of which least is left; false when there is none. */
bool forecast_nearest(const struct quota *quota, const struct claim claims[], unsigned int n_claims,
		      struct refusal *ret);

#endif
