/* SPDX-License-Identifier: MIT */
/*
 * What new settings change of the limits that the old ones set. Pure.
 */
#ifndef CHANGES_H
#define CHANGES_H

#include "peer.h"
#include "quota.h"
#include "settings.h"

/* Anything that limits pools or devices, which is everybody's affair. */
bool changes_shared_limits(const struct settings *before, const struct settings *after);

/* What this user may hold in all. */
bool changes_limits_of_user(const struct settings *before, const struct settings *after,
			    const struct peer *peer);

/* What that is: bytes and buffers. */
struct claim limits_of_user(const struct settings *settings, const struct peer *peer);

#endif
