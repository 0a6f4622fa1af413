/* SPDX-License-Identifier: MIT */
/*
 * The numbers of the daemon: ask for them, check them, hand them to the caller's function.
 */
#include <assert.h>

#include "private.h"

static_assert((int)DMABUF_REFUSED_QUOTA == DMABUFD_REFUSED_QUOTA, "reasons of refusals");
static_assert((int)DMABUF_REFUSED_FULL == DMABUFD_REFUSED_FULL, "reasons of refusals");
static_assert((int)DMABUF_REFUSED_UNSUITABLE == DMABUFD_REFUSED_UNSUITABLE, "reasons of refusals");
static_assert((int)DMABUF_REFUSED_ACCESS == DMABUFD_REFUSED_ACCESS, "reasons of refusals");
static_assert((int)DMABUF_REFUSED_DEVICE == DMABUFD_REFUSED_DEVICE, "reasons of refusals");
static_assert((int)DMABUF_REFUSED_INVALID == DMABUFD_REFUSED_INVALID, "reasons of refusals");
static_assert((int)DMABUF_REFUSED_MODULE == DMABUFD_REFUSED_MODULE, "reasons of refusals");
static_assert((int)DMABUF_REFUSED_OTHER == DMABUFD_REFUSED_OTHER, "reasons of refusals");

/* The bounds ascend, and the last bucket takes the rest. */
static bool buckets_are_valid(const struct dmabufd_bucket buckets[static DMABUFD_BUCKETS])
{
	for (unsigned int i = 1; i < DMABUFD_BUCKETS; i++)
		if (buckets[i].usec <= buckets[i - 1].usec)
			return false;
	return buckets[DMABUFD_BUCKETS - 1].usec == UINT64_MAX;
}

static bool status_is_valid(const struct wire_frame *frame, size_t body)
{
	const struct dmabufd_status *status = &frame->status;

	if (body < sizeof(*status) || status->n_pools > WIRE_POOL_COUNTS_MAX ||
	    body != sizeof(*status) + status->n_pools * sizeof(frame->pool_counts[0]))
		return false;
	if (status->pad != 0 || !WIRE_STRING_IS_VALID(status->version) ||
	    !WIRE_STRING_IS_VALID(status->missing) || !buckets_are_valid(status->buckets))
		return false;
	for (uint32_t i = 0; i < status->n_pools; i++)
		if (!WIRE_STRING_IS_VALID(frame->pool_counts[i].name))
			return false;
	return true;
}

static void info_fill(struct dmabuf_status_info *info, const struct dmabufd_status *status)
{
	*info = (struct dmabuf_status_info){
		.version = status->version,
		.module_major = status->module_major,
		.module_minor = status->module_minor,
		.module_missing = status->missing[0] ? status->missing : NULL,
		.uptime = status->uptime,
		.clients = status->clients,
		.watchers = status->watchers,
		.buffers = status->buffers,
		.bytes = status->bytes,
		.connections = status->connections,
		.requests = status->requests,
		.reloads = status->reloads,
		.lost = status->lost,
		.refusals = status->refusals,
		.n_refusals = DMABUFD_REFUSALS,
		.duration = status->usec,
		.n_buckets = DMABUFD_BUCKETS,
		.n_pools = status->n_pools,
	};
}

static int visit(const struct wire_frame *frame,
		 int (*fn)(const struct dmabuf_status_info *status, void *userdata), void *userdata)
{
	struct dmabuf_duration_bucket buckets[DMABUFD_BUCKETS];
	struct dmabuf_pool_count pools[WIRE_POOL_COUNTS_MAX];
	struct dmabuf_status_info info;

	info_fill(&info, &frame->status);
	for (unsigned int i = 0; i < DMABUFD_BUCKETS; i++)
		buckets[i] = (struct dmabuf_duration_bucket){frame->status.buckets[i].usec,
							     frame->status.buckets[i].count};
	for (unsigned int i = 0; i < info.n_pools; i++)
		pools[i] = (struct dmabuf_pool_count){frame->pool_counts[i].name,
						      frame->pool_counts[i].buffers,
						      frame->pool_counts[i].bytes};
	info.buckets = buckets;
	info.pools = pools;
	return fn(&info, userdata);
}

DMABUF_PUBLIC int dmabuf_get_status(struct dmabuf *conn,
				    int (*fn)(const struct dmabuf_status_info *status,
					      void *userdata),
				    void *userdata)
{
	struct wire_frame frame;
	int r = connection_call_plain(conn, DMABUFD_STATUS, &frame, 0);

	if (r < 0)
		return r;
	if (!status_is_valid(&frame, (size_t)r))
		return connection_fail_protocol(conn, "malformed status");
	return visit(&frame, fn, userdata);
}
