/* SPDX-License-Identifier: MIT */
/*
 * The 256 bytes that the kernel keeps with each buffer for the daemon. Pure: knows the C library
 * only. Devices are separated by newlines, because names of devices may have commas and spaces.
 */
#include "tag.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define TAG_VERSION 1
/* Above the version, and 0 in the tags of daemons that relaxed nothing. */
#define RELAXED_SHIFT 8
#define RELAXED_MASK (((UINT32_C(1) << CONSTRAINTS_MAX) - 1) << RELAXED_SHIFT)
#define TAG_DEVICES_SIZE 212
#define SEPARATOR '\n'

struct packed {
	uint32_t version;
	uint32_t uid;
	uint32_t pid;
	char name[TAG_NAME_SIZE];
	char devices[TAG_DEVICES_SIZE];
};
static_assert(sizeof(struct packed) == TAG_SIZE, "the tag has holes or a wrong size");

int tag_pack(const struct tag *tag, uint8_t ret[static TAG_SIZE])
{
	struct packed packed = {.version = TAG_VERSION | (uint32_t)tag->relaxed << RELAXED_SHIFT,
				.uid = tag->uid,
				.pid = (uint32_t)tag->pid};
	size_t used = 0;

	memcpy(packed.name, tag->name, strnlen(tag->name, sizeof(packed.name) - 1));
	for (unsigned int i = 0; i < tag->n_devices; i++) {
		size_t length = strlen(tag->devices[i]);

		if (!length || strchr(tag->devices[i], SEPARATOR))
			return -EINVAL;
		/* One more byte: a separator before it, or the NUL after the last. */
		if (used + length + 1 + (i > 0) > sizeof(packed.devices))
			return -ENAMETOOLONG;
		if (i > 0)
			packed.devices[used++] = SEPARATOR;
		memcpy(packed.devices + used, tag->devices[i], length);
		used += length;
	}
	memcpy(ret, &packed, sizeof(packed));
	return 0;
}

static bool string_is_valid(const char *string, size_t size)
{
	size_t length = strnlen(string, size);

	/* Behind the first NUL each byte is as the one before it. */
	return length < size && !memcmp(string + length, string + length + 1, size - length - 1);
}

static int devices_unpack(const char *devices, struct tag *tag)
{
	while (*devices) {
		size_t length = strcspn(devices, "\n");

		if (!length || length >= DEVICE_KEY_SIZE || tag->n_devices == DEVICES_MAX)
			return -EBADMSG;
		memcpy(tag->devices[tag->n_devices++], devices, length);
		devices += length;
		if (*devices == SEPARATOR && !*++devices)
			return -EBADMSG;
	}
	return 0;
}

int tag_unpack(const uint8_t bytes[static TAG_SIZE], struct tag *ret)
{
	struct packed packed;
	struct tag tag = {0};
	int r;

	memcpy(&packed, bytes, sizeof(packed));
	if ((packed.version & ~RELAXED_MASK) != TAG_VERSION)
		return -EPROTONOSUPPORT;
	if (!string_is_valid(packed.name, sizeof(packed.name)) ||
	    !string_is_valid(packed.devices, sizeof(packed.devices)))
		return -EBADMSG;
	r = devices_unpack(packed.devices, &tag);
	if (r < 0)
		return r;
	tag.uid = packed.uid;
	tag.pid = (pid_t)packed.pid;
	tag.relaxed = (uint8_t)(packed.version >> RELAXED_SHIFT);
	memcpy(tag.name, packed.name, sizeof(tag.name));
	*ret = tag;
	return 0;
}
