/* SPDX-License-Identifier: MIT */
/*
 * What people know better than the kernel of a device. Pure.
 */
#include "override.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "match.h"

struct override override_from_settings(const struct settings *settings, const char *device,
				       const char *node)
{
	const struct found coherent = match_device(settings, device, node, DEVICE_COHERENT);
	const struct found iommu = match_device(settings, device, node, DEVICE_IOMMU);
	const struct found bits = match_device(settings, device, node, DEVICE_ADDRESS_BITS);
	const struct found pool = match_device(settings, device, node, DEVICE_POOL);
	struct override override = {
		.says_coherent = coherent.section,
		.coherent = coherent.section && coherent.setting->value,
		.says_iommu = iommu.section,
		.iommu = iommu.section && iommu.setting->value,
		.address_bits = bits.section ? (unsigned int)bits.setting->value : 0,
	};

	if (pool.section)
		strcpy(override.pool, pool.setting->text);
	return override;
}

static void apply_pool(const char *pool, enum source source, const struct pool pools[],
		       unsigned int n_pools, struct facts *facts)
{
	facts->bound = pools_find(pools, n_pools, pool);
	facts->bound_by = source;
	strcpy(facts->missing, facts->bound ? "" : pool);
}

void override_apply(const struct override *override, enum source source, const struct pool pools[],
		    unsigned int n_pools, struct facts *facts)
{
	if (override->says_coherent) {
		facts->coherent = override->coherent;
		facts->coherent_by = source;
	}
	if (override->says_iommu) {
		facts->iommu = override->iommu;
		facts->iommu_by = source;
	}
	if (override->address_bits) {
		facts->dma_mask = UINT64_MAX >> (64 - override->address_bits);
		facts->mask_by = source;
	}
	if (override->pool[0])
		apply_pool(override->pool, source, pools, n_pools, facts);
}

/* Appends "what (who)" to a text of fixed size; what does not fit is left out. */
static void say(char *text, size_t size, enum source source, const char *what)
{
	size_t at = strlen(text);

	snprintf(text + at, size - at, "%s%s (%s)", at ? ", " : "", what,
		 source == SAYS_UDEV ? "udev" : "dmabufd.conf");
}

static const char *bound_name(const struct facts *facts, const struct pool pools[],
			      unsigned int n_pools)
{
	for (unsigned int i = 0; i < n_pools; i++)
		if (facts->bound & UINT64_C(1) << i)
			return pools[i].name;
	return facts->missing;
}

bool override_say(const struct facts *facts, const struct pool pools[], unsigned int n_pools,
		  char *text, size_t size)
{
	char what[64];

	text[0] = '\0';
	if (facts->coherent_by != SAYS_KERNEL)
		say(text, size, facts->coherent_by, facts->coherent ? "coherent" : "not coherent");
	if (facts->iommu_by != SAYS_KERNEL)
		say(text, size, facts->iommu_by, facts->iommu ? "IOMMU" : "no IOMMU");
	if (facts->mask_by != SAYS_KERNEL) {
		snprintf(what, sizeof(what), "addresses up to 0x%" PRIx64, facts->dma_mask);
		say(text, size, facts->mask_by, what);
	}
	if (facts->bound_by != SAYS_KERNEL) {
		snprintf(what, sizeof(what), "pool %s", bound_name(facts, pools, n_pools));
		say(text, size, facts->bound_by, what);
	}
	return text[0];
}
