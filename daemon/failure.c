/* SPDX-License-Identifier: MIT */
/*
 * What a client is told when it does not get memory. Decides nothing.
 */
#include "failure.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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
		return "nothing free at an address that the devices reach";
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

int fail_by_plan(const struct job *job, const struct plan *plan, struct reply *reply)
{
	char text[DMABUFD_TEXT_SIZE] = "", size[SIZE_TEXT];

	say_refusals(NULL, plan, text);
	if (plan->error == -E2BIG)
		return reply_fail(reply, plan->error, "no suitable pool could ever give %s: %.900s",
				  size_text(size, plan->size), text);
	return reply_fail(reply, plan->error, "no pool suits all that was asked: %.900s", text);
}

/* What this request has charged already, n buffers, is not what the client thinks of as held. */
int fail_by_quota(const struct allocation *a, struct refusal *refusal, unsigned int n,
		  struct reply *reply)
{
	char asked[SIZE_TEXT], text[REFUSAL_TEXT_SIZE];
	uint64_t sum;

	if (__builtin_mul_overflow(a->plan->size, a->job->count, &sum))
		sum = UINT64_MAX;
	refusal->used -= refusal_is_of_buffers(refusal) ? n : n * a->plan->size;
	refusal_say(refusal, text);
	return reply_fail(reply, -EDQUOT, "no quota for %s more: %s", size_text(asked, sum), text);
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
	return reply_fail(reply, error, "%s %s: %.900s",
			  error == -E2BIG    ? "no suitable pool could ever give"
			  : error == -EDQUOT ? "no quota for"
					     : "no room for",
			  size_text(size, a->plan->size), text);
}
