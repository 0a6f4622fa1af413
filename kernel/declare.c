// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which pools there are: those that a device-tree node of ours or a module parameter declares, and
 * the two of the system. No region is exported unasked.
 *
 *	dmabuf-pools {
 *		compatible = "dmabufd,pools";
 *		camera {			// the pool's name
 *			memory-region = <&camera_mem>;
 *			exclusive;		// no-map only: no driver allocates from it
 *		};
 *	};
 */
#include <linux/moduleparam.h>
#include <linux/of.h>
#include <linux/of_reserved_mem.h>
#include <linux/string.h>

#include "arith.h"
#include "pool.h"

#define COMPATIBLE "dmabufd,pools"

static bool system_pool = true;
module_param_named(system, system_pool, bool, 0444);
MODULE_PARM_DESC(system, "offer the page allocator as pool \"system\" (default Y)");

static bool default_cma = true;
module_param(default_cma, bool, 0444);
MODULE_PARM_DESC(default_cma, "offer the default CMA area as pool \"default_cma_region\" (default Y)");

static char *coherent[8];
static int n_coherent;
module_param_array(coherent, charp, &n_coherent, 0444);
MODULE_PARM_DESC(coherent, "reserved ranges that are ours alone, as NAME@BASE+SIZE[,...]");

static const struct of_device_id of_match[] = {
	{ .compatible = COMPATIBLE },
	{ }
};
MODULE_DEVICE_TABLE(of, of_match);

static int declare_region(struct device_node *node, struct device_node *region)
{
	struct reserved_mem *mem = of_reserved_mem_lookup(region);
	const char *name = node->name;

	if (!mem) {
		pr_err("pool %s: the kernel reserved no memory for %pOF\n", name, region);
		return -ENODEV;
	}
	if (of_property_read_bool(region, "reusable"))
		return dbp_cma_region(name, node, region, mem->base, mem->size);
	if (!of_property_read_bool(region, "no-map")) {
		pr_err("pool %s: %pOF is neither no-map nor reusable: make it one of them\n", name,
		       region);
		return -EINVAL;
	}
	if (of_property_read_bool(node, "exclusive"))
		return dbp_coherent_exclusive(name, region, mem->base, mem->size);
	return dbp_coherent_shared(name, node, region, mem->base, mem->size);
}

static int declare_node(struct device_node *node)
{
	struct device_node *region;
	int ret;

	region = of_parse_phandle(node, "memory-region", 0);
	if (!region) {
		pr_err("%pOF: no memory-region\n", node);
		return -EINVAL;
	}
	ret = declare_region(node, region);
	of_node_put(region);
	return ret;
}

static int declare_coherent(const char *text)
{
	char name[DMABUF_POOL_NAME_SIZE];
	u64 base, size;
	int ret;

	ret = dbp_region_parse(text, name, sizeof(name), &base, &size);
	if (ret) {
		pr_err("coherent=%s: write NAME@BASE+SIZE\n", text);
		return ret;
	}
	return dbp_coherent_exclusive(name, NULL, base, size);
}

/* A pool that cannot be had is reported and left out: the others still serve. */
static void report(const char *name, int error)
{
	if (error)
		pr_err("pool %s is left out: error %d\n", name, error);
}

int dbp_declare_pools(void)
{
	struct device_node *top, *node;
	int i;

	for_each_compatible_node(top, NULL, COMPATIBLE)
		for_each_available_child_of_node(top, node)
			report(node->name, declare_node(node));
	for (i = 0; i < n_coherent; i++)
		report(coherent[i], declare_coherent(coherent[i]));
	if (default_cma)
		report("default_cma_region", dbp_cma_default("default_cma_region"));
	if (system_pool)
		report("system", dbp_buddy("system"));
	return dbp_pool_get(0) ? 0 : -ENODEV;
}
