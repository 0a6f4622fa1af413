/* SPDX-License-Identifier: MIT */
/*
 * Programs that want to know what concerns them: other limits, and memory asked back. Asking costs a
 * look at every buffer, and is a bother to those who are asked, so it is done seldom, whoever is
 * refused how often. Nobody is told who asks. How events are sent is watch.c's.
 */
#include "notify.h"

#include <string.h>

#include "changes.h"
#include "client.h"
#include "manager.h"
#include "reply.h"
#include "watch.h"

/* Between two times that memory of one pool is asked back. */
#define ASK_USEC (5 * UINT64_C(1000000))

int handle_notify(struct client *client, const struct wire_frame *request, struct reply *reply)
{
	watch_begin(client, &client->manager->notified, &request->header);
	return 0;
}

void notify_of_settings(struct manager *m, const struct settings *after)
{
	bool shared = !LIST_EMPTY(&m->notified) && changes_shared_limits(m->settings, after);
	struct client *client;

	LIST_FOREACH(client, &m->notified, watch_link)
	{
		const struct claim limits = limits_of_user(after, &client->peer);
		struct wire_frame frame;

		if (!shared && !changes_limits_of_user(m->settings, after, &client->peer))
			continue;
		watch_event_init(&frame, DMABUFD_EVENT_QUOTA_CHANGED);
		frame.event.uid = client->peer.uid;
		frame.event.size = limits.bytes.max;
		frame.event.number = limits.buffers.max;
		watch_tell(client, &frame);
	}
}

static bool is_owner(const struct buffer *buffer, const struct peer *peer)
{
	return buffer->known && buffer->pid == peer->pid && buffer->uid == peer->uid;
}

/* One look at each buffer: who has some of this pool? */
static void find_holders(struct manager *m, unsigned int pool)
{
	const struct buffer *buffer = ledger_next(m->ledger, 0);
	struct client *client;

	LIST_FOREACH(client, &m->notified, watch_link)
	client->holds = false;
	for (; buffer; buffer = ledger_next(m->ledger, buffer->id)) {
		if (buffer->pool != pool)
			continue;
		LIST_FOREACH(client, &m->notified, watch_link)
		if (is_owner(buffer, &client->peer))
			client->holds = true;
	}
}

/* What one user may have of a pool is given back by that user alone. */
static bool can_help(const struct client *holder, const struct peer *asks,
		     const struct short_thing *thing)
{
	if (holder->peer.uid == asks->uid && holder->peer.pid == asks->pid)
		return false;
	return thing->kind == ACCOUNT_POOL || holder->peer.uid == asks->uid;
}

static void ask_back(const struct client *asks, const struct short_thing *thing, unsigned int pool,
		     const struct want *want)
{
	struct manager *m = asks->manager;
	uint64_t now = manager_get_time(m);
	struct wire_frame frame;
	struct client *client;

	if (now < m->asked_back_until[pool])
		return;
	m->asked_back_until[pool] = now + ASK_USEC;
	watch_event_init(&frame, DMABUFD_EVENT_ASKED_BACK);
	strcpy(frame.event.pool, thing->pool);
	if (__builtin_mul_overflow(want->size, want->count, &frame.event.size))
		frame.event.size = UINT64_MAX;
	find_holders(m, pool);
	LIST_FOREACH(client, &m->notified, watch_link)
	if (client->holds && can_help(client, &asks->peer, thing))
		watch_tell(client, &frame);
}

void notify_of_shortage(const struct client *client, const struct shortage *shortage)
{
	struct manager *m = client->manager;
	const struct pool *pools;
	unsigned int n_pools;

	if (LIST_EMPTY(&m->notified) || !m->module || !shortage->can_end)
		return;
	pools = module_get_pools(m->module, &n_pools);
	for (unsigned int i = 0; i < shortage->n_things; i++) {
		const struct short_thing *thing = &shortage->things[i];
		uint64_t pool = pools_find(pools, n_pools, thing->pool);

		if (pool)
			ask_back(client, thing, (unsigned int)__builtin_ctzll(pool),
				 &shortage->want);
	}
}
