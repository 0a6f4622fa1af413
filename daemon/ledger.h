/* SPDX-License-Identifier: MIT */
/*
 * The live buffers by id: where an allocation and its release event meet. Pure: knows the C library
 * and quota only.
 */
#ifndef LEDGER_H
#define LEDGER_H

#include <stdint.h>
#include <sys/types.h>

#include "pool.h"
#include "quota.h"
#include "tag.h"

struct ledger;

struct buffer {
	uint64_t id;
	uint64_t inode; /* of the dma-buf; 0 when it is not known */
	uint64_t size;
	uint64_t base; /* physical */
	uint64_t end;
	unsigned int pool; /* index */
	enum mapping mapping;
	bool contiguous;
	bool known;     /* false: the tag could not be read, and what is of it here is empty */
	bool withdrawn; /* made by a request that then failed: its end makes no more room */
	uid_t uid;
	pid_t pid;
	uint8_t relaxed; /* CONSTRAINT_* that it does without */
	char name[TAG_NAME_SIZE];
	struct charge charge;      /* the user and the devices */
	struct charge pool_charge; /* the pool */
	unsigned int n_devices;
	char devices
		[]; /* their keys, each behind the NUL of the one before: no more than it needs */
};

/*
 * For this owner; NULL when there is no telling. -ENOMEM. The buffer belongs to the caller until it
 * is inserted.
 */
int buffer_new(const struct tag *owner, struct buffer **ret);

/* Gives the charges back. NULL is ignored. Returns NULL. */
struct buffer *buffer_free(struct buffer *buffer);

/* -ENOMEM. */
int ledger_new(struct ledger **ret);

/* Frees all buffers. NULL is ignored. Returns NULL. */
struct ledger *ledger_free(struct ledger *ledger);

/* Takes possession of the buffer on success. -EEXIST: its id is there. -EINVAL: id 0. -ENOMEM. */
int ledger_insert(struct ledger *ledger, struct buffer *buffer);

/* NULL: no such id. Borrowed. */
const struct buffer *ledger_get(const struct ledger *ledger, uint64_t id);

/* Removes and frees the buffer, giving its charge back. -ENOENT: no such id; nothing happened. */
int ledger_remove(struct ledger *ledger, uint64_t id);

/* The buffer with the smallest id greater than this one, or NULL; borrowed. */
const struct buffer *ledger_next(const struct ledger *ledger, uint64_t after);

uint64_t ledger_get_bytes(const struct ledger *ledger);
uint64_t ledger_get_count(const struct ledger *ledger);

#endif
