/* SPDX-License-Identifier: MIT */
/*
 * Device nodes looked up before. An answer of udev costs a hundred system calls; asking whether it
 * is still true costs two, and is done each time, so that a device that came, went or got another
 * property needs no notice.
 */
#ifndef DEVICE_CACHE_H
#define DEVICE_CACHE_H

#include <sys/stat.h>

#include "device.h"

struct device_cache;

/* The udev context is borrowed. -ENOMEM, errors of inotify_init1(). */
int device_cache_new(struct udev *udev, struct device_cache **ret);

/* NULL is ignored. Returns NULL. */
struct device_cache *device_cache_free(struct device_cache *cache);

/* As device_find(); *ret_st is of the node, now. -ENODEV: there is none. */
int device_cache_find(struct device_cache *cache, dev_t devnum, struct device *ret,
		      struct stat *ret_st);

#endif
