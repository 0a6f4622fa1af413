/* SPDX-License-Identifier: MIT */
/*
 * A request for memory, checked: what ALLOC and EXPLAIN have in common. The devices are found, the
 * client may use them, and the kernel has told their facts.
 */
#ifndef JOB_H
#define JOB_H

#include "claims.h"
#include "client.h"
#include "device.h"
#include "outlook.h"
#include "reply.h"
#include "tag.h"

struct job {
	unsigned int count;
	struct policy_request wanted;
	unsigned int n_devices; /* different ones */
	struct facts facts[DEVICES_MAX];
	const struct pool *pools; /* the module's */
	unsigned int n_pools;
	struct tag owner;
	char nodes[DEVICES_MAX][NODE_SIZE]; /* that the request named, first of each device */
	struct payer payer;                 /* borrows from all of these */
};

/*
 * Fills *ret, which borrows from request and from the manager's module. On failure the reply is the
 * error: -EPROTO, -ENXIO, -EINVAL, -E2BIG, -ENODEV, -EACCES, -EOPNOTSUPP, -EIO.
 */
int job_prepare(struct client *client, const struct dmabufd_request *request, struct job *ret,
		struct reply *reply);

/* Label and pool can be told to others: terminated, padded, and without control characters. */
bool job_has_sound_strings(const struct dmabufd_request *request);

/* Both borrow from the job. */
void job_decide(const struct job *job, struct plan *ret);
void job_foresee(const struct job *job, struct outlook *ret);

/* What the module says of a device, as udev and the configuration correct it. */
int job_get_facts(struct manager *manager, const struct device *device, struct facts *ret);

#endif
