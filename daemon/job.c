/* SPDX-License-Identifier: MIT */
/*
 * A request for memory, checked, in the order in which a client can understand the refusals: the
 * frame, the module, the numbers, the devices, the pool. Allocates nothing.
 */
#include "job.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "access.h"
#include "cleanup.h"
#include "manager.h"
#include "text.h"

static bool devices_are_valid(const struct dmabufd_request *request)
{
	if (request->n_devices > DMABUFD_DEVICES_MAX)
		return false;
	for (unsigned int i = request->n_devices; i < DMABUFD_DEVICES_MAX; i++)
		if (request->devices[i])
			return false;
	return true;
}

static_assert((int)CONSTRAINT_MAPPING == DMABUFD_CONSTRAINT_MAPPING, "constraints differ");
static_assert((int)CONSTRAINT_ALIGNMENT == DMABUFD_CONSTRAINT_ALIGNMENT, "constraints differ");
static_assert((int)CONSTRAINT_CONTIGUOUS == DMABUFD_CONSTRAINT_CONTIGUOUS, "constraints differ");
static_assert((int)CONSTRAINT_ADDRESS == DMABUFD_CONSTRAINT_ADDRESS, "constraints differ");
static_assert((1 << CONSTRAINTS_MAX) - 1 == DMABUFD_CONSTRAINTS, "constraints differ");

/* One word at most on reads, and one on writes. */
static bool words_are_valid(uint32_t flags)
{
	uint32_t reads = flags & (DMABUFD_CPU_READS_OFTEN | DMABUFD_CPU_READS_RARELY |
				  DMABUFD_CPU_READS_NEVER);
	uint32_t writes = flags & (DMABUFD_CPU_WRITES_OFTEN | DMABUFD_CPU_WRITES_RARELY |
				   DMABUFD_CPU_WRITES_NEVER);

	return !(reads & (reads - 1)) && !(writes & (writes - 1));
}

/* The rules of dmabufd-protocol.h. */
static int check_frame(const struct dmabufd_request *request, struct reply *reply)
{
	if (request->flags & ~DMABUFD_FLAGS || !words_are_valid(request->flags))
		return reply_fail(reply, -EPROTO, "the request has flags that make no sense");
	if (request->preferred & ~DMABUFD_CONSTRAINTS || request->address_bits > 64 ||
	    request->alignment & (request->alignment - 1))
		return reply_fail(reply, -EPROTO, "the request has constraints that make no sense");
	if (request->mapping > DMABUFD_MAPPING_WRITE_COMBINED)
		return reply_fail(reply, -EPROTO, "there is no mapping %u", request->mapping);
	if (request->count < 1 || request->count > DMABUFD_BUFFERS_MAX)
		return reply_fail(reply, -EPROTO, "a request is for 1 to %d buffers, not %u",
				  DMABUFD_BUFFERS_MAX, request->count);
	if (!devices_are_valid(request))
		return reply_fail(reply, -EPROTO, "the list of devices is malformed");
	if (!WIRE_STRING_IS_VALID(request->pool) || !WIRE_STRING_IS_VALID(request->name))
		return reply_fail(reply, -EPROTO, "a string is not terminated or not padded");
	return 0;
}

/* What is shown on terminals and in the journal must not steer them. */
static bool is_printable(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return false;
	return true;
}

bool job_has_sound_strings(const struct dmabufd_request *request)
{
	return WIRE_STRING_IS_VALID(request->pool) && WIRE_STRING_IS_VALID(request->name) &&
	       is_printable(request->name) && is_printable(request->pool);
}

static int set_size(const struct dmabufd_request *request, struct job *job, struct reply *reply)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	char size[SIZE_TEXT];

	if (!request->size)
		return reply_fail(reply, -EINVAL, "a buffer of 0 bytes: ask for at least one");
	if (request->size > UINT64_MAX - (page - 1))
		return reply_fail(reply, -E2BIG, "no pool could ever give %s: ask for less",
				  size_text(size, request->size));
	job->wanted.size = (request->size + page - 1) & ~(page - 1);
	job->wanted.alignment = request->alignment > page ? request->alignment : 0;
	return 0;
}

static enum often get_often(uint32_t flags, uint32_t often, uint32_t rarely, uint32_t never)
{
	if (flags & often)
		return OFTEN;
	if (flags & rarely)
		return OFTEN_RARELY;
	return flags & never ? OFTEN_NEVER : OFTEN_UNSAID;
}

static void set_usage(const struct dmabufd_request *request, struct policy_request *wanted)
{
	uint32_t flags = request->flags;

	wanted->cpu_reads = get_often(flags, DMABUFD_CPU_READS_OFTEN, DMABUFD_CPU_READS_RARELY,
				      DMABUFD_CPU_READS_NEVER);
	wanted->cpu_writes = get_often(flags, DMABUFD_CPU_WRITES_OFTEN, DMABUFD_CPU_WRITES_RARELY,
				       DMABUFD_CPU_WRITES_NEVER);
	wanted->roles = (flags & DMABUFD_CAMERA ? ROLE_CAMERA : 0) |
			(flags & DMABUFD_ENCODE ? ROLE_ENCODE : 0) |
			(flags & DMABUFD_DECODE ? ROLE_DECODE : 0) |
			(flags & DMABUFD_SCAN_OUT ? ROLE_SCAN_OUT : 0);
}

static uint64_t get_max_address(const struct dmabufd_request *request)
{
	if (request->address_bits == 0 || request->address_bits == 64)
		return 0;
	return (UINT64_C(1) << request->address_bits) - 1;
}

static int set_wishes(const struct dmabufd_request *request, struct job *job, struct reply *reply)
{
	int r = set_size(request, job, reply);

	if (r < 0)
		return r;
	if (!job_has_sound_strings(request))
		return reply_fail(reply, -EINVAL,
				  "the label or the name of the pool has control characters");
	job->count = request->count;
	job->wanted.contiguous = request->flags & DMABUFD_CONTIGUOUS;
	set_usage(request, &job->wanted);
	job->wanted.mapping = (enum mapping)request->mapping;
	job->wanted.max_address = get_max_address(request);
	job->wanted.preferred = request->preferred;
	job->wanted.relaxed = 0;
	job->wanted.pool = request->pool;
	return 0;
}

int job_get_facts(struct manager *m, const struct device *device, struct facts *ret)
{
	const struct override configured =
		override_from_settings(m->settings, device->key, device->node);
	unsigned int n_pools;
	const struct pool *pools = module_get_pools(m->module, &n_pools);
	int r = module_get_facts(m->module, device->key, ret);

	if (r < 0)
		return r;
	override_apply(&device->override, SAYS_UDEV, pools, n_pools, ret);
	override_apply(&configured, SAYS_CONFIG, pools, n_pools, ret);
	manager_log_overrides(m, device, ret);
	return 0;
}

/* Several nodes of one device, as of a camera's pipeline, count once. */
static bool job_has_device(const struct job *job, const char *key)
{
	for (unsigned int i = 0; i < job->n_devices; i++)
		if (!strcmp(job->facts[i].key, key))
			return true;
	return false;
}

/* The cause of a refusal, beside its words. */
static int blame(struct reply *reply, const char *device, int error)
{
	snprintf(reply->frame.cause.device, sizeof(reply->frame.cause.device), "%s", device);
	return error;
}

static int check_access(const struct client *client, const struct device *device,
			const struct stat *st, struct reply *reply)
{
	int r;

	/* The node may have been replaced since udev spoke of it. */
	if (!S_ISCHR(st->st_mode) || st->st_rdev != device->devnum)
		return reply_fail(reply, -ENODEV, "%s is not that device any more: try again",
				  device->node);
	r = access_check(&client->peer, device->node, st);
	if (r == -EACCES)
		return reply_fail(reply, r,
				  "user %u may not open %s for reading and writing: join its "
				  "group, or have an ACL set on it",
				  client->peer.uid, device->node);
	if (r < 0)
		return reply_fail(reply, -EIO, "cannot read the ACL of %s: %s", device->node,
				  strerror(-r));
	return 0;
}

static int add_device(struct client *client, uint64_t number, struct job *job, struct reply *reply)
{
	unsigned int major = (unsigned int)(number >> 32), minor = (unsigned int)number;
	struct device device;
	struct stat st;
	char text[32];
	int r = device_cache_find(client->manager->devices, makedev(major, minor), &device, &st);

	if (r < 0) {
		snprintf(text, sizeof(text), "%u:%u", major, minor);
		return blame(reply, text,
			     reply_fail(reply, -ENODEV,
					"character device %s is gone, or no device on the platform "
					"or PCI bus is behind it",
					text));
	}
	r = check_access(client, &device, &st, reply);
	if (r < 0)
		return blame(reply, device.node, r);
	if (job_has_device(job, device.key))
		return 0;
	r = job_get_facts(client->manager, &device, &job->facts[job->n_devices]);
	if (r < 0)
		return blame(reply, device.node,
			     reply_fail(reply, r == -ENODEV ? r : -EIO, "%s (%s) does no DMA: %s",
					device.node, device.key, strerror(-r)));
	strcpy(job->owner.devices[job->n_devices], device.key);
	strcpy(job->nodes[job->n_devices], device.node);
	job->payer.devices[job->n_devices] = job->owner.devices[job->n_devices];
	job->payer.nodes[job->n_devices] = job->nodes[job->n_devices];
	job->payer.n_devices = ++job->n_devices;
	return 0;
}

static int add_devices(struct client *client, const struct dmabufd_request *request,
		       struct job *job, struct reply *reply)
{
	if (!request->n_devices && !client_is_root_or_in(client, DAEMON_ALLOCATE_GROUP))
		return reply_fail(reply, -EACCES,
				  "name the device that will use the buffer; without one, only the "
				  "members of AllocateGroup= in dmabufd.conf may allocate");
	for (unsigned int i = 0; i < request->n_devices; i++) {
		int r = add_device(client, request->devices[i], job, reply);

		if (r < 0)
			return r;
	}
	return 0;
}

static int check_pool(const struct job *job, struct reply *reply)
{
	char names[DMABUFD_TEXT_SIZE / 2] = "none";
	size_t at = 0;

	if (!job->wanted.pool[0] || pools_find(job->pools, job->n_pools, job->wanted.pool))
		return 0;
	for (unsigned int i = 0; i < job->n_pools && at < sizeof(names); i++)
		at += (size_t)snprintf(names + at, sizeof(names) - at, "%s%s", i ? ", " : "",
				       job->pools[i].name);
	return reply_fail(reply, -EOPNOTSUPP, "there is no pool \"%s\"; the pools are: %s",
			  job->wanted.pool, names);
}

int job_prepare(struct client *client, const struct dmabufd_request *request, struct job *job,
		struct reply *reply)
{
	struct manager *m = client->manager;
	int r = check_frame(request, reply);

	if (r < 0)
		return r;
	if (!m->module)
		return reply_fail(reply, -ENXIO, "%s", manager_get_module_text(m));
	job->pools = module_get_pools(m->module, &job->n_pools);
	job->n_devices = 0;
	job->payer = (struct payer){.peer = &client->peer};
	job->owner = (struct tag){.uid = client->peer.uid, .pid = client->peer.pid};
	memcpy(job->owner.name, request->name, sizeof(job->owner.name));
	r = set_wishes(request, job, reply);
	if (r >= 0)
		r = add_devices(client, request, job, reply);
	if (r >= 0)
		r = check_pool(job, reply);
	job->owner.n_devices = job->n_devices;
	return r;
}

void job_decide(const struct job *job, struct plan *ret)
{
	policy_decide(&job->wanted, job->facts, job->n_devices, job->pools, job->n_pools, ret);
}

void job_foresee(const struct job *job, struct outlook *ret)
{
	outlook_make(&job->wanted, job->facts, job->n_devices, job->pools, job->n_pools, ret);
}
