/* SPDX-License-Identifier: MIT */
/*
 * What is wanted: building a request. It is the wire's structure from the start, so what cannot be
 * said on the wire is refused when it is set.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "private.h"

static_assert((int)DMABUF_USAGE_CONTIGUOUS == DMABUFD_CONTIGUOUS, "flags differ");
static_assert((int)DMABUF_USAGE_CPU_READS_OFTEN == DMABUFD_CPU_READS_OFTEN, "flags differ");
static_assert((int)DMABUF_USAGE_CPU_READS_RARELY == DMABUFD_CPU_READS_RARELY, "flags differ");
static_assert((int)DMABUF_USAGE_CPU_READS_NEVER == DMABUFD_CPU_READS_NEVER, "flags differ");
static_assert((int)DMABUF_USAGE_CPU_WRITES_OFTEN == DMABUFD_CPU_WRITES_OFTEN, "flags differ");
static_assert((int)DMABUF_USAGE_CPU_WRITES_RARELY == DMABUFD_CPU_WRITES_RARELY, "flags differ");
static_assert((int)DMABUF_USAGE_CPU_WRITES_NEVER == DMABUFD_CPU_WRITES_NEVER, "flags differ");
static_assert((int)DMABUF_USAGE_CAMERA == DMABUFD_CAMERA, "flags differ");
static_assert((int)DMABUF_USAGE_ENCODE == DMABUFD_ENCODE, "flags differ");
static_assert((int)DMABUF_USAGE_DECODE == DMABUFD_DECODE, "flags differ");
static_assert((int)DMABUF_USAGE_SCAN_OUT == DMABUFD_SCAN_OUT, "flags differ");
static_assert((int)DMABUF_CONSTRAINT_MAPPING == DMABUFD_CONSTRAINT_MAPPING, "flags differ");
static_assert((int)DMABUF_CONSTRAINT_ALIGNMENT == DMABUFD_CONSTRAINT_ALIGNMENT, "flags differ");
static_assert((int)DMABUF_CONSTRAINT_CONTIGUOUS == DMABUFD_CONSTRAINT_CONTIGUOUS, "flags differ");
static_assert((int)DMABUF_CONSTRAINT_ADDRESS == DMABUFD_CONSTRAINT_ADDRESS, "flags differ");
static_assert((int)DMABUF_MAPPING_ANY == DMABUFD_MAPPING_ANY, "mappings differ");
static_assert((int)DMABUF_MAPPING_CACHED == DMABUFD_MAPPING_CACHED, "mappings differ");
static_assert((int)DMABUF_MAPPING_WRITE_COMBINED == DMABUFD_MAPPING_WRITE_COMBINED,
	      "mappings differ");

DMABUF_PUBLIC int dmabuf_request_new(struct dmabuf_request **ret)
{
	struct dmabuf_request *request = calloc(1, sizeof(*request));

	if (!request)
		return -ENOMEM;
	request->wire.count = 1;
	*ret = request;
	return 0;
}

DMABUF_PUBLIC struct dmabuf_request *dmabuf_request_free(struct dmabuf_request *request)
{
	free(request);
	return NULL;
}

DMABUF_PUBLIC int dmabuf_request_set_size(struct dmabuf_request *request, uint64_t size)
{
	if (size == 0)
		return -EINVAL;
	request->wire.size = size;
	return 0;
}

static int add_device(struct dmabuf_request *request, uint64_t major, uint64_t minor)
{
	if (request->wire.n_devices == DMABUFD_DEVICES_MAX)
		return -E2BIG;
	request->wire.devices[request->wire.n_devices++] = major << 32 | minor;
	return 0;
}

static int add_device_stat(struct dmabuf_request *request, const struct stat *st)
{
	if (!S_ISCHR(st->st_mode))
		return -ENODEV;
	return add_device(request, major(st->st_rdev), minor(st->st_rdev));
}

DMABUF_PUBLIC int dmabuf_request_add_device(struct dmabuf_request *request, const char *path)
{
	struct stat st;

	return stat(path, &st) < 0 ? -errno : add_device_stat(request, &st);
}

DMABUF_PUBLIC int dmabuf_request_add_device_number(struct dmabuf_request *request, dev_t number)
{
	return number ? add_device(request, major(number), minor(number)) : -ENODEV;
}

DMABUF_PUBLIC int dmabuf_request_add_device_fd(struct dmabuf_request *request, int fd)
{
	struct stat st;

	return fstat(fd, &st) < 0 ? -errno : add_device_stat(request, &st);
}

/* More than one of these? */
static bool has_two(unsigned int usage, unsigned int words)
{
	usage &= words;
	return usage & (usage - 1);
}

DMABUF_PUBLIC int dmabuf_request_set_usage(struct dmabuf_request *request, unsigned int usage)
{
	if (usage & ~DMABUFD_FLAGS ||
	    has_two(usage,
		    DMABUFD_CPU_READS_OFTEN | DMABUFD_CPU_READS_RARELY | DMABUFD_CPU_READS_NEVER) ||
	    has_two(usage, DMABUFD_CPU_WRITES_OFTEN | DMABUFD_CPU_WRITES_RARELY |
				   DMABUFD_CPU_WRITES_NEVER))
		return -EINVAL;
	request->wire.flags = usage;
	return 0;
}

DMABUF_PUBLIC int dmabuf_request_set_mapping(struct dmabuf_request *request,
					     enum dmabuf_mapping mapping)
{
	if ((unsigned int)mapping > DMABUF_MAPPING_WRITE_COMBINED)
		return -EINVAL;
	request->wire.mapping = mapping;
	return 0;
}

DMABUF_PUBLIC int dmabuf_request_set_alignment(struct dmabuf_request *request, uint64_t bytes)
{
	if (bytes & (bytes - 1))
		return -EINVAL;
	request->wire.alignment = bytes;
	return 0;
}

DMABUF_PUBLIC int dmabuf_request_set_address_bits(struct dmabuf_request *request, unsigned int bits)
{
	if (bits > 64)
		return -EINVAL;
	request->wire.address_bits = bits;
	return 0;
}

DMABUF_PUBLIC int dmabuf_request_set_preferred(struct dmabuf_request *request,
					       unsigned int constraints)
{
	if (constraints & ~DMABUFD_CONSTRAINTS)
		return -EINVAL;
	request->wire.preferred = constraints;
	return 0;
}

DMABUF_PUBLIC int dmabuf_request_set_pool(struct dmabuf_request *request, const char *pool)
{
	return WIRE_STRING_SET(request->wire.pool, pool);
}

DMABUF_PUBLIC int dmabuf_request_set_name(struct dmabuf_request *request, const char *name)
{
	return WIRE_STRING_SET(request->wire.name, name);
}

DMABUF_PUBLIC void dmabuf_request_set_wait(struct dmabuf_request *request,
					   unsigned int milliseconds)
{
	request->wait = milliseconds;
	request->wire.wait = milliseconds == DMABUF_WAIT_FOREVER ? DMABUFD_WAIT_FOREVER
								 : milliseconds * UINT64_C(1000);
}
