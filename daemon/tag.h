/* SPDX-License-Identifier: MIT */
/*
 * The 256 bytes that the kernel keeps with each buffer for the daemon: who asked for it and for
 * which devices. A daemon that starts anew knows of live buffers what stands here. Pure.
 */
#ifndef TAG_H
#define TAG_H

#include <stdint.h>
#include <sys/types.h>

#include "pool.h"

#define TAG_SIZE 256
#define TAG_NAME_SIZE 32

struct tag {
	uid_t uid;
	pid_t pid;
	uint8_t relaxed;          /* CONSTRAINT_* that the buffer does without */
	char name[TAG_NAME_SIZE]; /* label for people */
	unsigned int n_devices;
	char devices[DEVICES_MAX][DEVICE_KEY_SIZE];
};

/* -ENAMETOOLONG: the devices' names do not fit together. -EINVAL: a name has a newline. */
int tag_pack(const struct tag *tag, uint8_t ret[static TAG_SIZE]);

/* -EPROTONOSUPPORT: another version. -EBADMSG: not what tag_pack() writes. */
int tag_unpack(const uint8_t bytes[static TAG_SIZE], struct tag *ret);

#endif
