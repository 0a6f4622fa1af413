/* SPDX-License-Identifier: MIT */
/*
 * One connection: who is at the other end, frames in, replies out. What a request means is decided
 * elsewhere; here stands what a well-formed one is, and what a client may not do to others.
 */
#ifndef CLIENT_H
#define CLIENT_H

#include <stdbool.h>
#include <sys/queue.h>
#include <systemd/sd-event.h>

#include "peer.h"
#include "settings.h"

struct dmabufd_request;
struct manager;
struct reply;
struct user;
struct waiting;

struct client {
	LIST_ENTRY(client) link; /* manager.clients */
	struct manager *manager;
	struct user *user;
	int fd;
	sd_event_source *hello_timer; /* NULL after HELLO */
	struct peer peer;
	struct waiting *waiting; /* its request, while that waits; NULL otherwise */
	uint32_t minor;          /* of the protocol, as HELLO says */
	uint64_t number;         /* never used again, and higher than those before */
	uint64_t connected;      /* CLOCK_MONOTONIC, microseconds */
	uint64_t requests;
	uint64_t refusals;             /* of requests for memory */
	LIST_ENTRY(client) watch_link; /* manager.watchers or .notified, if it is told events */
	uint16_t watch_opcode;         /* WATCH or NOTIFY; 0: it is not */
	uint32_t watch_serial;
	uint64_t watch_lost; /* events that it was not told of, and does not know yet */
	bool holds;          /* memory of the pool that is asked back */
};

/* A handler of requests returns this when the client waits: the reply comes later. */
#define REPLY_LATER 1

/* Takes possession of the connection, also on failure; on success it is in the manager's list. */
int client_new(struct manager *manager, int fd, struct client **ret);

/* Disconnects. What was allocated stays charged until it is released. Returns NULL. */
struct client *client_free(struct client *client);
void client_freep(struct client **client);

/* Something came on its connection, or there is room for an event (EPOLL*). May free the client. */
void client_serve(struct client *client, uint32_t events);

/* Is it root, or a member of the group that this key of [Daemon] names? */
bool client_is_root_or_in(const struct client *client, enum key_id key);

/* A request for memory is answered by this reply, after the daemon worked on it so long. */
void client_count(struct client *client, const struct dmabufd_request *request,
		  const struct reply *reply, uint64_t usec);

/*
 * Send the reply to its request, which was handled with this status: -EPROTO ends the connection.
 * Negative: the connection is over, and the client is to be freed.
 */
int client_reply(struct client *client, struct reply *reply, int status);

/* Tell a client why it is not served, such that it reads that rather than a broken connection. */
void client_turn_away(int fd, int error, const char *text);

/* Where the kernel can do it: nobody may send descriptors to this socket. */
void client_refuse_descriptors(int fd);

#endif
