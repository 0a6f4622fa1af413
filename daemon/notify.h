/* SPDX-License-Identifier: MIT */
/*
 * Programs that want to know what concerns them, and what they are told. Costs nothing while none
 * does.
 */
#ifndef NOTIFY_H
#define NOTIFY_H

struct client;
struct manager;
struct reply;
struct settings;
struct shortage;
struct wire_frame;

/* From now on the connection is told, and asks nothing any more. */
int handle_notify(struct client *client, const struct wire_frame *request, struct reply *reply);

/* The settings in force are about to be replaced by others. */
void notify_of_settings(struct manager *manager, const struct settings *after);

/* What this client asked for is refused, or waits, for this reason: ask others to give back. */
void notify_of_shortage(const struct client *client, const struct shortage *shortage);

#endif
