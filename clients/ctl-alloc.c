/* SPDX-License-Identifier: MIT */
/*
 * dmabufctl alloc: buffers from a shell, kept with --hold for as long as the program runs.
 */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "ctl.h"
#include "granted.h"

struct alloc_options {
	struct ctl_request request;
	struct table_options table;
	unsigned int count;
	bool hold;
	bool check;
};

static int print_granted(struct dmabuf_buffer *const buffers[], unsigned int count,
			 struct table *table)
{
	for (unsigned int i = 0; i < count; i++)
		granted_table_add(table, buffers[i]);
	if (tables_print(&table, 1) < 0)
		return EXIT_REFUSED;
	/* Who holds is watched by others, who wait for the table. */
	return fflush(stdout) == 0 ? EXIT_OK : EXIT_REFUSED;
}

/* A descriptor that is readable once the program is asked to end, instead of it being killed. */
static int catch_end(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	return signalfd(-1, &signals, SFD_CLOEXEC);
}

static int hold(int end)
{
	struct pollfd fds[] = {{.fd = end, .events = POLLIN},
			       {.fd = STDIN_FILENO, .events = POLLIN}};
	char rest[4096];

	for (;;) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR) {
			warn("cannot wait");
			return EXIT_REFUSED;
		}
		if (fds[0].revents)
			return EXIT_OK;
		if (fds[1].revents && read(STDIN_FILENO, rest, sizeof(rest)) <= 0)
			return EXIT_OK;
	}
}

/* Signals are caught before others read the table and send one, not while memory is waited for. */
static int print_and_hold(struct dmabuf_buffer *const buffers[], unsigned int count,
			  struct table *table)
{
	_cleanup_close_ int end = catch_end();
	int code;

	if (end < 0) {
		warn("cannot catch signals");
		return EXIT_REFUSED;
	}
	code = print_granted(buffers, count, table);
	return code == EXIT_OK ? hold(end) : code;
}

static int allocate(struct dmabuf *conn, const struct alloc_options *options,
		    const struct dmabuf_request *request, struct table *table)
{
	_cleanup_free_ struct dmabuf_buffer **buffers = calloc(options->count, sizeof(*buffers));
	int code;

	if (!buffers) {
		warn("cannot start");
		return EXIT_REFUSED;
	}
	if (dmabuf_allocate(conn, request, buffers, options->count) < 0)
		return ctl_fail(conn);
	code = options->hold ? print_and_hold(buffers, options->count, table)
			     : print_granted(buffers, options->count, table);
	for (unsigned int i = 0; i < options->count; i++)
		dmabuf_buffer_free(buffers[i]);
	return code;
}

static int check(struct dmabuf *conn, const struct alloc_options *options,
		 const struct dmabuf_request *request)
{
	return dmabuf_can_allocate(conn, request, options->count) < 0 ? ctl_fail(conn) : EXIT_OK;
}

static int run(const struct alloc_options *options, char *const devices[])
{
	_cleanup_(table_freep) struct table *table = NULL;
	_cleanup_(ctl_request_freep) struct dmabuf_request *request = NULL;
	_cleanup_(ctl_disconnectp) struct dmabuf *conn = NULL;

	if (granted_table_new(&table, &options->table) < 0)
		return EXIT_USAGE;
	request = ctl_request_make(&options->request, devices);
	if (!request)
		return EXIT_REFUSED;
	conn = ctl_connect();
	if (!conn)
		return EXIT_REFUSED;
	return options->check ? check(conn, options, request)
			      : allocate(conn, options, request, table);
}

static int help(void)
{
	printf("Usage: dmabufctl alloc [DEVICE]... --size N [OPTION]...\n\n"
	       "Allocate buffers that all these devices can use and print what was "
	       "granted.\n\n" CTL_REQUEST_HELP
	       "      --count N         so many buffers, all or none (default 1)\n"
	       "      --name LABEL      label in the list of buffers\n"
	       "      --wait TIME       wait so long for room or quota to come free: 500ms, 2s\n"
	       "      --check           allocate nothing: say why not, or exit with 0\n"
	       "      --hold            keep them until SIGINT, SIGTERM or the end of "
	       "input\n" TABLE_HELP "  -h, --help            this text\n");
	granted_print_columns();
	return EXIT_OK;
}

/* As ctl_request_option(). */
static int alloc_option(struct alloc_options *options, int c, const char *argument)
{
	if (c == CTL_CHECK) {
		options->check = true;
		return 1;
	}
	if (c == CTL_HOLD) {
		options->hold = true;
		return 1;
	}
	if (c != CTL_COUNT)
		return table_option(&options->table, c, argument)
			       ? 1
			       : ctl_request_option(&options->request, c, argument);
	if (number_parse(argument, USHRT_MAX, &options->count) == 0)
		return 1;
	warnx("\"%s\" is no number of buffers", argument);
	return -EINVAL;
}

int ctl_alloc(int argc, char *argv[])
{
	static const struct option long_options[] = {CTL_REQUEST_LONG_OPTIONS,
						     TABLE_LONG_OPTIONS,
						     {"count", required_argument, NULL, CTL_COUNT},
						     {"name", required_argument, NULL, CTL_NAME},
						     {"wait", required_argument, NULL, CTL_WAIT},
						     {"check", no_argument, NULL, CTL_CHECK},
						     {"hold", no_argument, NULL, CTL_HOLD},
						     {"help", no_argument, NULL, 'h'},
						     {0}};
	struct alloc_options options = {.count = 1};
	int c, r;

	while ((c = getopt_long(argc, argv, CTL_REQUEST_OPTIONS TABLE_OPTIONS "h", long_options,
				NULL)) >= 0) {
		if (c == 'h')
			return help();
		r = alloc_option(&options, c, optarg);
		if (r <= 0)
			return r < 0 ? EXIT_USAGE : ctl_usage("alloc");
	}
	if (options.request.size == 0) {
		warnx("alloc needs --size");
		return ctl_usage("alloc");
	}
	return run(&options, argv + optind);
}
