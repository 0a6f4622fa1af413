/* SPDX-License-Identifier: MIT */
/*
 * What the daemon knows, a page at a time: pools, devices, buffers.
 */
#ifndef LIST_H
#define LIST_H

#include <stdbool.h>

#include "dmabufd-protocol.h"
#include "ledger.h"

struct client;
struct reply;
struct wire_frame;

int handle_pools(struct client *client, const struct wire_frame *request, struct reply *reply);
int handle_devices(struct client *client, const struct wire_frame *request, struct reply *reply);
int handle_buffers(struct client *client, const struct wire_frame *request, struct reply *reply);

/* Users see their own, and root all. */
bool buffer_is_visible(const struct client *client, const struct buffer *buffer);

/* A zeroed record of the wire from the ledger's, as this client may see it; NULL: as anybody. */
void buffer_fill(struct dmabufd_buffer *to, const struct buffer *buffer, const struct pool pools[],
		 unsigned int n_pools, const struct client *client);

#endif
