/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DBP_FACTS_H
#define DBP_FACTS_H

#include <linux/types.h>
#include <uapi/dmabuf_pool.h>

struct device;

/* Whether the device gets at all of the block by itself, or through an IOMMU that translates. */
bool dbp_device_reaches(struct device *dev, phys_addr_t base, size_t size);

/* Fills all but bus and name. Errors as struct dmabuf_pool_device tells them. */
int dbp_facts(struct dmabuf_pool_device *facts);

#endif
