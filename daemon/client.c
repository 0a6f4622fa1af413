/* SPDX-License-Identifier: MIT */
/*
 * One connection. The receiving side opens no descriptor, and no reply is queued behind one that
 * was not read: a slow or hostile client holds one reply at most. Knows opcodes and sizes of
 * frames; their meaning is in request.c and list.c.
 */
#include "client.h"

#include <errno.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "cleanup.h"
#include "clock.h"
#include "identity.h"
#include "list.h"
#include "manager.h"
#include "notify.h"
#include "reasons.h"
#include "reply.h"
#include "request.h"
#include "status.h"
#include "user.h"
#include "waiting.h"
#include "watch.h"

#define HELLO_USEC (10 * UINT64_C(1000000))

#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83
#endif

static int handle_hello(struct client *client, const struct wire_frame *request,
			struct reply *reply)
{
	if (!client->hello_timer)
		return reply_fail(reply, -EPROTO, "HELLO comes once on a connection");
	if (request->hello.major != DMABUFD_PROTOCOL_MAJOR)
		return reply_fail(reply, -EPROTONOSUPPORT,
				  "dmabufd speaks version %d of the protocol, not %u: install the "
				  "libdmabuf that belongs to it",
				  DMABUFD_PROTOCOL_MAJOR, request->hello.major);
	client->hello_timer = sd_event_source_disable_unref(client->hello_timer);
	client->minor = request->hello.minor;
	reply_set_body(reply, sizeof(reply->frame.hello));
	reply->frame.hello.major = DMABUFD_PROTOCOL_MAJOR;
	reply->frame.hello.minor = DMABUFD_PROTOCOL_MINOR;
	watch_tell_client(client, DMABUFD_EVENT_CONNECTED);
	return 0;
}

/*
 * A handler fills the reply; when it fails, by reply_fail(). -EPROTO ends the connection, and
 * REPLY_LATER leaves the client waiting.
 */
static const struct operation {
	size_t body;  /* bytes of the request behind the header */
	size_t least; /* the same as it was first */
	int (*handle)(struct client *client, const struct wire_frame *request, struct reply *reply);
} operations[] = {
	[DMABUFD_HELLO] = {sizeof(struct dmabufd_hello), 8, handle_hello},
	[DMABUFD_ALLOC] = {sizeof(struct dmabufd_request), DMABUFD_REQUEST_SIZE_0, handle_alloc},
	[DMABUFD_EXPLAIN] = {sizeof(struct dmabufd_request), DMABUFD_REQUEST_SIZE_0,
			     handle_explain},
	[DMABUFD_POOLS] = {sizeof(struct dmabufd_cursor), 8, handle_pools},
	[DMABUFD_DEVICES] = {sizeof(struct dmabufd_cursor), 8, handle_devices},
	[DMABUFD_BUFFERS] = {sizeof(struct dmabufd_cursor), 8, handle_buffers},
	[DMABUFD_STATUS] = {0, 0, handle_status},
	[DMABUFD_CLIENTS] = {sizeof(struct dmabufd_cursor), 8, handle_clients},
	[DMABUFD_WATCH] = {0, 0, handle_watch},
	[DMABUFD_REASONS] = {sizeof(struct dmabufd_question),
			     sizeof(struct dmabufd_cursor) + DMABUFD_REQUEST_SIZE_0,
			     handle_reasons},
	[DMABUFD_CHECK] = {sizeof(struct dmabufd_request), sizeof(struct dmabufd_request),
			   handle_check},
	[DMABUFD_BATCH] = {sizeof(struct dmabufd_batch),
			   offsetof(struct dmabufd_batch, requests[1]), handle_batch},
	[DMABUFD_DESCRIBE] = {sizeof(struct dmabufd_identity), sizeof(struct dmabufd_identity),
			      handle_describe},
	[DMABUFD_NOTIFY] = {0, 0, handle_notify},
};

static const struct operation *operation_find(uint16_t opcode)
{
	if (opcode >= sizeof(operations) / sizeof(operations[0]) || !operations[opcode].handle)
		return NULL;
	return &operations[opcode];
}

static int client_handle(struct client *client, struct wire_frame *request, struct reply *reply)
{
	const struct dmabufd_header *header = &request->header;
	const struct operation *operation = operation_find(header->opcode);

	reply_begin(reply, header);
	if (!operation)
		return reply_fail(reply, -EPROTO, "there is no opcode %u", header->opcode);
	if (header->status != 0)
		return reply_fail(reply, -EPROTO, "the status of a request must be 0");
	if (header->length < sizeof(*header) + operation->least)
		return reply_fail(reply, -EPROTO, "a frame of opcode %u has %zu bytes, not %u",
				  header->opcode, sizeof(*header) + operation->body,
				  header->length);
	if (client->hello_timer && header->opcode != DMABUFD_HELLO)
		return reply_fail(reply, -EPROTO, "HELLO comes first on a connection");
	if (client->watch_opcode)
		return reply_fail(reply, -EPROTO,
				  "a connection that is told events asks nothing more");
	if (wire_fit(request, operation->body) < 0)
		return reply_fail(reply, -EOPNOTSUPP,
				  "this dmabufd is older than the program's libdmabuf and does not "
				  "know all that it asks for: upgrade and restart dmabufd");
	return operation->handle(client, request, reply);
}

void client_count(struct client *client, const struct dmabufd_request *request,
		  const struct reply *reply, uint64_t usec)
{
	struct counters *counters = &client->manager->counters;

	counters_add_duration(counters, usec);
	if (!reply->frame.header.status)
		return;
	client->refusals++;
	counters_add_refusal(counters, reply->frame.header.status);
	/* A frame that breaks the rules may be too short to tell of. */
	if (reply->frame.header.status != -EPROTO)
		watch_tell_refused(client, request, reply);
}

static int client_answer(struct client *client, struct wire_frame *request, struct reply *reply)
{
	uint64_t started = clock_now(CLOCK_MONOTONIC);
	int r = client_handle(client, request, reply);

	client->requests++;
	client->manager->counters.requests++;
	if (request->header.opcode == DMABUFD_ALLOC && r != REPLY_LATER)
		client_count(client, &request->request, reply,
			     clock_now(CLOCK_MONOTONIC) - started);
	if (request->header.opcode == DMABUFD_BATCH)
		client_count(client, &request->batch.requests[0], reply,
			     clock_now(CLOCK_MONOTONIC) - started);
	return r;
}

/* The kernel holds its own references in the message: a release event can come when it is gone. */
static int reply_send(struct reply *reply, int fd)
{
	int r = wire_send(fd, &reply->frame, reply->length, reply->fds, reply->n_fds);

	reply_close_fds(reply);
	return r;
}

/*
 * Unread frames would reset the connection when it is closed, and the reset would overtake the
 * reply. No more can come after the shutdown, so what is drained is all.
 */
static void drain(int fd)
{
	char byte;

	shutdown(fd, SHUT_RD);
	while (recv(fd, &byte, sizeof(byte), MSG_DONTWAIT | MSG_TRUNC) > 0)
		;
}

void client_turn_away(int fd, int error, const char *text)
{
	struct reply reply;

	reply_init(&reply);
	reply.frame.header.opcode = DMABUFD_HELLO;
	reply_fail(&reply, error, "%s", text);
	reply_shorten_error(&reply);
	/* Nothing more can be done for a client that does not even take this. */
	if (reply_send(&reply, fd) >= 0)
		drain(fd);
}

/* True when the client sent a request before it read the reply to the one before. */
static bool client_is_ahead(const struct client *client)
{
	int unread;

	return ioctl(client->fd, SIOCOUTQ, &unread) < 0 || unread > 0;
}

static int client_send(const struct client *client, struct reply *reply)
{
	if (client->minor < 2)
		reply_shorten_error(reply);
	return reply_send(reply, client->fd);
}

int client_reply(struct client *client, struct reply *reply, int status)
{
	int r = client_send(client, reply);

	/* All clients together have too many unread descriptors: this one may come again. */
	if (r == -ETOOMANYREFS) {
		reply_fail(reply, r, "too many descriptors are on their way to clients: try again");
		r = client_send(client, reply);
	}
	if (r < 0)
		return r;
	if (status == -EPROTO) {
		drain(client->fd);
		return status;
	}
	return 0;
}

/* Serve one frame. Negative: the connection is over. */
static int client_serve_frame(struct client *client)
{
	struct wire_frame request;
	struct reply reply;
	int r, status;

	/* Who waits has nothing to say: either this is the end, or a request ahead of the reply. */
	if (client->waiting || client_is_ahead(client))
		return -EPROTO;
	r = wire_receive_plain(client->fd, &request);
	if (r == -EAGAIN)
		return 0;
	if (r == 0)
		return -ECONNRESET;
	if (r == -EPROTO) {
		client_turn_away(client->fd, -EPROTO, "the frame is malformed");
		return r;
	}
	if (r < 0)
		return r;
	status = client_answer(client, &request, &reply);
	return status == REPLY_LATER ? 0 : client_reply(client, &reply, status);
}

void client_serve(struct client *client, uint32_t events)
{
	if (events & EPOLLOUT)
		watch_resume(client);
	/* Which way a client left is its own affair, and no line in the log. */
	if (events != EPOLLOUT && client_serve_frame(client) < 0)
		client_free(client);
}

static int on_hello_missing(sd_event_source *source, uint64_t usec, void *userdata)
{
	client_free(userdata);
	return 0;
}

static int peer_read_groups(int fd, struct peer *peer)
{
	_cleanup_free_ gid_t *groups = NULL;
	socklen_t size = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &size) < 0 && errno != ERANGE)
		return -errno;
	if (!size)
		return 0;
	groups = malloc(size);
	if (!groups)
		return -ENOMEM;
	/* They are those of connect(): neither the set nor its size changes any more. */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0)
		return -errno;
	peer->n_groups = size / sizeof(*groups);
	peer->groups = TAKE_PTR(groups);
	return 0;
}

static int peer_read(int fd, struct peer *peer)
{
	struct ucred credentials;
	socklen_t size = sizeof(credentials);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0)
		return -errno;
	peer->pid = credentials.pid;
	peer->uid = credentials.uid;
	peer->gid = credentials.gid;
	return peer_read_groups(fd, peer);
}

bool client_is_root_or_in(const struct client *client, enum key_id key)
{
	const struct setting *group = settings_get(client->manager->settings, key);

	return client->peer.uid == 0 ||
	       (group->order && peer_is_in_group(&client->peer, (gid_t)group->value));
}

void client_refuse_descriptors(int fd)
{
	/* Linux 6.16 has it; before, they are dropped unopened when the frame is received. */
	setsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &(int){0}, sizeof(int));
}

int client_new(struct manager *manager, int fd, struct client **ret)
{
	_cleanup_(client_freep) struct client *client = calloc(1, sizeof(*client));
	int r;

	if (!client) {
		close(fd);
		return -ENOMEM;
	}
	client->manager = manager;
	client->fd = fd;
	client->number = ++manager->last_client;
	client->connected = clock_now(CLOCK_MONOTONIC);
	LIST_INSERT_HEAD(&manager->clients, client, link);
	client_refuse_descriptors(fd);
	r = peer_read(fd, &client->peer);
	if (r >= 0)
		r = user_join(client);
	if (r >= 0)
		r = sd_event_add_time_relative(manager->event, &client->hello_timer,
					       CLOCK_MONOTONIC, HELLO_USEC, 0, on_hello_missing,
					       client);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(client);
	return 0;
}

struct client *client_free(struct client *client)
{
	if (client->waiting)
		waiting_end(client->waiting);
	LIST_REMOVE(client, link);
	user_leave(client);
	watch_stop(client);
	if (!client->hello_timer)
		watch_tell_client(client, DMABUFD_EVENT_LEFT);
	sd_event_source_disable_unref(client->hello_timer);
	close(client->fd);
	free(client->peer.groups);
	free(client);
	return NULL;
}

void client_freep(struct client **client)
{
	if (*client)
		client_free(*client);
}
