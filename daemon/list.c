/* SPDX-License-Identifier: MIT */
/*
 * What the daemon knows, a page at a time. Who is not root sees no buffer of others, and physical
 * addresses only where the configuration says so. Changes nothing.
 */
#include "list.h"

#include <errno.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "access.h"
#include "claims.h"
#include "cleanup.h"
#include "client.h"
#include "job.h"
#include "manager.h"

static int check_module(const struct client *client, struct reply *reply)
{
	if (client->manager->module)
		return 0;
	return reply_fail(reply, -ENXIO, "%s", manager_get_module_text(client->manager));
}

static void page_finish(struct reply *reply, size_t record, uint64_t next, unsigned int count)
{
	reply->frame.page.next = next;
	reply->frame.page.count = count;
	reply->length = sizeof(reply->frame.header) + sizeof(reply->frame.page) + count * record;
}

static void pool_fill(struct dmabufd_pool *to, const struct pool *pool, bool shows_address)
{
	strcpy(to->name, pool->name);
	to->kind = pool->kind;
	to->mappings = pool->mappings;
	to->base = shows_address ? pool->base : 0;
	to->size = pool->size;
	to->used = pool->used;
	to->max_block = pool->max_block;
	to->stocked = pool->stocked;
	to->stock_limit = pool->stock_limit;
}

/* Bytes of each pool in the reply: an older client knows the start of it. */
static size_t pool_get_record(const struct client *client)
{
	return client->minor >= 2 ? sizeof(struct dmabufd_pool) : DMABUFD_POOL_SIZE_0;
}

/* The cursor is how many pools were listed already. */
int handle_pools(struct client *client, const struct wire_frame *request, struct reply *reply)
{
	const struct pool *pools;
	size_t record = pool_get_record(client);
	unsigned int n_pools, n;
	uint64_t at = request->cursor.after;
	int r = check_module(client, reply);

	if (r < 0)
		return r;
	r = module_read_pools(client->manager->module);
	if (r < 0)
		return reply_fail(reply, -EIO, "cannot read the pools: %s", strerror(-r));
	pools = module_get_pools(client->manager->module, &n_pools);
	reply_set_body(reply, sizeof(reply->frame.body));
	for (n = 0; n < WIRE_POOLS_MAX && at < n_pools; n++) {
		struct dmabufd_pool pool = {0};

		pool_fill(&pool, &pools[at++], client_is_root_or_in(client, DAEMON_ADDRESS_GROUP));
		memcpy((char *)reply->frame.pools + n * record, &pool, record);
	}
	page_finish(reply, record, at < n_pools ? at : 0, n);
	return 0;
}

/* The pool that the policy would try first among those bound to this device alone. */
static void set_bound_pool(char name[static DMABUFD_NAME_SIZE], const struct manager *m,
			   const struct facts *facts)
{
	unsigned int n_pools;
	const struct pool *pools = module_get_pools(m->module, &n_pools), *best = NULL;

	for (unsigned int i = 0; i < n_pools; i++)
		if (facts->bound & UINT64_C(1) << i && (!best || pools[i].kind < best->kind))
			best = &pools[i];
	if (best)
		strcpy(name, best->name);
}

static bool is_allowed(const struct client *client, const struct device *device)
{
	struct stat st;

	return stat(device->node, &st) >= 0 && st.st_rdev == device->devnum &&
	       access_check(&client->peer, device->node, &st) >= 0;
}

static uint64_t device_get_number(const struct device *device)
{
	return (uint64_t)major(device->devnum) << 32 | minor(device->devnum);
}

/* False: the kernel says that it does no DMA. */
static bool device_fill(struct dmabufd_device *to, const struct client *client,
			const struct device *device)
{
	const struct account_id id = {ACCOUNT_DEVICE, 0, device->key, ""};
	struct manager *m = client->manager;
	struct facts facts;

	if (job_get_facts(m, device, &facts) < 0)
		return false;
	strcpy(to->node, device->node);
	memcpy(to->device, device->key, strnlen(device->key, sizeof(to->device) - 1));
	set_bound_pool(to->pool, m, &facts);
	to->devnum = device_get_number(device);
	to->dma_mask = facts.dma_mask;
	to->used = quota_get_bytes(m->quota, &id);
	to->limit = limit_of_device(m->settings, device->key, device->node).max;
	to->flags = (facts.coherent ? DMABUFD_DEVICE_COHERENT : 0) |
		    (facts.iommu ? DMABUFD_DEVICE_IOMMU : 0) |
		    (is_allowed(client, device) ? DMABUFD_DEVICE_ALLOWED : 0);
	return true;
}

/* The cursor is the number of the last device: it keeps its place when others come and go. */
int handle_devices(struct client *client, const struct wire_frame *request, struct reply *reply)
{
	_cleanup_free_ struct device *devices = NULL;
	uint64_t last = 0;
	size_t n_devices, i;
	unsigned int n = 0;
	int r = check_module(client, reply);

	if (r < 0)
		return r;
	r = device_list(client->manager->udev, &devices, &n_devices);
	if (r < 0)
		return reply_fail(reply, -EIO, "cannot list devices: %s", strerror(-r));
	reply_set_body(reply, sizeof(reply->frame.body));
	for (i = 0; i < n_devices && n < WIRE_DEVICES_MAX; i++) {
		if (device_get_number(&devices[i]) <= request->cursor.after)
			continue;
		last = device_get_number(&devices[i]);
		n += device_fill(&reply->frame.devices[n], client, &devices[i]);
	}
	page_finish(reply, sizeof(struct dmabufd_device), i < n_devices ? last : 0, n);
	return 0;
}

/* As many whole keys as fit. */
static void set_keys(char text[static DMABUFD_DEVICE_SIZE], const struct buffer *buffer)
{
	const char *key = buffer->devices;
	size_t at = 0;

	for (unsigned int i = 0; i < buffer->n_devices; i++) {
		size_t length = strlen(key);

		if (at + (i > 0) + length >= DMABUFD_DEVICE_SIZE)
			return;
		if (i > 0)
			text[at++] = ',';
		memcpy(text + at, key, length);
		at += length;
		key += length + 1;
	}
}

void buffer_fill(struct dmabufd_buffer *to, const struct buffer *buffer, const struct pool pools[],
		 unsigned int n_pools, const struct client *client)
{
	bool shows_address = client && client_is_root_or_in(client, DAEMON_ADDRESS_GROUP);
	const struct pool *pool = buffer->pool < n_pools ? &pools[buffer->pool] : NULL;

	to->id = buffer->id;
	to->size = buffer->size;
	to->base = shows_address ? buffer->base : 0;
	to->end = shows_address ? buffer->end : 0;
	to->kind = pool ? pool->kind : 0;
	to->mapping = buffer->mapping;
	to->flags = buffer->contiguous ? DMABUFD_BUFFER_CONTIGUOUS : 0;
	to->uid = buffer->known ? buffer->uid : (uid_t)-1;
	to->pid = (uint32_t)buffer->pid;
	to->relaxed = client && client->minor >= 2 ? buffer->relaxed : 0;
	if (pool)
		strcpy(to->pool, pool->name);
	strcpy(to->name, buffer->name);
	set_keys(to->devices, buffer);
}

bool buffer_is_visible(const struct client *client, const struct buffer *buffer)
{
	return client->peer.uid == 0 || (buffer->known && buffer->uid == client->peer.uid);
}

static const struct buffer *next_visible(const struct client *client, uint64_t after)
{
	const struct buffer *buffer = ledger_next(client->manager->ledger, after);

	while (buffer && !buffer_is_visible(client, buffer))
		buffer = ledger_next(client->manager->ledger, buffer->id);
	return buffer;
}

/* The cursor is the id of the last buffer, which may be gone when it is used. */
int handle_buffers(struct client *client, const struct wire_frame *request, struct reply *reply)
{
	const struct pool *pools;
	const struct buffer *buffer;
	unsigned int n_pools, n = 0;
	uint64_t last = 0;
	int r = check_module(client, reply);

	if (r < 0)
		return r;
	pools = module_get_pools(client->manager->module, &n_pools);
	reply_set_body(reply, sizeof(reply->frame.body));
	buffer = next_visible(client, request->cursor.after);
	for (; buffer && n < WIRE_LISTED_MAX; buffer = next_visible(client, last)) {
		buffer_fill(&reply->frame.listed[n++], buffer, pools, n_pools, client);
		last = buffer->id;
	}
	page_finish(reply, sizeof(struct dmabufd_buffer), buffer ? last : 0, n);
	return 0;
}
