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
	reply_set_body(reply, sizeof(reply->frame.error));
	reply->frame.header.status = error;
	va_start(args, format);
	vsnprintf(reply->frame.error.text, sizeof(reply->frame.error.text), format, args);
	va_end(args);
	return error;
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
