/* SPDX-License-Identifier: MIT */
/*
 * dmabufctl pools, devices, buffers, clients: one table each, filled as the library lists.
 */
#include <stdio.h>

#include "ctl.h"
#include "granted.h"
#include "people.h"

enum {
	P_NAME,
	P_KIND,
	P_SIZE,
	P_USED,
	P_STOCKED,
	P_LARGEST,
	P_MAPPINGS,
	P_BASE,
	N_POOL
};

static const struct table_column pool_columns[N_POOL] = {
	[P_NAME] = {"NAME", TABLE_TEXT, TABLE_SHOWN, "name, as --pool takes it"},
	[P_KIND] = {"KIND", TABLE_TEXT, TABLE_SHOWN, "coherent, cma or buddy"},
	[P_SIZE] = {"SIZE", TABLE_SIZE, TABLE_SHOWN, "- when without limit or unknown"},
	[P_USED] = {"USED", TABLE_SIZE, TABLE_SHOWN, "allocated through dmabufd"},
	[P_STOCKED] = {"STOCKED", TABLE_SIZE, TABLE_SHOWN, "kept ready for coming buffers"},
	[P_LARGEST] = {"LARGEST", TABLE_SIZE, TABLE_SHOWN, "largest contiguous block when empty"},
	[P_MAPPINGS] = {"MAPPINGS", TABLE_TEXT, TABLE_SHOWN, "mappings that it can give",
			TABLE_SHRINKS},
	[P_BASE] = {"BASE", TABLE_ADDRESS, TABLE_SHOWN,
		    "lowest physical address, if it may be known"},
};

static int add_pool(const struct dmabuf_pool_info *pool, void *userdata)
{
	struct table *table = userdata;
	bool cached = pool->mappings & 1u << DMABUF_MAPPING_CACHED;
	bool write_combined = pool->mappings & 1u << DMABUF_MAPPING_WRITE_COMBINED;
	char mappings[32];

	snprintf(mappings, sizeof(mappings), "%s%s%s",
		 cached ? mapping_name(DMABUF_MAPPING_CACHED) : "",
		 cached && write_combined ? "," : "",
		 write_combined ? mapping_name(DMABUF_MAPPING_WRITE_COMBINED) : "");
	table_add_row(table);
	table_set_text(table, P_NAME, pool->name);
	table_set_text(table, P_KIND, kind_name(pool->kind));
	if (pool->size)
		table_set_number(table, P_SIZE, pool->size);
	table_set_number(table, P_USED, pool->used);
	table_set_number(table, P_STOCKED, pool->stocked);
	if (pool->max_block)
		table_set_number(table, P_LARGEST, pool->max_block);
	table_set_text(table, P_MAPPINGS, mappings);
	if (pool->base)
		table_set_number(table, P_BASE, pool->base);
	return 0;
}

static int list_pools(struct dmabuf *conn, struct table *table)
{
	return dmabuf_list_pools(conn, add_pool, table);
}

enum {
	D_NODE,
	D_DEVICE,
	D_POOL,
	D_COHERENT,
	D_IOMMU,
	D_REACH,
	D_USED,
	D_LIMIT,
	D_ALLOWED,
	N_DEVICE
};

static const struct table_column device_columns[N_DEVICE] = {
	[D_NODE] = {"NODE", TABLE_TEXT, TABLE_SHOWN, "node, as explain and alloc take it"},
	[D_DEVICE] = {"DEVICE", TABLE_TEXT, TABLE_SHOWN, "bus and name of what does the DMA",
		      TABLE_SHRINKS},
	[D_POOL] = {"POOL", TABLE_TEXT, TABLE_SHOWN, "pool bound to it"},
	[D_COHERENT] = {"COHERENT", TABLE_BOOLEAN, TABLE_SHOWN,
			"hardware keeps caches coherent with it"},
	[D_IOMMU] = {"IOMMU", TABLE_BOOLEAN, TABLE_SHOWN, "an IOMMU translates for it"},
	[D_REACH] = {"REACH", TABLE_ADDRESS, TABLE_SHOWN, "highest address that it reaches"},
	[D_USED] = {"USED", TABLE_SIZE, TABLE_SHOWN, "charged to it, of all users"},
	[D_LIMIT] = {"LIMIT", TABLE_SIZE, TABLE_SHOWN, "what may be charged to it, - for any"},
	[D_ALLOWED] = {"ALLOWED", TABLE_BOOLEAN, TABLE_SHOWN, "you may allocate for it"},
};

static int add_device(const struct dmabuf_device_info *device, void *userdata)
{
	struct table *table = userdata;

	table_add_row(table);
	table_set_text(table, D_NODE, device->node);
	table_set_text(table, D_DEVICE, device->device);
	if (device->pool)
		table_set_text(table, D_POOL, device->pool);
	table_set_number(table, D_COHERENT, (uint64_t)device->coherent);
	table_set_number(table, D_IOMMU, (uint64_t)device->iommu);
	table_set_number(table, D_REACH, device->dma_mask);
	table_set_number(table, D_USED, device->used);
	if (device->limit != UINT64_MAX)
		table_set_number(table, D_LIMIT, device->limit);
	table_set_number(table, D_ALLOWED, (uint64_t)device->allowed);
	return 0;
}

static int list_devices(struct dmabuf *conn, struct table *table)
{
	return dmabuf_list_devices(conn, add_device, table);
}

enum {
	B_ID,
	B_POOL,
	B_KIND,
	B_SIZE,
	B_MAPPING,
	B_CONTIGUOUS,
	B_RELAXED,
	B_ADDRESS,
	B_BASE,
	B_END,
	B_USER,
	B_UID,
	B_PID,
	B_NAME,
	B_DEVICES,
	N_BUFFER
};

static const struct table_column buffer_columns[N_BUFFER] = {
	[B_ID] = {"ID", TABLE_NUMBER, TABLE_SHOWN, "number of the buffer, never used again"},
	[B_POOL] = {"POOL", TABLE_TEXT, TABLE_SHOWN, "pool it came from"},
	[B_KIND] = {"KIND", TABLE_TEXT, TABLE_ONLY_JSON, "kind of that pool"},
	[B_SIZE] = {"SIZE", TABLE_SIZE, TABLE_SHOWN, "whole pages"},
	[B_MAPPING] = {"MAPPING", TABLE_TEXT, TABLE_SHOWN, "how the CPU sees it"},
	[B_CONTIGUOUS] = {"CONTIGUOUS", TABLE_BOOLEAN, TABLE_ONLY_JSON, "one physical block"},
	[B_RELAXED] = {"RELAXED", TABLE_TEXT, TABLE_ON_DEMAND, "what was preferred and is not so"},
	[B_ADDRESS] = {"ADDRESS", TABLE_TEXT, TABLE_ON_DEMAND, "physical addresses, end excluded"},
	[B_BASE] = {"BASE", TABLE_ADDRESS, TABLE_ONLY_JSON, "lowest physical address"},
	[B_END] = {"END", TABLE_ADDRESS, TABLE_ONLY_JSON, "one past the highest"},
	[B_USER] = {"USER", TABLE_TEXT, TABLE_SHOWN, "who is charged"},
	[B_UID] = {"UID", TABLE_NUMBER, TABLE_ONLY_JSON, "the same as a number"},
	[B_PID] = {"PID", TABLE_NUMBER, TABLE_SHOWN, "process that asked; may be gone"},
	[B_NAME] = {"NAME", TABLE_TEXT, TABLE_SHOWN, "label, given by who asked", TABLE_SHRINKS},
	[B_DEVICES] = {"DEVICES", TABLE_TEXT, TABLE_SHOWN, "bus and name of each device it suits",
		       TABLE_SHRINKS},
};

static void set_address(struct table *table, const struct dmabuf_buffer_info *buffer)
{
	if (buffer->end == 0) {
		table_set_text(table, B_ADDRESS, "hidden");
		return;
	}
	table_set_range(table, B_ADDRESS, buffer->base, buffer->end);
	table_set_number(table, B_BASE, buffer->base);
	table_set_number(table, B_END, buffer->end);
}

static int add_buffer(const struct dmabuf_buffer_info *buffer, void *userdata)
{
	struct table *table = userdata;
	char user[PEOPLE_NAME_MAX], relaxed[CONSTRAINTS_TEXT_SIZE];

	table_add_row(table);
	table_set_number(table, B_ID, buffer->id);
	table_set_text(table, B_POOL, buffer->pool);
	table_set_text(table, B_KIND, kind_name(buffer->kind));
	table_set_number(table, B_SIZE, buffer->size);
	table_set_text(table, B_MAPPING, mapping_name(buffer->mapping));
	table_set_number(table, B_CONTIGUOUS, (uint64_t)buffer->contiguous);
	if (buffer->relaxed)
		table_set_text(table, B_RELAXED, constraints_text(relaxed, buffer->relaxed));
	set_address(table, buffer);
	table_set_text(table, B_USER, user_name(buffer->uid, user));
	table_set_number(table, B_UID, buffer->uid);
	table_set_number(table, B_PID, (uint64_t)buffer->pid);
	if (buffer->name[0])
		table_set_text(table, B_NAME, buffer->name);
	if (buffer->devices[0])
		table_set_text(table, B_DEVICES, buffer->devices);
	return 0;
}

static int list_buffers(struct dmabuf *conn, struct table *table)
{
	return dmabuf_list_buffers(conn, add_buffer, table);
}

enum {
	C_PID,
	C_PROGRAM,
	C_USER,
	C_UID,
	C_CONNECTED,
	C_BUFFERS,
	C_SIZE,
	C_REQUESTS,
	C_REFUSED,
	C_WATCHES,
	C_SELF,
	N_CLIENT
};

static const struct table_column client_columns[N_CLIENT] = {
	[C_PID] = {"PID", TABLE_NUMBER, TABLE_SHOWN, "process that connected"},
	[C_PROGRAM] = {"PROGRAM", TABLE_TEXT, TABLE_SHOWN, "its name, where you may know it",
		       TABLE_SHRINKS},
	[C_USER] = {"USER", TABLE_TEXT, TABLE_SHOWN, "who is charged for what it asks"},
	[C_UID] = {"UID", TABLE_NUMBER, TABLE_ONLY_JSON, "the same as a number"},
	[C_CONNECTED] = {"CONNECTED", TABLE_DURATION, TABLE_SHOWN, "so long ago"},
	[C_BUFFERS] = {"BUFFERS", TABLE_NUMBER, TABLE_SHOWN,
		       "live ones that the process asked for"},
	[C_SIZE] = {"SIZE", TABLE_SIZE, TABLE_SHOWN, "of these buffers"},
	[C_REQUESTS] = {"REQUESTS", TABLE_NUMBER, TABLE_SHOWN, "of any kind, so far"},
	[C_REFUSED] = {"REFUSED", TABLE_NUMBER, TABLE_SHOWN, "refused requests for memory, so far"},
	[C_WATCHES] = {"WATCHES", TABLE_BOOLEAN, TABLE_ONLY_JSON, "it is told events"},
	[C_SELF] = {"SELF", TABLE_BOOLEAN, TABLE_ONLY_JSON, "it is this very command"},
};

static int add_client(const struct dmabuf_client_info *client, void *userdata)
{
	struct table *table = userdata;
	char program[PEOPLE_NAME_MAX], user[PEOPLE_NAME_MAX];

	table_add_row(table);
	table_set_number(table, C_PID, (uint64_t)client->pid);
	if (program_name(client->pid, program))
		table_set_text(table, C_PROGRAM, program);
	table_set_text(table, C_USER, user_name(client->uid, user));
	table_set_number(table, C_UID, client->uid);
	table_set_number(table, C_CONNECTED, client->connected);
	table_set_number(table, C_BUFFERS, client->buffers);
	table_set_number(table, C_SIZE, client->bytes);
	table_set_number(table, C_REQUESTS, client->requests);
	table_set_number(table, C_REFUSED, client->refusals);
	table_set_number(table, C_WATCHES, (uint64_t)client->watches);
	table_set_number(table, C_SELF, (uint64_t)client->self);
	return 0;
}

static int list_clients(struct dmabuf *conn, struct table *table)
{
	return dmabuf_list_clients(conn, add_client, table);
}

int ctl_pools(int argc, char *argv[])
{
	static const struct ctl_list command = {"pools", "List the pools of memory.", pool_columns,
						N_POOL, list_pools};

	return ctl_print_list(&command, argc, argv);
}

int ctl_devices(int argc, char *argv[])
{
	static const struct ctl_list command = {"devices",
						"List the devices that memory can be asked for.",
						device_columns, N_DEVICE, list_devices};

	return ctl_print_list(&command, argc, argv);
}

int ctl_buffers(int argc, char *argv[])
{
	static const struct ctl_list command = {
		"buffers", "List the live buffers that are charged to you; all, for root.",
		buffer_columns, N_BUFFER, list_buffers};

	return ctl_print_list(&command, argc, argv);
}

int ctl_clients(int argc, char *argv[])
{
	static const struct ctl_list command = {
		"clients", "List your connections to the daemon; all, for root.", client_columns,
		N_CLIENT, list_clients};

	return ctl_print_list(&command, argc, argv);
}
