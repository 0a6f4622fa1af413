/* SPDX-License-Identifier: MIT */
/*
 * The explanation of a decision: ask for it and then, page by page, for all its reasons; check them;
 * hand them to the caller's function at once.
 */
#include <errno.h>
#include <stdlib.h>

#include "cleanup.h"
#include "private.h"

#define REASONS_MAX 1024 /* more than any daemon has pools for */

/* Reasons as they come, page after page. */
struct reasons {
	struct dmabufd_reason *items; /* owned */
	uint32_t n;
};

static bool step_is_valid(const struct dmabufd_step *step)
{
	return WIRE_STRING_IS_VALID(step->pool) && WIRE_STRING_IS_VALID(step->why) &&
	       /* A pool that is named and missing has no kind. */
	       (kind_is_valid(step->kind) ||
		(step->kind == 0 && step->verdict == DMABUFD_REFUSED)) &&
	       (step->verdict == DMABUFD_WOULD_TRY || step->verdict == DMABUFD_REFUSED);
}

static bool explanation_is_valid(const struct wire_frame *frame, size_t body)
{
	const struct dmabufd_explain *explain = &frame->explain;

	if (body < sizeof(*explain) || explain->n_steps > WIRE_STEPS_MAX ||
	    body != sizeof(*explain) + explain->n_steps * sizeof(frame->steps[0]))
		return false;
	if (explain->contiguous > 1 || explain->mapping > DMABUFD_MAPPING_WRITE_COMBINED ||
	    explain->pad != 0 || !WIRE_STRING_IS_VALID(explain->contiguous_why) ||
	    !WIRE_STRING_IS_VALID(explain->address_why) ||
	    !WIRE_STRING_IS_VALID(explain->mapping_why))
		return false;
	for (uint32_t i = 0; i < explain->n_steps; i++)
		if (!step_is_valid(&frame->steps[i]))
			return false;
	return true;
}

static bool reason_is_valid(const struct dmabufd_reason *reason)
{
	bool pool = reason->about == DMABUFD_ABOUT_POOL;
	bool judged = pool || reason->about == DMABUFD_ABOUT_QUOTA;

	/* A pool that is missing has no kind. */
	if (reason->pad != 0 || reason->kind > (pool ? DMABUF_KIND_BUDDY : 0) ||
	    reason->verdict > DMABUFD_OVER_QUOTA || (reason->verdict != 0) != judged)
		return false;
	return WIRE_STRING_IS_VALID(reason->pool) && WIRE_STRING_IS_VALID(reason->why) &&
	       WIRE_STRING_IS_VALID(reason->needs);
}

static bool page_is_valid(const struct wire_frame *frame, size_t body, uint64_t after)
{
	const struct dmabufd_page *page = &frame->page;

	if (body < sizeof(*page) || page->pad != 0 || page->count > WIRE_REASONS_MAX ||
	    body != sizeof(*page) + page->count * sizeof(frame->reasons[0]) ||
	    (page->next != 0 && (page->count == 0 || page->next <= after)))
		return false;
	for (uint32_t i = 0; i < page->count; i++)
		if (!reason_is_valid(&frame->reasons[i]))
			return false;
	return true;
}

static int reasons_add(struct reasons *reasons, const struct wire_frame *frame)
{
	struct dmabufd_reason *items;

	if (reasons->n + frame->page.count > REASONS_MAX)
		return -EPROTO;
	items = reallocarray(reasons->items, reasons->n + frame->page.count, sizeof(*items));
	if (!items)
		return -ENOMEM;
	for (uint32_t i = 0; i < frame->page.count; i++)
		items[reasons->n++] = frame->reasons[i];
	reasons->items = items;
	return 0;
}

static int ask_for_reasons(struct dmabuf *conn, const struct dmabuf_request *request,
			   struct reasons *reasons)
{
	uint64_t after = 0;

	do {
		struct wire_frame frame = {
			.question = {.cursor = {.after = after}, .request = request->wire}};
		int r = connection_call_plain(conn, DMABUFD_REASONS, &frame,
					      sizeof(frame.question.cursor) +
						      request_get_size(conn));

		if (r < 0)
			return r;
		if (!page_is_valid(&frame, (size_t)r, after))
			return connection_fail_protocol(conn, "malformed reasons");
		r = frame.page.count ? reasons_add(reasons, &frame) : 0;
		if (r == -ENOMEM)
			return connection_fail_errno(conn, r, "explanation");
		if (r < 0)
			return connection_fail_protocol(conn, "reasons without end");
		after = frame.page.next;
	} while (after != 0);
	return 0;
}

static void step_fill(struct dmabuf_explain_step *step, const struct dmabufd_reason *reason)
{
	*step = (struct dmabuf_explain_step){
		.pool = reason->pool,
		.kind = (enum dmabuf_kind)reason->kind,
		.would_try = reason->verdict != DMABUFD_REFUSED,
		.why = reason->why,
		.needs = reason->needs,
		.verdict = (enum dmabuf_verdict)reason->verdict,
	};
}

/* steps has room for as many as there are reasons. */
static void add_reason(struct dmabuf_explanation *explanation, const struct dmabufd_reason *reason,
		       struct dmabuf_explain_step steps[])
{
	switch (reason->about) {
	case DMABUFD_ABOUT_CONTIGUOUS:
		explanation->contiguous_needs = reason->needs;
		break;
	case DMABUFD_ABOUT_ADDRESS:
		explanation->address_needs = reason->needs;
		break;
	case DMABUFD_ABOUT_MAPPING:
		explanation->mapping_needs = reason->needs;
		break;
	case DMABUFD_ABOUT_ALIGNMENT:
		explanation->alignment_why = reason->why;
		explanation->alignment_needs = reason->needs;
		break;
	case DMABUFD_ABOUT_QUOTA:
		explanation->over_quota = reason->verdict == DMABUFD_OVER_QUOTA;
		explanation->quota_why = reason->why;
		explanation->quota_needs = reason->needs;
		break;
	case DMABUFD_ABOUT_POOL:
		step_fill(&steps[explanation->n_steps++], reason);
		break;
	}
}

static void explanation_fill(struct dmabuf_explanation *explanation,
			     const struct dmabufd_request *wanted,
			     const struct dmabufd_explain *explain)
{
	*explanation = (struct dmabuf_explanation){
		.contiguous = (int)explain->contiguous,
		.max_address = explain->max_address,
		.mapping = (enum dmabuf_mapping)explain->mapping,
		.contiguous_why = explain->contiguous_why,
		.address_why = explain->address_why,
		.mapping_why = explain->mapping_why,
		.contiguous_needs = "",
		.address_needs = "",
		.mapping_needs = "",
		.quota_why = "",
		.quota_needs = "",
		.alignment = wanted->alignment,
		.alignment_why = "",
		.alignment_needs = "",
	};
}

/* Of a daemon that has no REASONS: what one frame holds. */
static void add_steps(struct dmabuf_explanation *explanation, const struct wire_frame *frame,
		      struct dmabuf_explain_step steps[static WIRE_STEPS_MAX])
{
	for (uint32_t i = 0; i < frame->explain.n_steps; i++)
		steps[i] = (struct dmabuf_explain_step){
			.pool = frame->steps[i].pool,
			.kind = (enum dmabuf_kind)frame->steps[i].kind,
			.would_try = frame->steps[i].verdict == DMABUFD_WOULD_TRY,
			.why = frame->steps[i].why,
			.needs = "",
			.verdict = (enum dmabuf_verdict)frame->steps[i].verdict,
		};
	explanation->n_steps = frame->explain.n_steps;
}

static int explain(struct dmabuf *conn, const struct dmabuf_request *request,
		   const struct wire_frame *frame,
		   int (*fn)(const struct dmabuf_explanation *explanation, void *userdata),
		   void *userdata)
{
	_cleanup_free_ struct dmabuf_explain_step *steps = NULL;
	_cleanup_free_ struct dmabufd_reason *items = NULL;
	struct dmabuf_explanation explanation;
	struct reasons reasons = {0};
	int r = conn->minor >= 1 ? ask_for_reasons(conn, request, &reasons) : 0;

	items = reasons.items;
	if (r < 0)
		return r;
	steps = calloc(reasons.n + WIRE_STEPS_MAX, sizeof(*steps));
	if (!steps)
		return connection_fail_errno(conn, -ENOMEM, "explanation");
	explanation_fill(&explanation, &request->wire, &frame->explain);
	explanation.steps = steps;
	for (uint32_t i = 0; i < reasons.n; i++)
		add_reason(&explanation, &items[i], steps);
	if (conn->minor < 1)
		add_steps(&explanation, frame, steps);
	return fn(&explanation, userdata);
}

DMABUF_PUBLIC int dmabuf_explain(struct dmabuf *conn, const struct dmabuf_request *request,
				 int (*fn)(const struct dmabuf_explanation *explanation,
					   void *userdata),
				 void *userdata)
{
	struct wire_frame frame = {.request = request->wire};
	int r;

	if (request->wire.size == 0)
		return connection_fail(conn, -EINVAL, "The request has no size");
	r = request_open(conn, request);
	if (r < 0)
		return r;
	r = connection_call_plain(conn, DMABUFD_EXPLAIN, &frame, request_get_size(conn));
	if (r < 0)
		return r;
	if (!explanation_is_valid(&frame, (size_t)r))
		return connection_fail_protocol(conn, "malformed explanation");
	return explain(conn, request, &frame, fn, userdata);
}
