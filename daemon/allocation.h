/* SPDX-License-Identifier: MIT */
/*
 * One plan carried out: quota charge, kernel, ledger, descriptors into the reply; or the same in
 * thought, without the kernel.
 */
#ifndef ALLOCATION_H
#define ALLOCATION_H

#include "job.h"
#include "queue.h"
#include "wire.h"

/* The ledger's, as their descriptors are open in a reply. All zero at first. */
struct made {
	unsigned int n;
	struct buffer *buffers[DMABUFD_BUFFERS_MAX];
};

struct allocation {
	struct client *client;
	const struct job *job;
	const struct plan *plan;
	const struct waiter *waiter; /* NULL: it did not wait */
	struct shortage *shortage;   /* why it failed */
	struct made *made;           /* what this request has got so far */
	bool in_thought;             /* the kernel is not asked, and nothing is made */
	bool exhausted;              /* it failed, and another plan may do better */
	struct manager *manager;     /* the client's */
	uint8_t tag[TAG_SIZE];
	struct buffer *buffers[DMABUFD_BUFFERS_MAX]; /* charged, not yet in the ledger; owned */
	bool in_vain;      /* there is not room for all of it: no need to ask the kernel for some */
	unsigned int step; /* the pool that is tried; those before it are exhausted */
	unsigned int given;       /* buffers of this request that it gave */
	int errors[STEPS_MAX];    /* for the steps before it: of the kernel, or -EDQUOT for */
	struct refusal *refusals; /* that our own quota refused; STEPS_MAX of them */
	unsigned int n_claims;    /* on the user and the devices */
	struct claim claims[CLAIMS_MAX];
};

/*
 * Fills the reply behind what is in it, or makes it the refusal. What was made on the way stays, and
 * is the caller's to withdraw or to pass on. The caller sets the fields up to in_thought.
 */
int allocation_run(struct allocation *a, struct reply *reply);

/* The reply goes out: those who came before this waiter and still wait were passed. */
void made_pass_on(const struct made *made, struct client *client, const struct waiter *waiter);

/*
 * The descriptors of all that was made are closed. Its release is read now, so that it does not
 * count against who is tried next, and wakes up nobody: there is as much room as before.
 */
void made_withdraw(struct made *made, struct client *client);

#endif
