/* SPDX-License-Identifier: MIT */
/*
 * Device nodes and the devices behind them that do the DMA: the only file that asks libudev about
 * them. What the kernel module says of a device is module.c's business.
 */
#include "device.h"

#include <errno.h>
#include <libudev.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "values.h"

#define TAG "dmabufd"

static void udev_device_unrefp(struct udev_device **device)
{
	udev_device_unref(*device);
}

static void udev_enumerate_unrefp(struct udev_enumerate **enumerate)
{
	udev_enumerate_unref(*enumerate);
}

/* Borrowed from the node's device. NULL: nothing behind the node does DMA. */
static struct udev_device *get_dma_device(struct udev_device *node)
{
	for (struct udev_device *d = udev_device_get_parent(node); d;
	     d = udev_device_get_parent(d)) {
		const char *bus = udev_device_get_subsystem(d);

		if (bus && (!strcmp(bus, "platform") || !strcmp(bus, "pci")))
			return d;
	}
	return NULL;
}

static int set_string(char *field, size_t size, const char *value)
{
	if (!value || strlen(value) >= size)
		return -ENAMETOOLONG;
	strcpy(field, value);
	return 0;
}

/* The node's own property wins: it is the more special one. NULL when there is none. */
static const char *get_property(struct udev_device *node, struct udev_device *dma, const char *name)
{
	const char *value = udev_device_get_property_value(node, name);

	return value ? value : udev_device_get_property_value(dma, name);
}

/* False: there is no such property, or it makes no sense, which the device remembers. */
static bool parse_property(struct udev_device *node, struct udev_device *dma, const char *name,
			   int (*parse)(const char *text, struct setting *ret),
			   struct device *device, struct setting *ret)
{
	const char *value = get_property(node, dma, name);

	*ret = (struct setting){0};
	if (!value || !*value)
		return false;
	if (parse(value, ret) >= 0)
		return true;
	device->bad = name;
	return false;
}

static void set_override(struct device *device, struct udev_device *node, struct udev_device *dma)
{
	struct override *override = &device->override;
	struct setting setting;

	if (parse_property(node, dma, "DMABUF_POOL", value_parse_pool, device, &setting))
		strcpy(override->pool, setting.text);
	override->says_coherent =
		parse_property(node, dma, "DMABUF_COHERENT", value_parse_boolean, device, &setting);
	override->coherent = setting.value;
	override->says_iommu =
		parse_property(node, dma, "DMABUF_IOMMU", value_parse_boolean, device, &setting);
	override->iommu = setting.value;
	if (parse_property(node, dma, "DMABUF_ADDRESS_BITS", value_parse_bits, device, &setting))
		override->address_bits = (unsigned int)setting.value;
}

static int device_from_udev(struct udev_device *node, struct device *ret)
{
	struct udev_device *dma = get_dma_device(node);
	struct device device = {.devnum = udev_device_get_devnum(node)};
	int n;

	if (!dma || !udev_device_get_devnode(node))
		return -ENODEV;
	n = snprintf(device.key, sizeof(device.key), "%s:%s", udev_device_get_subsystem(dma),
		     udev_device_get_sysname(dma));
	if (n < 0 || (size_t)n >= sizeof(device.key) ||
	    set_string(device.node, sizeof(device.node), udev_device_get_devnode(node)) < 0)
		return -ENAMETOOLONG;
	set_override(&device, node, dma);
	*ret = device;
	return 0;
}

int device_find(struct udev *udev, dev_t devnum, struct device *ret)
{
	_cleanup_(udev_device_unrefp) struct udev_device *node = NULL;

	node = udev_device_new_from_devnum(udev, 'c', devnum);
	return node ? device_from_udev(node, ret) : -ENODEV;
}

static int match_media(struct udev_enumerate *enumerate)
{
	static const char *const subsystems[] = {"video4linux", "media", "drm"};
	int r = 0;

	for (size_t i = 0; r >= 0 && i < sizeof(subsystems) / sizeof(subsystems[0]); i++)
		r = udev_enumerate_add_match_subsystem(enumerate, subsystems[i]);
	return r;
}

/* Those found so far. */
struct devices {
	struct device *list; /* owned */
	size_t n;
};

static void devices_finish(struct devices *devices)
{
	free(devices->list);
}

static int devices_reserve(struct devices *devices, struct udev_list_entry *first)
{
	struct udev_list_entry *entry;
	struct device *list;
	size_t n = devices->n + 1; /* so that none is not nothing */

	udev_list_entry_foreach(entry, first) n++;
	list = reallocarray(devices->list, n, sizeof(*list));
	if (!list)
		return -ENOMEM;
	devices->list = list;
	return 0;
}

/* udev remembers a tag that no rule gives any more. Requests name character devices only. */
static bool is_wanted(struct udev_device *node, bool tagged)
{
	const char *subsystem = node ? udev_device_get_subsystem(node) : NULL;

	if (!subsystem || !strcmp(subsystem, "block"))
		return false;
	return !tagged || udev_device_has_current_tag(node, TAG) > 0;
}

static int devices_scan(struct devices *devices, struct udev *udev, bool tagged)
{
	_cleanup_(udev_enumerate_unrefp) struct udev_enumerate *enumerate =
		udev_enumerate_new(udev);
	struct udev_list_entry *first, *entry;
	int r;

	if (!enumerate)
		return -ENOMEM;
	r = tagged ? udev_enumerate_add_match_tag(enumerate, TAG) : match_media(enumerate);
	if (r >= 0)
		r = udev_enumerate_scan_devices(enumerate);
	if (r < 0)
		return r;
	first = udev_enumerate_get_list_entry(enumerate);
	r = devices_reserve(devices, first);
	if (r < 0)
		return r;
	udev_list_entry_foreach(entry, first)
	{
		_cleanup_(udev_device_unrefp) struct udev_device *node = NULL;

		node = udev_device_new_from_syspath(udev, udev_list_entry_get_name(entry));
		/* Gone meanwhile, a connector without a node, or nothing that does DMA. */
		if (is_wanted(node, tagged) &&
		    device_from_udev(node, &devices->list[devices->n]) >= 0)
			devices->n++;
	}
	return 0;
}

static int by_devnum(const void *a, const void *b)
{
	const struct device *x = a, *y = b;

	return x->devnum < y->devnum ? -1 : x->devnum > y->devnum;
}

/* A rule may tag what belongs to the media subsystems. */
static void devices_sort_and_merge(struct devices *devices)
{
	size_t n = 0;

	qsort(devices->list, devices->n, sizeof(*devices->list), by_devnum);
	for (size_t i = 0; i < devices->n; i++)
		if (!n || devices->list[n - 1].devnum != devices->list[i].devnum)
			devices->list[n++] = devices->list[i];
	devices->n = n;
}

int device_list(struct udev *udev, struct device **ret, size_t *ret_n)
{
	_cleanup_(devices_finish) struct devices devices = {0};
	int r = devices_scan(&devices, udev, false);

	if (r >= 0)
		r = devices_scan(&devices, udev, true);
	if (r < 0)
		return r;
	devices_sort_and_merge(&devices);
	*ret = TAKE_PTR(devices.list);
	*ret_n = devices.n;
	return 0;
}
