/* SPDX-License-Identifier: MIT */
/*
 * All reasons for a decision, with what another one would need, a page at a time. Each page decides
 * anew, from what is so by then. Allocates nothing, and leaves no charge behind.
 */
#include "reasons.h"

#include <errno.h>
#include <stdio.h>

#include "forecast.h"
#include "job.h"
#include "manager.h"
#include "needs.h"
#include "refusal.h"

/* The first reasons are on the request as a whole, then one for each step of the plan. */
#define N_GENERAL 4

/* And one more, which a client of minor 1 does not know, for a request that has an alignment. */
static bool tells_alignment(const struct client *client, const struct plan *plan)
{
	return client->minor >= 2 && plan->alignment;
}

static void fill_contiguous(struct dmabufd_reason *to, const struct plan *plan)
{
	to->about = DMABUFD_ABOUT_CONTIGUOUS;
	plan_say_contiguous(plan, to->why, sizeof(to->why));
	needs_say_contiguous(plan, to->needs, sizeof(to->needs));
}

static void fill_address(struct dmabufd_reason *to, const struct plan *plan)
{
	to->about = DMABUFD_ABOUT_ADDRESS;
	plan_say_address(plan, to->why, sizeof(to->why));
	needs_say_address(plan, to->needs, sizeof(to->needs));
}

static void fill_alignment(struct dmabufd_reason *to, const struct plan *plan)
{
	to->about = DMABUFD_ABOUT_ALIGNMENT;
	plan_say_alignment(plan, to->why, sizeof(to->why));
	needs_say_alignment(plan, to->needs, sizeof(to->needs));
}

static void fill_mapping(struct dmabufd_reason *to, const struct plan *plan)
{
	to->about = DMABUFD_ABOUT_MAPPING;
	plan_say_mapping(plan, to->why, sizeof(to->why));
	needs_say_mapping(plan, to->needs, sizeof(to->needs));
}

/* True when the quota refuses, which is told. */
static bool fill_refusal(struct dmabufd_reason *to, int error, const struct refusal *refusal)
{
	if (error == 0)
		return false;
	to->verdict = DMABUFD_OVER_QUOTA;
	if (error == -EDQUOT) {
		refusal_say_fact(refusal, to->why, sizeof(to->why));
		refusal_say_remedy(refusal, to->needs, sizeof(to->needs));
	} else {
		snprintf(to->why, sizeof(to->why), "dmabufd is out of memory");
	}
	return true;
}

static void fill_quota(struct dmabufd_reason *to, struct manager *m, const struct job *job)
{
	struct claim claims[CLAIMS_MAX];
	unsigned int n = claims_of_payer(m->settings, &job->payer, claims);
	struct refusal refusal;
	int r = forecast(m->quota, claims, n, job->wanted.size, job->count, &refusal);

	to->about = DMABUFD_ABOUT_QUOTA;
	if (fill_refusal(to, r, &refusal))
		return;
	to->verdict = DMABUFD_WOULD_TRY;
	if (forecast_nearest(m->quota, claims, n, &refusal))
		refusal_say_fact(&refusal, to->why, sizeof(to->why));
	else
		snprintf(to->why, sizeof(to->why), "no limit but what each pool has");
}

static void fill_tried(struct dmabufd_reason *to, struct manager *m, const struct job *job,
		       const struct plan *plan, const struct step *step)
{
	struct claim claims[CLAIMS_MAX];
	unsigned int n =
		claims_on_pool(m->settings, &job->payer, step->pool, plan->size, m->quota, claims);
	char why[DMABUFD_REASON_SIZE / 2], room[DMABUFD_REASON_SIZE / 2 - 2];
	struct refusal refusal;

	if (fill_refusal(to, forecast(m->quota, claims, n, plan->size, job->count, &refusal),
			 &refusal))
		return;
	plan_say_step(plan, step, why, sizeof(why));
	step_say_room(step, room, sizeof(room));
	if (step_is_full(plan, step)) {
		to->verdict = DMABUFD_FULL;
		snprintf(to->why, sizeof(to->why), "full now: %s", room);
	} else {
		to->verdict = DMABUFD_WOULD_TRY;
		snprintf(to->why, sizeof(to->why), "%s%s%s", why, room[0] ? "; " : "", room);
	}
	needs_say_step(plan, step, to->needs, sizeof(to->needs));
}

static void fill_step(struct dmabufd_reason *to, struct manager *m, const struct job *job,
		      const struct plan *plan, const struct step *step)
{
	to->about = DMABUFD_ABOUT_POOL;
	to->kind = step->pool ? step->pool->kind : 0;
	snprintf(to->pool, sizeof(to->pool), "%s", step_get_name(step));
	if (step_is_tried(step)) {
		fill_tried(to, m, job, plan, step);
		return;
	}
	to->verdict = DMABUFD_REFUSED;
	plan_say_step(plan, step, to->why, sizeof(to->why));
	needs_say_step(plan, step, to->needs, sizeof(to->needs));
}

/* What comes behind the general ones is an entry of the outlook. */
static void fill_general(struct dmabufd_reason *to, struct manager *m, const struct job *job,
			 const struct plan *plan, uint64_t at)
{
	switch (at) {
	case 0:
		fill_contiguous(to, plan);
		break;
	case 1:
		fill_address(to, plan);
		break;
	case 2:
		fill_mapping(to, plan);
		break;
	case 3:
		fill_quota(to, m, job);
		break;
	default:
		fill_alignment(to, plan);
		break;
	}
}

static void fill(struct dmabufd_reason *to, struct manager *m, const struct job *job,
		 const struct outlook *outlook, uint64_t at, unsigned int n_general)
{
	const struct outlook_entry *entry;

	if (at < n_general) {
		fill_general(to, m, job, &outlook->plans[0], at);
		return;
	}
	entry = &outlook->entries[at - n_general];
	fill_step(to, m, job, entry->plan, entry->step);
}

/* The cursor is how many reasons were told already. */
int handle_reasons(struct client *client, const struct wire_frame *request, struct reply *reply)
{
	struct manager *m = client->manager;
	uint64_t at = request->question.cursor.after, end;
	struct job job;
	struct outlook outlook;
	unsigned int n, n_general;
	int r = job_prepare(client, &request->question.request, &job, reply);

	if (r < 0)
		return r;
	r = module_read_pools(m->module);
	if (r < 0)
		return reply_fail(reply, -EIO, "cannot read the pools: %s", strerror(-r));
	job_foresee(&job, &outlook);
	n_general = N_GENERAL + tells_alignment(client, &outlook.plans[0]);
	end = n_general + outlook.n_entries;
	reply_set_body(reply, sizeof(reply->frame.body));
	for (n = 0; n < WIRE_REASONS_MAX && at < end; n++)
		fill(&reply->frame.reasons[n], m, &job, &outlook, at++, n_general);
	reply->frame.page.next = at < end ? at : 0;
	reply->frame.page.count = n;
	reply->length = sizeof(reply->frame.header) + sizeof(reply->frame.page) +
			n * sizeof(struct dmabufd_reason);
	return 0;
}
