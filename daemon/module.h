/* SPDX-License-Identifier: MIT */
/*
 * The kernel module: everything that is said to it and heard from it. The header of the kernel
 * interface is included in module.c only. Knows nothing of clients, quota or policy.
 */
#ifndef MODULE_H
#define MODULE_H

#include "pool.h"
#include "tag.h"

struct module;

/* What to allocate. */
struct module_request {
	uint64_t size; /* whole pages */
	uint64_t max_address;
	unsigned int pool;
	enum mapping mapping;
	bool contiguous;
	int client;         /* socket of the client: the memory cgroup of its process is charged */
	const uint8_t *tag; /* TAG_SIZE bytes */
};

/* A live buffer, as the kernel tells it. */
struct module_buffer {
	uint64_t id;
	uint64_t size;
	uint64_t base;
	uint64_t end;
	unsigned int pool;
	enum mapping mapping;
	bool contiguous;
	uint8_t tag[TAG_SIZE];
};

#define MODULE_NODE_FOLDER "/dev"
#define MODULE_NODE_NAME "dmabuf_pool"

/*
 * Open the node, compare versions, read the pools. -ENOENT, -ENXIO, -ENODEV: not loaded. -EACCES:
 * udev is not ready, or has no rule. -EPERM: the service manager's device policy. -EBUSY: another
 * process listens to it. -EPROTONOSUPPORT: another major version. -ENOTTY: what stands there is
 * something else.
 */
int module_open(struct module **ret);

/* The same with a descriptor that was opened before. Takes possession of it, also on failure. */
int module_adopt(int fd, struct module **ret);

/* Does the node lead to this module, still or again? */
bool module_is_at_node(const struct module *module);

/* NULL is ignored. Returns NULL. */
struct module *module_close(struct module *module);

/* To wait for release events on; stays the module's. */
int module_get_fd(const struct module *module);

/* Of the interface that it speaks. */
void module_get_version(const struct module *module, uint32_t *ret_major, uint32_t *ret_minor);

/* Borrowed; .used is that of the last module_read_pools(). */
const struct pool *module_get_pools(const struct module *module, unsigned int *ret_n);
int module_read_pools(struct module *module);

/* Bytes that the pool may keep ready. -ENOTTY: the module is too old. */
int module_set_stock(const struct module *module, unsigned int pool, uint64_t limit);

/* Fills all of *ret but .missing. -ENODEV: gone, or it does no DMA. */
int module_get_facts(const struct module *module, const char *key, struct facts *ret);

/*
 * On success the caller owns *ret_fd. Errors of the kernel's ALLOC; -EDQUOT, -ESRCH are those of the
 * client's memory cgroup and process. ret->tag is left alone.
 */
int module_allocate(const struct module *module, const struct module_request *request,
		    struct module_buffer *ret, int *ret_fd);

/* Up to n live buffers with ids greater than after; returns how many, fewer than n at the end. */
int module_list(const struct module *module, uint64_t after, struct module_buffer *ret,
		unsigned int n);

/*
 * Read what events there are; fn is called with the id of each buffer that was released. 0, also
 * when there are none. -EPROTO: a record makes no sense. Errors of read().
 */
int module_read_events(const struct module *module, void (*fn)(uint64_t id, void *userdata),
		       void *userdata);

#endif
