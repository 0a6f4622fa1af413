/* SPDX-License-Identifier: MIT */
/*
 * Which section of the configuration applies to whom. Pure: knows the C library and settings only.
 * Each key is decided by itself: of the sections that match and assign it, the most specific one
 * counts; of several equally specific ones, the assignment that was read last.
 */
#ifndef MATCH_H
#define MATCH_H

#include "peer.h"
#include "settings.h"

/* What applies; section is NULL when nothing does. */
struct found {
	const struct section *section;
	const struct setting *setting;
	unsigned int rank;
};

/* A pattern, then bus:name, then the node; node may be "". */
struct found match_device(const struct settings *settings, const char *device, const char *node,
			  enum key_id key);

/* A group of the user, then the user. */
struct found match_user(const struct settings *settings, const struct peer *peer, enum key_id key);

/* By name. */
struct found match_pool(const struct settings *settings, const char *pool, enum key_id key);

#endif
