/* SPDX-License-Identifier: MIT */
/*
 * The users that are connected: how many connections each has, and whose turn it is. Users take
 * turns, on however many connections they ask, and so do the connections of one user. Knows no frame
 * and no limit.
 */
#ifndef USER_H
#define USER_H

#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

struct client;
struct manager;

struct user {
	LIST_ENTRY(user) link; /* manager.users */
	struct manager *manager;
	uid_t uid;
	uint64_t n_clients;
	int ready;               /* epoll: which connections have something for the daemon */
	sd_event_source *source; /* of that; served longest ago, served first */
};
LIST_HEAD(users, user);

/*
 * A client whose peer is set becomes one of its user's, and its requests are waited for. -ENOMEM,
 * errors of epoll and sd-event.
 */
int user_join(struct client *client);

/* Does nothing for a client that never joined. */
void user_leave(struct client *client);

/* What its connection is waited for from now on: EPOLLIN, EPOLLOUT. Errors of epoll_ctl(). */
int user_wait_for(struct client *client, uint32_t events);

#endif
