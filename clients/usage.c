/* SPDX-License-Identifier: MIT */
/*
 * Live buffers, summed up by process. Prints nothing.
 */
#include "usage.h"

#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

static struct holder *find(struct usage *usage, const struct dmabuf_buffer_info *buffer)
{
	struct holder *holders;

	/* Buffers of one process mostly come one after the other. */
	for (unsigned int i = usage->n; i > 0; i--)
		if (usage->holders[i - 1].pid == buffer->pid &&
		    usage->holders[i - 1].uid == buffer->uid)
			return &usage->holders[i - 1];
	holders = reallocarray(usage->holders, usage->n + 1, sizeof(*holders));
	if (!holders)
		err(EXIT_REFUSED, "buffers");
	usage->holders = holders;
	holders[usage->n] = (struct holder){.uid = buffer->uid, .pid = buffer->pid};
	return &holders[usage->n++];
}

static bool is_listed(const char *list, const char *name)
{
	size_t length = strlen(name);

	for (; list; list = strchr(list, ',')) {
		list += *list == ',';
		if (!strncmp(list, name, length) && (list[length] == ',' || !list[length]))
			return true;
	}
	return false;
}

static void add_pool(struct holder *holder, const char *pool)
{
	size_t at = strlen(holder->pools);

	if (is_listed(holder->pools, pool) || at + strlen(pool) + 2 > sizeof(holder->pools))
		return;
	snprintf(holder->pools + at, sizeof(holder->pools) - at, "%s%s", at ? "," : "", pool);
}

static int add_buffer(const struct dmabuf_buffer_info *buffer, void *userdata)
{
	struct holder *holder = find(userdata, buffer);

	holder->buffers++;
	holder->bytes += buffer->size;
	add_pool(holder, buffer->pool);
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct holder *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? 1 : -1;
	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

int usage_read(struct usage *usage, struct dmabuf *conn)
{
	int r = dmabuf_list_buffers(conn, add_buffer, usage);

	if (usage->n)
		qsort(usage->holders, usage->n, sizeof(*usage->holders), compare);
	return r;
}

void usage_freep(struct usage *usage)
{
	free(usage->holders);
}
