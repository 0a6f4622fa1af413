/* SPDX-License-Identifier: MIT */
/*
 * The books of a daemon that starts anew. Knows the module, the ledger and tags; no client yet.
 */
#include "rebuild.h"

#include <errno.h>

#include "cleanup.h"
#include "log.h"

#define PAGE 64 /* buffers in one question to the kernel */

static void buffer_freep(struct buffer **buffer)
{
	buffer_free(*buffer);
}

static int charge_for(struct buffer *buffer, struct quota *quota)
{
	struct payer payer = {
		.kind = buffer->known ? ACCOUNT_USER : ACCOUNT_UNKNOWN,
		.uid = buffer->owner.uid,
		.n_devices = buffer->owner.n_devices,
	};

	for (unsigned int i = 0; i < payer.n_devices; i++)
		payer.devices[i] = buffer->owner.devices[i];
	return charge_restore(&buffer->charge, quota, &payer, buffer->size);
}

/* 1: entered; 0: entered, with a tag that cannot be read. */
static int enter(const struct module_buffer *live, struct ledger *ledger, struct quota *quota)
{
	_cleanup_(buffer_freep) struct buffer *buffer = NULL;
	bool known;
	int r;

	r = buffer_new(&buffer);
	if (r < 0)
		return r;
	known = tag_unpack(live->tag, &buffer->owner) >= 0;
	buffer->known = known;
	buffer->id = live->id;
	buffer->size = live->size;
	buffer->base = live->base;
	buffer->end = live->end;
	buffer->pool = live->pool;
	buffer->mapping = live->mapping;
	buffer->contiguous = live->contiguous;
	r = charge_for(buffer, quota);
	if (r >= 0)
		r = ledger_insert(ledger, buffer);
	if (r < 0)
		return r;
	TAKE_PTR(buffer); /* the ledger has it */
	return known;
}

int rebuild(const struct module *module, struct ledger *ledger, struct quota *quota)
{
	_cleanup_free_ struct module_buffer *page = calloc(PAGE, sizeof(*page));
	unsigned int unknown = 0;
	uint64_t after = 0;
	int n;

	if (!page)
		return -ENOMEM;
	do {
		n = module_list(module, after, page, PAGE);
		if (n < 0)
			return n;
		for (int i = 0; i < n; i++) {
			int r = enter(&page[i], ledger, quota);

			if (r < 0)
				return r;
			unknown += !r;
			after = page[i].id;
		}
	} while (n == PAGE);
	if (unknown)
		log_warning("%u live buffers do not tell who asked for them: they are charged to "
			    "nobody known until they are released",
			    unknown);
	return 0;
}
