/* SPDX-License-Identifier: MIT */
/*
 * What the commands are alike in that print one table: their options, their help, asking and printing.
 * Knows no table.
 */
#include <stdio.h>

#include "ctl.h"

static int help(const struct ctl_list *command)
{
	printf("Usage: dmabufctl %s [OPTION]...\n\n%s\n\n" TABLE_HELP
	       "  -h, --help            this text\n",
	       command->name, command->help);
	table_print_columns(command->columns, command->n_columns);
	return EXIT_OK;
}

static int print(const struct ctl_list *command, const struct table_options *options)
{
	_cleanup_(table_freep) struct table *table = NULL;
	_cleanup_(ctl_disconnectp) struct dmabuf *conn = NULL;
	int r;

	if (table_new(&table, command->name, command->columns, command->n_columns, options) < 0)
		return EXIT_USAGE;
	conn = ctl_connect();
	if (!conn)
		return EXIT_REFUSED;
	if (command->list(conn, table) < 0)
		return ctl_fail(conn);
	r = command->upright ? table_print_upright(table) : tables_print(&table, 1);
	return r < 0 ? EXIT_REFUSED : EXIT_OK;
}

int ctl_print_list(const struct ctl_list *command, int argc, char *argv[])
{
	struct table_options options = {0};
	int r = ctl_table_options(command->name, argc, argv, &options);

	if (r)
		return r == 'h' ? help(command) : r;
	return print(command, &options);
}
