/* SPDX-License-Identifier: MIT */
/*
 * The listening socket: takes connections, turns away those beyond a user's limit, and survives the
 * lack of descriptors. Knows nothing of frames but the one that turns away.
 */
#ifndef LISTENER_H
#define LISTENER_H

#include <systemd/sd-event.h>

struct manager;

struct listener {
	int fd;
	int reserved_from; /* the lowest number that no connection may have */
	int spare;         /* given up for a moment when no descriptor is free */
	sd_event_source *source;
	sd_event_source *retry; /* runs while the listener rests */
};

void listener_init(struct listener *listener);

/*
 * Listen on a socket that the service manager passed; takes possession of it, also on failure.
 * -ENOTCONN: it is none. -ENOTSOCK: a wrong one.
 */
int listener_open(struct listener *listener, int fd, struct manager *manager);

/* Accepts nothing any more. */
void listener_close(struct listener *listener);

#endif
