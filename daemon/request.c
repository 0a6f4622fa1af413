/* SPDX-License-Identifier: MIT */
/*
 * Requests for memory: policy, quota charge, kernel, ledger, reply. A charge is taken before the
 * kernel is asked; from the ledger on, only the kernel's release event gives it back.
 */
#include "request.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "job.h"
#include "list.h"
#include "manager.h"
#include "refusal.h"
#include "report.h"
#include "text.h"
#include "waiting.h"
#include "watch.h"

/* One ALLOC while it is carried out. */
struct allocation {
	struct manager *manager;
	const struct job *job;
	const struct plan *plan;
	const struct waiter *waiter; /* NULL: it did not wait */
	struct shortage *shortage;   /* why it failed */
	int client;                  /* its socket */
	uint8_t tag[TAG_SIZE];
	struct buffer *buffers[DMABUFD_BUFFERS_MAX]; /* charged, not yet in the ledger; owned */
	struct buffer *made[DMABUFD_BUFFERS_MAX];    /* the ledger's, as its descriptors are open */
	unsigned int n_made;
	bool in_vain;      /* there is not room for all of it: no need to ask the kernel for some */
	unsigned int step; /* the pool that is tried; those before it are exhausted */
	unsigned int given;       /* buffers of this request that it gave */
	int errors[STEPS_MAX];    /* for the steps before it: of the kernel, or -EDQUOT for */
	struct refusal *refusals; /* that our own quota refused; STEPS_MAX of them */
	unsigned int n_claims;    /* on the user and the devices */
	struct claim claims[CLAIMS_MAX];
};

/* Appends to a text of fixed size; what does not fit is left out. */
__attribute__((format(printf, 2, 3))) static void say(char text[static DMABUFD_TEXT_SIZE],
						      const char *format, ...)
{
	size_t at = strlen(text);
	va_list args;

	va_start(args, format);
	vsnprintf(text + at, DMABUFD_TEXT_SIZE - at, format, args);
	va_end(args);
}

static const char *kernel_error_text(int error)
{
	switch (error) {
	case -ENOSPC:
		return "full now";
	case -E2BIG:
		return "too small even when empty";
	case -ERANGE:
		return "nothing free at an address that the devices reach";
	case -EOPNOTSUPP:
		return "cannot give this mapping";
	default:
		return strerror(-error);
	}
}

static void say_step(const struct allocation *a, const struct plan *plan, unsigned int i,
		     char why[static REFUSAL_TEXT_SIZE])
{
	if (!a || i >= plan->n_tries)
		plan_say_step(plan, &plan->steps[i], why, REFUSAL_TEXT_SIZE);
	else if (a->errors[i] == -EDQUOT)
		refusal_say(&a->refusals[i], why);
	else
		snprintf(why, REFUSAL_TEXT_SIZE, "%s", kernel_error_text(a->errors[i]));
}

/*
 * Names each pool and why it refused; a has the errors of those that were tried, NULL when none
 * was. When the request insists on a pool, the others are no news.
 */
static void say_refusals(const struct allocation *a, const struct plan *plan,
			 char text[static DMABUFD_TEXT_SIZE])
{
	char why[REFUSAL_TEXT_SIZE];

	for (unsigned int i = 0; i < plan->n_steps; i++) {
		const struct step *step = &plan->steps[i];

		if (step->verdict == REFUSED_NOT_ASKED)
			continue;
		say_step(a, plan, i, why);
		say(text, "%s%s: %s", text[0] ? "; " : "", step_get_name(step), why);
	}
	if (!plan->n_steps)
		say(text, "the kernel module has no pools");
}

static int fail_by_plan(const struct plan *plan, struct reply *reply)
{
	char text[DMABUFD_TEXT_SIZE] = "", size[SIZE_TEXT];

	say_refusals(NULL, plan, text);
	if (plan->error == -E2BIG)
		return reply_fail(reply, plan->error, "no suitable pool could ever give %s: %.900s",
				  size_text(size, plan->size), text);
	return reply_fail(reply, plan->error, "no pool suits all that was asked: %.900s", text);
}

/* What this request has charged already, n buffers, is not what the client thinks of as held. */
static int fail_by_quota(const struct allocation *a, struct refusal *refusal, unsigned int n,
			 struct reply *reply)
{
	char asked[SIZE_TEXT], text[REFUSAL_TEXT_SIZE];
	uint64_t sum;

	if (__builtin_mul_overflow(a->plan->size, a->job->count, &sum))
		sum = UINT64_MAX;
	refusal->used -= refusal_is_of_buffers(refusal) ? n : n * a->plan->size;
	refusal_say(refusal, text);
	return reply_fail(reply, -EDQUOT, "no quota for %s more: %s", size_text(asked, sum), text);
}

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

/* Those who came before and still wait were passed. */
static void allocation_succeed(const struct allocation *a)
{
	uint64_t now = manager_get_time(a->manager);

	for (unsigned int i = 0; i < a->n_made; i++) {
		queue_pass(a->manager->queue, a->waiter, &a->made[i]->charge, now);
		queue_pass(a->manager->queue, a->waiter, &a->made[i]->pool_charge, now);
	}
}

/*
 * What was made on the way is closed. Its release is read now, so that it does not count against
 * who is tried next, and wakes up nobody: there is as much room as before.
 */
static void allocation_withdraw(struct allocation *a)
{
	for (unsigned int i = 0; i < a->n_made; i++)
		a->made[i]->withdrawn = true;
	/* An error stays, and is met again by the event loop. */
	if (a->n_made)
		manager_read_events(a->manager);
}

static void allocation_finish(struct allocation *a)
{
	for (unsigned int i = 0; i < a->job->count; i++)
		buffer_free(a->buffers[i]);
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

static int try_pool(struct allocation *a, struct module_buffer *ret, int *ret_fd)
{
	const struct step *step = &a->plan->steps[a->step];
	const struct module_request request = {
		.size = a->plan->size,
		.max_address = a->plan->max_address,
		.pool = step->index,
		.mapping = step->mapping,
		.contiguous = a->plan->contiguous,
		.client = a->client,
		.tag = a->tag,
	};
	int r = module_allocate(a->manager->module, &request, ret, ret_fd);

	/* Releases that nobody read yet hold the room that the new buffer's own one needs. */
	if (r == -ENOBUFS && manager_read_events(a->manager) >= 0)
		r = module_allocate(a->manager->module, &request, ret, ret_fd);
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
	return error == -ENOSPC || error == -E2BIG || error == -ERANGE || error == -EOPNOTSUPP;
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

/* Another pool would be a way around the limit of the client's memory cgroup: none is tried. */
static int fail_by_cgroup(const struct allocation *a, int error, struct reply *reply)
{
	char size[SIZE_TEXT];

	if (error == -ESRCH)
		return reply_fail(reply, error,
				  "process %d, which opened this connection, is gone: open another",
				  a->job->owner.pid);
	return reply_fail(reply, error,
			  "the memory cgroup of process %d has no room for %s: close buffers, or "
			  "raise its memory.max (MemoryMax= of its unit)",
			  a->job->owner.pid, size_text(size, a->plan->size));
}

static int fail_by_kernel(const struct allocation *a, int error, struct reply *reply)
{
	char text[DMABUFD_TEXT_SIZE] = "", size[SIZE_TEXT];

	if (a->step < a->plan->n_tries && (error == -EDQUOT || error == -ESRCH))
		return fail_by_cgroup(a, error, reply);
	if (error == -EMFILE || error == -ENFILE)
		return reply_fail(reply, error, "dmabufd has no descriptor free: try again later");
	if (a->step < a->plan->n_tries)
		return reply_fail(reply, error == -EPROTO ? -EIO : error, "pool %s failed: %s",
				  step_get_name(&a->plan->steps[a->step]), strerror(-error));
	say_refusals(a, a->plan, text);
	return reply_fail(reply, error, "%s %s: %.900s",
			  error == -E2BIG    ? "no suitable pool could ever give"
			  : error == -EDQUOT ? "no quota for"
					     : "no room for",
			  size_text(size, a->plan->size), text);
}

/* From the ledger's taking possession on, closing fd is what gives the memory and charge back. */
static int enter(struct allocation *a, struct buffer **buffer, const struct module_buffer *made)
{
	struct buffer *b = *buffer;
	int r;

	b->id = made->id;
	b->size = made->size;
	b->base = made->base;
	b->end = made->end;
	b->pool = made->pool;
	b->mapping = made->mapping;
	b->contiguous = made->contiguous;
	r = ledger_insert(a->manager->ledger, b);
	if (r >= 0)
		a->made[a->n_made++] = TAKE_PTR(*buffer);
	return r;
}

static int allocate_one(struct allocation *a, struct buffer **buffer, bool shows_address,
			struct reply *reply)
{
	_cleanup_close_ int fd = -EBADF;
	const struct buffer *entered = *buffer;
	struct module_buffer made;
	int r = try_pools(a, *buffer, &made, &fd);

	if (r < 0 && a->step == a->plan->n_tries)
		note_pools(a);
	if (r < 0)
		return fail_by_kernel(a, r, reply);
	r = enter(a, buffer, &made);
	if (r < 0)
		return reply_fail(reply, r == -ENOMEM ? r : -EIO, "dmabufd cannot book the buffer");
	counters_add_buffer(&a->manager->counters, step_get_name(&a->plan->steps[a->step]),
			    entered->size);
	watch_tell_buffer(a->manager, DMABUFD_EVENT_ALLOCATED, entered);
	buffer_fill(&reply->frame.buffers[reply->n_fds], entered, a->job->pools, a->job->n_pools,
		    shows_address);
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

static int allocate_all(struct allocation *a, bool shows_address, struct reply *reply)
{
	a->in_vain = a->job->count > 1 && !may_fit(a);
	reply_set_body(reply, a->job->count * sizeof(struct dmabufd_buffer));
	for (unsigned int i = 0; i < a->job->count; i++) {
		int r = allocate_one(a, &a->buffers[i], shows_address, reply);

		/* reply_fail() closed those made so far; their releases are on the way. */
		if (r < 0)
			return r;
	}
	return 0;
}

static int carry_out(struct client *client, const struct job *job, const struct plan *plan,
		     const struct waiter *waiter, struct shortage *shortage, struct reply *reply)
{
	struct refusal refusals[STEPS_MAX]; /* written when needed */
	struct allocation a = {.manager = client->manager,
			       .job = job,
			       .plan = plan,
			       .waiter = waiter,
			       .shortage = shortage,
			       .client = client->fd,
			       .refusals = refusals};
	int r = tag_pack(&job->owner, a.tag);

	if (r < 0)
		return reply_fail(reply, -E2BIG,
				  "the names of these devices are too long together: name fewer");
	a.n_claims = claims_of_payer(a.manager->settings, &job->payer, a.claims);
	queue_keep(a.manager->queue, waiter, a.claims, a.n_claims);
	r = charge_all(&a, reply);
	if (r >= 0)
		r = allocate_all(&a, client_is_root_or_in(client, DAEMON_ADDRESS_GROUP), reply);
	allocation_finish(&a);
	if (r >= 0)
		allocation_succeed(&a);
	else
		allocation_withdraw(&a);
	return r;
}

int request_try(struct client *client, const struct dmabufd_request *request,
		const struct waiter *waiter, struct shortage *ret_shortage, struct reply *reply)
{
	struct job job;
	struct plan plan;
	int r = job_prepare(client, request, &job, reply);

	/* The module may come, or be back. */
	ret_shortage->can_end = r == -ENXIO;
	ret_shortage->n_things = 0;
	ret_shortage->want = (struct want){0};
	if (r < 0)
		return r;
	job_decide(&job, &plan);
	if (plan.error)
		return fail_by_plan(&plan, reply);
	ret_shortage->want = (struct want){plan.size, job.count, plan.contiguous, plan.max_address};
	r = carry_out(client, &job, &plan, waiter, ret_shortage, reply);
	/* Who waits is not refused yet. */
	if (r < 0 && !(request->wait && ret_shortage->can_end))
		report_refusal(client, &job, &plan, reply);
	return r;
}

int handle_alloc(struct client *client, const struct wire_frame *request, struct reply *reply)
{
	struct shortage shortage;
	int r = request_try(client, &request->request, NULL, &shortage, reply);

	if (r >= 0 || !request->request.wait || !shortage.can_end)
		return r;
	return waiting_begin(client, request, &shortage, reply, r);
}
