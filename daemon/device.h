/* SPDX-License-Identifier: MIT */
/*
 * Device nodes and the devices behind them that do the DMA, as udev knows them now. Knows nothing
 * of pools but a name.
 */
#ifndef DEVICE_H
#define DEVICE_H

#include <sys/types.h>

#include "override.h"
#include "pool.h"

#define NODE_SIZE 64

struct udev;

struct device {
	dev_t devnum;
	char node[NODE_SIZE];      /* /dev/video0 */
	char key[DEVICE_KEY_SIZE]; /* bus:name of the nearest ancestor on a bus that does DMA */
	struct override override;  /* by properties of udev */
	const char *bad;           /* one of them that makes no sense; NULL for none */
};

/* -ENODEV: udev knows no such character device, or nothing behind it does DMA. -ENAMETOOLONG. */
int device_find(struct udev *udev, dev_t devnum, struct device *ret);

/*
 * Devices of the media subsystems, and those that a udev rule tags "dmabufd", in the order of their
 * numbers; the caller frees *ret. -ENOMEM, errors of udev.
 */
int device_list(struct udev *udev, struct device **ret, size_t *ret_n);

#endif
