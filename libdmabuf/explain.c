/* SPDX-License-Identifier: MIT */
/*
 * The explanation of a decision: ask for it, check it, hand it to the caller's function.
 */
#include <errno.h>

#include "private.h"

static bool step_is_valid(const struct dmabufd_step *step)
{
	return WIRE_STRING_IS_VALID(step->pool) && WIRE_STRING_IS_VALID(step->why) &&
	       kind_is_valid(step->kind) &&
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

static int visit(const struct wire_frame *frame,
		 int (*fn)(const struct dmabuf_explanation *explanation, void *userdata),
		 void *userdata)
{
	const struct dmabufd_explain *explain = &frame->explain;
	struct dmabuf_explain_step steps[WIRE_STEPS_MAX];
	struct dmabuf_explanation explanation = {
		.contiguous = (int)explain->contiguous,
		.max_address = explain->max_address,
		.mapping = (enum dmabuf_mapping)explain->mapping,
		.contiguous_why = explain->contiguous_why,
		.address_why = explain->address_why,
		.mapping_why = explain->mapping_why,
		.steps = steps,
		.n_steps = explain->n_steps,
	};

	for (uint32_t i = 0; i < explain->n_steps; i++)
		steps[i] = (struct dmabuf_explain_step){
			.pool = frame->steps[i].pool,
			.kind = (enum dmabuf_kind)frame->steps[i].kind,
			.would_try = frame->steps[i].verdict == DMABUFD_WOULD_TRY,
			.why = frame->steps[i].why,
		};
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
	r = connection_open(conn);
	if (r < 0)
		return r;
	r = connection_call_plain(conn, DMABUFD_EXPLAIN, &frame, request_get_size(conn));
	if (r < 0)
		return r;
	if (!explanation_is_valid(&frame, (size_t)r))
		return connection_fail_protocol(conn, "malformed explanation");
	return visit(&frame, fn, userdata);
}
