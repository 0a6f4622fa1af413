/* SPDX-License-Identifier: MIT */
/*
 * The words for a decision of the policy. Decides nothing; knows the C library only.
 */
#include "plan.h"

#include <inttypes.h>
#include <stdio.h>

#include "text.h"

static const char *mapping_name(enum mapping mapping)
{
	return mapping == MAPPING_CACHED ? "cached" : "write-combined";
}

/* For behind a fact. */
static const char *by(enum source source)
{
	switch (source) {
	case SAYS_UDEV:
		return ", says udev";
	case SAYS_CONFIG:
		return ", says dmabufd.conf";
	default:
		return "";
	}
}

/* Of a sentence on all devices: the one of which somebody else than the kernel says so. */
static void say_except(const char *all, const struct facts *device, enum source source, char *text,
		       size_t size)
{
	if (device)
		snprintf(text, size, "%s (for %s%s)", all, device->key, by(source));
	else
		snprintf(text, size, "%s", all);
}

const char *step_get_name(const struct step *step)
{
	return step->pool ? step->pool->name : step->missing_for->missing;
}

unsigned int step_get_relaxed(const struct plan *plan, const struct step *step)
{
	bool slow = plan->reads_often && step->mapping != MAPPING_CACHED &&
		    plan->mapping_why != MAPPING_ASKED;

	return plan->relaxed | (slow ? CONSTRAINT_MAPPING : 0);
}

const char *relaxed_text(char text[static RELAXED_TEXT], unsigned int relaxed)
{
	static const char *const names[CONSTRAINTS_MAX] = {"the mapping", "the alignment",
							   "one block", "the highest address"};
	size_t at = 0;

	text[0] = '\0';
	for (unsigned int i = 0; i < CONSTRAINTS_MAX && at < RELAXED_TEXT; i++)
		if (relaxed & 1u << i)
			at += (size_t)snprintf(text + at, RELAXED_TEXT - at, "%s%s", at ? ", " : "",
					       names[i]);
	return text;
}

/* For behind the request's wish. */
static const char *wished(const struct plan *plan, enum constraint constraint)
{
	return plan->in_force & constraint ? "prefers" : "asks for";
}

void plan_say_contiguous(const struct plan *plan, char *text, size_t size)
{
	switch (plan->contiguous_why) {
	case CONTIGUOUS_ASKED:
		snprintf(text, size, "%s: the request %s it",
			 plan->in_force & CONSTRAINT_CONTIGUOUS ? "preferred" : "needed",
			 wished(plan, CONSTRAINT_CONTIGUOUS));
		break;
	case CONTIGUOUS_ALIGNED:
		snprintf(text, size,
			 "needed: the request %s an alignment, which only one block has",
			 wished(plan, CONSTRAINT_ALIGNMENT));
		break;
	case CONTIGUOUS_ROLE:
		snprintf(text, size,
			 "preferred: a camera, codec or display that is not named may have no "
			 "IOMMU");
		break;
	case CONTIGUOUS_NO_IOMMU:
		snprintf(text, size, "needed: no IOMMU translates for %s%s",
			 plan->contiguous_for->key, by(plan->contiguous_for->iommu_by));
		break;
	case SCATTERED_IOMMU:
		say_except("not needed: an IOMMU translates for every device", plan->contiguous_for,
			   plan->contiguous_for ? plan->contiguous_for->iommu_by : SAYS_KERNEL,
			   text, size);
		break;
	case SCATTERED_NO_DEVICE:
		snprintf(text, size, "not needed: no device is named");
		break;
	}
}

void plan_say_address(const struct plan *plan, char *text, size_t size)
{
	switch (plan->address_why) {
	case ADDRESS_DEVICE:
		snprintf(text, size, "at most 0x%" PRIx64 ": the DMA mask of %s%s",
			 plan->max_address, plan->address_for->key, by(plan->address_for->mask_by));
		break;
	case ADDRESS_ASKED:
		snprintf(text, size, "at most 0x%" PRIx64 ": the request %s it", plan->max_address,
			 wished(plan, CONSTRAINT_ADDRESS));
		break;
	case ADDRESS_ROLE:
		snprintf(text, size,
			 "preferably at most 0x%" PRIx64 ": a codec that is not named may reach no "
			 "higher",
			 plan->max_address);
		break;
	case ADDRESS_ANY:
		snprintf(text, size, "no limit: no device without an IOMMU has a smaller mask");
		break;
	}
}

void plan_say_alignment(const struct plan *plan, char *text, size_t size)
{
	char alignment[SIZE_TEXT];

	if (plan->alignment)
		snprintf(text, size, "to %s: the request %s it",
			 size_text(alignment, plan->alignment), wished(plan, CONSTRAINT_ALIGNMENT));
	else
		snprintf(text, size, "to pages, as every buffer is");
}

void plan_say_mapping(const struct plan *plan, char *text, size_t size)
{
	switch (plan->mapping_why) {
	case MAPPING_ASKED:
		snprintf(text, size, "%s: the request %s it", mapping_name(plan->mapping),
			 plan->in_force & CONSTRAINT_MAPPING ? "prefers" : "insists on");
		break;
	case MAPPING_FILLED:
		snprintf(text, size, "write-combined: the CPU often writes and never reads");
		break;
	case MAPPING_COHERENT:
		say_except("cached: every device is coherent with the CPU's cache",
			   plan->mapping_for,
			   plan->mapping_for ? plan->mapping_for->coherent_by : SAYS_KERNEL, text,
			   size);
		break;
	case MAPPING_NO_DEVICE:
		snprintf(text, size, "cached: no device is named");
		break;
	case MAPPING_READS_OFTEN:
		snprintf(text, size,
			 "cached: the CPU reads often; %s is not coherent, so bracket each access",
			 plan->mapping_for->key);
		break;
	case MAPPING_NOT_COHERENT:
		snprintf(text, size, "write-combined: %s is not coherent with the CPU's cache%s",
			 plan->mapping_for->key, by(plan->mapping_for->coherent_by));
		break;
	}
}

static void say_try(const struct plan *plan, const struct step *step, char *text, size_t size)
{
	char relaxed[RELAXED_TEXT];
	const char *why = "";
	int n;

	switch (step->verdict) {
	case TRY_BOUND:
		why = "bound to every device of the request";
		break;
	case TRY_CMA:
		why = plan->contiguous ? "contiguous memory of the system"
				       : "memory of the system that is scarce, so after the buddy "
					 "allocator";
		break;
	case TRY_BUDDY:
		why = plan->contiguous ? "one block of the page allocator"
				       : "blocks of the page allocator, wherever they are";
		break;
	default:
		why = "a reserved region of the system, the last resort";
		break;
	}
	n = snprintf(text, size, "%s", why);
	if (step->mapping != plan->mapping && n > 0 && (size_t)n < size)
		n += snprintf(text + n, size - (size_t)n, "; it can only be mapped %s",
			      mapping_name(step->mapping));
	if (plan->relaxed && n > 0 && (size_t)n < size)
		snprintf(text + n, size - (size_t)n, "; without %s",
			 relaxed_text(relaxed, plan->relaxed));
}

/* Whose the highest address is. */
static void say_reach(const struct plan *plan, char *text, size_t size)
{
	if (plan->address_for)
		snprintf(text, size, "the highest address that %s reaches", plan->address_for->key);
	else
		snprintf(text, size, "the highest address that the request takes");
}

static void say_refused(const struct plan *plan, const struct step *step, char *text, size_t size)
{
	char limit[SIZE_TEXT], reach[DEVICE_KEY_SIZE + 48];

	say_reach(plan, reach, sizeof(reach));

	switch (step->verdict) {
	case REFUSED_NOT_ASKED:
		snprintf(text, size, "not the pool that the request insists on");
		break;
	case REFUSED_FOREIGN:
		snprintf(text, size, "belongs to other devices");
		break;
	case REFUSED_MAPPING:
		snprintf(text, size, "cannot be mapped %s", mapping_name(plan->mapping));
		break;
	case REFUSED_ADDRESS:
		snprintf(text, size, "lies above 0x%" PRIx64 ", %s", plan->max_address, reach);
		break;
	case REFUSED_REACH:
		snprintf(text, size, "only %s of it are below %s", size_text(limit, step->limit),
			 reach);
		break;
	case REFUSED_ALIGNMENT:
		snprintf(text, size, "aligns a buffer of this size to %s",
			 step->limit ? size_text(limit, step->limit) : "pages");
		break;
	case REFUSED_SIZE:
		snprintf(text, size, "the whole pool is %s", size_text(limit, step->limit));
		break;
	case REFUSED_BLOCK:
		snprintf(text, size, "one block is at most %s", size_text(limit, step->limit));
		break;
	default:
		snprintf(text, size, "%s %s names it: there is no such pool",
			 step->missing_for->bound_by == SAYS_CONFIG
				 ? "Pool= in dmabufd.conf for"
				 : "udev property DMABUF_POOL of",
			 step->missing_for->key);
		break;
	}
}

void plan_say_step(const struct plan *plan, const struct step *step, char *text, size_t size)
{
	if (step_is_tried(step))
		say_try(plan, step, text, size);
	else
		say_refused(plan, step, text, size);
}
