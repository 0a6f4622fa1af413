/* SPDX-License-Identifier: MIT */
/*
 * The daemon about itself: numbers, and who is connected.
 */
#ifndef STATUS_H
#define STATUS_H

struct client;
struct reply;
struct wire_frame;

int handle_status(struct client *client, const struct wire_frame *request, struct reply *reply);
int handle_clients(struct client *client, const struct wire_frame *request, struct reply *reply);

#endif
