/* SPDX-License-Identifier: MIT */
/*
 * By what a dma-buf is known once it left, and which buffer one is.
 */
#ifndef IDENTITY_H
#define IDENTITY_H

#include "ledger.h"

struct client;
struct reply;
struct wire_frame;

/* The buffer has its number and its owner. The descriptor stays the caller's. */
void identity_give(struct buffer *buffer, int fd);

int handle_describe(struct client *client, const struct wire_frame *request, struct reply *reply);

#endif
