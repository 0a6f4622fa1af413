/* SPDX-License-Identifier: MIT */
/*
 * What a request asks for beyond its devices: alignment, highest address, words on the CPU, roles;
 * and what of it is preferred only, in which order that is given up, and when never.
 */
#include <errno.h>
#include <string.h>

#include "test.h"

#include "needs.h"
#include "outlook.h"

#define BOTH (MAPPING_BIT(MAPPING_CACHED) | MAPPING_BIT(MAPPING_WRITE_COMBINED))
#define WC MAPPING_BIT(MAPPING_WRITE_COMBINED)
#define ALL (CONSTRAINT_MAPPING | CONSTRAINT_ALIGNMENT | CONSTRAINT_CONTIGUOUS | CONSTRAINT_ADDRESS)

enum {
	REGION,
	CMA,
	BUDDY,
	N_POOLS
};

static const struct pool board[N_POOLS] = {
	[REGION] = {.name = "region",
		    .kind = KIND_COHERENT,
		    .mappings = WC,
		    .system = true,
		    .base = UINT64_C(0x140000000),
		    .size = MIB(64),
		    .max_block = MIB(64)},
	[CMA] = {.name = "cma",
		 .kind = KIND_CMA,
		 .mappings = BOTH,
		 .system = true,
		 .base = 0x40000000,
		 .size = MIB(16),
		 .max_block = MIB(16)},
	[BUDDY] = {.name = "buddy",
		   .kind = KIND_BUDDY,
		   .mappings = BOTH,
		   .system = true,
		   .max_block = MIB(4)},
};

static const struct facts plain = {.key = "platform:plain", .dma_mask = UINT64_MAX};
static const struct facts narrow = {.key = "platform:narrow", .dma_mask = 0xfffffff};
static const struct facts behind = {.key = "pci:behind", .iommu = true, .coherent = true};

static struct policy_request ask(uint64_t size)
{
	return (struct policy_request){.size = size, .pool = ""};
}

static void decide(const struct policy_request *request, const struct facts *device,
		   struct plan *plan)
{
	memset(plan, 0xa5, sizeof(*plan)); /* nothing may depend on what was there */
	policy_decide(request, device, device ? 1 : 0, board, N_POOLS, plan);
}

static const struct step *find(const struct plan *plan, const char *name)
{
	for (unsigned int i = 0; i < plan->n_steps; i++)
		if (!strcmp(step_get_name(&plan->steps[i]), name))
			return &plan->steps[i];
	fail_msg("no step %s", name);
	return NULL;
}

static void assert_says(void (*say)(const struct plan *, char *, size_t), const struct plan *plan,
			const char *expected)
{
	char text[160];

	say(plan, text, sizeof(text));
	assert_string_equal(text, expected);
}

static void assert_why(const struct plan *plan, const char *name, const char *expected)
{
	char text[160];

	plan_say_step(plan, find(plan, name), text, sizeof(text));
	assert_string_equal(text, expected);
}

/* What each pool promises of a block, and nothing more. */
static void alignment(void **state)
{
	const struct {
		uint64_t size, alignment;
		const char *pool;
		bool tried;
		uint64_t limit;
	} rows[] = {
		{KIB(64), KIB(64), "buddy", true, 0},
		{KIB(64), KIB(128), "buddy", false, KIB(64)},
		/* A block is as large as the next power of two. */
		{KIB(68), KIB(128), "buddy", true, 0},
		{MIB(4), MIB(4), "buddy", true, 0},
		{KIB(64), KIB(64), "cma", true, 0},
		{KIB(64), KIB(128), "cma", false, KIB(64)},
		{MIB(8), MIB(1), "cma", true, 0},
		{MIB(8), MIB(2), "cma", false, MIB(1)},
		{MIB(8), 2 * PAGE, "region", false, 0},
		{MIB(8), 0, "region", true, 0},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct policy_request request = ask(rows[i].size);
		struct plan plan;

		request.alignment = rows[i].alignment;
		decide(&request, NULL, &plan);
		assert_int_equal(step_is_tried(find(&plan, rows[i].pool)), rows[i].tried);
		assert_int_equal(find(&plan, rows[i].pool)->limit, rows[i].limit);
		assert_int_equal(plan.contiguous, rows[i].alignment != 0);
		assert_int_equal(plan.in_force, 0);
	}
}

static void alignment_in_words(void **state)
{
	struct policy_request request = ask(KIB(64));
	struct plan plan;
	char text[160];

	decide(&request, NULL, &plan);
	assert_says(plan_say_alignment, &plan, "to pages, as every buffer is");
	request.alignment = MIB(1);
	decide(&request, NULL, &plan);
	assert_int_equal(plan.error, -EOPNOTSUPP);
	assert_says(plan_say_alignment, &plan, "to 1.0 MiB: the request asks for it");
	assert_says(plan_say_contiguous, &plan,
		    "needed: the request asks for an alignment, which only one block has");
	assert_why(&plan, "buddy", "aligns a buffer of this size to 64.0 KiB");
	assert_why(&plan, "region", "aligns a buffer of this size to pages");
	needs_say_step(&plan, find(&plan, "buddy"), text, sizeof(text));
	assert_string_equal(text, "a buffer of more than 512.0 KiB, or a smaller alignment");
	needs_say_step(&plan, find(&plan, "region"), text, sizeof(text));
	assert_string_equal(text, "a smaller alignment");
	assert_says(needs_say_alignment, &plan, "a request without an alignment");
}

/* The lowest of what the devices reach and what the request takes. */
static void highest_address(void **state)
{
	struct policy_request request = ask(PAGE);
	struct plan plan;

	request.max_address = UINT32_MAX;
	decide(&request, NULL, &plan);
	assert_int_equal(plan.max_address, UINT32_MAX);
	assert_says(plan_say_address, &plan, "at most 0xffffffff: the request asks for it");
	assert_why(&plan, "region",
		   "lies above 0xffffffff, the highest address that the request takes");
	decide(&request, &plain, &plan);
	assert_int_equal(plan.max_address, UINT32_MAX);
	decide(&request, &behind, &plan);
	assert_int_equal(plan.max_address, UINT32_MAX);
	decide(&request, &narrow, &plan);
	assert_int_equal(plan.max_address, 0xfffffff);
	assert_says(plan_say_address, &plan, "at most 0xfffffff: the DMA mask of platform:narrow");
	request.max_address = 0x7ffffff;
	decide(&request, &narrow, &plan);
	assert_int_equal(plan.max_address, 0x7ffffff);

	request.size = MIB(2);
	request.max_address = 0x400fffff;
	decide(&request, NULL, &plan);
	assert_int_equal(find(&plan, "cma")->verdict, REFUSED_REACH);
	assert_why(&plan, "cma",
		   "only 1.0 MiB of it are below the highest address that the request takes");
}

static void words_on_the_cpu(void **state)
{
	const struct {
		const struct facts *device;
		enum often reads, writes;
		unsigned int roles;
		enum mapping mapping;
		enum mapping_why why;
	} rows[] = {
		{&plain, OFTEN, OFTEN, 0, MAPPING_CACHED, MAPPING_READS_OFTEN},
		{&plain, OFTEN, OFTEN_NEVER, 0, MAPPING_CACHED, MAPPING_READS_OFTEN},
		{&plain, OFTEN_RARELY, OFTEN, 0, MAPPING_WRITE_COMBINED, MAPPING_NOT_COHERENT},
		{&behind, OFTEN_RARELY, OFTEN, 0, MAPPING_CACHED, MAPPING_COHERENT},
		{&behind, OFTEN_NEVER, OFTEN, 0, MAPPING_WRITE_COMBINED, MAPPING_FILLED},
		{&plain, OFTEN_NEVER, OFTEN, 0, MAPPING_WRITE_COMBINED, MAPPING_FILLED},
		{&behind, OFTEN_NEVER, OFTEN_RARELY, 0, MAPPING_CACHED, MAPPING_COHERENT},
		{&behind, OFTEN_NEVER, OFTEN_NEVER, 0, MAPPING_CACHED, MAPPING_COHERENT},
		{&behind, OFTEN_UNSAID, OFTEN, 0, MAPPING_CACHED, MAPPING_COHERENT},
		/* Who fills what these read. */
		{&behind, 0, 0, ROLE_ENCODE, MAPPING_WRITE_COMBINED, MAPPING_FILLED},
		{&behind, 0, 0, ROLE_SCAN_OUT, MAPPING_WRITE_COMBINED, MAPPING_FILLED},
		{NULL, 0, 0, ROLE_SCAN_OUT, MAPPING_WRITE_COMBINED, MAPPING_FILLED},
		{&behind, OFTEN_RARELY, 0, ROLE_SCAN_OUT, MAPPING_CACHED, MAPPING_COHERENT},
		{&behind, 0, OFTEN, ROLE_SCAN_OUT, MAPPING_CACHED, MAPPING_COHERENT},
		/* Not the CPU, but what comes before them. */
		{&behind, 0, 0, ROLE_CAMERA | ROLE_ENCODE, MAPPING_CACHED, MAPPING_COHERENT},
		{&behind, 0, 0, ROLE_DECODE | ROLE_SCAN_OUT, MAPPING_CACHED, MAPPING_COHERENT},
		{&behind, 0, 0, ROLE_CAMERA, MAPPING_CACHED, MAPPING_COHERENT},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct policy_request request = ask(PAGE);
		struct plan plan;

		request.cpu_reads = rows[i].reads;
		request.cpu_writes = rows[i].writes;
		request.roles = rows[i].roles;
		decide(&request, rows[i].device, &plan);
		assert_int_equal(plan.mapping, rows[i].mapping);
		assert_int_equal(plan.mapping_why, rows[i].why);
		request.mapping = MAPPING_CACHED;
		decide(&request, rows[i].device, &plan);
		assert_int_equal(plan.mapping_why, MAPPING_ASKED);
	}
}

/* Of a device that is named, all is known. */
static void roles_stand_for_devices(void **state)
{
	const struct {
		const struct facts *device;
		unsigned int roles;
		bool contiguous;
		uint64_t max_address;
		unsigned int in_force;
	} rows[] = {
		{NULL, 0, false, 0, 0},
		{NULL, ROLE_CAMERA, true, 0, CONSTRAINT_CONTIGUOUS},
		{NULL, ROLE_SCAN_OUT, true, 0, CONSTRAINT_CONTIGUOUS},
		{NULL, ROLE_ENCODE, true, UINT32_MAX, CONSTRAINT_CONTIGUOUS | CONSTRAINT_ADDRESS},
		{NULL, ROLE_DECODE, true, UINT32_MAX, CONSTRAINT_CONTIGUOUS | CONSTRAINT_ADDRESS},
		{&behind, ROLE_DECODE | ROLE_SCAN_OUT, false, 0, 0},
		{&plain, ROLE_DECODE | ROLE_SCAN_OUT, true, 0, 0},
	};
	struct policy_request request = ask(PAGE);
	struct plan plan;

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		request.roles = rows[i].roles;
		decide(&request, rows[i].device, &plan);
		assert_int_equal(plan.contiguous, rows[i].contiguous);
		assert_int_equal(plan.max_address, rows[i].max_address);
		assert_int_equal(plan.in_force, rows[i].in_force);
	}
	request.roles = ROLE_DECODE;
	decide(&request, NULL, &plan);
	assert_says(plan_say_contiguous, &plan,
		    "preferred: a camera, codec or display that is not named may have no IOMMU");
	assert_says(plan_say_address, &plan,
		    "preferably at most 0xffffffff: a codec that is not named may reach no higher");
	/* What the request says itself is required. */
	request.contiguous = true;
	request.max_address = UINT64_C(0xffffffffff);
	decide(&request, NULL, &plan);
	assert_int_equal(plan.max_address, UINT64_C(0xffffffffff));
	assert_int_equal(plan.in_force, 0);
}

/* All that is asked for, preferred as said; which pool serves in the end, and without what. */
static void what_is_given_up(void **state)
{
	const struct {
		uint64_t size, alignment, max_address;
		enum mapping mapping;
		bool contiguous;
		unsigned int preferred;
		int error; /* of the last plan */
		const char *pool;
		unsigned int relaxed;
	} rows[] = {
		{PAGE, 0, 0, MAPPING_CACHED, true, ALL, 0, "cma", 0},
		/* As one block it is too large for what lies below the limit. */
		{MIB(32), 0, UINT32_MAX, MAPPING_CACHED, true, ALL, 0, "buddy",
		 CONSTRAINT_MAPPING | CONSTRAINT_CONTIGUOUS},
		{MIB(32), 0, UINT32_MAX, MAPPING_CACHED, true, ALL & ~CONSTRAINT_CONTIGUOUS, 0,
		 "region", CONSTRAINT_MAPPING | CONSTRAINT_ADDRESS},
		{MIB(32), 0, UINT32_MAX, MAPPING_CACHED, true, CONSTRAINT_ADDRESS, -E2BIG, NULL, 0},
		{MIB(32), 0, 0, MAPPING_CACHED, true, CONSTRAINT_MAPPING, 0, "region",
		 CONSTRAINT_MAPPING},
		{MIB(32), 0, 0, MAPPING_CACHED, true, 0, -E2BIG, NULL, 0},
		{MIB(8), MIB(2), 0, MAPPING_ANY, false, CONSTRAINT_ALIGNMENT, 0, "buddy",
		 CONSTRAINT_ALIGNMENT},
		{MIB(8), MIB(2), 0, MAPPING_ANY, true, CONSTRAINT_ALIGNMENT, 0, "cma",
		 CONSTRAINT_ALIGNMENT},
		/* A smaller block could be aligned like that. */
		{MIB(8), MIB(2), 0, MAPPING_ANY, false, 0, -E2BIG, NULL, 0},
		{MIB(8), MIB(16), 0, MAPPING_ANY, true, CONSTRAINT_CONTIGUOUS, -EOPNOTSUPP, NULL,
		 0},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct policy_request request = ask(rows[i].size);
		static struct outlook outlook;
		const struct plan *last;

		request.alignment = rows[i].alignment;
		request.max_address = rows[i].max_address;
		request.mapping = rows[i].mapping;
		request.contiguous = rows[i].contiguous;
		request.preferred = rows[i].preferred;
		memset(&outlook, 0xa5, sizeof(outlook));
		outlook_make(&request, NULL, 0, board, N_POOLS, &outlook);
		last = &outlook.plans[outlook.n_plans - 1];
		assert_int_equal(last->error, rows[i].error);
		assert_int_equal(step_is_tried(outlook.entries[0].step), !rows[i].error);
		if (!rows[i].pool)
			continue;
		assert_string_equal(step_get_name(outlook.entries[0].step), rows[i].pool);
		assert_int_equal(step_get_relaxed(outlook.entries[0].plan, outlook.entries[0].step),
				 rows[i].relaxed);
	}
}

/* One thing less in each plan, and only what makes a difference. */
static void order_of_giving_up(void **state)
{
	struct policy_request request = {.size = PAGE,
					 .alignment = PAGE * 2,
					 .mapping = MAPPING_CACHED,
					 .contiguous = true,
					 .max_address = UINT32_MAX,
					 .preferred = ALL,
					 .pool = ""};
	static struct outlook outlook;
	char text[160];

	outlook_make(&request, &behind, 1, board, N_POOLS, &outlook);
	assert_int_equal(outlook.n_plans, 5);
	assert_int_equal(outlook.plans[1].relaxed, CONSTRAINT_MAPPING);
	assert_int_equal(outlook.plans[2].relaxed, CONSTRAINT_MAPPING | CONSTRAINT_ALIGNMENT);
	assert_int_equal(outlook.plans[3].relaxed, ALL & ~CONSTRAINT_ADDRESS);
	assert_int_equal(outlook.plans[4].relaxed, ALL);
	assert_int_equal(outlook.plans[4].max_address, 0);
	assert_false(outlook.plans[4].contiguous);

	/* What the device needs stays, whatever is preferred. */
	outlook_make(&request, &narrow, 1, board, N_POOLS, &outlook);
	assert_int_equal(outlook.n_plans, 3);
	assert_int_equal(outlook.plans[2].relaxed, CONSTRAINT_MAPPING | CONSTRAINT_ALIGNMENT);
	assert_int_equal(outlook.plans[2].max_address, 0xfffffff);
	assert_true(outlook.plans[2].contiguous);

	request.preferred = 0;
	outlook_make(&request, &behind, 1, board, N_POOLS, &outlook);
	assert_int_equal(outlook.n_plans, 1);

	request.alignment = 0;
	request.preferred = CONSTRAINT_MAPPING | CONSTRAINT_CONTIGUOUS;
	outlook_make(&request, &behind, 1, board, N_POOLS, &outlook);
	assert_int_equal(outlook.n_plans, 3);
	assert_says(plan_say_contiguous, &outlook.plans[0], "preferred: the request prefers it");
	assert_says(plan_say_mapping, &outlook.plans[0], "cached: the request prefers it");
	plan_say_step(&outlook.plans[2], &outlook.plans[2].steps[0], text, sizeof(text));
	assert_string_equal(text, "blocks of the page allocator, wherever they are; without the "
				  "mapping, one block");
}

/* A wish that nobody insists on, and that is told all the same. */
static void reads_often_without_cache(void **state)
{
	struct policy_request request = ask(PAGE);
	struct plan plan;

	request.cpu_reads = OFTEN;
	decide(&request, NULL, &plan);
	assert_int_equal(step_get_relaxed(&plan, find(&plan, "region")), CONSTRAINT_MAPPING);
	assert_int_equal(step_get_relaxed(&plan, find(&plan, "cma")), 0);
	request.mapping = MAPPING_WRITE_COMBINED;
	decide(&request, NULL, &plan);
	assert_int_equal(step_get_relaxed(&plan, find(&plan, "region")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(alignment),
		cmocka_unit_test(alignment_in_words),
		cmocka_unit_test(highest_address),
		cmocka_unit_test(words_on_the_cpu),
		cmocka_unit_test(roles_stand_for_devices),
		cmocka_unit_test(what_is_given_up),
		cmocka_unit_test(order_of_giving_up),
		cmocka_unit_test(reads_often_without_cache),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
