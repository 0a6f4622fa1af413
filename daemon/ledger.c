/* SPDX-License-Identifier: MIT */
/*
 * The live buffers by id. A tree finds one by its id; a list, kept in the order of ids, finds the
 * next. Pure: knows neither sockets nor the kernel interface.
 */
#include "ledger.h"

#include <errno.h>
#include <search.h>

#include "cleanup.h"

TAILQ_HEAD(buffers, buffer);

struct ledger {
	struct buffers buffers; /* owns them; ascending ids */
	void *tree;             /* tsearch() tree of the same buffers */
	uint64_t bytes;
	uint64_t count;
};

int buffer_new(struct buffer **ret)
{
	struct buffer *buffer = calloc(1, sizeof(*buffer));

	if (!buffer)
		return -ENOMEM;
	*ret = buffer;
	return 0;
}

struct buffer *buffer_free(struct buffer *buffer)
{
	if (buffer) {
		charge_release(&buffer->pool_charge);
		charge_release(&buffer->charge);
	}
	free(buffer);
	return NULL;
}

static int buffer_compare(const void *a, const void *b)
{
	const struct buffer *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static struct buffer *ledger_find(const struct ledger *ledger, uint64_t id)
{
	const struct buffer key = {.id = id};
	struct buffer **node = tfind(&key, &ledger->tree, buffer_compare);

	return node ? *node : NULL;
}

const struct buffer *ledger_get(const struct ledger *ledger, uint64_t id)
{
	return ledger_find(ledger, id);
}

int ledger_new(struct ledger **ret)
{
	struct ledger *ledger = calloc(1, sizeof(*ledger));

	if (!ledger)
		return -ENOMEM;
	TAILQ_INIT(&ledger->buffers);
	*ret = ledger;
	return 0;
}

static void ledger_take_out(struct ledger *ledger, struct buffer *buffer)
{
	tdelete(buffer, &ledger->tree, buffer_compare);
	TAILQ_REMOVE(&ledger->buffers, buffer, link);
	ledger->bytes -= buffer->size;
	ledger->count--;
	buffer_free(buffer);
}

struct ledger *ledger_free(struct ledger *ledger)
{
	while (ledger && !TAILQ_EMPTY(&ledger->buffers))
		ledger_take_out(ledger, TAILQ_FIRST(&ledger->buffers));
	free(ledger);
	return NULL;
}

/* Ids grow, so the place of a new buffer is nearly always the end. */
static void ledger_link(struct ledger *ledger, struct buffer *buffer)
{
	struct buffer *before = TAILQ_LAST(&ledger->buffers, buffers);

	while (before && before->id > buffer->id)
		before = TAILQ_PREV(before, buffers, link);
	if (before)
		TAILQ_INSERT_AFTER(&ledger->buffers, before, buffer, link);
	else
		TAILQ_INSERT_HEAD(&ledger->buffers, buffer, link);
}

int ledger_insert(struct ledger *ledger, struct buffer *buffer)
{
	struct buffer **node;

	if (buffer->id == 0)
		return -EINVAL;
	node = tsearch(buffer, &ledger->tree, buffer_compare);
	if (!node)
		return -ENOMEM;
	if (*node != buffer)
		return -EEXIST;
	ledger_link(ledger, buffer);
	ledger->bytes += buffer->size;
	ledger->count++;
	return 0;
}

int ledger_remove(struct ledger *ledger, uint64_t id)
{
	struct buffer *buffer = ledger_find(ledger, id);

	if (!buffer)
		return -ENOENT;
	ledger_take_out(ledger, buffer);
	return 0;
}

const struct buffer *ledger_next(const struct ledger *ledger, uint64_t after)
{
	const struct buffer *buffer = after ? ledger_find(ledger, after) : NULL;

	if (buffer)
		return TAILQ_NEXT(buffer, link);
	TAILQ_FOREACH(buffer, &ledger->buffers, link)
	if (buffer->id > after)
		return buffer;
	return NULL;
}

uint64_t ledger_get_bytes(const struct ledger *ledger)
{
	return ledger->bytes;
}

uint64_t ledger_get_count(const struct ledger *ledger)
{
	return ledger->count;
}
