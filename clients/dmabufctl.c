/* SPDX-License-Identifier: MIT */
/*
 * dmabufctl: what dmabufd has, what it would do, and buffers from a shell. This file finds the
 * command; the commands are in the ctl-*.c files.
 */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "ctl.h"

static const struct command {
	const char *name;
	int (*run)(int argc, char *argv[]);
	const char *help;
} commands[] = {
	{"status", ctl_status, "show the daemon in a few numbers"},
	{"pools", ctl_pools, "list the pools of memory"},
	{"devices", ctl_devices, "list the devices that memory can be asked for"},
	{"buffers", ctl_buffers, "list your live buffers; all, for root"},
	{"clients", ctl_clients, "list your connections; all, for root"},
	{"explain", ctl_explain, "tell what an allocation would do, and why, without doing it"},
	{"alloc", ctl_alloc, "allocate buffers and print what was granted"},
	{"monitor", ctl_monitor, "show what happens, as it happens"},
	{"top", ctl_top, "show how full the pools are and who holds most, live"},
	{"metrics", ctl_metrics, "print numbers for Prometheus"},
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static int help(void)
{
	printf("Usage: dmabufctl COMMAND [OPTION]...\n\n"
	       "Ask dmabufd, the allocator of memory that devices share.\n\n"
	       "Commands:\n");
	for (size_t i = 0; i < N_COMMANDS; i++)
		printf("  %-10s %s\n", commands[i].name, commands[i].help);
	printf("\n\"dmabufctl COMMAND --help\" tells the options of a command.\n"
	       "  -h, --help     this text\n"
	       "  -V, --version  version of dmabufctl\n\n"
	       "Exit: 0 done, 1 refused or failed, 2 not asked properly.\n");
	return EXIT_OK;
}

static int version(void)
{
	printf("dmabufctl %s\n", VERSION);
	return EXIT_OK;
}

int ctl_usage(const char *command)
{
	fprintf(stderr, "Try \"dmabufctl %s%s--help\".\n", command, *command ? " " : "");
	return EXIT_USAGE;
}

int ctl_no_argument(const char *command, const char *argument)
{
	warnx("%s takes no argument: \"%s\"", command, argument);
	return ctl_usage(command);
}

int ctl_table_options(const char *command, int argc, char *argv[], struct table_options *options)
{
	static const struct option long_options[] = {
		TABLE_LONG_OPTIONS, {"help", no_argument, NULL, 'h'}, {0}};
	int c;

	while ((c = getopt_long(argc, argv, TABLE_OPTIONS "h", long_options, NULL)) >= 0) {
		if (c == 'h')
			return c;
		if (!table_option(options, c, optarg))
			return ctl_usage(command);
	}
	return optind < argc ? ctl_no_argument(command, argv[optind]) : 0;
}

struct dmabuf *ctl_connect(void)
{
	struct dmabuf *conn = NULL;

	if (dmabuf_connect(&conn) < 0)
		ctl_fail(NULL);
	return conn;
}

int ctl_fail(const struct dmabuf *conn)
{
	warnx("%s", dmabuf_error(conn));
	return EXIT_REFUSED;
}

/* What could not be written was not done. */
static int flush(int code)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	warn("cannot write the output");
	return EXIT_REFUSED;
}

static int run(int argc, char *argv[])
{
	const char *name = argc > 1 ? argv[1] : NULL;

	if (!name) {
		warnx("no command");
		return ctl_usage("");
	}
	if (strcmp(name, "-h") == 0 || strcmp(name, "--help") == 0)
		return help();
	if (strcmp(name, "-V") == 0 || strcmp(name, "--version") == 0)
		return version();
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (strcmp(name, commands[i].name) == 0) {
			/* getopt_long() starts its messages with argv[0]. */
			argv[1] = program_invocation_short_name;
			return commands[i].run(argc - 1, argv + 1);
		}
	warnx("unknown command \"%s\"", name);
	return ctl_usage("");
}

int main(int argc, char *argv[])
{
	return flush(run(argc, argv));
}
