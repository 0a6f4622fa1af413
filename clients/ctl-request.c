/* SPDX-License-Identifier: MIT */
/*
 * A request from the command line, the same for alloc and explain.
 */
#include <err.h>
#include <errno.h>
#include <string.h>

#include "ctl.h"

static int size_option(struct ctl_request *request, const char *argument)
{
	int r = size_parse(argument, &request->size);

	if (r == -ERANGE)
		warnx("size \"%s\" does not fit 64 bits", argument);
	else if (r < 0)
		warnx("\"%s\" is no size: a number of bytes above 0, or of K, M or G", argument);
	return r < 0 ? -EINVAL : 1;
}

static int wait_option(struct ctl_request *request, const char *argument)
{
	int r = time_parse(argument, &request->wait);

	if (r == -ERANGE)
		warnx("time \"%s\" is too long: say infinity for no limit", argument);
	else if (r < 0)
		warnx("\"%s\" is no time: a number of seconds, or with ms, s, min or h behind it",
		      argument);
	return r < 0 ? -EINVAL : 1;
}

static int mapping_option(struct ctl_request *request, const char *argument)
{
	if (mapping_parse(argument, &request->mapping) == 0)
		return 1;
	warnx("\"%s\" is no mapping: cached, write-combined or any", argument);
	return -EINVAL;
}

static int number_option(unsigned int *ret, const char *argument, unsigned int max,
			 const char *what)
{
	if (number_parse(argument, max, ret) == 0)
		return 1;
	warnx("\"%s\" is no number of %s", argument, what);
	return -EINVAL;
}

static int align_option(struct ctl_request *request, const char *argument)
{
	if (size_parse(argument, &request->alignment) == 0 &&
	    !(request->alignment & (request->alignment - 1)))
		return 1;
	warnx("\"%s\" is no power of two", argument);
	return -EINVAL;
}

struct word {
	const char *name;
	unsigned int bit;
};

static unsigned int find(const struct word words[], const char *name, size_t length)
{
	for (; words->name; words++)
		if (strlen(words->name) == length && strncmp(words->name, name, length) == 0)
			return words->bit;
	return 0;
}

/* Words with commas between them, added to *ret. */
static int words_option(unsigned int *ret, const struct word words[], const char *argument)
{
	for (;;) {
		size_t length = strcspn(argument, ",");
		unsigned int bit = find(words, argument, length);

		if (!bit) {
			warnx("\"%.*s\" is none of the words: see --help", (int)length, argument);
			return -EINVAL;
		}
		*ret |= bit;
		if (!argument[length])
			return 1;
		argument += length + 1;
	}
}

static const struct word constraints[] = {
	{"mapping", DMABUF_CONSTRAINT_MAPPING},
	{"align", DMABUF_CONSTRAINT_ALIGNMENT},
	{"contiguous", DMABUF_CONSTRAINT_CONTIGUOUS},
	{"address-bits", DMABUF_CONSTRAINT_ADDRESS},
	{0},
};

static const struct word usages[] = {
	{"reads-often", DMABUF_USAGE_CPU_READS_OFTEN},
	{"reads-rarely", DMABUF_USAGE_CPU_READS_RARELY},
	{"reads-never", DMABUF_USAGE_CPU_READS_NEVER},
	{"writes-often", DMABUF_USAGE_CPU_WRITES_OFTEN},
	{"writes-rarely", DMABUF_USAGE_CPU_WRITES_RARELY},
	{"writes-never", DMABUF_USAGE_CPU_WRITES_NEVER},
	{"camera", DMABUF_USAGE_CAMERA},
	{"encode", DMABUF_USAGE_ENCODE},
	{"decode", DMABUF_USAGE_DECODE},
	{"scan-out", DMABUF_USAGE_SCAN_OUT},
	{0},
};

int ctl_request_option(struct ctl_request *request, int c, const char *argument)
{
	switch (c) {
	case 's':
		return size_option(request, argument);
	case 'm':
		return mapping_option(request, argument);
	case 'p':
		request->pool = argument;
		return 1;
	case CTL_NAME:
		request->name = argument;
		return 1;
	case CTL_WAIT:
		return wait_option(request, argument);
	case CTL_ALIGN:
		return align_option(request, argument);
	case CTL_ADDRESS_BITS:
		return number_option(&request->address_bits, argument, 64, "bits");
	case CTL_PREFER:
		return words_option(&request->preferred, constraints, argument);
	case CTL_USAGE:
		return words_option(&request->usage, usages, argument);
	case CTL_CONTIGUOUS:
		request->usage |= DMABUF_USAGE_CONTIGUOUS;
		return 1;
	case CTL_CPU_READS_OFTEN:
		request->usage |= DMABUF_USAGE_CPU_READS_OFTEN;
		return 1;
	default:
		return 0;
	}
}

static bool failed(int r, const char *what)
{
	if (r == -ENODEV)
		warnx("%s: not a character device", what);
	else if (r == -E2BIG)
		warnx("%s: too many devices for one buffer", what);
	else if (r == -ENAMETOOLONG)
		warnx("%s: longer than 31 bytes", what);
	else if (r < 0)
		warnx("%s: %s", what, strerror(-r));
	return r < 0;
}

struct dmabuf_request *ctl_request_make(const struct ctl_request *request, char *const devices[])
{
	_cleanup_(ctl_request_freep) struct dmabuf_request *made = NULL;

	if (failed(dmabuf_request_new(&made), "request") ||
	    failed(dmabuf_request_set_size(made, request->size), "size") ||
	    failed(dmabuf_request_set_usage(made, request->usage), "usage") ||
	    failed(dmabuf_request_set_mapping(made, request->mapping), "mapping") ||
	    failed(dmabuf_request_set_alignment(made, request->alignment), "align") ||
	    failed(dmabuf_request_set_address_bits(made, request->address_bits), "address-bits") ||
	    failed(dmabuf_request_set_preferred(made, request->preferred), "prefer") ||
	    failed(dmabuf_request_set_pool(made, request->pool), "pool") ||
	    failed(dmabuf_request_set_name(made, request->name), "name"))
		return NULL;
	dmabuf_request_set_wait(made, request->wait);
	for (; *devices; devices++)
		if (failed(dmabuf_request_add_device(made, *devices), *devices))
			return NULL;
	return TAKE_PTR(made);
}
