/* SPDX-License-Identifier: MIT */
/*
 * The fixture of tests of waiting requests: an empty queue, three waiters, and what happens to them.
 */
#ifndef QUEUE_FIXTURE_H
#define QUEUE_FIXTURE_H

#include "test.h"

#include "queue.h"

#define SECOND UINT64_C(1000000)
#define KEEP (5 * SECOND) /* what is kept for a waiter is so for this long */
#define PASSES 8          /* buffers that may pass before */

struct fixture {
	struct queue *queue;
	struct quota *quota;
	struct waiter a, b, c;
};

static inline int setup(void **state)
{
	static struct fixture fixture;

	fixture = (struct fixture){0};
	*state = &fixture;
	return queue_new(&fixture.queue) < 0 || quota_new(&fixture.quota) < 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(queue_count(f->queue), 0);
	queue_free(f->queue);
	quota_free(f->quota);
	return 0;
}

static inline struct account_id pool(const char *name)
{
	return (struct account_id){ACCOUNT_POOL, 0, "", name};
}

static inline struct account_id user(uid_t uid)
{
	return (struct account_id){ACCOUNT_USER, uid, "", ""};
}

static inline struct shortage shortage_of(struct account_id id, bool memory, uint64_t size)
{
	struct shortage shortage = {.can_end = true, .want = {.size = size, .count = 1}};

	shortage_add(&shortage, &id, memory);
	return shortage;
}

static inline void add(struct fixture *f, struct waiter *waiter, struct account_id id,
		       uint64_t size)
{
	const struct shortage shortage = shortage_of(id, true, size);

	assert_int_equal(queue_add(f->queue, waiter, &shortage, 0, UINT64_MAX), 0);
}

static inline void refuse(struct fixture *f, struct waiter *waiter, struct account_id id,
			  uint64_t size)
{
	const struct shortage shortage = shortage_of(id, true, size);

	assert_int_equal(queue_refused(f->queue, waiter, &shortage), 0);
}

/* A buffer that was charged to these accounts goes. */
static inline void give_back(struct fixture *f, const struct account_id ids[], unsigned int n)
{
	struct charge charge = {0};
	struct claim claims[CLAIMS_MAX];

	for (unsigned int i = 0; i < n; i++)
		claims[i] = (struct claim){.id = ids[i]};
	assert_int_equal(charge_restore(&charge, f->quota, claims, n, PAGE), 0);
	queue_touch(f->queue, &charge);
	charge_release(&charge);
}

static inline void give_back_to(struct fixture *f, struct account_id id)
{
	give_back(f, &id, 1);
}

/* Another gets n buffers of this account. */
static inline void pass(struct fixture *f, const struct waiter *self, struct account_id id,
			unsigned int n, uint64_t now)
{
	struct charge charge = {0};
	struct claim claim = {.id = id};

	assert_int_equal(charge_restore(&charge, f->quota, &claim, 1, PAGE), 0);
	for (unsigned int i = 0; i < n; i++)
		queue_pass(f->queue, self, &charge, now);
	charge_release(&charge);
}

/* Bytes of the account that are kept for those before self. */
static uint64_t kept(struct fixture *f, const struct waiter *self, struct account_id id)
{
	struct claim claim = {.id = id};

	queue_keep(f->queue, self, &claim, 1);
	assert_true((claim.awaited_bytes != 0) == (claim.awaited_buffers != 0));
	return claim.awaited_bytes;
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

#endif
