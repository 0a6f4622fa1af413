/* SPDX-License-Identifier: MIT */
/*
 * Who the kernel says is at the other end: one process connects as any user.
 */
#ifndef FAKE_PEER_H
#define FAKE_PEER_H

struct manager;

/* A client of the manager, as if this user had connected; returns the other end, not blocking. */
int fake_peer_connect(struct manager *manager, unsigned int uid);

#endif
