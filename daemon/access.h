/* SPDX-License-Identifier: MIT */
/*
 * May a peer open a device node for reading and writing? Judged from the node's mode, owner, group
 * and ACL, as the kernel would; the node is never opened. Knows nothing of clients.
 */
#ifndef ACCESS_H
#define ACCESS_H

#include <sys/stat.h>

#include "peer.h"

/*
 * 0: may open for reading and writing. -EACCES: may not. Errors of reading the ACL. st is the
 * node's, from the caller's stat().
 */
int access_check(const struct peer *peer, const char *node, const struct stat *st);

#endif
