/* SPDX-License-Identifier: MIT */
/*
 * Those who watch, and what they are told as it happens. Costs nothing while nobody watches.
 */
#ifndef WATCH_H
#define WATCH_H

#include "dmabufd-protocol.h"

struct buffer;
struct client;
struct dmabufd_header;
struct manager;
struct reply;
struct watchers;
struct wire_frame;

/* From now on the connection is told what happens, and asks nothing any more. */
int handle_watch(struct client *client, const struct wire_frame *request, struct reply *reply);

/* The client is among these, and told with the opcode and serial of its request. */
void watch_begin(struct client *client, struct watchers *watchers,
		 const struct dmabufd_header *request);

/* An event of this type, of now, that has nothing else. */
void watch_event_init(struct wire_frame *frame, enum dmabufd_event_type type);

/* Send it, or count it as lost. */
void watch_tell(struct client *client, struct wire_frame *frame);

/* The client is about to be freed. */
void watch_stop(struct client *client);

/* There is room again: tell how many events were lost. */
void watch_resume(struct client *client);

/* ALLOCATED or RELEASED. */
void watch_tell_buffer(struct manager *manager, enum dmabufd_event_type type,
		       const struct buffer *buffer);

/* CONNECTED or LEFT. */
void watch_tell_client(const struct client *client, enum dmabufd_event_type type);

/* An ALLOC, a whole request, that reply refuses. */
void watch_tell_refused(const struct client *client, const struct dmabufd_request *request,
			const struct reply *reply);

/* POOL_APPEARED, for each pool of the module. */
void watch_tell_pools(struct manager *manager);

void watch_tell_reloaded(struct manager *manager);

#endif
