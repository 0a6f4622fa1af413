/* SPDX-License-Identifier: MIT */
/*
 * Refusals for the journal.
 */
#include "report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "log.h"
#include "manager.h"

static void add_fields(struct log_record *record, const struct client *client,
		       const struct job *job, const struct plan *plan)
{
	log_field(record, "DMABUFD_UID=%u", client->peer.uid);
	log_field(record, "DMABUFD_PID=%d", client->peer.pid);
	log_field(record, "DMABUFD_BYTES=%" PRIu64, job->wanted.size);
	log_field(record, "DMABUFD_BUFFERS=%u", job->count);
	for (unsigned int i = 0; i < job->n_devices; i++)
		log_field(record, "DMABUFD_DEVICE=%s", job->owner.devices[i]);
	for (unsigned int i = 0; i < plan->n_tries; i++)
		log_field(record, "DMABUFD_POOL=%s", step_get_name(&plan->steps[i]));
}

void report_refusal(const struct client *client, const struct job *job, const struct plan *plan,
		    const struct reply *reply)
{
	const int error = reply->frame.header.status;
	struct manager *m = client->manager;
	struct log_record record;
	char untold[64] = "";
	unsigned int n;
	uint64_t now;

	if (error != -EDQUOT && error != -ENOSPC)
		return;
	if (sd_event_now(m->event, CLOCK_MONOTONIC, &now) < 0 ||
	    !rate_allows(&m->rate, (unsigned int)-error, client->peer.uid, now, &n))
		return;
	if (n)
		snprintf(untold, sizeof(untold), " (%u more like it were not logged)", n);
	log_begin(&record, SD_NOTICE, error == -EDQUOT ? MESSAGE_QUOTA_REFUSED : MESSAGE_POOL_FULL);
	add_fields(&record, client, job, plan);
	log_end(&record, "MESSAGE=user %u (process %d) was refused memory: %s%s", client->peer.uid,
		client->peer.pid, reply->frame.error.text, untold);
}
