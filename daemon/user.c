/* SPDX-License-Identifier: MIT */
/*
 * The users that are connected. The event loop serves the smallest priority first, so a turn is a
 * number that only grows: whoever was served gets the next one. A user is one source of events
 * however many connections it has, or each turn would have to be told to all of them. Which of them
 * is next the kernel knows: it keeps those that are ready in a row.
 */
#include "user.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "cleanup.h"
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

/* Who comes, and who is served, goes behind all others: to come again is no way to the front. */
static int user_end_turn(struct user *user)
{
	return sd_event_source_set_priority(user->source, ++user->manager->turns);
}

static int on_ready(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct user *user = userdata;
	struct epoll_event event;

	user_end_turn(user);
	if (epoll_wait(fd, &event, 1, 0) == 1)
		client_serve(event.data.ptr, event.events);
	return 0;
}

static void user_free(struct user *user)
{
	sd_event_source_disable_unref(user->source);
	closep(&user->ready);
	free(user);
}

static void user_freep(struct user **user)
{
	if (*user)
		user_free(*user);
}

static int user_new(struct manager *manager, uid_t uid, struct user **ret)
{
	_cleanup_(user_freep) struct user *user = calloc(1, sizeof(*user));
	int r;

	if (!user)
		return -ENOMEM;
	user->manager = manager;
	user->uid = uid;
	user->ready = epoll_create1(EPOLL_CLOEXEC);
	if (user->ready < 0)
		return -errno;
	r = sd_event_add_io(manager->event, &user->source, user->ready, EPOLLIN, on_ready, user);
	if (r >= 0)
		r = user_end_turn(user);
	if (r < 0)
		return r;
	LIST_INSERT_HEAD(&manager->users, user, link);
	*ret = TAKE_PTR(user);
	return 0;
}

static int user_control(const struct client *client, int operation, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = (void *)client};

	return epoll_ctl(client->user->ready, operation, client->fd, &event) < 0 ? -errno : 0;
}

int user_wait_for(struct client *client, uint32_t events)
{
	return user_control(client, EPOLL_CTL_MOD, events);
}

int user_join(struct client *client)
{
	struct user *user = user_find(client->manager, client->peer.uid);
	int r;

	if (!user) {
		r = user_new(client->manager, client->peer.uid, &user);
		if (r < 0)
			return r;
	}
	client->user = user;
	user->n_clients++;
	return user_control(client, EPOLL_CTL_ADD, EPOLLIN);
}

void user_leave(struct client *client)
{
	struct user *user = client->user;

	if (!user)
		return;
	user_control(client, EPOLL_CTL_DEL, 0);
	client->user = NULL;
	if (--user->n_clients)
		return;
	LIST_REMOVE(user, link);
	user_free(user);
}
