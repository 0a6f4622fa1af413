/* SPDX-License-Identifier: MIT */
/*
 * The answer to one request while it is made. Knows frames and descriptors, not what is asked.
 */
#include "reply.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "counters.h"

static_assert((int)REFUSED_BY_QUOTA == DMABUFD_REFUSED_QUOTA, "refusals differ");
static_assert((int)REFUSED_BY_FULL_POOLS == DMABUFD_REFUSED_FULL, "refusals differ");
static_assert((int)REFUSED_AS_UNSUITABLE == DMABUFD_REFUSED_UNSUITABLE, "refusals differ");
static_assert((int)REFUSED_BY_ACCESS == DMABUFD_REFUSED_ACCESS, "refusals differ");
static_assert((int)REFUSED_FOR_DEVICE == DMABUFD_REFUSED_DEVICE, "refusals differ");
static_assert((int)REFUSED_AS_INVALID == DMABUFD_REFUSED_INVALID, "refusals differ");
static_assert((int)REFUSED_WITHOUT_MODULE == DMABUFD_REFUSED_MODULE, "refusals differ");
static_assert((int)REFUSED_OTHERWISE == DMABUFD_REFUSED_OTHER, "refusals differ");

void reply_init(struct reply *reply)
{
	reply->frame.header = (struct dmabufd_header){0};
	reply->length = sizeof(reply->frame.header);
	reply->n_fds = 0;
}

void reply_begin(struct reply *reply, const struct dmabufd_header *request)
{
	reply_init(reply);
	reply->frame.header.opcode = request->opcode;
	reply->frame.header.serial = request->serial;
}

void reply_close_fds(struct reply *reply)
{
	while (reply->n_fds)
		close(reply->fds[--reply->n_fds]);
}

void reply_set_body(struct reply *reply, size_t size)
{
	assert(size <= sizeof(reply->frame.body));
	memset(reply->frame.body, 0, size);
	reply->length = sizeof(reply->frame.header) + size;
}

int reply_fail(struct reply *reply, int error, const char *format, ...)
{
	va_list args;

	reply_close_fds(reply);
	reply_set_body(reply, sizeof(reply->frame.error) + sizeof(reply->frame.cause));
	reply->frame.header.status = error;
	reply->frame.cause.refusal = counters_classify(error);
	va_start(args, format);
	vsnprintf(reply->frame.error.text, sizeof(reply->frame.error.text), format, args);
	va_end(args);
	return error;
}

void reply_shorten_error(struct reply *reply)
{
	if (reply->frame.header.status)
		reply->length = sizeof(reply->frame.header) + sizeof(reply->frame.error);
}

void reply_prefix(struct reply *reply, const char *format, ...)
{
	char text[sizeof(reply->frame.error.text)] = "";
	size_t at;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	at = strlen(text);
	snprintf(text + at, sizeof(text) - at, "%s", reply->frame.error.text);
	memcpy(reply->frame.error.text, text, sizeof(text));
}
