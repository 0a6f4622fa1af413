/* SPDX-License-Identifier: MIT */
/*
 * The decision: which memory suits these devices. Pure: knows the C library only.
 */
#include "policy.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

/* What a decision is made from. */
struct question {
	const struct policy_request *request;
	const struct facts *devices;
	unsigned int n_devices;
};

static void decide_contiguous(const struct question *q, struct plan *plan)
{
	plan->contiguous = true;
	plan->contiguous_for = NULL;
	for (unsigned int i = 0; i < q->n_devices; i++)
		if (!q->devices[i].iommu) {
			plan->contiguous_why = CONTIGUOUS_NO_IOMMU;
			plan->contiguous_for = &q->devices[i];
			return;
		}
	if (q->request->contiguous) {
		plan->contiguous_why = CONTIGUOUS_ASKED;
		return;
	}
	plan->contiguous = false;
	plan->contiguous_why = q->n_devices ? SCATTERED_IOMMU : SCATTERED_NO_DEVICE;
	for (unsigned int i = 0; i < q->n_devices && !plan->contiguous_for; i++)
		if (q->devices[i].iommu_by != SAYS_KERNEL)
			plan->contiguous_for = &q->devices[i];
}

/*
 * The mask of a device behind an IOMMU limits what the IOMMU hands to the device, not where the
 * memory is.
 */
static void decide_address(const struct question *q, struct plan *plan)
{
	plan->max_address = 0;
	plan->address_for = NULL;
	for (unsigned int i = 0; i < q->n_devices; i++) {
		const struct facts *device = &q->devices[i];

		if (device->iommu || !device->dma_mask || device->dma_mask == UINT64_MAX)
			continue;
		if (plan->address_for && device->dma_mask >= plan->max_address)
			continue;
		plan->max_address = device->dma_mask;
		plan->address_for = device;
	}
}

static void decide_mapping(const struct question *q, struct plan *plan)
{
	plan->mapping_for = NULL;
	if (q->request->mapping != MAPPING_ANY) {
		plan->mapping = q->request->mapping;
		plan->mapping_why = MAPPING_ASKED;
		return;
	}
	for (unsigned int i = 0; i < q->n_devices && !plan->mapping_for; i++)
		if (!q->devices[i].coherent)
			plan->mapping_for = &q->devices[i];
	if (!plan->mapping_for) {
		plan->mapping = MAPPING_CACHED;
		plan->mapping_why = q->n_devices ? MAPPING_COHERENT : MAPPING_NO_DEVICE;
		for (unsigned int i = 0; i < q->n_devices && !plan->mapping_for; i++)
			if (q->devices[i].coherent_by != SAYS_KERNEL)
				plan->mapping_for = &q->devices[i];
	} else if (q->request->cpu_reads_often) {
		plan->mapping = MAPPING_CACHED;
		plan->mapping_why = MAPPING_READS_OFTEN;
	} else {
		plan->mapping = MAPPING_WRITE_COMBINED;
		plan->mapping_why = MAPPING_NOT_COHERENT;
	}
}

static bool pool_is_bound(const struct question *q, unsigned int index)
{
	for (unsigned int i = 0; i < q->n_devices; i++)
		if (!(q->devices[i].bound & UINT64_C(1) << index))
			return false;
	return q->n_devices > 0;
}

/* The mapping that the pool will give under this plan, or MAPPING_ANY when none will do. */
static enum mapping pool_get_mapping(const struct pool *pool, const struct plan *plan)
{
	if (pool->mappings & MAPPING_BIT(plan->mapping))
		return plan->mapping;
	if (plan->mapping_why == MAPPING_ASKED)
		return MAPPING_ANY;
	if (pool->mappings & MAPPING_BIT(MAPPING_CACHED))
		return MAPPING_CACHED;
	if (pool->mappings & MAPPING_BIT(MAPPING_WRITE_COMBINED))
		return MAPPING_WRITE_COMBINED;
	return MAPPING_ANY;
}

/* Bytes from the pool's start to the highest address allowed; 0 when it starts above that. */
static uint64_t pool_get_reach(const struct pool *pool, const struct plan *plan)
{
	if (!plan->max_address || !pool->base)
		return UINT64_MAX;
	if (pool->base > plan->max_address)
		return 0;
	return plan->max_address - pool->base + 1;
}

static enum verdict verdict_to_try(const struct pool *pool, bool bound)
{
	if (bound)
		return TRY_BOUND;
	if (pool->kind == KIND_CMA)
		return TRY_CMA;
	return pool->kind == KIND_BUDDY ? TRY_BUDDY : TRY_REGION;
}

static enum verdict judge_size(const struct pool *pool, const struct plan *plan, bool bound,
			       uint64_t *ret_limit)
{
	uint64_t reach = pool_get_reach(pool, plan);

	if (pool->size && plan->size > pool->size) {
		*ret_limit = pool->size;
		return REFUSED_SIZE;
	}
	if (plan->contiguous && pool->max_block && plan->size > pool->max_block) {
		*ret_limit = pool->max_block;
		return REFUSED_BLOCK;
	}
	if (plan->size > reach) {
		*ret_limit = reach;
		return REFUSED_REACH;
	}
	return verdict_to_try(pool, bound);
}

/* Size comes last: a pool refused for its size would serve a smaller buffer. */
static void pool_judge(const struct question *q, const struct plan *plan, bool bound,
		       struct step *step)
{
	const struct pool *pool = step->pool;
	const char *wanted = q->request->pool;

	step->mapping = pool_get_mapping(pool, plan);
	if (wanted[0] && strcmp(pool->name, wanted))
		step->verdict = REFUSED_NOT_ASKED;
	else if (!bound && !pool->system)
		step->verdict = REFUSED_FOREIGN;
	else if (step->mapping == MAPPING_ANY)
		step->verdict = REFUSED_MAPPING;
	else if (!pool_get_reach(pool, plan))
		step->verdict = REFUSED_ADDRESS;
	else
		step->verdict = judge_size(pool, plan, bound, &step->limit);
}

#define RANKS 6

/*
 * Bound pools before the system's. Contiguous memory of the system is scarce, so a buffer that may
 * be scattered leaves it to others; a reserved region of the system comes last either way.
 */
static unsigned int pool_rank(const struct pool *pool, bool bound, bool contiguous)
{
	switch (pool->kind) {
	case KIND_COHERENT:
		return bound ? 0 : 5;
	case KIND_CMA:
		return bound ? 1 : contiguous ? 3 : 4;
	default:
		return bound ? 2 : contiguous ? 4 : 3;
	}
}

/* Step i is pool i afterwards, ranked in ranks[i]. */
static void judge_all(const struct question *q, const struct plan *plan, const struct pool pools[],
		      unsigned int n_pools, struct step steps[], unsigned int ranks[])
{
	for (unsigned int i = 0; i < n_pools; i++) {
		bool bound = pool_is_bound(q, i);

		steps[i] = (struct step){.pool = &pools[i], .index = i};
		pool_judge(q, plan, bound, &steps[i]);
		ranks[i] = pool_rank(&pools[i], bound, plan->contiguous);
	}
}

static void plan_append_tried(struct plan *plan, const struct step steps[],
			      const unsigned int ranks[], unsigned int n)
{
	for (unsigned int rank = 0; rank < RANKS; rank++)
		for (unsigned int i = 0; i < n; i++)
			if (ranks[i] == rank && step_is_tried(&steps[i]))
				plan->steps[plan->n_steps++] = steps[i];
}

static void plan_append_refused(struct plan *plan, const struct step steps[], unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (!step_is_tried(&steps[i]))
			plan->steps[plan->n_steps++] = steps[i];
}

static void plan_append_missing(struct plan *plan, const struct question *q)
{
	for (unsigned int i = 0; i < q->n_devices; i++)
		if (q->devices[i].missing[0])
			plan->steps[plan->n_steps++] = (struct step){.verdict = REFUSED_MISSING,
								     .missing_for = &q->devices[i]};
}

static bool step_is_too_large(const struct step *step)
{
	return step->verdict == REFUSED_SIZE || step->verdict == REFUSED_BLOCK ||
	       step->verdict == REFUSED_REACH;
}

static int plan_error(const struct plan *plan)
{
	if (plan->n_tries)
		return 0;
	for (unsigned int i = 0; i < plan->n_steps; i++)
		if (step_is_too_large(&plan->steps[i]))
			return -E2BIG;
	return -EOPNOTSUPP;
}

void policy_decide(const struct policy_request *request, const struct facts devices[],
		   unsigned int n_devices, const struct pool pools[], unsigned int n_pools,
		   struct plan *ret)
{
	const struct question q = {request, devices, n_devices};
	struct step steps[POOLS_MAX];
	unsigned int ranks[POOLS_MAX];

	assert(request->size > 0 && n_pools <= POOLS_MAX && n_devices <= DEVICES_MAX);
	ret->size = request->size;
	decide_contiguous(&q, ret);
	decide_address(&q, ret);
	decide_mapping(&q, ret);

	judge_all(&q, ret, pools, n_pools, steps, ranks);
	ret->n_steps = 0;
	plan_append_tried(ret, steps, ranks, n_pools);
	ret->n_tries = ret->n_steps;
	plan_append_refused(ret, steps, n_pools);
	plan_append_missing(ret, &q);
	ret->error = plan_error(ret);
}
