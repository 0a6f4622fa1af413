/* SPDX-License-Identifier: MIT */
/*
 * Requests that wait, and the rule by which nobody starves. Pure: knows neither sockets nor the
 * kernel interface nor a clock.
 *
 * Who came first is tried first, among those who wait for the same thing: an account of the quota,
 * or the memory of a pool. Requests for different things do not see each other.
 *
 * Small requests do not wait for large ones: whoever comes later, waiting or new, may have what is
 * there and too little for those before it. Large requests do not wait for small ones: once
 * PASSES_MAX buffers have passed a waiter in this way, what it asked for is kept for it, and others
 * get only what is left beside that. Nor do small ones wait for large ones that nothing can help:
 * after KEEP_USEC it is the turn of the next who was passed so often, and the passes of this one are
 * counted anew. So a small request waits at most KEEP_USEC for each who is before it, and a large
 * one has, again and again, KEEP_USEC in which all that comes free is its own.
 *
 * This gives nobody more than he could have had: what is kept for a request is within its user's
 * quota, which refused nothing; one that waits for an account of its user alone holds back that
 * user only. One that any of several pools could serve has room kept in each. Where a pool has no
 * size that is known, as the page allocator, nothing can be kept.
 */
#include "queue.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"

#define PASSES_MAX 8
#define KEEP_USEC (UINT64_C(5) * 1000000)

TAILQ_HEAD(waiters, waiter);

struct queue {
	struct waiters waiters; /* borrowed; the first came first */
	unsigned int n;
};

static uint64_t later(uint64_t now, uint64_t usec)
{
	uint64_t sum;

	return __builtin_add_overflow(now, usec, &sum) ? UINT64_MAX : sum;
}

/* Borrows the thing's strings. */
static struct account_id get_account(const struct short_thing *thing)
{
	return (struct account_id){thing->kind, thing->uid, thing->device, thing->pool};
}

static bool is_account(const struct short_thing *thing, const struct account_id *id)
{
	const struct account_id own = get_account(thing);

	return account_id_is_same(&own, id);
}

void shortage_add(struct shortage *shortage, const struct account_id *id, bool memory)
{
	struct short_thing *thing = &shortage->things[shortage->n_things];

	assert(shortage->n_things < POOLS_MAX);
	assert(strlen(id->device) < sizeof(thing->device) &&
	       strlen(id->pool) < sizeof(thing->pool));
	shortage->n_things++;
	thing->kind = id->kind;
	thing->uid = id->uid;
	thing->memory = memory;
	strcpy(thing->device, id->device);
	strcpy(thing->pool, id->pool);
}

int queue_new(struct queue **ret)
{
	struct queue *queue = calloc(1, sizeof(*queue));

	if (!queue)
		return -ENOMEM;
	TAILQ_INIT(&queue->waiters);
	*ret = queue;
	return 0;
}

struct queue *queue_free(struct queue *queue)
{
	assert(!queue || TAILQ_EMPTY(&queue->waiters));
	free(queue);
	return NULL;
}

static int waiter_set_things(struct waiter *waiter, const struct shortage *shortage)
{
	struct short_thing *things = calloc(shortage->n_things + 1, sizeof(*things));

	if (!things)
		return -ENOMEM;
	memcpy(things, shortage->things, shortage->n_things * sizeof(*things));
	free(waiter->things);
	waiter->things = things;
	waiter->n_things = shortage->n_things;
	waiter->want = shortage->want;
	return 0;
}

int queue_add(struct queue *queue, struct waiter *waiter, const struct shortage *shortage,
	      uint64_t now, uint64_t wait)
{
	int r = waiter_set_things(waiter, shortage);

	if (r < 0)
		return r;
	waiter->deadline = later(now, wait);
	TAILQ_INSERT_TAIL(&queue->waiters, waiter, link);
	queue->n++;
	return 0;
}

static bool waiter_is_short_of(const struct waiter *waiter, const struct account_id *id)
{
	for (unsigned int i = 0; i < waiter->n_things; i++)
		if (is_account(&waiter->things[i], id))
			return true;
	return false;
}

static bool waiters_share(const struct waiter *a, const struct waiter *b)
{
	for (unsigned int i = 0; i < a->n_things; i++) {
		const struct account_id id = get_account(&a->things[i]);

		if (waiter_is_short_of(b, &id))
			return true;
	}
	return false;
}

/* Others get at the room that was kept. */
static void waiter_stop_keeping(struct queue *queue, struct waiter *waiter)
{
	struct waiter *other;

	if (!waiter->kept_until)
		return;
	waiter->kept_until = 0;
	waiter->passes = 0;
	TAILQ_FOREACH(other, &queue->waiters, link)
	if (other != waiter && waiters_share(waiter, other))
		other->touched = true;
}

static bool may_keep(const struct queue *queue, const struct waiter *waiter)
{
	const struct waiter *other;

	if (waiter->kept_until || waiter->passes < PASSES_MAX)
		return false;
	TAILQ_FOREACH(other, &queue->waiters, link)
	if (other->kept_until && waiters_share(waiter, other))
		return false;
	return true;
}

/* One at a time for each thing. */
static void queue_give_turns(struct queue *queue, uint64_t now)
{
	struct waiter *waiter;

	TAILQ_FOREACH(waiter, &queue->waiters, link)
	if (may_keep(queue, waiter))
		waiter->kept_until = later(now, KEEP_USEC);
}

static bool is_short_of_the_same(const struct waiter *waiter, const struct shortage *shortage)
{
	for (unsigned int i = 0; i < shortage->n_things; i++) {
		const struct account_id id = get_account(&shortage->things[i]);

		if (!waiter_is_short_of(waiter, &id))
			return false;
	}
	return waiter->n_things == shortage->n_things;
}

int queue_refused(struct queue *queue, struct waiter *waiter, const struct shortage *shortage)
{
	waiter->tried = true;
	if (!is_short_of_the_same(waiter, shortage))
		waiter_stop_keeping(queue, waiter);
	return waiter_set_things(waiter, shortage);
}

void queue_remove(struct queue *queue, struct waiter *waiter)
{
	waiter_stop_keeping(queue, waiter);
	TAILQ_REMOVE(&queue->waiters, waiter, link);
	queue->n--;
	free(TAKE_PTR(waiter->things));
}

/* A fair share of a whole grows when others give back of it. */
static bool may_help(const struct account_id *given_back, const struct short_thing *wanted)
{
	const struct account_id id = get_account(wanted);

	return account_id_is_same(given_back, &id) || account_id_is_part(&id, given_back);
}

static bool charge_may_help(const struct charge *charge, const struct waiter *waiter)
{
	for (unsigned int i = 0; i < charge->n_accounts; i++)
		for (unsigned int j = 0; j < waiter->n_things; j++)
			if (may_help(charge_get_account(charge, i), &waiter->things[j]))
				return true;
	return false;
}

void queue_touch(struct queue *queue, const struct charge *charge)
{
	struct waiter *waiter;

	TAILQ_FOREACH(waiter, &queue->waiters, link)
	if (charge_may_help(charge, waiter))
		waiter->touched = true;
}

void queue_touch_all(struct queue *queue)
{
	struct waiter *waiter;

	TAILQ_FOREACH(waiter, &queue->waiters, link)
	waiter->touched = true;
}

/* Would memory that is too little for one be too little for the other as well? */
static bool want_is_no_less(const struct want *want, const struct want *than)
{
	return want->size >= than->size && want->count >= than->count &&
	       want->contiguous >= than->contiguous && want->alignment >= than->alignment &&
	       (!than->max_address ||
		(want->max_address && want->max_address <= than->max_address));
}

/* Did the kernel refuse somebody before, in this round, who asked it for no more? */
static bool is_refused_already(const struct queue *queue, const struct waiter *waiter,
			       const struct short_thing *thing)
{
	const struct account_id pool = get_account(thing);
	const struct waiter *before;

	for (before = TAILQ_FIRST(&queue->waiters); before != waiter;
	     before = TAILQ_NEXT(before, link)) {
		if (!before->tried || !want_is_no_less(&waiter->want, &before->want))
			continue;
		for (unsigned int i = 0; i < before->n_things; i++)
			if (before->things[i].memory && is_account(&before->things[i], &pool))
				return true;
	}
	return false;
}

/* To ask the kernel takes time, of everybody: not for each of a long line with each release. */
static bool is_hopeless(const struct queue *queue, const struct waiter *waiter)
{
	for (unsigned int i = 0; i < waiter->n_things; i++)
		if (!is_refused_already(queue, waiter, &waiter->things[i]))
			return false;
	return waiter->n_things > 0;
}

struct waiter *queue_next(struct queue *queue)
{
	struct waiter *waiter;

	TAILQ_FOREACH(waiter, &queue->waiters, link)
	{
		if (!waiter->touched)
			continue;
		waiter->touched = false;
		if (!is_hopeless(queue, waiter))
			return waiter;
	}
	TAILQ_FOREACH(waiter, &queue->waiters, link)
	waiter->tried = false;
	return NULL;
}

bool queue_is_touched(const struct queue *queue)
{
	const struct waiter *waiter;

	TAILQ_FOREACH(waiter, &queue->waiters, link)
	if (waiter->touched)
		return true;
	return false;
}

static void keep_for(const struct waiter *waiter, struct claim *claim)
{
	if (__builtin_mul_overflow(waiter->want.size, waiter->want.count, &claim->awaited_bytes))
		claim->awaited_bytes = UINT64_MAX;
	claim->awaited_buffers = waiter->want.count;
}

void queue_keep(const struct queue *queue, const struct waiter *self, struct claim claims[],
		unsigned int n_claims)
{
	const struct waiter *waiter;

	for (waiter = TAILQ_FIRST(&queue->waiters); waiter != self;
	     waiter = TAILQ_NEXT(waiter, link)) {
		if (!waiter->kept_until)
			continue;
		for (unsigned int i = 0; i < n_claims; i++)
			if (waiter_is_short_of(waiter, &claims[i].id))
				keep_for(waiter, &claims[i]);
	}
}

static bool charge_is_what_is_short(const struct charge *charge, const struct waiter *waiter)
{
	for (unsigned int i = 0; i < charge->n_accounts; i++)
		if (waiter_is_short_of(waiter, charge_get_account(charge, i)))
			return true;
	return false;
}

void queue_pass(struct queue *queue, const struct waiter *self, const struct charge *charge,
		uint64_t now)
{
	struct waiter *waiter;

	for (waiter = TAILQ_FIRST(&queue->waiters); waiter != self;
	     waiter = TAILQ_NEXT(waiter, link))
		if (waiter->passes < PASSES_MAX && charge_is_what_is_short(charge, waiter))
			waiter->passes++;
	queue_give_turns(queue, now);
}

uint64_t queue_get_time(const struct queue *queue)
{
	const struct waiter *waiter;
	uint64_t time = UINT64_MAX;

	TAILQ_FOREACH(waiter, &queue->waiters, link)
	{
		if (waiter->deadline < time)
			time = waiter->deadline;
		if (waiter->kept_until && waiter->kept_until < time)
			time = waiter->kept_until;
	}
	return time;
}

struct waiter *queue_expire(struct queue *queue, uint64_t now)
{
	struct waiter *waiter;

	TAILQ_FOREACH(waiter, &queue->waiters, link)
	if (waiter->kept_until && waiter->kept_until <= now)
		waiter_stop_keeping(queue, waiter);
	queue_give_turns(queue, now);
	TAILQ_FOREACH(waiter, &queue->waiters, link)
	if (waiter->deadline <= now)
		return waiter;
	return NULL;
}

unsigned int queue_count(const struct queue *queue)
{
	return queue->n;
}

unsigned int queue_count_of(const struct queue *queue, uid_t uid)
{
	const struct waiter *waiter;
	unsigned int n = 0;

	TAILQ_FOREACH(waiter, &queue->waiters, link)
	n += waiter->uid == uid;
	return n;
}
