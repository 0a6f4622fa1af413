/* SPDX-License-Identifier: MIT */
/*
 * Requests for memory, from the frame to the reply: the job, its plans one after the other until one
 * can be carried out, and who waits. Knows neither accounts nor the kernel.
 */
#include "request.h"

#include <errno.h>
#include <string.h>

#include "allocation.h"
#include "failure.h"
#include "manager.h"
#include "notify.h"
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

/* Prepares the job and tries its plans; on failure *ret_plan is one only if the job got that far. */
static int attempt_request(struct attempt *attempt, const struct dmabufd_request *request,
			   struct plan *ret_plan, struct reply *reply)
{
	int r = job_prepare(attempt->client, request, attempt->job, reply);

	/* The module may come, or be back. */
	*attempt->shortage = (struct shortage){.can_end = r == -ENXIO};
	ret_plan->n_tries = 0;
	return r < 0 ? r : try_plans(attempt, ret_plan, reply);
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
	int r = attempt_request(&attempt, request, &plan, reply);

	if (r < 0)
		notify_of_shortage(client, ret_shortage);
	if (r >= 0)
		made_pass_on(&made, client, waiter);
	/* Who waits is not refused yet. */
	else if (plan.n_tries && !(request->wait && ret_shortage->can_end))
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

/* Everything but the kernel, of which is known what the pools say. */
int handle_check(struct client *client, const struct wire_frame *request, struct reply *reply)
{
	struct job job;
	struct plan plan;
	struct shortage shortage;
	struct made made = {0};
	struct attempt attempt = {.client = client,
				  .job = &job,
				  .shortage = &shortage,
				  .made = &made,
				  .in_thought = true};

	if (client->manager->module)
		module_read_pools(client->manager->module);
	return attempt_request(&attempt, &request->request, &plan, reply);
}

static int check_batch(const struct dmabufd_batch *batch, struct reply *reply)
{
	uint64_t count = 0;

	if (batch->n_requests < 1 || batch->n_requests > DMABUFD_BUFFERS_MAX)
		return reply_fail(reply, -EPROTO, "a batch is of 1 to %d requests, not %u",
				  DMABUFD_BUFFERS_MAX, batch->n_requests);
	if (batch->request_size != sizeof(batch->requests[0]))
		return reply_fail(
			reply, -EOPNOTSUPP,
			"requests of %u bytes are those of another libdmabuf: upgrade and "
			"restart dmabufd",
			batch->request_size);
	for (unsigned int i = 0; i < batch->n_requests; i++) {
		count += batch->requests[i].count;
		if (batch->requests[i].wait)
			return reply_fail(reply, -EINVAL,
					  "requests in a batch do not wait: ask again later");
	}
	if (count > DMABUFD_BUFFERS_MAX)
		return reply_fail(reply, -E2BIG, "a batch has at most %d buffers in all",
				  DMABUFD_BUFFERS_MAX);
	return 0;
}

/* The buffers of part, behind those that are in the reply. */
static void append(struct reply *reply, struct reply *part)
{
	memcpy(&reply->frame.buffers[reply->n_fds], part->frame.buffers,
	       part->n_fds * sizeof(part->frame.buffers[0]));
	memcpy(&reply->fds[reply->n_fds], part->fds, part->n_fds * sizeof(part->fds[0]));
	reply->n_fds += part->n_fds;
	reply->length = sizeof(reply->frame.header) + reply->n_fds * sizeof(part->frame.buffers[0]);
}

/* What is made is entered in *made, and its descriptors in the reply; or the reply is the refusal. */
static int try_one(struct client *client, const struct dmabufd_batch *batch, unsigned int i,
		   struct made *made, struct reply *reply)
{
	struct job job;
	struct plan plan;
	struct shortage shortage;
	struct made more = {0};
	struct attempt attempt = {
		.client = client, .job = &job, .shortage = &shortage, .made = &more};
	struct reply part;
	int r;

	reply_begin(&part, &reply->frame.header);
	r = attempt_request(&attempt, &batch->requests[i], &plan, &part);
	if (r < 0) {
		reply_prefix(&part, "request %u of %u: ", i + 1, batch->n_requests);
		if (plan.n_tries)
			report_refusal(client, &job, &plan, &part);
		reply_close_fds(reply);
		*reply = part;
		return r;
	}
	append(reply, &part);
	for (unsigned int n = 0; n < more.n; n++)
		made->buffers[made->n++] = more.buffers[n];
	return 0;
}

/* A request that fails takes those before it with it. */
int handle_batch(struct client *client, const struct wire_frame *request, struct reply *reply)
{
	const struct dmabufd_batch *batch = &request->batch;
	struct made made = {0};
	int r = check_batch(batch, reply);

	for (unsigned int i = 0; r >= 0 && i < batch->n_requests; i++)
		r = try_one(client, batch, i, &made, reply);
	if (r < 0)
		made_withdraw(&made, client);
	else
		made_pass_on(&made, client, NULL);
	return r;
}
