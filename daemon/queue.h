/* SPDX-License-Identifier: MIT */
/*
 * Requests that wait: for what, in which order, and who is to be tried when something comes free.
 * Pure: knows accounts, neither clients nor sockets nor a clock; times are microseconds that the
 * caller reads, UINT64_MAX for never.
 */
#ifndef QUEUE_H
#define QUEUE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "pool.h"
#include "quota.h"

/* One thing that was too little: an account, or the memory of an account's pool. */
struct short_thing {
	enum account_kind kind;
	uid_t uid;
	bool memory; /* the kernel itself had no room */
	char device[DEVICE_KEY_SIZE];
	char pool[POOL_NAME_SIZE];
};

/* What a request asks for. */
struct want {
	uint64_t size; /* of each buffer */
	unsigned int count;
	bool contiguous;
	uint64_t max_address; /* 0 for no limit */
	uint64_t alignment;   /* the same */
};

/* A refusal as something to wait for the end of; any of the things may end it. */
struct shortage {
	bool can_end; /* false: it would be the same if all others gave back what they hold */
	struct want want;
	unsigned int n_things; /* none: only queue_touch_all() ends it */
	struct short_thing things[POOLS_MAX];
};

/* One request that waits. The caller has it inside an object of its own, all zero at first. */
struct waiter {
	TAILQ_ENTRY(waiter) link; /* queue.waiters */
	uid_t uid;
	uint64_t deadline;
	struct want want;
	unsigned int n_things;
	struct short_thing *things; /* owned */
	bool touched;               /* something that it waits for came free */
	bool tried;                 /* in this round, and refused again */
	unsigned int passes;        /* buffers that later requests got of what it waits for */
	uint64_t kept_until;        /* 0: nothing is kept for it */
};

struct queue;

/* As a short thing; what does not fit the fields is no name of a pool or device. */
void shortage_add(struct shortage *shortage, const struct account_id *id, bool memory);

/* -ENOMEM. */
int queue_new(struct queue **ret);

/* Asserts that nobody waits any more. NULL is ignored. Returns NULL. */
struct queue *queue_free(struct queue *queue);

/* Wait at most this long from now, behind all who wait already. -ENOMEM. */
int queue_add(struct queue *queue, struct waiter *waiter, const struct shortage *shortage,
	      uint64_t now, uint64_t wait);

/* It was tried and refused, perhaps for another reason than before; its place stays. -ENOMEM. */
int queue_refused(struct queue *queue, struct waiter *waiter, const struct shortage *shortage);

/* Leave no trace. Those for whom there is more room now are touched. */
void queue_remove(struct queue *queue, struct waiter *waiter);

/* A charge was given back: touch who waits for one of its accounts. */
void queue_touch(struct queue *queue, const struct charge *charge);

/* Anything may be different: touch all. */
void queue_touch_all(struct queue *queue);

/*
 * Of those who were touched the first to be tried now; NULL ends the round. Each one that was tried
 * is refused or removed before the next call.
 */
struct waiter *queue_next(struct queue *queue);
bool queue_is_touched(const struct queue *queue);

/* Put into claims what is kept for those before this waiter; NULL for a request that is new. */
void queue_keep(const struct queue *queue, const struct waiter *waiter, struct claim claims[],
		unsigned int n_claims);

/* This waiter, NULL for a new request, got a buffer with this charge: who was before it is passed. */
void queue_pass(struct queue *queue, const struct waiter *waiter, const struct charge *charge,
		uint64_t now);

/* When queue_expire() has something to do next. */
uint64_t queue_get_time(const struct queue *queue);

/*
 * End what is kept for longer than it may be. Returns the first whose time is over, to be tried a
 * last time and removed; NULL when there is none.
 */
struct waiter *queue_expire(struct queue *queue, uint64_t now);

/* How many wait. */
unsigned int queue_count(const struct queue *queue);
unsigned int queue_count_of(const struct queue *queue, uid_t uid);

#endif
