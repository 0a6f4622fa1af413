/* SPDX-License-Identifier: MIT */
/*
 * dmabufctl top: how full the pools are and who holds most, again and again; once, where there is no
 * terminal or JSON is wanted.
 */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl.h"
#include "people.h"
#include "screen.h"
#include "usage.h"

enum {
	P_POOL,
	P_USED,
	P_SIZE,
	P_USE,
	N_POOL
};

static const struct table_column pool_columns[N_POOL] = {
	[P_POOL] = {"POOL", TABLE_TEXT, TABLE_SHOWN, "name of the pool"},
	[P_USED] = {"USED", TABLE_SIZE, TABLE_SHOWN, "allocated through dmabufd, by all users"},
	[P_SIZE] = {"SIZE", TABLE_SIZE, TABLE_SHOWN, "- when without limit or unknown"},
	[P_USE] = {"USE", TABLE_TEXT, TABLE_ONLY_TEXT, "the same as a bar"},
};

enum {
	SIZE,
	BUFFERS,
	PID,
	PROGRAM,
	USER,
	UID,
	POOLS,
	N_HOLDER
};

static const struct table_column holder_columns[N_HOLDER] = {
	[SIZE] = {"SIZE", TABLE_SIZE, TABLE_SHOWN, "of the live buffers that it asked for"},
	[BUFFERS] = {"BUFFERS", TABLE_NUMBER, TABLE_SHOWN, "how many these are"},
	[PID] = {"PID", TABLE_NUMBER, TABLE_SHOWN, "process that asked; may be gone"},
	[PROGRAM] = {"PROGRAM", TABLE_TEXT, TABLE_SHOWN, "its name, where you may know it",
		     TABLE_SHRINKS},
	[USER] = {"USER", TABLE_TEXT, TABLE_SHOWN, "who is charged"},
	[UID] = {"UID", TABLE_NUMBER, TABLE_ONLY_JSON, "the same as a number"},
	[POOLS] = {"POOLS", TABLE_TEXT, TABLE_SHOWN, "pools that the buffers came from",
		   TABLE_SHRINKS},
};

struct top_options {
	struct table_options table;
	struct table_options whole; /* the same without -o, for the pools */
	unsigned int interval;      /* seconds */
	bool once;
};

/* What is shown at one moment. */
struct picture {
	struct table *pools;
	struct table *holders;
	char head[512]; /* a line; another where there is no module */
};

static void picture_freep(struct picture *picture)
{
	table_free(picture->pools);
	table_free(picture->holders);
}

#define BAR 20

static void set_bar(struct table *table, const struct dmabuf_pool_info *pool)
{
	unsigned int full = (unsigned int)(BAR * (pool->used / (pool->size / 100.0)) / 100 + 0.5);
	char bar[BAR + 16];

	/* What is used at all is seen, and only what is full looks so. */
	full = !full && pool->used ? 1 : full >= BAR && pool->used < pool->size ? BAR - 1 : full;
	snprintf(bar, sizeof(bar), "[%.*s%*s] %3.0f%%", (int)full, "####################",
		 (int)(BAR - full), "", 100.0 * pool->used / pool->size);
	table_set_text(table, P_USE, bar);
	table_set_colour(table, P_USE,
			 pool->used >= pool->size / 10 * 9   ? TABLE_BAD
			 : pool->used >= pool->size / 10 * 7 ? TABLE_DOUBTFUL
							     : TABLE_GOOD);
}

static int add_pool(const struct dmabuf_pool_info *pool, void *userdata)
{
	struct table *table = userdata;

	table_add_row(table);
	table_set_text(table, P_POOL, pool->name);
	table_set_number(table, P_USED, pool->used);
	if (!pool->size)
		return 0;
	table_set_number(table, P_SIZE, pool->size);
	set_bar(table, pool);
	return 0;
}

static void add_holder(struct table *table, const struct holder *holder)
{
	char name[PEOPLE_NAME_MAX];

	table_add_row(table);
	table_set_number(table, SIZE, holder->bytes);
	table_set_number(table, BUFFERS, holder->buffers);
	table_set_number(table, PID, (uint64_t)holder->pid);
	if (program_name(holder->pid, name))
		table_set_text(table, PROGRAM, name);
	table_set_text(table, USER, user_name(holder->uid, name));
	table_set_number(table, UID, holder->uid);
	table_set_text(table, POOLS, holder->pools);
}

static int set_head(const struct dmabuf_status_info *status, void *userdata)
{
	struct picture *picture = userdata;
	char uptime[TEXT_SIZE_MAX], size[TEXT_SIZE_MAX];
	uint64_t refused = 0;

	for (unsigned int i = 0; i < status->n_refusals; i++)
		refused += status->refusals[i];
	duration_format(status->uptime, uptime);
	size_format(status->bytes, false, size);
	snprintf(picture->head, sizeof(picture->head),
		 "dmabufd %s, up %s: %s in %" PRIu64 " buffers, %" PRIu64 " clients, %" PRIu64
		 " refused%s%s",
		 status->version, uptime, size, status->buffers, status->clients, refused,
		 status->module_missing ? "\n" : "",
		 status->module_missing ? status->module_missing : "");
	return 0;
}

static int read_all(struct picture *picture, struct dmabuf *conn)
{
	_cleanup_(usage_freep) struct usage usage = {0};
	int r = dmabuf_get_status(conn, set_head, picture);

	if (r >= 0)
		r = dmabuf_list_pools(conn, add_pool, picture->pools);
	if (r >= 0)
		r = usage_read(&usage, conn);
	for (unsigned int i = 0; i < usage.n && r >= 0; i++)
		add_holder(picture->holders, &usage.holders[i]);
	/* Without a module there are neither pools nor buffers, and the head says why. */
	return r == -ENXIO ? 0 : r;
}

static int picture_new(struct picture *picture, const struct top_options *options)
{
	int r = table_new(&picture->holders, "processes", holder_columns, N_HOLDER,
			  &options->table);

	return r < 0 ? r
		     : table_new(&picture->pools, "pools", pool_columns, N_POOL, &options->whole);
}

static int print_once(struct dmabuf *conn, const struct top_options *options)
{
	_cleanup_(picture_freep) struct picture picture = {0};

	if (picture_new(&picture, options) < 0)
		return EXIT_USAGE;
	if (read_all(&picture, conn) < 0)
		return ctl_fail(conn);
	if (!options->table.json && !options->table.noheadings)
		printf("%s\n\n", picture.head);
	return tables_print((struct table *[]){picture.pools, picture.holders}, 2) < 0
		       ? EXIT_REFUSED
		       : EXIT_OK;
}

static void draw(const struct picture *picture)
{
	_cleanup_free_ char *pools = table_get_text(picture->pools);
	_cleanup_free_ char *holders = table_get_text(picture->holders);
	_cleanup_free_ char *text = NULL;

	if (asprintf(&text, "%s\n\n%s\n\n%s", picture->head, pools, holders) < 0)
		err(EXIT_REFUSED, "picture");
	screen_draw(text);
}

/* A daemon that is away for a moment may come back: its words are the picture meanwhile. */
static void draw_now(struct dmabuf *conn, const struct top_options *options)
{
	_cleanup_(picture_freep) struct picture picture = {0};

	if (picture_new(&picture, options) < 0)
		return;
	if (read_all(&picture, conn) < 0)
		screen_draw(dmabuf_error(conn));
	else
		draw(&picture);
}

static int run(struct dmabuf *conn, const struct top_options *options)
{
	enum screen_event event = SCREEN_TIMEOUT;
	struct screen screen;
	int r = screen_enter(&screen);

	if (r < 0) {
		warnx("cannot take the terminal: %s", strerror(-r));
		return EXIT_REFUSED;
	}
	while (event == SCREEN_TIMEOUT || event == SCREEN_RESIZED) {
		draw_now(conn, options);
		event = screen_wait(&screen, (int)options->interval * 1000);
	}
	screen_leave(&screen);
	return event == SCREEN_LEAVE ? EXIT_OK : EXIT_REFUSED;
}

static int top(const struct top_options *options)
{
	_cleanup_(picture_freep) struct picture check = {0};
	_cleanup_(ctl_disconnectp) struct dmabuf *conn = NULL;

	/* Wrong columns are told before the screen is taken. */
	if (picture_new(&check, options) < 0)
		return EXIT_USAGE;
	conn = ctl_connect();
	if (!conn)
		return EXIT_REFUSED;
	if (options->once || options->table.json || !isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO))
		return print_once(conn, options);
	return run(conn, options);
}

static int help(void)
{
	printf("Usage: dmabufctl top [OPTION]...\n\nShow how full the pools are and which of your "
	       "processes hold most, or which of\nall for root, until q is pressed; once, where "
	       "there is no terminal.\n\n" TABLE_HELP
	       "      --interval N      seconds between two pictures (default 1)\n"
	       "      --once            print it once\n"
	       "  -h, --help            this text\n");
	table_print_columns(holder_columns, N_HOLDER);
	return EXIT_OK;
}

/* As table_option(), with a message for a wrong argument. */
static bool top_option(struct top_options *options, int c, const char *argument)
{
	if (c == CTL_ONCE) {
		options->once = true;
		return true;
	}
	if (c != CTL_INTERVAL)
		return table_option(&options->table, c, argument);
	if (number_parse(argument, 3600, &options->interval) == 0)
		return true;
	warnx("\"%s\" is no number of seconds up to 3600", argument);
	return false;
}

int ctl_top(int argc, char *argv[])
{
	static const struct option long_options[] = {
		TABLE_LONG_OPTIONS,
		{"interval", required_argument, NULL, CTL_INTERVAL},
		{"once", no_argument, NULL, CTL_ONCE},
		{"help", no_argument, NULL, 'h'},
		{0}};
	struct top_options options = {.interval = 1};
	int c;

	while ((c = getopt_long(argc, argv, TABLE_OPTIONS "h", long_options, NULL)) >= 0) {
		if (c == 'h')
			return help();
		if (!top_option(&options, c, optarg))
			return ctl_usage("top");
	}
	if (optind < argc)
		return ctl_no_argument("top", argv[optind]);
	options.whole = options.table;
	options.whole.columns = NULL;
	return top(&options);
}
