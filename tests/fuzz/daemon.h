/* SPDX-License-Identifier: MIT */
/*
 * The daemon's manager for a fuzz target: attached to the fake kernel, its loop in the target's
 * hands, no listening socket.
 */
#ifndef DAEMON_H
#define DAEMON_H

#include "manager.h"

/* Small limits, such that they are met. Returns 0, or what rebuild() of lies says; *ret is set. */
int daemon_start(struct manager **ret);

/* Serve until nothing is left to do. */
void daemon_run(struct manager *manager);

/* The ledger's totals are those of its buffers. */
void daemon_check_books(const struct manager *manager);

#endif
