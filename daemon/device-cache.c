/* SPDX-License-Identifier: MIT */
/*
 * Device nodes looked up before. What udev says of a device follows from its place in sysfs and
 * from udev's own records of the node and of the device that does the DMA; the three together are
 * the stamp of an answer. Knows nothing of what the answer means.
 */
#include "device-cache.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "cleanup.h"

#define SLOTS 64
#define PLACE_SIZE 256

/* A record of udev; all zero when there is none. udev replaces it by renaming a new file. */
struct record {
	ino_t inode;
	struct timespec changed;
};

struct stamp {
	char place[PLACE_SIZE]; /* target of the link in /sys/dev/char */
	struct record node;
	struct record dma;
};

struct slot {
	bool used;
	struct stamp stamp;
	struct device device;
};

struct device_cache {
	struct udev *udev;
	struct slot slots[SLOTS]; /* by number; the newcomer takes the place */
};

int device_cache_new(struct udev *udev, struct device_cache **ret)
{
	struct device_cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return -ENOMEM;
	cache->udev = udev;
	*ret = cache;
	return 0;
}

struct device_cache *device_cache_free(struct device_cache *cache)
{
	free(cache);
	return NULL;
}

static struct record record_read(const char *id)
{
	char path[sizeof("/run/udev/data/") + DEVICE_KEY_SIZE];
	struct stat st;

	snprintf(path, sizeof(path), "/run/udev/data/%s", id);
	if (stat(path, &st) < 0)
		return (struct record){0};
	return (struct record){.inode = st.st_ino, .changed = st.st_mtim};
}

static bool record_is_same(const struct record *a, const struct record *b)
{
	return a->inode == b->inode && a->changed.tv_sec == b->changed.tv_sec &&
	       a->changed.tv_nsec == b->changed.tv_nsec;
}

static int stamp_read(dev_t devnum, const char *key, struct stamp *ret)
{
	char path[64], id[DEVICE_KEY_SIZE + 1];
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/dev/char/%u:%u", major(devnum), minor(devnum));
	n = readlink(path, ret->place, sizeof(ret->place) - 1);
	if (n < 0)
		return -ENODEV;
	ret->place[n] = '\0';
	snprintf(id, sizeof(id), "c%u:%u", major(devnum), minor(devnum));
	ret->node = record_read(id);
	snprintf(id, sizeof(id), "+%s", key);
	ret->dma = record_read(id);
	return 0;
}

static bool stamp_is_same(const struct stamp *a, const struct stamp *b)
{
	return !strcmp(a->place, b->place) && record_is_same(&a->node, &b->node) &&
	       record_is_same(&a->dma, &b->dma);
}

/*
 * The stamp needs the key that only the answer has. So udev is asked again after the stamp was
 * read: a change in between makes the stamp too old, never the answer.
 */
static int slot_fill(struct slot *slot, struct udev *udev, dev_t devnum)
{
	struct stamp stamp;
	struct device device;
	int r = device_find(udev, devnum, &device);

	slot->used = false;
	if (r >= 0)
		r = stamp_read(devnum, device.key, &stamp);
	if (r >= 0)
		r = device_find(udev, devnum, &device);
	if (r < 0)
		return r;
	*slot = (struct slot){.used = true, .stamp = stamp, .device = device};
	return 0;
}

int device_cache_find(struct device_cache *cache, dev_t devnum, struct device *ret)
{
	struct slot *slot = &cache->slots[(major(devnum) * 31 + minor(devnum)) % SLOTS];
	struct stamp stamp;
	int r;

	if (slot->used && slot->device.devnum == devnum &&
	    stamp_read(devnum, slot->device.key, &stamp) >= 0 &&
	    stamp_is_same(&stamp, &slot->stamp)) {
		*ret = slot->device;
		return 0;
	}
	r = slot_fill(slot, cache->udev, devnum);
	if (r < 0)
		return r;
	*ret = slot->device;
	return 0;
}
