/* SPDX-License-Identifier: MIT */
/*
 * The listening socket. A connection that cannot be served is told so and closed: left in the queue
 * it would wake the loop for ever.
 */
#include "listener.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#include "claims.h"
#include "cleanup.h"
#include "client.h"
#include "log.h"
#include "manager.h"
#include "user.h"

/*
 * Descriptors that connections leave for serving them: those of a reply, of udev's records, of
 * configuration files.
 */
#define RESERVED 64

#define REST_USEC (100 * UINT64_C(1000))

void listener_init(struct listener *listener)
{
	*listener = (struct listener){.fd = -EBADF, .spare = -EBADF};
}

/* A new descriptor gets the lowest free number: one of these says that no lower one is free. */
static int find_reserved(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur > INT_MAX)
		return INT_MAX;
	return limit.rlim_cur > 2 * RESERVED ? (int)limit.rlim_cur - RESERVED
					     : (int)limit.rlim_cur / 2;
}

static int open_spare(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static int on_rested(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct manager *m = userdata;

	m->listener.retry = sd_event_source_disable_unref(m->listener.retry);
	return sd_event_source_set_enabled(m->listener.source, SD_EVENT_ON);
}

/* Not even the spare one helps: look again later instead of spinning. */
static int listener_rest(struct manager *m)
{
	int r = sd_event_add_time_relative(m->event, &m->listener.retry, CLOCK_MONOTONIC, REST_USEC,
					   0, on_rested, m);

	if (r >= 0)
		r = sd_event_source_set_enabled(m->listener.source, SD_EVENT_OFF);
	return r;
}

static const char no_descriptor[] = "dmabufd has no descriptor free: try again later";

/* Accept with the spare descriptor's number, just to say that there is none. */
static int listener_turn_away(struct manager *m, int error)
{
	struct listener *listener = &m->listener;
	int fd;

	if (listener->spare >= 0)
		close(TAKE_FD(listener->spare));
	fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0) {
		client_turn_away(fd, error, no_descriptor);
		close(fd);
	}
	listener->spare = open_spare();
	return fd < 0 || listener->spare < 0 ? listener_rest(m) : 0;
}

static int listener_admit(struct manager *m, int fd)
{
	_cleanup_(client_freep) struct client *client = NULL;
	struct limit limit;
	char text[256];
	int r;

	if (fd >= m->listener.reserved_from) {
		client_turn_away(fd, -EMFILE, no_descriptor);
		close(fd);
		return 0;
	}
	r = client_new(m, fd, &client);
	if (r < 0)
		return r;
	/* A user that is new took one more. */
	if (client->user->ready >= m->listener.reserved_from) {
		client_turn_away(client->fd, -EMFILE, no_descriptor);
		return 0;
	}
	limit = limit_of_connections(m->settings, &client->peer);
	/* The new one is in the list already. */
	if (client->user->n_clients > limit.max) {
		snprintf(text, sizeof(text),
			 "user %u has %" PRIu64 " connections: close some, or raise %s= in [%s] of "
			 "dmabufd.conf",
			 client->peer.uid, limit.max, limit.key, limit.section);
		client_turn_away(client->fd, -EUSERS, text);
		return 0;
	}
	m->counters.connections++;
	TAKE_PTR(client); /* the manager's list has it */
	return 0;
}

/* Clients can bring it about as often as they like. */
static void complain(struct manager *m, const char *what, int error)
{
	unsigned int untold;
	uint64_t now;

	if (sd_event_now(m->event, CLOCK_MONOTONIC, &now) >= 0 &&
	    rate_allows(&m->rate, (unsigned int)-error, (uid_t)-1, now, &untold))
		log_warning("cannot %s a connection: %s (%u more like it were not logged)", what,
			    strerror(-error), untold);
}

static int on_connection(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct manager *m = userdata;
	int connection, r;

	/* Who wants to be connected takes turns with the users who are. */
	sd_event_source_set_priority(source, ++m->turns);
	connection = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (connection < 0) {
		if (errno == EMFILE || errno == ENFILE)
			return listener_turn_away(m, -errno);
		/* The client left before it was its turn, or the kernel lacks memory. */
		if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
			complain(m, "accept", -errno);
		return 0;
	}
	r = listener_admit(m, connection);
	if (r < 0)
		complain(m, "serve", r);
	return 0;
}

int listener_open(struct listener *listener, int fd, struct manager *m)
{
	if (fd < 0)
		return -ENOTCONN;
	listener->fd = fd;
	if (sd_is_socket_unix(listener->fd, SOCK_SEQPACKET, 1, NULL, 0) <= 0)
		return -ENOTSOCK;
	if (fcntl(listener->fd, F_SETFL, fcntl(listener->fd, F_GETFL) | O_NONBLOCK) < 0)
		return -errno;
	client_refuse_descriptors(listener->fd);
	listener->reserved_from = find_reserved();
	listener->spare = open_spare();
	if (listener->spare < 0)
		return -errno;
	return sd_event_add_io(m->event, &listener->source, listener->fd, EPOLLIN, on_connection,
			       m);
}

void listener_close(struct listener *listener)
{
	listener->retry = sd_event_source_disable_unref(listener->retry);
	listener->source = sd_event_source_disable_unref(listener->source);
	if (listener->spare >= 0)
		close(TAKE_FD(listener->spare));
	if (listener->fd >= 0)
		close(TAKE_FD(listener->fd));
}
