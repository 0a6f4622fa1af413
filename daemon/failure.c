/* SPDX-License-Identifier: MIT */
/*
 * What a client is told when it does not get memory. Decides nothing.
 */
#include "failure.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "manager.h"
#include "refusal.h"
#include "text.h"

/* Appends to a text of fixed size; what does not fit is left out. */
__attribute__((format(printf, 2, 3))) static void say(char text[static DMABUFD_TEXT_SIZE],
						      const char *format, ...)
{
	size_t at = strlen(text);
	va_list args;

	va_start(args, format);
	vsnprintf(text + at, DMABUFD_TEXT_SIZE - at, format, args);
	va_end(args);
}

static const char *kernel_error_text(int error)
{
	switch (error) {
	case -ENOSPC:
		return "full now";
	case -E2BIG:
		return "too small even when empty";
	case -ERANGE:
		return "nothing free below the highest address allowed";
	case -EADDRNOTAVAIL:
		return "what is free there is not aligned like that";
	case -EOPNOTSUPP:
		return "cannot give this mapping";
	default:
		return strerror(-error);
	}
}

static void say_step(const struct allocation *a, const struct plan *plan, unsigned int i,
		     char why[static REFUSAL_TEXT_SIZE])
{
	if (!a || i >= plan->n_tries)
		plan_say_step(plan, &plan->steps[i], why, REFUSAL_TEXT_SIZE);
	else if (a->errors[i] == -EDQUOT)
		refusal_say(&a->refusals[i], why);
	else
		snprintf(why, REFUSAL_TEXT_SIZE, "%s", kernel_error_text(a->errors[i]));
}

/*
 * Names each pool and why it refused; a has the errors of those that were tried, NULL when none
 * was. When the request insists on a pool, the others are no news.
 */
static void say_refusals(const struct allocation *a, const struct plan *plan,
			 char text[static DMABUFD_TEXT_SIZE])
{
	char why[REFUSAL_TEXT_SIZE];

	for (unsigned int i = 0; i < plan->n_steps; i++) {
		const struct step *step = &plan->steps[i];

		if (step->verdict == REFUSED_NOT_ASKED)
			continue;
		say_step(a, plan, i, why);
		say(text, "%s%s: %s", text[0] ? "; " : "", step_get_name(step), why);
	}
	if (!plan->n_steps)
		say(text, "the kernel module has no pools");
}

static uint64_t get_wanted(const struct plan *plan, unsigned int count)
{
	uint64_t sum;

	return __builtin_mul_overflow(plan->size, count, &sum) ? UINT64_MAX : sum;
}

static void set_pool(struct dmabufd_cause *cause, const char *name)
{
	snprintf(cause->pool, sizeof(cause->pool), "%s", name);
}

/* Of the pools that are too small, or not reached so far, the one with most. */
static void tell_largest(const struct plan *plan, struct dmabufd_cause *cause)
{
	for (unsigned int i = 0; i < plan->n_steps; i++) {
		const struct step *step = &plan->steps[i];

		if (!step->pool || step->verdict == REFUSED_ALIGNMENT ||
		    step->limit <= cause->available)
			continue;
		cause->available = step->limit;
		cause->limit = step->pool->size;
		set_pool(cause, step->pool->name);
	}
}

int fail_by_plan(const struct job *job, const struct plan *plan, struct reply *reply)
{
	char text[DMABUFD_TEXT_SIZE] = "", size[SIZE_TEXT];

	say_refusals(NULL, plan, text);
	if (plan->error == -E2BIG)
		reply_fail(reply, plan->error, "no suitable pool could ever give %s: %.900s",
			   size_text(size, plan->size), text);
	else
		reply_fail(reply, plan->error, "no pool suits all that was asked: %.900s", text);
	reply->frame.cause.wanted = get_wanted(plan, job->count);
	tell_largest(plan, &reply->frame.cause);
	return plan->error;
}

/* Bytes or buffers of an account, its limit, and what that leaves. */
static void tell_quota(const struct refusal *refusal, uint64_t bytes, unsigned int count,
		       struct dmabufd_cause *cause)
{
	const struct account_id *id = &refusal->claim.id;
	bool of_buffers = refusal_is_of_buffers(refusal);

	cause->flags = of_buffers ? DMABUFD_CAUSE_OF_BUFFERS : 0;
	cause->wanted = of_buffers ? count : bytes;
	set_pool(cause, id->pool);
	snprintf(cause->device, sizeof(cause->device), "%.63s", id->device);
	/* Of what is kept for others, no limit of this user's is told. */
	if (refusal->why == BEYOND_KEPT || refusal->why == BEYOND_AWAITED)
		return;
	cause->limit = refusal->limit;
	if (refusal->used < refusal->limit)
		cause->available = refusal->limit - refusal->used;
}

/* What this request has charged already, n buffers, is not what the client thinks of as held. */
int fail_by_quota(const struct allocation *a, struct refusal *refusal, unsigned int n,
		  struct reply *reply)
{
	char asked[SIZE_TEXT], text[REFUSAL_TEXT_SIZE];
	uint64_t sum = get_wanted(a->plan, a->job->count);

	refusal->used -= refusal_is_of_buffers(refusal) ? n : n * a->plan->size;
	refusal_say(refusal, text);
	reply_fail(reply, -EDQUOT, "no quota for %s more: %s", size_text(asked, sum), text);
	tell_quota(refusal, sum, a->job->count, &reply->frame.cause);
	return -EDQUOT;
}

/* Another pool would be a way around the limit of the client's memory cgroup: none is tried. */
static int fail_by_cgroup(const struct allocation *a, int error, struct reply *reply)
{
	char size[SIZE_TEXT];

	if (error == -ESRCH)
		return reply_fail(reply, error,
				  "process %d, which opened this connection, is gone: open another",
				  a->job->owner.pid);
	return reply_fail(reply, error,
			  "the memory cgroup of process %d has no room for %s: close buffers, or "
			  "raise its memory.max (MemoryMax= of its unit)",
			  a->job->owner.pid, size_text(size, a->plan->size));
}

static uint64_t pool_get_free(const struct allocation *a, const struct pool *pool)
{
	const struct account_id id = {ACCOUNT_POOL, 0, "", pool->name};
	uint64_t used = quota_get_bytes(a->manager->quota, &id);

	return pool->size > used ? pool->size - used : 0;
}

/* Of the pools that are full, the one with most; those of the system have no size. */
static void tell_room(const struct allocation *a, struct dmabufd_cause *cause)
{
	/* Their largest blocks are of some time ago. */
	bool known = module_read_pools(a->manager->module) >= 0;

	for (unsigned int i = 0; i < a->plan->n_tries; i++) {
		const struct pool *pool = a->plan->steps[i].pool;
		uint64_t free = pool_get_free(a, pool);

		if (cause->pool[0] && free <= cause->available)
			continue;
		set_pool(cause, pool->name);
		cause->available = free;
		cause->limit = pool->size;
		cause->largest_free = known && pool->free_known ? pool->free_block : 0;
	}
}

/* What was tried, in numbers: the quota of the first pool that it refused, or room. */
static void tell_tried(const struct allocation *a, int error, struct dmabufd_cause *cause)
{
	uint64_t wanted = get_wanted(a->plan, a->job->count);

	for (unsigned int i = 0; error == -EDQUOT && i < a->plan->n_tries; i++)
		if (a->errors[i] == -EDQUOT) {
			tell_quota(&a->refusals[i], wanted, a->job->count, cause);
			return;
		}
	cause->wanted = wanted;
	tell_room(a, cause);
}

int fail_by_kernel(const struct allocation *a, int error, struct reply *reply)
{
	char text[DMABUFD_TEXT_SIZE] = "", size[SIZE_TEXT];

	if (a->step < a->plan->n_tries && (error == -EDQUOT || error == -ESRCH))
		return fail_by_cgroup(a, error, reply);
	if (error == -EMFILE || error == -ENFILE)
		return reply_fail(reply, error, "dmabufd has no descriptor free: try again later");
	if (a->step < a->plan->n_tries)
		return reply_fail(reply, error == -EPROTO ? -EIO : error, "pool %s failed: %s",
				  step_get_name(&a->plan->steps[a->step]), strerror(-error));
	say_refusals(a, a->plan, text);
	reply_fail(reply, error, "%s %s: %.900s",
		   error == -E2BIG    ? "no suitable pool could ever give"
		   : error == -EDQUOT ? "no quota for"
				      : "no room for",
		   size_text(size, a->plan->size), text);
	tell_tried(a, error, &reply->frame.cause);
	return error;
}
