/* SPDX-License-Identifier: MIT */
/*
 * How often something may be told: once in a minute for each user and kind, and for all of them
 * together so many times as there are slots. Pure: is told the time.
 */
#ifndef RATE_H
#define RATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define RATE_USEC (60 * UINT64_C(1000000))
#define RATE_SLOTS 64

/* All zero at first. */
struct rate {
	struct rate_slot {
		uint64_t until;      /* nothing is told before */
		unsigned int untold; /* since the last that was */
	} slots[RATE_SLOTS];
};

/*
 * May it be told now? If so, *ret_untold is how many were not since the last time. Users who share
 * a slot share its turn: none can get more lines by being many.
 */
bool rate_allows(struct rate *rate, unsigned int kind, uid_t uid, uint64_t now_usec,
		 unsigned int *ret_untold);

#endif
