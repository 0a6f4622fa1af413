/* SPDX-License-Identifier: MIT */
/*
 * What the quota would say, and what another decision would need: exact numbers and words, and no
 * charge left behind.
 */
#include <errno.h>
#include <string.h>

#include "test.h"

#include "forecast.h"
#include "needs.h"
#include "policy.h"
#include "refusal.h"

#define BOTH (MAPPING_BIT(MAPPING_CACHED) | MAPPING_BIT(MAPPING_WRITE_COMBINED))

/* A user of 10 MiB and 3 buffers, on a device of 8 MiB. */
static const struct claim claims[] = {
	{.id = {ACCOUNT_USER, 1000, "", ""},
	 .bytes = {.max = MIB(10), .section = "Daemon", .key = "UserBytesMax"},
	 .buffers = {.max = 3, .section = "Daemon", .key = "UserBuffersMax"},
	 .capacity = INFINITE},
	{.id = {ACCOUNT_DEVICE, 0, "platform:camera", ""},
	 .bytes = {.max = MIB(8), .section = "Device *", .key = "BytesMax"},
	 .buffers = {.max = INFINITE},
	 .capacity = INFINITE},
};

#define N_CLAIMS 2

static void expect(struct quota *quota, uint64_t bytes, unsigned int count, int error,
		   const char *fact)
{
	struct refusal refusal;
	char text[256];

	assert_int_equal(forecast(quota, claims, N_CLAIMS, bytes, count, &refusal), error);
	if (error == 0)
		return;
	refusal_say_fact(&refusal, text, sizeof(text));
	assert_string_equal(text, fact);
}

static void quota_would_say(void **state)
{
	struct charge held = {0};
	struct quota *quota = NULL;
	struct refusal refusal;

	assert_int_equal(quota_new(&quota), 0);
	expect(quota, MIB(8), 1, 0, NULL);
	expect(quota, MIB(8) + 1, 1, -EDQUOT, "platform:camera has 0 B of 8.0 MiB");
	expect(quota, MIB(4), 2, 0, NULL);
	/* What is held is told, not what the same request would hold by then. */
	expect(quota, MIB(4), 3, -EDQUOT, "user 1000 holds 0 B of 10.0 MiB");
	expect(quota, KIB(4), 4, -EDQUOT, "user 1000 holds 0 of 3 buffers");
	assert_int_equal(charge_take(&held, quota, claims, N_CLAIMS, MIB(6), &refusal), 0);
	expect(quota, MIB(2), 1, 0, NULL);
	expect(quota, MIB(3), 1, -EDQUOT, "platform:camera has 6.0 MiB of 8.0 MiB");
	expect(quota, KIB(4), 3, -EDQUOT, "user 1000 holds 1 of 3 buffers");
	assert_int_equal(quota_get_bytes(quota, &claims[0].id), MIB(6));
	assert_int_equal(quota_get_buffers(quota, &claims[0].id), 1);
	charge_release(&held);
	/* Asserts that nothing is left. */
	quota_free(quota);
}

static void nearest_limit(void **state)
{
	const struct claim unlimited = {.id = {ACCOUNT_USER, 1, "", ""},
					.bytes = {.max = INFINITE},
					.buffers = {.max = INFINITE}};
	struct charge held = {0};
	struct quota *quota = NULL;
	struct refusal refusal;
	char text[256];

	assert_int_equal(quota_new(&quota), 0);
	assert_false(forecast_nearest(quota, &unlimited, 1, &refusal));
	assert_int_equal(charge_take(&held, quota, claims, 1, MIB(5), &refusal), 0);
	/* 5 MiB left for the user, 8 for the device. */
	assert_true(forecast_nearest(quota, claims, N_CLAIMS, &refusal));
	refusal_say_fact(&refusal, text, sizeof(text));
	assert_string_equal(text, "user 1000 holds 5.0 MiB of 10.0 MiB");
	charge_release(&held);
	assert_true(forecast_nearest(quota, claims, N_CLAIMS, &refusal));
	refusal_say_fact(&refusal, text, sizeof(text));
	assert_string_equal(text, "platform:camera has 0 B of 8.0 MiB");
	quota_free(quota);
}

static void remedies(void **state)
{
	struct refusal refusal = {.claim = claims[0], .why = BEYOND_BYTES, .limit = 1};
	char text[256];

	refusal_say_remedy(&refusal, text, sizeof(text));
	assert_string_equal(text, "close buffers, or raise UserBytesMax= in [Daemon] of "
				  "dmabufd.conf");
	refusal.why = BEYOND_KEPT;
	refusal_say_fact(&refusal, text, sizeof(text));
	assert_string_equal(text, "1 B of it are reserved for other devices");
	refusal_say_remedy(&refusal, text, sizeof(text));
	assert_string_equal(text, "see Reserve= in dmabufd.conf");
}

enum {
	CAMERA,
	CODEC,
	BUDDY,
	N_POOLS
};

static const struct pool board[N_POOLS] = {
	[CAMERA] = {.name = "camera",
		    .kind = KIND_COHERENT,
		    .mappings = MAPPING_BIT(MAPPING_WRITE_COMBINED),
		    .base = 0x50000000,
		    .size = MIB(64),
		    .used = MIB(52),
		    .max_block = MIB(64),
		    .free_known = true,
		    .free_block = MIB(3)},
	[CODEC] = {.name = "codec", .kind = KIND_CMA, .mappings = BOTH, .size = MIB(64)},
	[BUDDY] = {.name = "buddy",
		   .kind = KIND_BUDDY,
		   .mappings = BOTH,
		   .system = true,
		   .max_block = MIB(4)},
};

static const struct facts camera = {
	.key = "platform:camera", .dma_mask = UINT32_MAX, .bound = 1 << CAMERA};

static void decide(uint64_t size, struct plan *plan)
{
	const struct policy_request request = {.size = size, .pool = ""};

	policy_decide(&request, &camera, 1, board, N_POOLS, plan);
}

static void expect_step(const struct plan *plan, const char *pool, bool full, const char *room,
			const char *needs)
{
	char text[256];

	for (unsigned int i = 0; i < plan->n_steps; i++) {
		const struct step *step = &plan->steps[i];

		if (strcmp(step_get_name(step), pool))
			continue;
		assert_int_equal(step_is_full(plan, step), full);
		step_say_room(step, text, sizeof(text));
		assert_string_equal(text, room);
		needs_say_step(plan, step, text, sizeof(text));
		assert_string_equal(text, needs);
		return;
	}
	fail_msg("no step for %s", pool);
}

#define ROOM "12.0 MiB of 64.0 MiB are free, the largest block is 3.0 MiB"

static void what_a_pool_would_need(void **state)
{
	struct plan plan;

	decide(MIB(3), &plan);
	expect_step(&plan, "camera", false, ROOM, "");
	decide(MIB(3) + PAGE, &plan);
	expect_step(&plan, "camera", true, ROOM, "neighbouring buffers to be released");
	decide(MIB(13), &plan);
	expect_step(&plan, "camera", true, ROOM, "1.0 MiB more to be released");
	expect_step(&plan, "codec", false, "64.0 MiB of 64.0 MiB are free",
		    "memory-region in the device tree, or DMABUF_POOL=codec of udev, for every "
		    "device");
	expect_step(&plan, "buddy", false, "",
		    "a buffer of at most 4.0 MiB, or one that need not be contiguous");
	decide(MIB(65), &plan);
	expect_step(&plan, "camera", true, ROOM, "a buffer of at most 64.0 MiB");
}

static void what_a_decision_would_need(void **state)
{
	struct plan plan;
	char text[256];

	decide(MIB(1), &plan);
	needs_say_contiguous(&plan, text, sizeof(text));
	assert_string_equal(text,
			    "an IOMMU for platform:camera, which then takes scattered memory");
	needs_say_address(&plan, text, sizeof(text));
	assert_string_equal(text, "an IOMMU or a wider DMA mask for platform:camera");
	needs_say_mapping(&plan, text, sizeof(text));
	assert_string_equal(text, "a request that says that the CPU reads often: cached");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quota_would_say),
		cmocka_unit_test(nearest_limit),
		cmocka_unit_test(remedies),
		cmocka_unit_test(what_a_pool_would_need),
		cmocka_unit_test(what_a_decision_would_need),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
