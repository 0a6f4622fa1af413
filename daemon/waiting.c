/* SPDX-License-Identifier: MIT */
/*
 * Clients whose request waits, on the event loop: a round tries those whom the queue names, and one
 * timer is armed for the next time that matters, while anybody waits at all. A retry is the whole
 * request anew, as devices, rights and settings may be others by now. Knows neither accounts nor
 * pools.
 */
#include "waiting.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "claims.h"
#include "cleanup.h"
#include "client.h"
#include "clock.h"
#include "log.h"
#include "manager.h"
#include "reply.h"
#include "request.h"

#define ACCURACY_USEC 1000

struct waiting {
	struct waiter waiter; /* first: the queue gives it back */
	struct client *client;
	struct dmabufd_header header;
	struct dmabufd_request request;
};

/* Whose limit is reached? NULL: nobody's. */
static const char *check_limits(const struct client *client, struct limit *limit)
{
	const struct manager *m = client->manager;

	*limit = limit_of_waiters(m->settings, &client->peer);
	if (queue_count_of(m->queue, client->peer.uid) >= limit->max)
		return "this user's";
	*limit = limit_of_all_waiters(m->settings);
	return queue_count(m->queue) >= limit->max ? "all users'" : NULL;
}

int waiting_begin(struct client *client, const struct wire_frame *request,
		  const struct shortage *shortage, struct reply *reply, int status)
{
	struct manager *m = client->manager;
	_cleanup_free_ struct waiting *waiting = NULL;
	struct limit limit;
	const char *whose = check_limits(client, &limit);

	if (whose) {
		reply_prefix(reply, "%" PRIu64 " of %s requests wait already, see %s= in [%s]: ",
			     limit.max, whose, limit.key, limit.section);
		return status;
	}
	waiting = calloc(1, sizeof(*waiting));
	if (!waiting)
		return status;
	waiting->client = client;
	waiting->header = request->header;
	waiting->request = request->request;
	waiting->waiter.uid = client->peer.uid;
	if (queue_add(m->queue, &waiting->waiter, shortage, manager_get_time(m),
		      request->request.wait) < 0)
		return status;
	client->waiting = TAKE_PTR(waiting);
	waiting_arrange(m);
	return REPLY_LATER;
}

void waiting_end(struct waiting *waiting)
{
	struct manager *m = waiting->client->manager;

	waiting->client->waiting = NULL;
	queue_remove(m->queue, &waiting->waiter);
	free(waiting);
	waiting_arrange(m);
}

/* The last time, the refusal is the reply. */
static void retry(struct waiter *waiter, bool last)
{
	struct waiting *waiting = (struct waiting *)waiter;
	struct client *client = waiting->client;
	struct dmabufd_request request = waiting->request;
	struct shortage shortage;
	struct reply reply;
	uint64_t started = clock_now(CLOCK_MONOTONIC);
	int status;

	if (last)
		request.wait = 0;
	reply_begin(&reply, &waiting->header);
	status = request_try(client, &request, waiter, &shortage, &reply);
	if (status < 0 && shortage.can_end) {
		if (!last && queue_refused(client->manager->queue, waiter, &shortage) >= 0)
			return;
		if (last)
			reply_prefix(&reply,
				     "after %" PRIu64 " ms still: ", waiting->request.wait / 1000);
	}
	waiting_end(waiting);
	client_count(client, &request, &reply, clock_now(CLOCK_MONOTONIC) - started);
	if (client_reply(client, &reply, status) < 0)
		client_free(client);
}

static int on_round(sd_event_source *source, void *userdata)
{
	struct manager *m = userdata;
	struct waiter *waiter;

	while ((waiter = queue_next(m->queue)))
		retry(waiter, false);
	waiting_arrange(m);
	return 0;
}

static int on_time(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct manager *m = userdata;
	uint64_t now = manager_get_time(m);
	struct waiter *waiter;

	while ((waiter = queue_expire(m->queue, now)))
		retry(waiter, true);
	waiting_arrange(m);
	return 0;
}

/* Before clients who come later are served. */
static int arrange_round(struct manager *m)
{
	bool touched = queue_is_touched(m->queue);
	int r;

	if (!m->wait_round && touched) {
		r = sd_event_add_defer(m->event, &m->wait_round, on_round, m);
		if (r >= 0)
			r = sd_event_source_set_priority(m->wait_round,
							 SD_EVENT_PRIORITY_IMPORTANT);
		return r;
	}
	if (!m->wait_round)
		return 0;
	return sd_event_source_set_enabled(m->wait_round,
					   touched ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

static int arrange_timer(struct manager *m)
{
	uint64_t time = queue_get_time(m->queue);
	int r;

	if (time == UINT64_MAX) {
		m->wait_timer = sd_event_source_disable_unref(m->wait_timer);
		return 0;
	}
	if (!m->wait_timer)
		return sd_event_add_time(m->event, &m->wait_timer, CLOCK_MONOTONIC, time,
					 ACCURACY_USEC, on_time, m);
	r = sd_event_source_set_time(m->wait_timer, time);
	if (r >= 0)
		r = sd_event_source_set_enabled(m->wait_timer, SD_EVENT_ONESHOT);
	return r;
}

void waiting_arrange(struct manager *m)
{
	int r;

	if (sd_event_get_state(m->event) == SD_EVENT_FINISHED)
		return;
	r = arrange_round(m);
	if (r >= 0)
		r = arrange_timer(m);
	/* Without them clients would wait for ever: a new start sends them away. */
	if (r < 0) {
		log_error("cannot wake up requests that wait: %s", strerror(-r));
		sd_event_exit(m->event, r);
	}
}

void waiting_retry_all(struct manager *m)
{
	queue_touch_all(m->queue);
	waiting_arrange(m);
}
