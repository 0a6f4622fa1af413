/* SPDX-License-Identifier: MIT */
/*
 * The kernel module comes, goes, and is taken over with the buffers that are alive. Knows the node,
 * udev and the service manager's rules for it; nothing of clients.
 */
#ifndef ATTACH_H
#define ATTACH_H

struct manager;

/* Watch the node from now on. Errors of sd-event. */
int attach_watch(struct manager *manager);

/*
 * Find the module, by the descriptor that a daemon before this one left or by the node, and enter
 * what is alive into the books. Succeeds without a module, which may come later. Logs why it failed.
 */
int attach_first(struct manager *manager);

#endif
