/* SPDX-License-Identifier: MIT */
/*
 * Refusals that an administrator searches the journal for: who was refused what, and why. Decides
 * nothing; the words are those that the client got.
 */
#ifndef REPORT_H
#define REPORT_H

#include "job.h"

/*
 * Tell of a request that was refused for lack of room or of quota, at most once in a minute for
 * each user; of others nothing. The reply has the error and its text.
 */
void report_refusal(const struct client *client, const struct job *job, const struct plan *plan,
		    const struct reply *reply);

#endif
