/* SPDX-License-Identifier: MIT */
/*
 * A decision of the policy: which pools to try, in which order, with which mapping, and why. The
 * reasons are kept as facts and become words only when somebody asks. Knows the C library only.
 */
#ifndef PLAN_H
#define PLAN_H

#include <stddef.h>

#include "pool.h"

enum contiguous_why {
	CONTIGUOUS_ASKED,    /* needed: the request says so */
	CONTIGUOUS_NO_IOMMU, /* needed: by contiguous_for */
	CONTIGUOUS_ALIGNED,  /* needed: blocks here and there have no alignment */
	CONTIGUOUS_ROLE,     /* preferred: for a device that is not named */
	SCATTERED_IOMMU, /* not needed: each device has an IOMMU; contiguous_for as overridden */
	SCATTERED_NO_DEVICE,
};

enum address_why {
	ADDRESS_ANY,
	ADDRESS_DEVICE, /* address_for reaches no higher */
	ADDRESS_ASKED,
	ADDRESS_ROLE, /* preferred: for a codec that is not named */
};

enum mapping_why {
	MAPPING_ASKED,
	MAPPING_FILLED,       /* write-combined: the CPU often writes and never reads */
	MAPPING_COHERENT,     /* cached: each device is coherent; mapping_for as overridden */
	MAPPING_NO_DEVICE,    /* cached */
	MAPPING_READS_OFTEN,  /* cached in spite of mapping_for */
	MAPPING_NOT_COHERENT, /* write-combined because of mapping_for */
};

enum verdict {
	TRY_BOUND, /* to all devices of the request */
	TRY_CMA,
	TRY_BUDDY,
	TRY_REGION, /* of the system */
	REFUSED_NOT_ASKED,
	REFUSED_FOREIGN,
	REFUSED_MAPPING,
	REFUSED_ALIGNMENT, /* limit: what a buffer of this size is aligned to */
	REFUSED_ADDRESS,
	REFUSED_REACH,   /* limit: bytes of the pool that the devices reach */
	REFUSED_SIZE,    /* limit: bytes of the pool */
	REFUSED_BLOCK,   /* limit: bytes of the largest block */
	REFUSED_MISSING, /* bound by name, and not there */
};

struct step {
	const struct pool *pool; /* NULL: REFUSED_MISSING */
	unsigned int index;      /* of the pool */
	enum mapping mapping;    /* that this pool will give */
	enum verdict verdict;
	uint64_t limit;
	const struct facts *missing_for;
};

#define STEPS_MAX (POOLS_MAX + DEVICES_MAX)

/* Points into the pools and facts that it was made from. */
struct plan {
	uint64_t size;
	uint64_t alignment;    /* 0 for any */
	unsigned int relaxed;  /* constraints that were asked for, and are not in this plan */
	unsigned int in_force; /* of those that may be relaxed, and would make a difference */
	bool contiguous;
	enum contiguous_why contiguous_why;
	const struct facts *contiguous_for;
	uint64_t max_address; /* highest address allowed; 0 for no limit */
	enum address_why address_why;
	const struct facts *address_for;
	enum mapping mapping;
	enum mapping_why mapping_why;
	const struct facts *mapping_for;
	bool reads_often;     /* which a mapping that is not cached makes slow */
	int error;            /* 0, or why there is nothing to try: -E2BIG, -EOPNOTSUPP */
	unsigned int n_tries; /* the first so many steps */
	unsigned int n_steps;
	struct step steps[STEPS_MAX];
};

static inline bool step_is_tried(const struct step *step)
{
	return step->verdict <= TRY_REGION;
}

const char *step_get_name(const struct step *step);

/* Constraints that a buffer of this step does without. */
unsigned int step_get_relaxed(const struct plan *plan, const struct step *step);

#define RELAXED_TEXT 96

/* "the mapping, one block"; returns text. */
const char *relaxed_text(char text[static RELAXED_TEXT], unsigned int relaxed);

/* Each writes one sentence without a full stop. */
void plan_say_contiguous(const struct plan *plan, char *text, size_t size);
void plan_say_address(const struct plan *plan, char *text, size_t size);
void plan_say_alignment(const struct plan *plan, char *text, size_t size);
void plan_say_mapping(const struct plan *plan, char *text, size_t size);
void plan_say_step(const struct plan *plan, const struct step *step, char *text, size_t size);

#endif
