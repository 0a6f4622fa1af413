/* SPDX-License-Identifier: MIT */
/*
 * Facts that udev and the configuration correct, what is told of it, and settings that come to
 * nothing.
 */
#include <string.h>

#include "notice.h"
#include "override.h"
#include "policy.h"
#include "review.h"
#include "settings-from.h"

static const struct pool pools[] = {
	{.name = "camera", .kind = KIND_COHERENT, .size = MIB(2), .mappings = ~0u},
	{.name = "codec", .kind = KIND_CMA, .size = MIB(64), .mappings = ~0u},
	{.name = "cma", .kind = KIND_CMA, .system = true, .mappings = ~0u},
	{.name = "system", .kind = KIND_BUDDY, .system = true, .mappings = ~0u},
};

static struct facts facts_of(const char *text, const struct override *udev)
{
	struct settings *settings = settings_from(text);
	struct facts facts = {.key = "platform:x", .dma_mask = UINT32_MAX, .bound = 1};
	const struct override configured =
		override_from_settings(settings, facts.key, "/dev/video0");

	override_apply(udev, SAYS_UDEV, pools, N_ELEMENTS(pools), &facts);
	override_apply(&configured, SAYS_CONFIG, pools, N_ELEMENTS(pools), &facts);
	settings_free(settings);
	return facts;
}

static void assert_told(const struct facts *facts, const char *expected)
{
	char text[192];

	assert_int_equal(override_say(facts, pools, N_ELEMENTS(pools), text, sizeof(text)),
			 expected[0] != '\0');
	assert_string_equal(text, expected);
}

static void nobody_says_anything(void **state)
{
	struct facts facts = facts_of("[Device platform:y]\nCoherent=yes\n", &(struct override){0});

	assert_false(facts.coherent);
	assert_int_equal(facts.dma_mask, UINT32_MAX);
	assert_int_equal(facts.bound, 1);
	assert_told(&facts, "");
}

static void configuration_before_udev_before_the_kernel(void **state)
{
	const struct override udev = {.says_coherent = true,
				      .coherent = true,
				      .says_iommu = true,
				      .iommu = true,
				      .address_bits = 30,
				      .pool = "nowhere"};
	struct facts facts = facts_of("", &udev);

	assert_true(facts.coherent && facts.iommu);
	assert_int_equal(facts.dma_mask, 0x3fffffff);
	assert_int_equal(facts.bound, 0);
	assert_string_equal(facts.missing, "nowhere");
	assert_told(&facts,
		    "coherent (udev), IOMMU (udev), addresses up to 0x3fffffff (udev), pool "
		    "nowhere (udev)");

	facts = facts_of("[Device platform:*]\nCoherent=no\nIOMMU=no\n"
			 "[Device /dev/video0]\nAddressBits=12\nPool=codec\n",
			 &udev);
	assert_false(facts.coherent || facts.iommu);
	assert_int_equal(facts.dma_mask, 0xfff);
	assert_int_equal(facts.bound, 2);
	assert_string_equal(facts.missing, "");
	assert_told(&facts, "not coherent (dmabufd.conf), no IOMMU (dmabufd.conf), addresses up to "
			    "0xfff (dmabufd.conf), pool codec (dmabufd.conf)");
	facts = facts_of("[Device platform:x]\nAddressBits=64\n", &(struct override){0});
	assert_int_equal(facts.dma_mask, UINT64_MAX);
}

static void assert_plan(const char *text, const char *contiguous, const char *address,
			const char *mapping)
{
	const struct facts facts = facts_of(text, &(struct override){0});
	const struct policy_request request = {.size = PAGE, .pool = ""};
	struct plan plan;
	char why[160];

	policy_decide(&request, &facts, 1, pools, N_ELEMENTS(pools), &plan);
	plan_say_contiguous(&plan, why, sizeof(why));
	assert_string_equal(why, contiguous);
	plan_say_address(&plan, why, sizeof(why));
	assert_string_equal(why, address);
	plan_say_mapping(&plan, why, sizeof(why));
	assert_string_equal(why, mapping);
}

/* Whoever wonders at a decision is told where it comes from. */
static void explained(void **state)
{
	static const char *const no_limit =
		"no limit: no device without an IOMMU has a smaller mask";

	assert_plan("", "needed: no IOMMU translates for platform:x",
		    "at most 0xffffffff: the DMA mask of platform:x",
		    "write-combined: platform:x is not coherent with the CPU's cache");
	assert_plan("[Device *]\nIOMMU=no\nAddressBits=16\nCoherent=no\n",
		    "needed: no IOMMU translates for platform:x, says dmabufd.conf",
		    "at most 0xffff: the DMA mask of platform:x, says dmabufd.conf",
		    "write-combined: platform:x is not coherent with the CPU's cache, says "
		    "dmabufd.conf");
	assert_plan("[Device *]\nIOMMU=yes\nCoherent=yes\n",
		    "not needed: an IOMMU translates for every device (for platform:x, says "
		    "dmabufd.conf)",
		    no_limit,
		    "cached: every device is coherent with the CPU's cache (for platform:x, says "
		    "dmabufd.conf)");
}

static void missing_pool(void **state)
{
	const struct policy_request request = {.size = PAGE, .pool = ""};
	struct facts facts = facts_of("[Device *]\nPool=gone\n", &(struct override){0});
	struct plan plan;
	char why[160];

	policy_decide(&request, &facts, 1, pools, N_ELEMENTS(pools), &plan);
	plan_say_step(&plan, &plan.steps[plan.n_steps - 1], why, sizeof(why));
	assert_string_equal(why, "Pool= in dmabufd.conf for platform:x names it: there is no such "
				 "pool");
}

static void told_once(void **state)
{
	struct notices notices = {0};

	assert_true(notices_add(&notices, "a"));
	assert_true(notices_add(&notices, "b"));
	assert_false(notices_add(&notices, "a"));
	notices_clear(&notices);
	assert_true(notices_add(&notices, "a"));
	notices_clear(&notices);
}

static char told[1024];

static void tell(const char *text)
{
	strcat(strcat(told, text), "\n");
}

static void assert_review(const char *text, const char *expected)
{
	struct settings *settings = settings_from(text);

	told[0] = '\0';
	review(settings, pools, N_ELEMENTS(pools), tell);
	assert_string_equal(told, expected);
	settings_free(settings);
}

static void reviewed(void **state)
{
	assert_review("[Pool camera]\nBytesMax=50%\nUserBytesMax=10%\n[Pool cma]\nBytesMax=9M\n"
		      "[Device a:a]\nReserve=camera 1M\nReserve=cma 50%\n",
		      "");
	assert_review("[Pool gone]\nBytesMax=50%\n", "[Pool gone]: there is no such pool\n");
	assert_review(
		"[Pool cma]\nUserBytesMax=50%\n",
		"UserBytesMax= in [Pool cma] limits nothing: it is per cent of a size that the "
		"kernel does not tell\n");
	assert_review(
		"[Device a:a]\nReserve=gone 1M\nReserve=cma 1M\n",
		"Reserve= in [Device a:a]: there is no pool gone\n"
		"Reserve= in [Device a:a] keeps nothing: the kernel does not tell the size of "
		"pool cma, so give its BytesMax= in [Pool cma]\n");
	assert_review("[Pool camera]\nStock=50%\n[Pool cma]\nStock=9M\n", "");
	assert_review(
		"[Pool cma]\nStock=50%\n[Pool system]\nStock=1M\n",
		"Stock= in [Pool cma] keeps nothing: it is per cent of a size that the kernel "
		"does not tell\n"
		"Stock= in [Pool system] keeps nothing: memory of the page allocator is charged "
		"to its user from allocation to release\n");
	assert_review("[Device a:a]\nReserve=camera 100%\n[Device a:b]\nReserve=camera 1M\n",
		      "3.0 MiB of pool camera are reserved, which can give 2.0 MiB\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_says_anything),
		cmocka_unit_test(configuration_before_udev_before_the_kernel),
		cmocka_unit_test(explained),
		cmocka_unit_test(missing_pool),
		cmocka_unit_test(told_once),
		cmocka_unit_test(reviewed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
