/* SPDX-License-Identifier: MIT */
/*
 * dmabufctl status: the daemon in a few numbers, below one another.
 */
#include <err.h>
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

static int print_status(const struct table_options *options)
{
	_cleanup_(table_freep) struct table *table = NULL;
	_cleanup_(ctl_disconnectp) struct dmabuf *conn = NULL;

	if (table_new(&table, "status", columns, N_COLUMNS, options) < 0)
		return EXIT_USAGE;
	conn = ctl_connect();
	if (!conn)
		return EXIT_REFUSED;
	if (dmabuf_get_status(conn, add_status, table) < 0)
		return ctl_fail(conn);
	return table_print_upright(table) < 0 ? EXIT_REFUSED : EXIT_OK;
}

static int help(void)
{
	printf("Usage: dmabufctl status [OPTION]...\n\nShow the daemon in a few numbers, of all "
	       "users.\n\n" TABLE_HELP "  -h, --help            this text\n");
	table_print_columns(columns, N_COLUMNS);
	return EXIT_OK;
}

int ctl_status(int argc, char *argv[])
{
	struct table_options options = {0};
	int r = ctl_table_options("status", argc, argv, &options);

	if (r)
		return r == 'h' ? help() : r;
	return print_status(&options);
}
