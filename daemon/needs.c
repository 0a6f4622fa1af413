/* SPDX-License-Identifier: MIT */
/*
 * What another decision would need: the way back from each reason to what could be changed, by who
 * asks or by who runs the machine. Decides nothing; knows the C library only.
 */
#include "needs.h"

#include <stdio.h>

#include "text.h"

void needs_say_contiguous(const struct plan *plan, char *text, size_t size)
{
	switch (plan->contiguous_why) {
	case CONTIGUOUS_ASKED:
		snprintf(text, size, "a request that does not insist on one block");
		break;
	case CONTIGUOUS_ALIGNED:
		snprintf(text, size, "a request without an alignment");
		break;
	case CONTIGUOUS_ROLE:
		snprintf(text, size, "a request that names the devices, or no role");
		break;
	case CONTIGUOUS_NO_IOMMU:
		snprintf(text, size, "an IOMMU for %s, which then takes scattered memory",
			 plan->contiguous_for->key);
		break;
	default:
		snprintf(text, size, "a request that insists on one block");
		break;
	}
}

void needs_say_address(const struct plan *plan, char *text, size_t size)
{
	switch (plan->address_why) {
	case ADDRESS_DEVICE:
		snprintf(text, size, "an IOMMU or a wider DMA mask for %s", plan->address_for->key);
		break;
	case ADDRESS_ASKED:
		snprintf(text, size, "a request that takes higher addresses");
		break;
	case ADDRESS_ROLE:
		snprintf(text, size, "a request that names the codec, or no role");
		break;
	case ADDRESS_ANY:
		snprintf(text, size, "%s", "");
		break;
	}
}

void needs_say_alignment(const struct plan *plan, char *text, size_t size)
{
	snprintf(text, size, "a request %s an alignment", plan->alignment ? "without" : "with");
}

void needs_say_mapping(const struct plan *plan, char *text, size_t size)
{
	switch (plan->mapping_why) {
	case MAPPING_ASKED:
		snprintf(text, size, "a request that leaves the mapping open");
		break;
	case MAPPING_NOT_COHERENT:
		snprintf(text, size, "a request that says that the CPU reads often: cached");
		break;
	case MAPPING_FILLED:
		snprintf(text, size, "a request that says that the CPU reads");
		break;
	case MAPPING_READS_OFTEN:
		snprintf(text, size, "a request without that: write-combined");
		break;
	default:
		snprintf(text, size, "a request that insists on write-combined");
		break;
	}
}

/* Bytes that are not given away; drivers may have some of them. */
static uint64_t pool_get_free(const struct pool *pool)
{
	return pool->size > pool->used ? pool->size - pool->used : 0;
}

bool step_is_full(const struct plan *plan, const struct step *step)
{
	const struct pool *pool = step->pool;

	if (!pool || !pool->size || pool->kind == KIND_BUDDY)
		return false;
	return pool_get_free(pool) < plan->size ||
	       (pool->free_known && pool->free_block < plan->size);
}

void step_say_room(const struct step *step, char *text, size_t size)
{
	const struct pool *pool = step->pool;
	char left[SIZE_TEXT], whole[SIZE_TEXT], block[SIZE_TEXT];
	int n = 0;

	text[0] = '\0';
	if (!pool || !pool->size || pool->kind == KIND_BUDDY)
		return;
	n = snprintf(text, size, "%s of %s are free", size_text(left, pool_get_free(pool)),
		     size_text(whole, pool->size));
	if (pool->free_known && pool->free_block < pool_get_free(pool) && n > 0 && (size_t)n < size)
		snprintf(text + n, size - (size_t)n, ", the largest block is %s",
			 size_text(block, pool->free_block));
}

static void say_smaller(const struct step *step, const char *or_else, char *text, size_t size)
{
	char limit[SIZE_TEXT];

	snprintf(text, size, "a buffer of at most %s%s", size_text(limit, step->limit), or_else);
}

/* A block is aligned to itself, so a larger one is aligned to more. */
static void say_larger(const struct plan *plan, const struct step *step, char *text, size_t size)
{
	char least[SIZE_TEXT];

	if (step->limit && step->limit >= plan->size && step->pool->kind == KIND_BUDDY)
		snprintf(text, size, "a buffer of more than %s, or a smaller alignment",
			 size_text(least, plan->alignment / 2));
	else
		snprintf(text, size, "a smaller alignment");
}

static void say_suitable(const struct plan *plan, const struct step *step, char *text, size_t size)
{
	char missing[SIZE_TEXT];
	uint64_t room;

	text[0] = '\0';
	if (!step_is_full(plan, step))
		return;
	room = pool_get_free(step->pool);
	if (room < plan->size)
		snprintf(text, size, "%s more to be released",
			 size_text(missing, plan->size - room));
	else
		snprintf(text, size, "neighbouring buffers to be released");
}

void needs_say_step(const struct plan *plan, const struct step *step, char *text, size_t size)
{
	switch (step->verdict) {
	case REFUSED_NOT_ASKED:
		snprintf(text, size, "a request that leaves the pool open");
		break;
	case REFUSED_FOREIGN:
		snprintf(text, size,
			 "memory-region in the device tree, or DMABUF_POOL=%s of udev, for every "
			 "device",
			 step->pool->name);
		break;
	case REFUSED_MAPPING:
		snprintf(text, size, "a request that leaves the mapping open");
		break;
	case REFUSED_ADDRESS:
		needs_say_address(plan, text, size);
		break;
	case REFUSED_ALIGNMENT:
		say_larger(plan, step, text, size);
		break;
	case REFUSED_REACH:
	case REFUSED_SIZE:
		say_smaller(step, "", text, size);
		break;
	case REFUSED_BLOCK:
		say_smaller(step, ", or one that need not be contiguous", text, size);
		break;
	case REFUSED_MISSING:
		snprintf(text, size, "a pool of that name, or another name");
		break;
	default:
		say_suitable(plan, step, text, size);
		break;
	}
}
