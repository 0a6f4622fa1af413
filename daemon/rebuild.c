/* SPDX-License-Identifier: MIT */
/*
 * The books of a daemon that starts anew. Knows the module, the ledger and tags; no client yet.
 */
#include "rebuild.h"

#include <errno.h>
#include <string.h>

#include "claims.h"
#include "cleanup.h"
#include "log.h"

#define PAGE 256 /* buffers in one question to the kernel */

static void buffer_freep(struct buffer **buffer)
{
	buffer_free(*buffer);
}

/* What the last buffer had: of one request all have the same, and most of one program. */
struct last {
	const struct buffer *buffer; /* the ledger's; NULL before the first */
	uint8_t bytes[TAG_SIZE];
	struct tag owner;
};

/* False: it cannot be read. */
static bool read_owner(const uint8_t bytes[static TAG_SIZE], struct last *last)
{
	memcpy(last->bytes, bytes, TAG_SIZE);
	return tag_unpack(bytes, &last->owner) >= 0;
}

static int charge_pool(struct buffer *buffer, const struct payer *payer,
		       const struct module *module, struct quota *quota)
{
	struct claim claims[CLAIMS_MAX];
	unsigned int n, n_pools;
	const struct pool *pools = module_get_pools(module, &n_pools);

	if (buffer->pool >= n_pools)
		return 0;
	n = claims_on_pool(NULL, payer, &pools[buffer->pool], buffer->size, quota, claims);
	return charge_restore(&buffer->pool_charge, quota, claims, n, buffer->size);
}

static int charge_owner(struct buffer *buffer, const struct tag *owner, const struct module *module,
			struct quota *quota)
{
	const struct peer peer = {.uid = buffer->uid};
	struct payer payer = {
		.peer = buffer->known ? &peer : NULL,
		.n_devices = buffer->n_devices,
	};
	struct claim claims[CLAIMS_MAX];
	unsigned int n;
	int r;

	for (unsigned int i = 0; i < payer.n_devices; i++) {
		payer.devices[i] = owner->devices[i];
		payer.nodes[i] = "";
	}
	n = claims_of_payer(NULL, &payer, claims);
	r = charge_restore(&buffer->charge, quota, claims, n, buffer->size);
	return r < 0 ? r : charge_pool(buffer, &payer, module, quota);
}

static int charge_like(struct buffer *buffer, const struct buffer *like)
{
	int r = charge_restore_like(&buffer->charge, &like->charge, buffer->size);

	return r < 0 ? r
		     : charge_restore_like(&buffer->pool_charge, &like->pool_charge, buffer->size);
}

/* 1: entered; 0: entered, with a tag that cannot be read. */
static int enter(const struct module_buffer *live, const struct module *module,
		 struct ledger *ledger, struct quota *quota, struct last *last)
{
	_cleanup_(buffer_freep) struct buffer *buffer = NULL;
	bool same = last->buffer && !memcmp(last->bytes, live->tag, TAG_SIZE);
	bool known = same ? last->buffer->known : read_owner(live->tag, last);
	int r = buffer_new(known ? &last->owner : NULL, &buffer);

	if (r < 0)
		return r;
	buffer->id = live->id;
	buffer->size = live->size;
	buffer->base = live->base;
	buffer->end = live->end;
	buffer->pool = live->pool;
	buffer->mapping = live->mapping;
	buffer->contiguous = live->contiguous;
	if (same && live->pool == last->buffer->pool)
		r = charge_like(buffer, last->buffer);
	else
		r = charge_owner(buffer, &last->owner, module, quota);
	if (r >= 0)
		r = ledger_insert(ledger, buffer);
	if (r < 0)
		return r;
	last->buffer = TAKE_PTR(buffer); /* the ledger has it */
	return known;
}

int rebuild(const struct module *module, struct ledger *ledger, struct quota *quota)
{
	_cleanup_free_ struct module_buffer *page = calloc(PAGE, sizeof(*page));
	struct last last = {.buffer = NULL};
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
			int r = enter(&page[i], module, ledger, quota, &last);

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
