/* SPDX-License-Identifier: MIT */
/*
 * What a client is told when it does not get memory: the words, and the same in numbers. Decides
 * nothing. Each makes the reply an error and returns it.
 */
#ifndef FAILURE_H
#define FAILURE_H

#include "allocation.h"
#include "reply.h"

/* There is nothing to try. */
int fail_by_plan(const struct job *job, const struct plan *plan, struct reply *reply);

/* The user or a device is over quota, with n buffers of this very request charged already. */
int fail_by_quota(const struct allocation *a, struct refusal *refusal, unsigned int n,
		  struct reply *reply);

/* Every pool refused, or the pool that is tried failed. */
int fail_by_kernel(const struct allocation *a, int error, struct reply *reply);

#endif
