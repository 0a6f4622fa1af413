/* SPDX-License-Identifier: MIT */
/*
 * New settings for a running daemon. Buffers and charges stay as they are.
 */
#ifndef RELOAD_H
#define RELOAD_H

struct manager;

/* Reload on SIGHUP from now on; the signal is blocked already. Errors of sd-event. */
int reload_on_signal(struct manager *manager);

#endif
