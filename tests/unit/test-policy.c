/* SPDX-License-Identifier: MIT */
/*
 * The policy's decision and its words, with exact values.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "test.h"

#include "policy.h"
#include "text.h"

#define BOTH (MAPPING_BIT(MAPPING_CACHED) | MAPPING_BIT(MAPPING_WRITE_COMBINED))
#define CACHED MAPPING_BIT(MAPPING_CACHED)
#define WC MAPPING_BIT(MAPPING_WRITE_COMBINED)
#define BIT(n) (UINT64_C(1) << (n))

enum {
	CAMERA,
	CODEC,
	CMA,
	BUDDY,
	SYSTEM_REGION,
	N_POOLS
};

/* A board as in the device tree: two regions of devices, and the system's own memory. */
static const struct pool board[N_POOLS] = {
	[CAMERA] = {.name = "camera",
		    .kind = KIND_COHERENT,
		    .mappings = WC,
		    .base = 0x50000000,
		    .size = MIB(32),
		    .max_block = MIB(32)},
	[CODEC] = {.name = "codec",
		   .kind = KIND_CMA,
		   .mappings = BOTH,
		   .base = 0x60000000,
		   .size = MIB(64),
		   .max_block = MIB(64)},
	[CMA] = {.name = "cma", .kind = KIND_CMA, .mappings = BOTH, .system = true},
	[BUDDY] = {.name = "buddy",
		   .kind = KIND_BUDDY,
		   .mappings = BOTH,
		   .system = true,
		   .max_block = MIB(4)},
	[SYSTEM_REGION] = {.name = "spare",
			   .kind = KIND_COHERENT,
			   .mappings = WC,
			   .system = true,
			   .base = 0x180000000,
			   .size = MIB(128)},
};

static const struct facts camera = {
	.key = "platform:camera", .dma_mask = UINT32_MAX, .bound = BIT(CAMERA)};
static const struct facts codec = {
	.key = "platform:codec", .dma_mask = UINT64_MAX, .bound = BIT(CODEC)};
static const struct facts gpu = {
	.key = "pci:0000:00:02.0", .coherent = true, .iommu = true, .dma_mask = 0xfffffff};
static const struct facts display = {.key = "platform:display", .iommu = true};

static void decide(const struct policy_request *request, const struct facts *devices,
		   unsigned int n, struct plan *plan)
{
	memset(plan, 0xa5, sizeof(*plan)); /* nothing may depend on what was there */
	policy_decide(request, devices, n, board, N_POOLS, plan);
}

static struct policy_request ask(uint64_t size)
{
	return (struct policy_request){.size = size, .pool = ""};
}

/* "camera+ cma+ codec- ": the order of the steps, tried or refused. */
static void assert_order(const struct plan *plan, const char *expected)
{
	char order[512] = "";

	for (unsigned int i = 0; i < plan->n_steps; i++) {
		strcat(order, step_get_name(&plan->steps[i]));
		strcat(order, step_is_tried(&plan->steps[i]) ? "+ " : "- ");
		assert_int_equal(step_is_tried(&plan->steps[i]), i < plan->n_tries);
	}
	assert_string_equal(order, expected);
}

static const struct step *find(const struct plan *plan, const char *name)
{
	for (unsigned int i = 0; i < plan->n_steps; i++)
		if (!strcmp(step_get_name(&plan->steps[i]), name))
			return &plan->steps[i];
	fail_msg("no step %s", name);
	return NULL;
}

static void assert_why(const struct plan *plan, const char *name, const char *expected)
{
	char text[160];

	plan_say_step(plan, find(plan, name), text, sizeof(text));
	assert_string_equal(text, expected);
}

/* No device, one, several; with and without the need for one block. */
static void order_of_pools(void **state)
{
	const struct facts both_bound[] = {
		{.key = "platform:a", .bound = BIT(CAMERA) | BIT(CODEC) | BIT(CMA) | BIT(BUDDY)},
		{.key = "platform:b", .bound = BIT(BUDDY) | BIT(CODEC) | BIT(CAMERA)},
	};
	const struct facts far_camera = {.key = "platform:far", .bound = BIT(CAMERA)};
	const struct {
		struct facts devices[2];
		unsigned int n;
		bool contiguous;
		const char *order;
	} rows[] = {
		{{{""}}, 0, false, "buddy+ cma+ spare+ camera- codec- "},
		{{{""}}, 0, true, "cma+ buddy+ spare+ camera- codec- "},
		{{far_camera}, 1, false, "camera+ cma+ buddy+ spare+ codec- "},
		{{far_camera}, 1, true, "camera+ cma+ buddy+ spare+ codec- "},
		{{camera}, 1, false, "camera+ cma+ buddy+ codec- spare- "},
		{{codec}, 1, false, "codec+ cma+ buddy+ spare+ camera- "},
		{{gpu}, 1, false, "buddy+ cma+ spare+ camera- codec- "},
		{{gpu}, 1, true, "cma+ buddy+ spare+ camera- codec- "},
		{{gpu, display}, 2, false, "buddy+ cma+ spare+ camera- codec- "},
		{{gpu, codec}, 2, false, "cma+ buddy+ spare+ camera- codec- "},
		{{camera, codec}, 2, false, "cma+ buddy+ camera- codec- spare- "},
		{{both_bound[0], both_bound[1]}, 2, false, "camera+ codec+ buddy+ cma+ spare+ "},
		/* Of the same rank, the lower index comes first. */
		{{both_bound[0]}, 1, false, "camera+ codec+ cma+ buddy+ spare+ "},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct policy_request request = ask(PAGE);
		struct plan plan;

		request.contiguous = rows[i].contiguous;
		decide(&request, rows[i].devices, rows[i].n, &plan);
		assert_order(&plan, rows[i].order);
		assert_int_equal(plan.error, 0);
	}
}

static void bound_to_all_scattered(void **state)
{
	struct facts devices[] = {gpu, display};
	struct policy_request request = ask(MIB(8));
	struct plan plan;

	devices[0].bound = devices[1].bound = BIT(CODEC);
	decide(&request, devices, 2, &plan);
	assert_order(&plan, "codec+ buddy+ cma+ spare+ camera- ");
	assert_int_equal(plan.steps[0].verdict, TRY_BOUND);
	assert_int_equal(plan.steps[0].index, CODEC);
}

static void contiguity(void **state)
{
	const struct facts mixed[] = {gpu, codec, camera};
	const struct facts behind[] = {gpu, display};
	struct policy_request request = ask(PAGE);
	struct plan plan;

	decide(&request, mixed, 3, &plan);
	assert_true(plan.contiguous);
	assert_int_equal(plan.contiguous_why, CONTIGUOUS_NO_IOMMU);
	assert_ptr_equal(plan.contiguous_for, &mixed[1]);

	decide(&request, behind, 2, &plan);
	assert_false(plan.contiguous);
	assert_int_equal(plan.contiguous_why, SCATTERED_IOMMU);

	decide(&request, NULL, 0, &plan);
	assert_false(plan.contiguous);
	assert_int_equal(plan.contiguous_why, SCATTERED_NO_DEVICE);

	request.contiguous = true;
	decide(&request, behind, 2, &plan);
	assert_true(plan.contiguous);
	assert_int_equal(plan.contiguous_why, CONTIGUOUS_ASKED);
	decide(&request, NULL, 0, &plan);
	assert_true(plan.contiguous);
}

static void highest_address(void **state)
{
	const struct facts narrow = {.key = "a", .dma_mask = 0x3fffffff};
	const struct facts any = {.key = "b", .dma_mask = 0};
	const struct {
		struct facts devices[3];
		unsigned int n;
		uint64_t max;
		int who; /* -1: nobody */
	} rows[] = {
		{{{""}}, 0, 0, -1},
		{{codec}, 1, 0, -1}, /* all ones */
		{{any}, 1, 0, -1},
		{{camera}, 1, UINT32_MAX, 0},
		{{camera, narrow}, 2, 0x3fffffff, 1},
		{{narrow, camera, codec}, 3, 0x3fffffff, 0},
		{{gpu}, 1, 0, -1}, /* its mask limits what the IOMMU gives it */
		{{gpu, camera}, 2, UINT32_MAX, 1},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct policy_request request = ask(PAGE);
		struct plan plan;

		decide(&request, rows[i].devices, rows[i].n, &plan);
		assert_int_equal(plan.max_address, rows[i].max);
		assert_ptr_equal(plan.address_for,
				 rows[i].who < 0 ? NULL : &rows[i].devices[rows[i].who]);
	}
}

/* A region that starts below the limit but is not wholly below it serves what fits. */
static void address_of_pool(void **state)
{
	struct facts device = {.key = "platform:old", .bound = BIT(CAMERA)};
	const struct {
		uint64_t mask;
		uint64_t size;
		enum verdict verdict;
		uint64_t limit;
	} rows[] = {
		{0x4fffffff, PAGE, REFUSED_ADDRESS, 0},
		{0x50000000, PAGE, REFUSED_REACH, 1},
		{0x50000ffe, PAGE, REFUSED_REACH, 4095},
		{0x50000fff, PAGE, TRY_BOUND, 0},
		{0x50000fff, 2 * PAGE, REFUSED_REACH, 4096},
		{0x51ffffff, MIB(32), TRY_BOUND, 0},
		{0x51fffffe, MIB(32), REFUSED_REACH, MIB(32) - 1},
		{0x50ffffff, MIB(33), REFUSED_SIZE, MIB(32)},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct policy_request request = ask(rows[i].size);
		struct plan plan;

		device.dma_mask = rows[i].mask;
		decide(&request, &device, 1, &plan);
		assert_int_equal(find(&plan, "camera")->verdict, rows[i].verdict);
		assert_int_equal(find(&plan, "camera")->limit, rows[i].limit);
	}
}

static void mapping(void **state)
{
	const struct {
		struct facts devices[2];
		unsigned int n;
		bool reads_often;
		enum mapping asked, expected;
		enum mapping_why why;
		enum mapping of_camera; /* a pool that can only be write-combined */
	} rows[] = {
		{{{""}}, 0, false, MAPPING_ANY, MAPPING_CACHED, MAPPING_NO_DEVICE, WC},
		{{gpu}, 1, false, MAPPING_ANY, MAPPING_CACHED, MAPPING_COHERENT, WC},
		{{gpu, camera},
		 2,
		 false,
		 MAPPING_ANY,
		 MAPPING_WRITE_COMBINED,
		 MAPPING_NOT_COHERENT,
		 WC},
		{{camera}, 1, true, MAPPING_ANY, MAPPING_CACHED, MAPPING_READS_OFTEN, WC},
		{{gpu}, 1, true, MAPPING_ANY, MAPPING_CACHED, MAPPING_COHERENT, WC},
		{{camera}, 1, false, MAPPING_CACHED, MAPPING_CACHED, MAPPING_ASKED, 0},
		{{gpu},
		 1,
		 false,
		 MAPPING_WRITE_COMBINED,
		 MAPPING_WRITE_COMBINED,
		 MAPPING_ASKED,
		 WC},
		{{camera},
		 1,
		 true,
		 MAPPING_WRITE_COMBINED,
		 MAPPING_WRITE_COMBINED,
		 MAPPING_ASKED,
		 WC},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct policy_request request = ask(PAGE);
		struct plan plan;

		request.mapping = rows[i].asked;
		request.cpu_reads = rows[i].reads_often ? OFTEN : OFTEN_UNSAID;
		decide(&request, rows[i].devices, rows[i].n, &plan);
		assert_int_equal(plan.mapping, rows[i].expected);
		assert_int_equal(plan.mapping_why, rows[i].why);
		assert_int_equal(find(&plan, "cma")->mapping, rows[i].expected);
		assert_int_equal(find(&plan, "spare")->mapping,
				 rows[i].of_camera ? MAPPING_WRITE_COMBINED : MAPPING_ANY);
	}
}

static void sizes_at_the_edges(void **state)
{
	const struct {
		uint64_t size;
		const char *order;
		int error;
	} rows[] = {
		{PAGE, "camera+ cma+ buddy+ codec- spare- ", 0},
		{MIB(4), "camera+ cma+ buddy+ codec- spare- ", 0},
		{MIB(4) + PAGE, "camera+ cma+ codec- buddy- spare- ", 0},
		{MIB(32), "camera+ cma+ codec- buddy- spare- ", 0},
		{MIB(32) + PAGE, "cma+ camera- codec- buddy- spare- ", 0},
		{UINT64_MAX - PAGE + 1, "cma+ camera- codec- buddy- spare- ", 0},
	};
	struct plan plan;

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct policy_request request = ask(rows[i].size);

		decide(&request, &camera, 1, &plan);
		assert_order(&plan, rows[i].order);
		assert_int_equal(plan.error, rows[i].error);
	}
}

static void errors_when_nothing_is_left(void **state)
{
	const struct {
		const char *pool;
		enum mapping mapping;
		uint64_t size;
		int error;
	} rows[] = {
		{"buddy", MAPPING_ANY, MIB(4), 0},
		{"buddy", MAPPING_ANY, MIB(4) + PAGE, -E2BIG},
		{"camera", MAPPING_ANY, MIB(32) + PAGE, -E2BIG},
		{"camera", MAPPING_CACHED, PAGE, -EOPNOTSUPP},
		/* A smaller one would not be mapped differently. */
		{"camera", MAPPING_CACHED, GIB(1), -EOPNOTSUPP},
		{"codec", MAPPING_ANY, PAGE, -EOPNOTSUPP},
		{"spare", MAPPING_ANY, PAGE, -EOPNOTSUPP}, /* above the mask */
		{"nonsense", MAPPING_ANY, PAGE, -EOPNOTSUPP},
	};
	struct plan plan;

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct policy_request request = ask(rows[i].size);

		request.pool = rows[i].pool;
		request.mapping = rows[i].mapping;
		decide(&request, &camera, 1, &plan);
		assert_int_equal(plan.error, rows[i].error);
		assert_int_equal(plan.n_tries, rows[i].error == 0);
		assert_int_equal(plan.n_steps, N_POOLS);
	}
	policy_decide(&(struct policy_request){.size = PAGE, .pool = ""}, NULL, 0, NULL, 0, &plan);
	assert_int_equal(plan.error, -EOPNOTSUPP);
	assert_int_equal(plan.n_steps, 0);
}

static void limits_of_refusals(void **state)
{
	struct policy_request request = ask(MIB(40));
	struct plan plan;

	decide(&request, &camera, 1, &plan);
	assert_int_equal(find(&plan, "camera")->verdict, REFUSED_SIZE);
	assert_int_equal(find(&plan, "camera")->limit, MIB(32));
	assert_int_equal(find(&plan, "buddy")->verdict, REFUSED_BLOCK);
	assert_int_equal(find(&plan, "buddy")->limit, MIB(4));
	assert_int_equal(find(&plan, "codec")->verdict, REFUSED_FOREIGN);
	assert_int_equal(find(&plan, "spare")->verdict, REFUSED_ADDRESS);
	assert_why(&plan, "camera", "the whole pool is 32.0 MiB");
	assert_why(&plan, "buddy", "one block is at most 4.0 MiB");
	assert_why(&plan, "codec", "belongs to other devices");
	assert_why(&plan, "spare",
		   "lies above 0xffffffff, the highest address that platform:camera reaches");
	assert_why(&plan, "cma", "contiguous memory of the system");

	decide(&(struct policy_request){.size = MIB(20), .pool = "camera"},
	       &(struct facts){.key = "a:b", .dma_mask = 0x50ffffff, .bound = BIT(CAMERA)}, 1,
	       &plan);
	assert_int_equal(plan.error, -E2BIG);
	assert_why(&plan, "camera",
		   "only 16.0 MiB of it are below the highest address that a:b reaches");

	request.pool = "camera";
	request.mapping = MAPPING_CACHED;
	decide(&request, &camera, 1, &plan);
	assert_why(&plan, "camera", "cannot be mapped cached");
	assert_why(&plan, "cma", "not the pool that the request insists on");
}

static void pool_that_is_missing(void **state)
{
	struct facts device = {.key = "pci:0000:00:03.0", .iommu = true, .missing = "vpu"};
	struct policy_request request = ask(PAGE);
	struct plan plan;

	decide(&request, &device, 1, &plan);
	assert_order(&plan, "buddy+ cma+ spare+ camera- codec- vpu- ");
	assert_why(&plan, "vpu",
		   "udev property DMABUF_POOL of pci:0000:00:03.0 names it: there is no such pool");
}

static void all_indices(void **state)
{
	struct facts device = {.key = "x", .bound = UINT64_MAX};
	struct pool pools[POOLS_MAX];
	struct policy_request request = ask(PAGE);
	struct plan plan;

	for (unsigned int i = 0; i < POOLS_MAX; i++)
		pools[i] = (struct pool){.name = "p", .kind = KIND_CMA, .mappings = BOTH};
	policy_decide(&request, &device, 1, pools, POOLS_MAX, &plan);
	assert_int_equal(plan.n_tries, POOLS_MAX);
	for (unsigned int i = 0; i < POOLS_MAX; i++)
		assert_int_equal(plan.steps[i].index, i);
	device.bound = BIT(63);
	policy_decide(&request, &device, 1, pools, POOLS_MAX, &plan);
	assert_int_equal(plan.n_tries, 1);
	assert_int_equal(plan.steps[0].index, 63);
}

static void words(void **state)
{
	const struct facts behind[] = {gpu, display};
	struct policy_request request = ask(PAGE);
	char text[160];
	struct plan plan;

	decide(&request, &camera, 1, &plan);
	plan_say_contiguous(&plan, text, sizeof(text));
	assert_string_equal(text, "needed: no IOMMU translates for platform:camera");
	plan_say_address(&plan, text, sizeof(text));
	assert_string_equal(text, "at most 0xffffffff: the DMA mask of platform:camera");
	plan_say_mapping(&plan, text, sizeof(text));
	assert_string_equal(text, "write-combined: platform:camera is not coherent with the CPU's "
				  "cache");
	assert_why(&plan, "camera", "bound to every device of the request");

	decide(&request, behind, 1, &plan);
	plan_say_mapping(&plan, text, sizeof(text));
	assert_string_equal(text, "cached: every device is coherent with the CPU's cache");
	plan_say_contiguous(&plan, text, sizeof(text));
	assert_string_equal(text, "not needed: an IOMMU translates for every device");
	assert_why(&plan, "spare",
		   "a reserved region of the system, the last resort; it can only be mapped "
		   "write-combined");
	assert_why(&plan, "buddy", "blocks of the page allocator, wherever they are");
}

static void sizes_in_words(void **state)
{
	const struct {
		uint64_t bytes;
		const char *text;
	} rows[] = {
		{0, "0 B"},
		{1023, "1023 B"},
		{1024, "1.0 KiB"},
		{1536, "1.5 KiB"},
		{MIB(1) - 1, "1023.9 KiB"},
		{MIB(500), "500.0 MiB"},
		{GIB(1) + MIB(100), "1.0 GiB"},
		{UINT64_C(1) << 63, "8.0 EiB"},
		{UINT64_MAX, "15.9 EiB"},
	};
	char text[SIZE_TEXT];

	for (size_t i = 0; i < N_ELEMENTS(rows); i++)
		assert_string_equal(size_text(text, rows[i].bytes), rows[i].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_of_pools),     cmocka_unit_test(bound_to_all_scattered),
		cmocka_unit_test(contiguity),         cmocka_unit_test(highest_address),
		cmocka_unit_test(address_of_pool),    cmocka_unit_test(mapping),
		cmocka_unit_test(sizes_at_the_edges), cmocka_unit_test(errors_when_nothing_is_left),
		cmocka_unit_test(limits_of_refusals), cmocka_unit_test(pool_that_is_missing),
		cmocka_unit_test(all_indices),        cmocka_unit_test(words),
		cmocka_unit_test(sizes_in_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
