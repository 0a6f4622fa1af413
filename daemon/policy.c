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

static bool is_relaxed(const struct question *q, enum constraint constraint)
{
	return q->request->relaxed & constraint;
}

/* It makes a difference: should nothing suit, it can be relaxed, if that is allowed at all. */
static void put_in_force(struct plan *plan, enum constraint constraint, unsigned int preferred)
{
	plan->in_force |= preferred & constraint;
}

/*
 * A role stands for a device that is not named. Of one that is named the facts are known, and so a
 * role adds nothing to where its memory may be.
 */
static bool has_role_without_device(const struct question *q, unsigned int roles)
{
	return !q->n_devices && q->request->roles & roles;
}

static bool contiguous_without_device(const struct question *q, struct plan *plan)
{
	if (plan->alignment) {
		plan->contiguous_why = CONTIGUOUS_ALIGNED;
		return true;
	}
	if (q->request->contiguous && !is_relaxed(q, CONSTRAINT_CONTIGUOUS)) {
		plan->contiguous_why = CONTIGUOUS_ASKED;
		put_in_force(plan, CONSTRAINT_CONTIGUOUS, q->request->preferred);
		return true;
	}
	if (is_relaxed(q, CONSTRAINT_CONTIGUOUS) || !has_role_without_device(q, ~0u))
		return false;
	plan->contiguous_why = CONTIGUOUS_ROLE;
	put_in_force(plan, CONSTRAINT_CONTIGUOUS, CONSTRAINT_CONTIGUOUS);
	return true;
}

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
	if (contiguous_without_device(q, plan))
		return;
	plan->contiguous = false;
	plan->contiguous_why = q->n_devices ? SCATTERED_IOMMU : SCATTERED_NO_DEVICE;
	for (unsigned int i = 0; i < q->n_devices && !plan->contiguous_for; i++)
		if (q->devices[i].iommu_by != SAYS_KERNEL)
			plan->contiguous_for = &q->devices[i];
}

static void decide_alignment(const struct question *q, struct plan *plan)
{
	plan->alignment = 0;
	if (is_relaxed(q, CONSTRAINT_ALIGNMENT))
		return;
	plan->alignment = q->request->alignment;
	if (plan->alignment)
		put_in_force(plan, CONSTRAINT_ALIGNMENT, q->request->preferred);
}

/* What the devices leave is narrowed further by the request, or else by a role. */
static void narrow_address(const struct question *q, struct plan *plan)
{
	uint64_t max = q->request->max_address;
	unsigned int preferred = q->request->preferred;
	enum address_why why = ADDRESS_ASKED;

	if (!max && has_role_without_device(q, ROLE_ENCODE | ROLE_DECODE)) {
		max = UINT32_MAX;
		preferred = CONSTRAINT_ADDRESS;
		why = ADDRESS_ROLE;
	}
	if (!max || (plan->max_address && plan->max_address <= max))
		return;
	if (is_relaxed(q, CONSTRAINT_ADDRESS))
		return;
	plan->max_address = max;
	plan->address_why = why;
	plan->address_for = NULL;
	put_in_force(plan, CONSTRAINT_ADDRESS, preferred);
}

/*
 * The mask of a device behind an IOMMU limits what the IOMMU hands to the device, not where the
 * memory is.
 */
static void decide_address(const struct question *q, struct plan *plan)
{
	plan->max_address = 0;
	plan->address_why = ADDRESS_ANY;
	plan->address_for = NULL;
	for (unsigned int i = 0; i < q->n_devices; i++) {
		const struct facts *device = &q->devices[i];

		if (device->iommu || !device->dma_mask || device->dma_mask == UINT64_MAX)
			continue;
		if (plan->address_for && device->dma_mask >= plan->max_address)
			continue;
		plan->max_address = device->dma_mask;
		plan->address_why = ADDRESS_DEVICE;
		plan->address_for = device;
	}
	narrow_address(q, plan);
}

/*
 * Who fills a buffer and never looks at it streams past the cache, however coherent the devices
 * are. So does, unless the request says otherwise, who gives it to an encoder or a display without
 * a camera or a decoder before that.
 */
static bool is_filled_by_cpu(const struct question *q)
{
	const struct policy_request *request = q->request;

	if (request->cpu_reads || request->cpu_writes)
		return request->cpu_reads == OFTEN_NEVER && request->cpu_writes == OFTEN;
	return request->roles && !(request->roles & (ROLE_CAMERA | ROLE_DECODE));
}

static bool decide_mapping_by_request(const struct question *q, struct plan *plan)
{
	if (q->request->mapping != MAPPING_ANY && !is_relaxed(q, CONSTRAINT_MAPPING)) {
		plan->mapping = q->request->mapping;
		plan->mapping_why = MAPPING_ASKED;
		put_in_force(plan, CONSTRAINT_MAPPING, q->request->preferred);
		return true;
	}
	if (!is_filled_by_cpu(q))
		return false;
	plan->mapping = MAPPING_WRITE_COMBINED;
	plan->mapping_why = MAPPING_FILLED;
	return true;
}

static void decide_mapping(const struct question *q, struct plan *plan)
{
	plan->mapping_for = NULL;
	plan->reads_often = q->request->cpu_reads == OFTEN;
	if (decide_mapping_by_request(q, plan))
		return;
	for (unsigned int i = 0; i < q->n_devices && !plan->mapping_for; i++)
		if (!q->devices[i].coherent)
			plan->mapping_for = &q->devices[i];
	if (!plan->mapping_for) {
		plan->mapping = MAPPING_CACHED;
		plan->mapping_why = q->n_devices ? MAPPING_COHERENT : MAPPING_NO_DEVICE;
		for (unsigned int i = 0; i < q->n_devices && !plan->mapping_for; i++)
			if (q->devices[i].coherent_by != SAYS_KERNEL)
				plan->mapping_for = &q->devices[i];
	} else if (plan->reads_often) {
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

#define CMA_ALIGNMENT_MAX (UINT64_C(1) << 20)

/* The smallest power of two that is not less than size, which is not 0; at most 2^63. */
static uint64_t round_up_to_power(uint64_t size)
{
	uint64_t power = 1;

	while (power < size && power < UINT64_C(1) << 63)
		power <<= 1;
	return power;
}

/*
 * What every block of this size is aligned to. The page allocator aligns a block to itself, CMA up
 * to a limit of the kernel's configuration, of which this is the usual one (CONFIG_CMA_ALIGNMENT 8);
 * a region is packed page by page. 0: to pages alone.
 */
static uint64_t pool_get_alignment(const struct pool *pool, uint64_t size)
{
	uint64_t natural = round_up_to_power(size);

	switch (pool->kind) {
	case KIND_BUDDY:
		return natural;
	case KIND_CMA:
		return natural < CMA_ALIGNMENT_MAX ? natural : CMA_ALIGNMENT_MAX;
	default:
		return 0;
	}
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

	if (plan->alignment > pool_get_alignment(pool, plan->size)) {
		*ret_limit = pool_get_alignment(pool, plan->size);
		return REFUSED_ALIGNMENT;
	}
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
	ret->relaxed = request->relaxed;
	ret->in_force = 0;
	decide_alignment(&q, ret);
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

unsigned int policy_relax(const struct plan *plan)
{
	/* The lowest is the first to go. */
	return plan->in_force ? plan->relaxed | (plan->in_force & -plan->in_force) : 0;
}
