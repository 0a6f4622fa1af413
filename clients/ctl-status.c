/* SPDX-License-Identifier: MIT */
/*
 * dmabufctl status: the daemon in a few numbers, below one another.
 */
#include <stdio.h>

#include "ctl.h"

enum {
	DAEMON,
	MODULE,
	MISSING,
	UPTIME,
	POOLS,
	BUFFERS,
	SIZE,
	CLIENTS,
	WATCHERS,
	CONNECTIONS,
	REQUESTS,
	GRANTED,
	REFUSED,
	RELOADS,
	LOST,
	N_COLUMNS
};

static const struct table_column columns[N_COLUMNS] = {
	[DAEMON] = {"DAEMON", TABLE_TEXT, TABLE_SHOWN, "its version"},
	[MODULE] = {"MODULE", TABLE_TEXT, TABLE_SHOWN, "version of the kernel module's interface"},
	[MISSING] = {"MISSING", TABLE_TEXT, TABLE_SHOWN, "why there is no kernel module"},
	[UPTIME] = {"UPTIME", TABLE_DURATION, TABLE_SHOWN, "of the daemon"},
	[POOLS] = {"POOLS", TABLE_NUMBER, TABLE_SHOWN, "pools of memory"},
	[BUFFERS] = {"BUFFERS", TABLE_NUMBER, TABLE_SHOWN, "live buffers, of all users"},
	[SIZE] = {"SIZE", TABLE_SIZE, TABLE_SHOWN, "of these buffers"},
	[CLIENTS] = {"CLIENTS", TABLE_NUMBER, TABLE_SHOWN, "connections now, this one included"},
	[WATCHERS] = {"WATCHERS", TABLE_NUMBER, TABLE_SHOWN, "of these, who are told events"},
	[CONNECTIONS] = {"CONNECTIONS", TABLE_NUMBER, TABLE_SHOWN, "since the daemon started"},
	[REQUESTS] = {"REQUESTS", TABLE_NUMBER, TABLE_SHOWN, "of any kind, since then"},
	[GRANTED] = {"GRANTED", TABLE_NUMBER, TABLE_SHOWN, "buffers, since then"},
	[REFUSED] = {"REFUSED", TABLE_NUMBER, TABLE_SHOWN, "requests for memory, since then"},
	[RELOADS] = {"RELOADS", TABLE_NUMBER, TABLE_SHOWN, "of the configuration, since then"},
	[LOST] = {"LOST", TABLE_NUMBER, TABLE_SHOWN, "events that watchers were too slow for"},
};

static void set_module(struct table *table, const struct dmabuf_status_info *status)
{
	char version[24];

	if (!status->module_missing) {
		snprintf(version, sizeof(version), "%u.%u", status->module_major,
			 status->module_minor);
		table_set_text(table, MODULE, version);
		return;
	}
	table_set_text(table, MISSING, status->module_missing);
}

static int add_status(const struct dmabuf_status_info *status, void *userdata)
{
	struct table *table = userdata;
	uint64_t granted = 0, refused = 0;

	for (unsigned int i = 0; i < status->n_pools; i++)
		granted += status->pools[i].buffers;
	for (unsigned int i = 0; i < status->n_refusals; i++)
		refused += status->refusals[i];
	table_add_row(table);
	table_set_text(table, DAEMON, status->version);
	set_module(table, status);
	table_set_number(table, UPTIME, status->uptime);
	table_set_number(table, POOLS, status->n_pools);
	table_set_number(table, BUFFERS, status->buffers);
	table_set_number(table, SIZE, status->bytes);
	table_set_number(table, CLIENTS, status->clients);
	table_set_number(table, WATCHERS, status->watchers);
	table_set_number(table, CONNECTIONS, status->connections);
	table_set_number(table, REQUESTS, status->requests);
	table_set_number(table, GRANTED, granted);
	table_set_number(table, REFUSED, refused);
	table_set_number(table, RELOADS, status->reloads);
	table_set_number(table, LOST, status->lost);
	return 0;
}

static int read_status(struct dmabuf *conn, struct table *table)
{
	return dmabuf_get_status(conn, add_status, table);
}

int ctl_status(int argc, char *argv[])
{
	static const struct ctl_list command = {
		.name = "status",
		.help = "Show the daemon in a few numbers, of all users.",
		.columns = columns,
		.n_columns = N_COLUMNS,
		.list = read_status,
		.upright = true,
	};

	return ctl_print_list(&command, argc, argv);
}
