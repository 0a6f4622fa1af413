// SPDX-License-Identifier: GPL-2.0-only
/*
 * What decides the memory that a device can use, read from its struct device. No decision is made
 * here.
 */
#include <linux/device.h>
#include <linux/dma-direct.h>
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/iommu.h>
#include <linux/minmax.h>
#include <linux/pci.h>
#include <linux/platform_device.h>
#include <linux/string.h>

#include "facts.h"
#include "pool.h"

static struct device *find_device(const char *bus, const char *name)
{
	struct device *dev = NULL;

	if (!strcmp(bus, "platform"))
		dev = bus_find_device_by_name(&platform_bus_type, NULL, name);
	else if (IS_ENABLED(CONFIG_PCI) && !strcmp(bus, "pci"))
		dev = bus_find_device_by_name(&pci_bus_type, NULL, name);
	else
		return ERR_PTR(-EOPNOTSUPP);
	return dev ?: ERR_PTR(-ENODEV);
}

/* An identity domain has an IOMMU and does not use it. */
static bool is_translated(struct device *dev)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(dev);

	return domain && domain->type != IOMMU_DOMAIN_IDENTITY;
}

/* The highest address that device and buses can put on a bus. */
static u64 highest_bus_address(struct device *dev)
{
	return min_not_zero(dma_get_mask(dev), dev->bus_dma_limit);
}

bool dbp_device_reaches(struct device *dev, phys_addr_t base, size_t size)
{
	const struct bus_dma_region *window = dev->dma_range_map;
	u64 highest = highest_bus_address(dev);

	if (is_translated(dev))
		return true;
	if (!window)
		return base + size - 1 <= highest;
	for (; window->size; window++)
		if (base >= window->cpu_start && base - window->cpu_start < window->size)
			return base - window->cpu_start + size <= window->size &&
			       window->dma_start + (base - window->cpu_start) + size - 1 <= highest;
	return false;
}

/* In memory, which a bus may show to its devices elsewhere, and not all of it. */
static u64 highest_address(struct device *dev)
{
	const struct bus_dma_region *window = dev->dma_range_map;
	u64 highest = highest_bus_address(dev), found = 0;

	if (!window || is_translated(dev))
		return highest;
	for (; window->size; window++)
		if (window->dma_start <= highest)
			found = max(found, window->cpu_start +
				    min(window->size - 1, highest - window->dma_start));
	return found;
}

int dbp_facts(struct dmabuf_pool_device *facts)
{
	struct device *dev;

	if (strnlen(facts->bus, sizeof(facts->bus)) == sizeof(facts->bus) ||
	    strnlen(facts->name, sizeof(facts->name)) == sizeof(facts->name))
		return -EINVAL;
	dev = find_device(facts->bus, facts->name);
	if (IS_ERR(dev))
		return PTR_ERR(dev);
	facts->dma_mask = dev->dma_mask ? highest_address(dev) : 0;
	facts->bound_pools = dbp_pools_bound_to(dev->of_node);
	if (dev_is_dma_coherent(dev))
		facts->flags |= DMABUF_POOL_DEVICE_COHERENT;
	if (is_translated(dev))
		facts->flags |= DMABUF_POOL_DEVICE_IOMMU;
	facts->segment_size = dma_get_max_seg_size(dev);
	facts->segment_boundary = dma_get_seg_boundary(dev);
	put_device(dev);
	return 0;
}
