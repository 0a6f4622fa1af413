/* SPDX-License-Identifier: MIT */
/*
 * Requests for memory: the way down, from a decoded frame over devices, access, policy and quota to
 * the kernel, and the ledger on the way back.
 */
#ifndef REQUEST_H
#define REQUEST_H

struct client;
struct dmabufd_request;
struct reply;
struct shortage;
struct waiter;
struct wire_frame;

/*
 * Allocate, or fill the reply with the refusal. waiter is NULL for a request that is new. On failure
 * *ret_shortage tells whether another try may do better, and when.
 */
int request_try(struct client *client, const struct dmabufd_request *request,
		const struct waiter *waiter, struct shortage *ret_shortage, struct reply *reply);

int handle_alloc(struct client *client, const struct wire_frame *request, struct reply *reply);
int handle_check(struct client *client, const struct wire_frame *request, struct reply *reply);
int handle_batch(struct client *client, const struct wire_frame *request, struct reply *reply);
int handle_explain(struct client *client, const struct wire_frame *request, struct reply *reply);

#endif
