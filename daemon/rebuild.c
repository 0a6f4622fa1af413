/* SPDX-License-Identifier: MIT */
/*
 * The books of a daemon that starts anew. Knows the module, the ledger and tags; no client yet.
 */
#include "rebuild.h"

#include <errno.h>

#include "claims.h"
#include "cleanup.h"
#include "log.h"

#define PAGE 64 /* buffers in one question to the kernel */

static void buffer_freep(struct buffer **buffer)
{
	buffer_free(*buffer);
}

static int charge_for(struct buffer *buffer, const struct module *module, struct quota *quota)
{
	const struct peer peer = {.uid = buffer->owner.uid};
	struct payer payer = {
		.peer = buffer->known ? &peer : NULL,
		.n_devices = buffer->owner.n_devices,
	};
	struct claim claims[CLAIMS_MAX];
	unsigned int n, n_pools;
	const struct pool *pools = module_get_pools(module, &n_pools);
	int r;

	for (unsigned int i = 0; i < payer.n_devices; i++) {
		payer.devices[i] = buffer->owner.devices[i];
		payer.nodes[i] = "";
	}
	n = claims_of_payer(NULL, &payer, claims);
	r = charge_restore(&buffer->charge, quota, claims, n, buffer->size);
	if (r < 0 || buffer->pool >= n_pools)
		return r;
	n = claims_on_pool(NULL, &payer, &pools[buffer->pool], buffer->size, quota, claims);
	return charge_restore(&buffer->pool_charge, quota, claims, n, buffer->size);
}

/* 1: entered; 0: entered, with a tag that cannot be read. */
static int enter(const struct module_buffer *live, const struct module *module,
		 struct ledger *ledger, struct quota *quota)
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
	r = charge_for(buffer, module, quota);
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
			int r = enter(&page[i], module, ledger, quota);

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
