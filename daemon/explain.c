/* SPDX-License-Identifier: MIT */
/*
 * The decision for a request, told instead of carried out. Allocates and charges nothing.
 */
#include <string.h>

#include "job.h"
#include "request.h"

static void explain_fill(struct dmabufd_explain *explain, const struct plan *plan,
			 unsigned int n_steps)
{
	explain->max_address = plan->max_address;
	explain->contiguous = plan->contiguous;
	explain->mapping = plan->mapping;
	plan_say_contiguous(plan, explain->contiguous_why, sizeof(explain->contiguous_why));
	plan_say_address(plan, explain->address_why, sizeof(explain->address_why));
	plan_say_mapping(plan, explain->mapping_why, sizeof(explain->mapping_why));
	explain->n_steps = n_steps;
}

static void step_fill(struct dmabufd_step *to, const struct plan *plan, const struct step *step)
{
	strcpy(to->pool, step_get_name(step));
	to->kind = step->pool ? step->pool->kind : 0;
	to->verdict = step_is_tried(step) ? DMABUFD_WOULD_TRY : DMABUFD_REFUSED;
	plan_say_step(plan, step, to->why, sizeof(to->why));
}

int handle_explain(struct client *client, const struct wire_frame *request, struct reply *reply)
{
	struct job job;
	struct outlook outlook;
	unsigned int n;
	int r = job_prepare(client, &request->request, &job, reply);

	if (r < 0)
		return r;
	job_foresee(&job, &outlook);
	/* What is tried comes first; of many refusals the last do not fit a frame. */
	n = outlook.n_entries < WIRE_STEPS_MAX ? outlook.n_entries : WIRE_STEPS_MAX;
	reply_set_body(reply, sizeof(struct dmabufd_explain) + n * sizeof(struct dmabufd_step));
	explain_fill(&reply->frame.explain, &outlook.plans[0], n);
	for (unsigned int i = 0; i < n; i++)
		step_fill(&reply->frame.steps[i], outlook.entries[i].plan, outlook.entries[i].step);
	return 0;
}
