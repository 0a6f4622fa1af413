/* SPDX-License-Identifier: MIT */
/*
 * Device nodes looked up before. What udev says of a device stays true while its node is the same
 * file and udev has not written down anything since. Knows nothing of what the answer means.
 */
#include "device-cache.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "cleanup.h"

#define SLOTS 64
#define RECORDS "/run/udev/data"

struct slot {
	bool used;
	struct device device;
	ino_t inode; /* of the node, and when anything of that changed */
	struct timespec changed;
};

struct device_cache {
	struct udev *udev;
	int changes;  /* inotify, read at each lookup: nothing is to be done sooner */
	bool watched; /* the folder of udev's records is there, and changes of it come */
	struct slot slots[SLOTS]; /* by number; the newcomer takes the place */
};

int device_cache_new(struct udev *udev, struct device_cache **ret)
{
	_cleanup_free_ struct device_cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return -ENOMEM;
	cache->udev = udev;
	cache->changes = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (cache->changes < 0)
		return -errno;
	*ret = TAKE_PTR(cache);
	return 0;
}

struct device_cache *device_cache_free(struct device_cache *cache)
{
	if (cache)
		closep(&cache->changes);
	free(cache);
	return NULL;
}

/* udev replaces a record by renaming a new file. Without a udev there is no folder: then no answer stays. */
static void watch(struct device_cache *cache)
{
	cache->watched = inotify_add_watch(cache->changes, RECORDS,
					   IN_CREATE | IN_MODIFY | IN_MOVE | IN_DELETE) >= 0;
}

/* Whatever changed: it is rare, and all that it costs is to ask udev again. */
static void forget_if_changed(struct device_cache *cache)
{
	union {
		struct inotify_event first;
		char room[4096];
	} events;

	if (cache->watched && read(cache->changes, &events, sizeof(events)) < 0 && errno == EAGAIN)
		return;
	for (unsigned int i = 0; i < SLOTS; i++)
		cache->slots[i].used = false;
	/* The folder itself may have gone, and have come again. */
	watch(cache);
}

static bool node_is_same(const struct slot *slot, const struct stat *st)
{
	return st->st_rdev == slot->device.devnum && st->st_ino == slot->inode &&
	       st->st_ctim.tv_sec == slot->changed.tv_sec &&
	       st->st_ctim.tv_nsec == slot->changed.tv_nsec;
}

/*
 * The node is known only from the answer, so udev is asked again after its state was read: a change
 * in between makes the state too old, never the answer. Of what udev changes meanwhile the next
 * lookup reads.
 */
static int slot_fill(struct slot *slot, struct device_cache *cache, dev_t devnum, struct stat *ret)
{
	int r = device_find(cache->udev, devnum, &slot->device);

	slot->used = false;
	if (r >= 0 && stat(slot->device.node, ret) < 0)
		r = -ENODEV;
	if (r >= 0)
		r = device_find(cache->udev, devnum, &slot->device);
	if (r < 0)
		return r;
	slot->inode = ret->st_ino;
	slot->changed = ret->st_ctim;
	slot->used = cache->watched;
	return 0;
}

int device_cache_find(struct device_cache *cache, dev_t devnum, struct device *ret,
		      struct stat *ret_st)
{
	struct slot *slot = &cache->slots[(major(devnum) * 31 + minor(devnum)) % SLOTS];
	int r = 0;

	forget_if_changed(cache);
	if (!slot->used || slot->device.devnum != devnum || stat(slot->device.node, ret_st) < 0 ||
	    !node_is_same(slot, ret_st))
		r = slot_fill(slot, cache, devnum, ret_st);
	if (r >= 0)
		*ret = slot->device;
	return r;
}
