/* SPDX-License-Identifier: MIT */
/*
 * The daemon about itself: numbers, and who is connected. Who is not root sees no connection of
 * others. Answers without a kernel module too. Changes nothing.
 */
#include "status.h"

#include <assert.h>
#include <stdio.h>

#include "client.h"
#include "clock.h"
#include "config.h"
#include "manager.h"
#include "reply.h"

static_assert((int)N_REFUSED == DMABUFD_REFUSALS, "reasons of refusals");
static_assert((int)REFUSED_BY_QUOTA == DMABUFD_REFUSED_QUOTA, "reasons of refusals");
static_assert((int)REFUSED_BY_FULL_POOLS == DMABUFD_REFUSED_FULL, "reasons of refusals");
static_assert((int)REFUSED_AS_UNSUITABLE == DMABUFD_REFUSED_UNSUITABLE, "reasons of refusals");
static_assert((int)REFUSED_BY_ACCESS == DMABUFD_REFUSED_ACCESS, "reasons of refusals");
static_assert((int)REFUSED_FOR_DEVICE == DMABUFD_REFUSED_DEVICE, "reasons of refusals");
static_assert((int)REFUSED_AS_INVALID == DMABUFD_REFUSED_INVALID, "reasons of refusals");
static_assert((int)REFUSED_WITHOUT_MODULE == DMABUFD_REFUSED_MODULE, "reasons of refusals");
static_assert(BUCKETS == DMABUFD_BUCKETS, "buckets");
static_assert(POOLS_MAX <= WIRE_POOL_COUNTS_MAX, "the numbers of all pools fit a frame");

static void fill_now(struct dmabufd_status *to, const struct manager *m)
{
	const struct client *client;

	snprintf(to->version, sizeof(to->version), "%s", VERSION);
	to->uptime = clock_now(CLOCK_MONOTONIC) - m->started;
	LIST_FOREACH(client, &m->clients, link)
	{
		to->clients++;
		to->watchers += client->watch_opcode == DMABUFD_WATCH;
	}
	to->buffers = ledger_get_count(m->ledger);
	to->bytes = ledger_get_bytes(m->ledger);
	if (m->module)
		module_get_version(m->module, &to->module_major, &to->module_minor);
	else
		snprintf(to->missing, sizeof(to->missing), "%s", manager_get_module_text(m));
}

static void fill_counters(struct dmabufd_status *to, const struct counters *counters)
{
	to->connections = counters->connections;
	to->requests = counters->requests;
	to->reloads = counters->reloads;
	to->lost = counters->lost;
	for (unsigned int i = 0; i < N_REFUSED; i++)
		to->refusals[i] = counters->refusals[i];
	to->usec = counters->usec;
	for (unsigned int i = 0; i < BUCKETS; i++)
		to->buckets[i] = (struct dmabufd_bucket){.usec = bucket_get_bound(i),
							 .count = counters->buckets[i]};
}

static void fill_pools(struct dmabufd_pool_count to[], const struct pool pools[],
		       unsigned int n_pools, const struct counters *counters)
{
	for (unsigned int i = 0; i < n_pools; i++) {
		struct pool_count count = counters_get_pool(counters, pools[i].name);

		strcpy(to[i].name, pools[i].name);
		to[i].buffers = count.buffers;
		to[i].bytes = count.bytes;
	}
}

int handle_status(struct client *client, const struct wire_frame *request, struct reply *reply)
{
	const struct manager *m = client->manager;
	const struct pool *pools = NULL;
	unsigned int n_pools = 0;

	if (m->module)
		pools = module_get_pools(m->module, &n_pools);
	reply_set_body(reply,
		       sizeof(struct dmabufd_status) + n_pools * sizeof(struct dmabufd_pool_count));
	fill_now(&reply->frame.status, m);
	fill_counters(&reply->frame.status, &m->counters);
	reply->frame.status.n_pools = n_pools;
	fill_pools(reply->frame.pool_counts, pools, n_pools, &m->counters);
	return 0;
}

static void client_fill(struct dmabufd_client *to, const struct client *client,
			const struct client *asks)
{
	to->pid = (uint32_t)client->peer.pid;
	to->uid = client->peer.uid;
	to->connected = clock_now(CLOCK_MONOTONIC) - client->connected;
	to->requests = client->requests;
	to->refusals = client->refusals;
	to->flags = (client->watch_opcode == DMABUFD_WATCH ? DMABUFD_CLIENT_WATCHES : 0) |
		    (client == asks ? DMABUFD_CLIENT_ASKS : 0);
}

/* One look at each buffer for the whole page. */
static void add_buffers(struct dmabufd_client clients[], unsigned int n, const struct manager *m)
{
	const struct buffer *buffer = ledger_next(m->ledger, 0);

	for (; buffer; buffer = ledger_next(m->ledger, buffer->id))
		for (unsigned int i = 0; i < n; i++)
			if (buffer->known && clients[i].pid == (uint32_t)buffer->pid &&
			    clients[i].uid == buffer->uid) {
				clients[i].buffers++;
				clients[i].bytes += buffer->size;
			}
}

/*
 * The cursor counts down from the highest number: new connections are at the list's head and have
 * higher numbers, so those that come while it is read are not on the pages that follow.
 */
int handle_clients(struct client *client, const struct wire_frame *request, struct reply *reply)
{
	const struct manager *m = client->manager;
	const struct client *other;
	uint64_t last = 0;
	unsigned int n = 0;

	reply_set_body(reply, sizeof(reply->frame.body));
	LIST_FOREACH(other, &m->clients, link)
	{
		if (UINT64_MAX - other->number <= request->cursor.after ||
		    (client->peer.uid != 0 && client->peer.uid != other->peer.uid))
			continue;
		if (n == WIRE_CLIENTS_MAX) {
			reply->frame.page.next = last;
			break;
		}
		client_fill(&reply->frame.clients[n++], other, client);
		last = UINT64_MAX - other->number;
	}
	add_buffers(reply->frame.clients, n, m);
	reply->frame.page.count = n;
	reply->length = sizeof(reply->frame.header) + sizeof(reply->frame.page) +
			n * sizeof(struct dmabufd_client);
	return 0;
}
