/* SPDX-License-Identifier: MIT */
/*
 * The live buffers by id: an array in the order of ids, which only grow, so that a new one goes to
 * the end. One that is removed leaves a gap; with more gaps than buffers the array is packed. Pure:
 * knows neither sockets nor the kernel interface.
 */
#include "ledger.h"

#include <errno.h>
#include <string.h>

#include "cleanup.h"

#define ENTRIES_MIN 64

struct entry {
	uint64_t id;
	struct buffer *buffer; /* owned; NULL: a gap */
};

struct ledger {
	struct entry *entries; /* ascending ids */
	size_t n_entries;
	size_t room; /* for so many */
	uint64_t bytes;
	uint64_t count;
};

static size_t get_devices_size(const struct tag *owner)
{
	size_t size = 0;

	for (unsigned int i = 0; i < owner->n_devices; i++)
		size += strlen(owner->devices[i]) + 1;
	return size;
}

static void set_owner(struct buffer *buffer, const struct tag *owner)
{
	char *at = buffer->devices;

	buffer->known = true;
	buffer->uid = owner->uid;
	buffer->pid = owner->pid;
	buffer->relaxed = owner->relaxed;
	memcpy(buffer->name, owner->name, sizeof(buffer->name));
	buffer->n_devices = owner->n_devices;
	for (unsigned int i = 0; i < owner->n_devices; i++)
		at = stpcpy(at, owner->devices[i]) + 1;
}

int buffer_new(const struct tag *owner, struct buffer **ret)
{
	struct buffer *buffer = calloc(1, sizeof(*buffer) + (owner ? get_devices_size(owner) : 0));

	if (!buffer)
		return -ENOMEM;
	if (owner)
		set_owner(buffer, owner);
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

int ledger_new(struct ledger **ret)
{
	struct ledger *ledger = calloc(1, sizeof(*ledger));

	if (!ledger)
		return -ENOMEM;
	*ret = ledger;
	return 0;
}

struct ledger *ledger_free(struct ledger *ledger)
{
	for (size_t i = 0; ledger && i < ledger->n_entries; i++)
		buffer_free(ledger->entries[i].buffer);
	if (ledger)
		free(ledger->entries);
	free(ledger);
	return NULL;
}

/* Of the first entry with this id or a greater one; behind the last when there is none. */
static size_t ledger_find(const struct ledger *ledger, uint64_t id)
{
	size_t low = 0, high = ledger->n_entries;

	if (high && ledger->entries[high - 1].id < id)
		return high;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ledger->entries[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* NULL: there is none of this id, nor a gap where it was. */
static struct entry *ledger_get_entry(const struct ledger *ledger, uint64_t id)
{
	size_t at = ledger_find(ledger, id);

	return at < ledger->n_entries && ledger->entries[at].id == id ? &ledger->entries[at] : NULL;
}

const struct buffer *ledger_get(const struct ledger *ledger, uint64_t id)
{
	const struct entry *entry = ledger_get_entry(ledger, id);

	return entry ? entry->buffer : NULL;
}

static int ledger_reserve(struct ledger *ledger)
{
	size_t room = ledger->room ? 2 * ledger->room : ENTRIES_MIN;
	struct entry *entries;

	if (ledger->n_entries < ledger->room)
		return 0;
	entries = reallocarray(ledger->entries, room, sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	ledger->entries = entries;
	ledger->room = room;
	return 0;
}

static int ledger_add_entry(struct ledger *ledger, uint64_t id, struct entry **ret)
{
	int r = ledger_reserve(ledger);
	size_t at = ledger_find(ledger, id);

	if (r < 0)
		return r;
	*ret = &ledger->entries[at];
	memmove(*ret + 1, *ret, (ledger->n_entries++ - at) * sizeof(**ret));
	**ret = (struct entry){.id = id};
	return 0;
}

int ledger_insert(struct ledger *ledger, struct buffer *buffer)
{
	struct entry *entry = ledger_get_entry(ledger, buffer->id);
	int r = 0;

	if (buffer->id == 0)
		return -EINVAL;
	if (entry && entry->buffer)
		return -EEXIST;
	if (!entry)
		r = ledger_add_entry(ledger, buffer->id, &entry);
	if (r < 0)
		return r;
	entry->buffer = buffer;
	ledger->bytes += buffer->size;
	ledger->count++;
	return 0;
}

static void ledger_pack(struct ledger *ledger)
{
	size_t n = 0;

	for (size_t i = 0; i < ledger->n_entries; i++)
		if (ledger->entries[i].buffer)
			ledger->entries[n++] = ledger->entries[i];
	ledger->n_entries = n;
}

int ledger_remove(struct ledger *ledger, uint64_t id)
{
	struct entry *entry = ledger_get_entry(ledger, id);

	if (!entry || !entry->buffer)
		return -ENOENT;
	ledger->bytes -= entry->buffer->size;
	ledger->count--;
	entry->buffer = buffer_free(entry->buffer);
	if (ledger->n_entries > 2 * ledger->count + ENTRIES_MIN)
		ledger_pack(ledger);
	return 0;
}

const struct buffer *ledger_next(const struct ledger *ledger, uint64_t after)
{
	if (after == UINT64_MAX)
		return NULL;
	for (size_t i = ledger_find(ledger, after + 1); i < ledger->n_entries; i++)
		if (ledger->entries[i].buffer)
			return ledger->entries[i].buffer;
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
