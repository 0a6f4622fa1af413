/* SPDX-License-Identifier: MIT */
/*
 * All reasons for a decision, a page at a time.
 */
#ifndef REASONS_H
#define REASONS_H

struct client;
struct reply;
struct wire_frame;

int handle_reasons(struct client *client, const struct wire_frame *request, struct reply *reply);

#endif
