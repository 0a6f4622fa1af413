/* SPDX-License-Identifier: MIT */
/*
 * The users that are connected: how many connections each has, and whose turn it is. Users take
 * turns, on however many connections they ask. Knows no frame and no limit.
 */
#ifndef USER_H
#define USER_H

#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

struct client;
struct manager;

LIST_HEAD(siblings, client);

struct user {
	LIST_ENTRY(user) link; /* manager.users */
	uid_t uid;
	int64_t turn; /* priority of its clients in the event loop: served longest ago, served first */
	uint64_t n_clients;
	struct siblings clients;
};
LIST_HEAD(users, user);

/* A client whose peer and source are set becomes one of its user's. -ENOMEM, errors of sd-event. */
int user_join(struct client *client);

/* Does nothing for a client that never joined. */
void user_leave(struct client *client);

/* It is served: everybody else who waits goes first now. */
void user_end_turn(struct user *user, struct manager *manager);

#endif
