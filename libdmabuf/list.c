/* SPDX-License-Identifier: MIT */
/*
 * The state of the daemon: pools, devices, buffers and clients, a page at a time. Each frame lives
 * on the stack of its call, so that a callback may use the connection.
 */
#include <string.h>

#include "private.h"

/* One kind of list: how to ask for it, check an item, and hand it to the caller's function. */
struct listing {
	enum dmabufd_opcode opcode;
	size_t item_size;
	size_t older_size; /* of a daemon before minor 2; 0: the same */
	bool (*is_valid)(const void *item);
	int (*visit)(const void *item, const void *visitor);
};

union item {
	struct dmabufd_pool pool;
	struct dmabufd_device device;
	struct dmabufd_buffer buffer;
	struct dmabufd_client client;
};

static size_t get_item_size(const struct dmabuf *conn, const struct listing *listing)
{
	return conn->minor < 2 && listing->older_size ? listing->older_size : listing->item_size;
}

/* What an older daemon does not say is zero. */
static union item get_item(const struct wire_frame *frame, size_t size, size_t i)
{
	union item item = {0};

	memcpy(&item, (const char *)frame->pools + i * size, size);
	return item;
}

/* Returns the number of items. The next page must lie further on, or the list would never end. */
static int check_page(struct dmabuf *conn, const struct listing *listing,
		      const struct wire_frame *frame, size_t body, uint64_t after)
{
	const struct dmabufd_page *page = &frame->page;
	size_t size = get_item_size(conn, listing);

	if (body < sizeof(*page) || page->pad != 0 ||
	    page->count != (body - sizeof(*page)) / size || (body - sizeof(*page)) % size != 0)
		return connection_fail_protocol(conn, "malformed page");
	if (page->next != 0 && (page->count == 0 || page->next <= after))
		return connection_fail_protocol(conn, "a list without end");
	for (uint32_t i = 0; i < page->count; i++) {
		const union item item = get_item(frame, size, i);

		if (!listing->is_valid(&item))
			return connection_fail_protocol(conn, "malformed item of a list");
	}
	return (int)page->count;
}

static int list(struct dmabuf *conn, const struct listing *listing, const void *visitor)
{
	uint64_t after = 0;

	do {
		struct wire_frame frame = {.cursor = {.after = after}};
		int r, count;
		size_t size;

		r = connection_call_plain(conn, listing->opcode, &frame, sizeof(frame.cursor));
		if (r < 0)
			return r;
		/* A callback may use the connection, and find another daemon there. */
		size = get_item_size(conn, listing);
		count = check_page(conn, listing, &frame, (size_t)r, after);
		if (count < 0)
			return count;
		for (int i = 0; i < count; i++) {
			const union item item = get_item(&frame, size, (size_t)i);

			r = listing->visit(&item, visitor);
			if (r != 0)
				return r;
		}
		after = frame.page.next;
	} while (after != 0);
	return 0;
}

struct pool_visitor {
	int (*fn)(const struct dmabuf_pool_info *pool, void *userdata);
	void *userdata;
};

static bool pool_is_valid(const void *item)
{
	const struct dmabufd_pool *pool = item;

	return WIRE_STRING_IS_VALID(pool->name) && kind_is_valid(pool->kind);
}

static int visit_pool(const void *item, const void *visitor)
{
	const struct dmabufd_pool *pool = item;
	const struct pool_visitor *v = visitor;
	struct dmabuf_pool_info info = {
		.name = pool->name,
		.kind = (enum dmabuf_kind)pool->kind,
		.mappings = pool->mappings,
		.base = pool->base,
		.size = pool->size,
		.used = pool->used,
		.max_block = pool->max_block,
		.stocked = pool->stocked,
		.stock_limit = pool->stock_limit,
	};

	return v->fn(&info, v->userdata);
}

DMABUF_PUBLIC int dmabuf_list_pools(struct dmabuf *conn,
				    int (*fn)(const struct dmabuf_pool_info *pool, void *userdata),
				    void *userdata)
{
	static const struct listing pools = {DMABUFD_POOLS, sizeof(struct dmabufd_pool),
					     DMABUFD_POOL_SIZE_0, pool_is_valid, visit_pool};
	struct pool_visitor visitor = {fn, userdata};

	return list(conn, &pools, &visitor);
}

struct device_visitor {
	int (*fn)(const struct dmabuf_device_info *device, void *userdata);
	void *userdata;
};

static bool device_is_valid(const void *item)
{
	const struct dmabufd_device *device = item;

	return WIRE_STRING_IS_VALID(device->node) && WIRE_STRING_IS_VALID(device->device) &&
	       WIRE_STRING_IS_VALID(device->pool) && device->pad == 0 &&
	       !(device->flags &
		 ~(DMABUFD_DEVICE_COHERENT | DMABUFD_DEVICE_IOMMU | DMABUFD_DEVICE_ALLOWED));
}

static int visit_device(const void *item, const void *visitor)
{
	const struct dmabufd_device *device = item;
	const struct device_visitor *v = visitor;
	struct dmabuf_device_info info = {
		.node = device->node,
		.device = device->device,
		.pool = device->pool[0] ? device->pool : NULL,
		.dma_mask = device->dma_mask,
		.used = device->used,
		.limit = device->limit,
		.coherent = !!(device->flags & DMABUFD_DEVICE_COHERENT),
		.iommu = !!(device->flags & DMABUFD_DEVICE_IOMMU),
		.allowed = !!(device->flags & DMABUFD_DEVICE_ALLOWED),
	};

	return v->fn(&info, v->userdata);
}

DMABUF_PUBLIC int dmabuf_list_devices(struct dmabuf *conn,
				      int (*fn)(const struct dmabuf_device_info *device,
						void *userdata),
				      void *userdata)
{
	static const struct listing devices = {DMABUFD_DEVICES, sizeof(struct dmabufd_device), 0,
					       device_is_valid, visit_device};
	struct device_visitor visitor = {fn, userdata};

	return list(conn, &devices, &visitor);
}

struct client_visitor {
	int (*fn)(const struct dmabuf_client_info *client, void *userdata);
	void *userdata;
};

static bool client_is_valid(const void *item)
{
	const struct dmabufd_client *client = item;

	return client->pad == 0 &&
	       !(client->flags & ~(DMABUFD_CLIENT_WATCHES | DMABUFD_CLIENT_ASKS));
}

static int visit_client(const void *item, const void *visitor)
{
	const struct dmabufd_client *client = item;
	const struct client_visitor *v = visitor;
	struct dmabuf_client_info info = {
		.uid = client->uid,
		.pid = (int)client->pid,
		.connected = client->connected,
		.buffers = client->buffers,
		.bytes = client->bytes,
		.requests = client->requests,
		.refusals = client->refusals,
		.watches = !!(client->flags & DMABUFD_CLIENT_WATCHES),
		.self = !!(client->flags & DMABUFD_CLIENT_ASKS),
	};

	return v->fn(&info, v->userdata);
}

DMABUF_PUBLIC int dmabuf_list_clients(struct dmabuf *conn,
				      int (*fn)(const struct dmabuf_client_info *client,
						void *userdata),
				      void *userdata)
{
	static const struct listing clients = {DMABUFD_CLIENTS, sizeof(struct dmabufd_client), 0,
					       client_is_valid, visit_client};
	struct client_visitor visitor = {fn, userdata};

	return list(conn, &clients, &visitor);
}

struct buffer_visitor {
	int (*fn)(const struct dmabuf_buffer_info *buffer, void *userdata);
	void *userdata;
};

static bool listed_buffer_is_valid(const void *item)
{
	return buffer_is_valid(item);
}

void buffer_info_fill(struct dmabuf_buffer_info *info, const struct dmabufd_buffer *buffer)
{
	*info = (struct dmabuf_buffer_info){
		.id = buffer->id,
		.size = buffer->size,
		.base = buffer->base,
		.end = buffer->end,
		.pool = buffer->pool,
		.name = buffer->name,
		.devices = buffer->devices,
		.kind = (enum dmabuf_kind)buffer->kind,
		.mapping = (enum dmabuf_mapping)buffer->mapping,
		.contiguous = !!(buffer->flags & DMABUFD_BUFFER_CONTIGUOUS),
		.uid = buffer->uid,
		.pid = (int)buffer->pid,
		.relaxed = buffer->relaxed,
	};
}

static int visit_buffer(const void *item, const void *visitor)
{
	const struct dmabufd_buffer *buffer = item;
	const struct buffer_visitor *v = visitor;
	struct dmabuf_buffer_info info;

	buffer_info_fill(&info, buffer);
	return v->fn(&info, v->userdata);
}

DMABUF_PUBLIC int dmabuf_list_buffers(struct dmabuf *conn,
				      int (*fn)(const struct dmabuf_buffer_info *buffer,
						void *userdata),
				      void *userdata)
{
	static const struct listing buffers = {DMABUFD_BUFFERS, sizeof(struct dmabufd_buffer), 0,
					       listed_buffer_is_valid, visit_buffer};
	struct buffer_visitor visitor = {fn, userdata};

	return list(conn, &buffers, &visitor);
}
