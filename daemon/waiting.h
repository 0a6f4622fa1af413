/* SPDX-License-Identifier: MIT */
/*
 * Clients whose request waits: they get their reply when it is met, refused for good, or its time is
 * over. The rule is the queue's.
 */
#ifndef WAITING_H
#define WAITING_H

#include "queue.h"

struct client;
struct manager;
struct reply;
struct waiting;
struct wire_frame;

/*
 * Let the client wait, if too many do not already. The reply is its refusal, of this status and for
 * this reason. Returns REPLY_LATER, or the status, with which the refusal is then to be sent.
 */
int waiting_begin(struct client *client, const struct wire_frame *request,
		  const struct shortage *shortage, struct reply *reply, int status);

/* The client does not wait any more; nothing is sent. */
void waiting_end(struct waiting *waiting);

/* See to it that the loop tries those who are to be tried, and wakes up in time; in vain else. */
void waiting_arrange(struct manager *manager);

/* Have all tried, as anything may have changed. */
void waiting_retry_all(struct manager *manager);

#endif
