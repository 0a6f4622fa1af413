/* SPDX-License-Identifier: MIT */
/*
 * What the kernel says of a descriptor: is it a dma-buf of the daemon's, and which? Not installed.
 */
#ifndef FDINFO_H
#define FDINFO_H

#include <stdint.h>

struct fdinfo {
	uint64_t inode; /* of the dma-buf, never used again until reboot */
	uint64_t size;
	uint64_t id; /* as the daemon named the dma-buf; 0 when somebody gave it another name */
};

/*
 * -EBADF: not open. -ENOTTY: no dma-buf. -EXDEV: a dma-buf of another exporter. -ENOSYS: there is no
 * /proc.
 */
int fdinfo_read(int fd, struct fdinfo *ret);

/* The same from the text of fdinfo; leaves ret->inode alone. */
int fdinfo_parse(const char *text, struct fdinfo *ret);

#endif
