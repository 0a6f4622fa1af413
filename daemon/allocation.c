/* SPDX-License-Identifier: MIT */
/*
 * One plan carried out. A charge is taken before the kernel is asked; from the ledger on, only the
 * kernel's release event gives it back. Knows nothing of other plans and other requests.
 */
#include "allocation.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "failure.h"
#include "identity.h"
#include "list.h"
#include "manager.h"
#include "watch.h"

/* A refusal of the user or the devices. */
static void note_quota(struct allocation *a, const struct refusal *refusal)
{
	uint64_t most = claims_get_most(a->claims, a->n_claims, a->plan->size);

	a->shortage->can_end = most >= a->job->count;
	shortage_add(a->shortage, &refusal->short_of, false);
}

/* How many of the buffers this step could give at best; 0 when to wait for it is in vain. */
static uint64_t note_step(struct allocation *a, unsigned int i)
{
	const struct pool *pool = a->plan->steps[i].pool;
	const struct account_id id = {ACCOUNT_POOL, 0, "", pool->name};
	struct claim claims[CLAIMS_MAX];
	unsigned int n = claims_on_pool(a->manager->settings, &a->job->payer, pool, a->plan->size,
					a->manager->quota, claims);
	uint64_t most = claims_get_most(claims, n, a->plan->size);

	if (a->errors[i] == -E2BIG || a->errors[i] == -EOPNOTSUPP || !most)
		return 0;
	if (a->errors[i] == -EDQUOT)
		shortage_add(a->shortage, &a->refusals[i].short_of, false);
	else
		shortage_add(a->shortage, &id, true);
	return most;
}

/* Every pool refused. */
static void note_pools(struct allocation *a)
{
	uint64_t most = 0;

	for (unsigned int i = 0; i < a->plan->n_tries; i++)
		if (__builtin_add_overflow(most, note_step(a, i), &most))
			most = INFINITE;
	a->shortage->can_end = most >= a->job->count;
}

/* A buffer that is charged for; the memory comes later. */
static int charge_one(struct allocation *a, unsigned int i, struct reply *reply)
{
	struct buffer **ret = &a->buffers[i];
	struct refusal refusal;
	int r = buffer_new(&a->job->owner, ret);

	if (r >= 0)
		r = charge_take(&(*ret)->charge, a->manager->quota, a->claims, a->n_claims,
				a->plan->size, &refusal);
	if (r == -EDQUOT) {
		note_quota(a, &refusal);
		return fail_by_quota(a, &refusal, i, reply);
	}
	if (r < 0)
		return reply_fail(reply, r, "dmabufd is out of memory: try again later");
	return 0;
}

/* All charges before the first allocation: a refusal by quota costs nothing. */
static int charge_all(struct allocation *a, struct reply *reply)
{
	for (unsigned int i = 0; i < a->job->count; i++) {
		int r = charge_one(a, i, reply);

		if (r < 0)
			return r;
	}
	return 0;
}

/* Room, as far as it can be told without asking for memory: the kernel's own is not known. */
static int imagine(const struct allocation *a)
{
	const struct pool *pool = a->plan->steps[a->step].pool;
	uint64_t free = pool->size > pool->used ? pool->size - pool->used : 0;
	uint64_t given = a->given * a->plan->size;

	if (!pool->size || pool->kind == KIND_BUDDY)
		return 0;
	if (free < given || free - given < a->plan->size)
		return -ENOSPC;
	return pool->free_known && pool->free_block < a->plan->size ? -ENOSPC : 0;
}

/* Nothing about the devices is other than when the job's own tag was packed. */
static int pack(struct allocation *a, const struct step *step)
{
	struct tag tag = a->job->owner;

	tag.relaxed = (uint8_t)step_get_relaxed(a->plan, step);
	return tag_pack(&tag, a->tag);
}

static int try_pool(struct allocation *a, struct module_buffer *ret, int *ret_fd)
{
	const struct step *step = &a->plan->steps[a->step];
	const struct module_request request = {
		.size = a->plan->size,
		.max_address = a->plan->max_address,
		.pool = step->index,
		.mapping = step->mapping,
		.contiguous = a->plan->contiguous,
		.client = a->client->fd,
		.tag = a->tag,
	};
	int r;

	if (a->in_thought)
		return imagine(a);
	r = pack(a, step);
	if (r >= 0)
		r = module_allocate(a->manager->module, &request, ret, ret_fd);
	/* Releases that nobody read yet hold the room that the new buffer's own one needs. */
	if (r == -ENOBUFS && manager_read_events(a->manager) >= 0)
		r = module_allocate(a->manager->module, &request, ret, ret_fd);
	/* Of CMA, how far it aligns is a matter of the kernel's configuration. */
	if (r >= 0 && a->plan->alignment && ret->base & (a->plan->alignment - 1)) {
		close(TAKE_FD(*ret_fd));
		return -EADDRNOTAVAIL;
	}
	return r;
}

/* The pool's own accounts are charged before the kernel is asked for its memory. */
static int charge_pool(struct allocation *a, struct buffer *buffer)
{
	const struct pool *pool = a->plan->steps[a->step].pool;
	struct claim claims[CLAIMS_MAX];
	unsigned int n = claims_on_pool(a->manager->settings, &a->job->payer, pool, a->plan->size,
					a->manager->quota, claims);
	int r;

	queue_keep(a->manager->queue, a->waiter, claims, n);
	r = charge_take(&buffer->pool_charge, a->manager->quota, claims, n, a->plan->size,
			&a->refusals[a->step]);
	if (r == -EDQUOT)
		a->refusals[a->step].used -= a->given * a->plan->size;
	return r;
}

static bool next_pool_may_help(int error)
{
	return error == -ENOSPC || error == -E2BIG || error == -ERANGE || error == -EOPNOTSUPP ||
	       error == -EADDRNOTAVAIL;
}

/* What is left to say when no pool is. */
static int sum_up(const struct allocation *a)
{
	int r = -E2BIG;

	for (unsigned int i = 0; i < a->plan->n_tries; i++) {
		if (a->errors[i] == -EDQUOT)
			return -EDQUOT;
		if (a->errors[i] != -E2BIG)
			r = -ENOSPC;
	}
	return r;
}

/* Each pool once in a request: one that is full stays so for the buffers that follow. */
static int try_pools(struct allocation *a, struct buffer *buffer, struct module_buffer *ret,
		     int *ret_fd)
{
	for (; a->step < a->plan->n_tries; a->step++) {
		int r = charge_pool(a, buffer);

		if (r >= 0) {
			r = a->in_vain ? -ENOSPC : try_pool(a, ret, ret_fd);
			a->given += r >= 0;
			if (r >= 0 || !next_pool_may_help(r))
				return r;
			charge_release(&buffer->pool_charge);
		} else if (r != -EDQUOT) {
			return r;
		}
		a->errors[a->step] = r;
		a->given = 0;
	}
	return sum_up(a);
}

/* From the ledger's taking possession on, closing fd is what gives the memory and charge back. */
static int enter(struct allocation *a, struct buffer **buffer, const struct module_buffer *made,
		 int fd)
{
	const struct step *step = &a->plan->steps[a->step];
	struct buffer *b = *buffer;
	int r;

	b->relaxed = (uint8_t)step_get_relaxed(a->plan, step);
	b->id = made->id;
	b->size = made->size;
	b->base = made->base;
	b->end = made->end;
	b->pool = made->pool;
	b->mapping = made->mapping;
	b->contiguous = made->contiguous;
	identity_give(b, fd);
	r = ledger_insert(a->manager->ledger, b);
	if (r >= 0)
		a->made->buffers[a->made->n++] = TAKE_PTR(*buffer);
	return r;
}

static int allocate_one(struct allocation *a, struct buffer **buffer, struct reply *reply)
{
	_cleanup_close_ int fd = -EBADF;
	const struct buffer *entered = *buffer;
	struct module_buffer made;
	int r = try_pools(a, *buffer, &made, &fd);

	if (r < 0 && a->step == a->plan->n_tries) {
		note_pools(a);
		a->exhausted = true;
	}
	if (r < 0)
		return fail_by_kernel(a, r, reply);
	if (a->in_thought)
		return 0;
	r = enter(a, buffer, &made, fd);
	if (r < 0)
		return reply_fail(reply, r == -ENOMEM ? r : -EIO, "dmabufd cannot book the buffer");
	counters_add_buffer(&a->manager->counters, step_get_name(&a->plan->steps[a->step]),
			    entered->size);
	watch_tell_buffer(a->manager, DMABUFD_EVENT_ALLOCATED, entered);
	buffer_fill(&reply->frame.buffers[reply->n_fds], entered, a->job->pools, a->job->n_pools,
		    a->client);
	reply->fds[reply->n_fds++] = TAKE_FD(fd);
	return 0;
}

/*
 * Might there be room for all, as the books have it? To find out by the kernel means to zero some,
 * and again whenever something comes free.
 */
static bool may_fit(const struct allocation *a)
{
	uint64_t most = 0;

	for (unsigned int i = 0; i < a->plan->n_tries && most < a->job->count; i++) {
		const struct pool *pool = a->plan->steps[i].pool;
		const struct account_id id = {ACCOUNT_POOL, 0, "", pool->name};
		uint64_t capacity = pool_get_capacity(a->manager->settings, pool);
		uint64_t used = quota_get_bytes(a->manager->quota, &id);

		if (capacity == INFINITE)
			return true;
		most += used < capacity ? (capacity - used) / a->plan->size : 0;
	}
	return most >= a->job->count;
}

static int allocate_all(struct allocation *a, struct reply *reply)
{
	a->in_vain = a->job->count > 1 && !may_fit(a);
	reply_set_body(reply, a->in_thought ? 0 : a->job->count * sizeof(struct dmabufd_buffer));
	for (unsigned int i = 0; i < a->job->count; i++) {
		int r = allocate_one(a, &a->buffers[i], reply);

		/* reply_fail() closed those made so far; their releases are on the way. */
		if (r < 0)
			return r;
	}
	return 0;
}

static int run(struct allocation *a, struct reply *reply)
{
	int r = tag_pack(&a->job->owner, a->tag);

	if (r < 0)
		return reply_fail(reply, -E2BIG,
				  "the names of these devices are too long together: name fewer");
	a->n_claims = claims_of_payer(a->manager->settings, &a->job->payer, a->claims);
	queue_keep(a->manager->queue, a->waiter, a->claims, a->n_claims);
	r = charge_all(a, reply);
	return r < 0 ? r : allocate_all(a, reply);
}

int allocation_run(struct allocation *a, struct reply *reply)
{
	struct refusal refusals[STEPS_MAX]; /* written when needed */
	int r;

	a->manager = a->client->manager;
	a->refusals = refusals;
	r = run(a, reply);
	for (unsigned int i = 0; i < a->job->count; i++)
		buffer_free(a->buffers[i]);
	return r;
}

void made_pass_on(const struct made *made, struct client *client, const struct waiter *waiter)
{
	struct manager *m = client->manager;
	uint64_t now = manager_get_time(m);

	for (unsigned int i = 0; i < made->n; i++) {
		queue_pass(m->queue, waiter, &made->buffers[i]->charge, now);
		queue_pass(m->queue, waiter, &made->buffers[i]->pool_charge, now);
	}
}

void made_withdraw(struct made *made, struct client *client)
{
	for (unsigned int i = 0; i < made->n; i++)
		made->buffers[i]->withdrawn = true;
	/* An error stays, and is met again by the event loop. */
	if (made->n)
		manager_read_events(client->manager);
	made->n = 0;
}
