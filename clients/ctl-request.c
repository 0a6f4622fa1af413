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
	    failed(dmabuf_request_set_pool(made, request->pool), "pool") ||
	    failed(dmabuf_request_set_name(made, request->name), "name"))
		return NULL;
	dmabuf_request_set_wait(made, request->wait);
	for (; *devices; devices++)
		if (failed(dmabuf_request_add_device(made, *devices), *devices))
			return NULL;
	return TAKE_PTR(made);
}
