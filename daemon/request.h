/* SPDX-License-Identifier: MIT */
/*
 * Requests for memory: the way down, from a decoded frame over devices, access, policy and quota to
 * the kernel, and the ledger on the way back.
 */
#ifndef REQUEST_H
#define REQUEST_H

struct client;
struct reply;
struct wire_frame;

int handle_alloc(struct client *client, const struct wire_frame *request, struct reply *reply);
int handle_explain(struct client *client, const struct wire_frame *request, struct reply *reply);

#endif
