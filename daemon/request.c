/* SPDX-License-Identifier: MIT */
/*
 * Requests for memory, from the frame to the reply: the job, its plans one after the other until one
 * can be carried out, and who waits. Knows neither accounts nor the kernel.
 */
#include "request.h"

#include <errno.h>

#include "allocation.h"
#include "failure.h"
#include "manager.h"
#include "report.h"
#include "waiting.h"

/* What is done with one request, whichever the plan. */
struct attempt {
	struct client *client;
	struct job *job;
	const struct waiter *waiter;
	struct shortage *shortage;
	struct made *made;
	bool in_thought;
	bool may_relax; /* it failed for what another plan may do better */
};

static int try_plan(struct attempt *attempt, const struct plan *plan, struct reply *reply)
{
	struct allocation a = {.client = attempt->client,
			       .job = attempt->job,
			       .plan = plan,
			       .waiter = attempt->waiter,
			       .shortage = attempt->shortage,
			       .made = attempt->made,
			       .in_thought = attempt->in_thought};
	int r;

	reply->frame.header.status = 0;
	*attempt->shortage = (struct shortage){0};
	attempt->may_relax = plan->error;
	if (plan->error)
		return fail_by_plan(attempt->job, plan, reply);
	attempt->shortage->want = (struct want){plan->size, attempt->job->count, plan->contiguous,
						plan->max_address, plan->alignment};
	r = allocation_run(&a, reply);
	attempt->may_relax = a.exhausted;
	if (r < 0)
		made_withdraw(attempt->made, attempt->client);
	return r;
}

/* What is preferred is given up bit by bit, and not waited for. On failure *plan is the last. */
static int try_plans(struct attempt *attempt, struct plan *plan, struct reply *reply)
{
	unsigned int relaxed = 0;
	char text[RELAXED_TEXT];
	int r;

	do {
		attempt->job->wanted.relaxed = relaxed;
		job_decide(attempt->job, plan);
		r = try_plan(attempt, plan, reply);
		relaxed = policy_relax(plan);
	} while (r < 0 && attempt->may_relax && relaxed);
	if (r < 0 && plan->relaxed)
		reply_prefix(reply, "even without %s: ", relaxed_text(text, plan->relaxed));
	return r;
}

int request_try(struct client *client, const struct dmabufd_request *request,
		const struct waiter *waiter, struct shortage *ret_shortage, struct reply *reply)
{
	struct job job;
	struct plan plan;
	struct made made = {0};
	struct attempt attempt = {.client = client,
				  .job = &job,
				  .waiter = waiter,
				  .shortage = ret_shortage,
				  .made = &made};
	int r = job_prepare(client, request, &job, reply);

	/* The module may come, or be back. */
	ret_shortage->can_end = r == -ENXIO;
	ret_shortage->n_things = 0;
	ret_shortage->want = (struct want){0};
	if (r < 0)
		return r;
	r = try_plans(&attempt, &plan, reply);
	if (r >= 0)
		made_pass_on(&made, client, waiter);
	/* Who waits is not refused yet. */
	else if (!(request->wait && ret_shortage->can_end))
		report_refusal(client, &job, &plan, reply);
	return r;
}

int handle_alloc(struct client *client, const struct wire_frame *request, struct reply *reply)
{
	struct shortage shortage;
	int r = request_try(client, &request->request, NULL, &shortage, reply);

	if (r >= 0 || !request->request.wait || !shortage.can_end)
		return r;
	return waiting_begin(client, request, &shortage, reply, r);
}
