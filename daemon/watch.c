/* SPDX-License-Identifier: MIT */
/*
 * Those who watch. An event is sent at once or not at all: what the socket of a watcher has no room
 * for is counted, and the watcher is told how many once it reads again. So a watcher that sleeps
 * costs the daemon one number, and the kernel what fits the socket. Users see their own; root, all.
 * What programs are told (notify.c) is sent in the same way. Decides nothing, and must not free a client: its callers are in the middle of something.
 */
#include "watch.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#include "client.h"
#include "clock.h"
#include "job.h"
#include "list.h"
#include "manager.h"
#include "reply.h"
#include "user.h"

int handle_watch(struct client *client, const struct wire_frame *request, struct reply *reply)
{
	watch_begin(client, &client->manager->watchers, &request->header);
	return 0;
}

void watch_begin(struct client *client, struct watchers *watchers,
		 const struct dmabufd_header *request)
{
	client->watch_opcode = request->opcode;
	client->watch_serial = request->serial;
	LIST_INSERT_HEAD(watchers, client, watch_link);
}

void watch_stop(struct client *client)
{
	if (client->watch_opcode)
		LIST_REMOVE(client, watch_link);
	client->watch_opcode = 0;
}

void watch_event_init(struct wire_frame *frame, enum dmabufd_event_type type)
{
	frame->header = (struct dmabufd_header){0};
	frame->event = (struct dmabufd_event){.type = type, .time = clock_now(CLOCK_REALTIME)};
}

static bool send_event(struct client *client, struct wire_frame *frame)
{
	size_t length = sizeof(frame->header) + sizeof(frame->event);

	if (frame->event.type == DMABUFD_EVENT_REFUSED)
		length += sizeof(frame->event_error);
	frame->header.opcode = client->watch_opcode;
	frame->header.serial = client->watch_serial;
	return wire_send(client->fd, frame, length, NULL, 0) >= 0;
}

/* After the first loss all is lost until the watcher knows of it, or it would be told too late. */
void watch_tell(struct client *client, struct wire_frame *frame)
{
	if (!client->watch_lost && send_event(client, frame))
		return;
	client->watch_lost++;
	client->manager->counters.lost++;
	/* Without the wake-up the watcher is told when it leaves: never. It can live with that. */
	user_wait_for(client, EPOLLIN | EPOLLOUT);
}

void watch_resume(struct client *client)
{
	struct wire_frame frame;

	watch_event_init(&frame, DMABUFD_EVENT_LOST);
	frame.event.number = client->watch_lost;
	if (client->watch_lost && !send_event(client, &frame))
		return;
	client->watch_lost = 0;
	user_wait_for(client, EPOLLIN);
}

static void tell_all(struct manager *m, struct wire_frame *frame)
{
	struct client *client;

	LIST_FOREACH(client, &m->watchers, watch_link)
	watch_tell(client, frame);
}

/* To root, and to the user whose affair it is. */
static void tell_user(struct manager *m, struct wire_frame *frame)
{
	struct client *client;

	LIST_FOREACH(client, &m->watchers, watch_link)
	if (client->peer.uid == 0 || client->peer.uid == frame->event.uid)
		watch_tell(client, frame);
}

void watch_tell_buffer(struct manager *m, enum dmabufd_event_type type, const struct buffer *buffer)
{
	struct dmabufd_buffer told = {0};
	struct wire_frame frame;
	unsigned int n_pools;
	const struct pool *pools;

	if (LIST_EMPTY(&m->watchers))
		return;
	pools = module_get_pools(m->module, &n_pools);
	buffer_fill(&told, buffer, pools, n_pools, NULL);
	watch_event_init(&frame, type);
	frame.event.number = told.id;
	frame.event.size = told.size;
	frame.event.uid = told.uid;
	frame.event.pid = told.pid;
	memcpy(frame.event.pool, told.pool, sizeof(told.pool));
	memcpy(frame.event.name, told.name, sizeof(told.name));
	memcpy(frame.event.devices, told.devices, sizeof(told.devices));
	tell_user(m, &frame);
}

void watch_tell_client(const struct client *client, enum dmabufd_event_type type)
{
	struct wire_frame frame;

	if (LIST_EMPTY(&client->manager->watchers))
		return;
	watch_event_init(&frame, type);
	frame.event.uid = client->peer.uid;
	frame.event.pid = (uint32_t)client->peer.pid;
	tell_user(client->manager, &frame);
}

void watch_tell_refused(const struct client *client, const struct dmabufd_request *request,
			const struct reply *reply)
{
	struct wire_frame frame;

	if (LIST_EMPTY(&client->manager->watchers))
		return;
	watch_event_init(&frame, DMABUFD_EVENT_REFUSED);
	frame.event.error = reply->frame.header.status;
	frame.event.size = request->size;
	frame.event.uid = client->peer.uid;
	frame.event.pid = (uint32_t)client->peer.pid;
	/* It may have been refused before anybody looked at them. */
	if (job_has_sound_strings(request)) {
		memcpy(frame.event.pool, request->pool, sizeof(frame.event.pool));
		memcpy(frame.event.name, request->name, sizeof(frame.event.name));
	}
	frame.event_error = reply->frame.error;
	tell_user(client->manager, &frame);
}

void watch_tell_pools(struct manager *m)
{
	struct wire_frame frame;
	unsigned int n_pools;
	const struct pool *pools = module_get_pools(m->module, &n_pools);

	for (unsigned int i = 0; i < n_pools; i++) {
		watch_event_init(&frame, DMABUFD_EVENT_POOL_APPEARED);
		strcpy(frame.event.pool, pools[i].name);
		frame.event.size = pools[i].size;
		tell_all(m, &frame);
	}
}

void watch_tell_reloaded(struct manager *m)
{
	struct wire_frame frame;

	watch_event_init(&frame, DMABUFD_EVENT_RELOADED);
	tell_all(m, &frame);
}
