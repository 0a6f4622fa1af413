/* SPDX-License-Identifier: MIT */
/*
 * The users that are connected. The event loop serves the smallest priority first, so a turn is a
 * number that only grows: whoever was served gets the next one, on all connections.
 */
#include "user.h"

#include <errno.h>
#include <stdlib.h>

#include "client.h"
#include "manager.h"

static struct user *user_find(struct manager *manager, uid_t uid)
{
	struct user *user;

	LIST_FOREACH(user, &manager->users, link)
	if (user->uid == uid)
		return user;
	return NULL;
}

/* Who comes goes behind all others, so that to come again is no way to the front. */
static struct user *user_new(struct manager *manager, uid_t uid)
{
	struct user *user = calloc(1, sizeof(*user));

	if (!user)
		return NULL;
	user->uid = uid;
	user->turn = ++manager->turns;
	LIST_INIT(&user->clients);
	LIST_INSERT_HEAD(&manager->users, user, link);
	return user;
}

int user_join(struct client *client)
{
	struct user *user = user_find(client->manager, client->peer.uid);

	if (!user)
		user = user_new(client->manager, client->peer.uid);
	if (!user)
		return -ENOMEM;
	client->user = user;
	LIST_INSERT_HEAD(&user->clients, client, sibling);
	user->n_clients++;
	return sd_event_source_set_priority(client->source, user->turn);
}

void user_leave(struct client *client)
{
	struct user *user = client->user;

	if (!user)
		return;
	LIST_REMOVE(client, sibling);
	client->user = NULL;
	if (--user->n_clients)
		return;
	LIST_REMOVE(user, link);
	free(user);
}

void user_end_turn(struct user *user, struct manager *manager)
{
	struct client *client;

	user->turn = ++manager->turns;
	LIST_FOREACH(client, &user->clients, sibling)
	sd_event_source_set_priority(client->source, user->turn);
}
