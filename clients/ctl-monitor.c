/* SPDX-License-Identifier: MIT */
/*
 * dmabufctl monitor: what happens, as it happens, one line each.
 */
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "ctl.h"
#include "people.h"
#include "stream.h"

enum {
	TIME,
	EVENT,
	USER,
	UID,
	PID,
	PROGRAM,
	ID,
	SIZE,
	POOL,
	NAME,
	DEVICES,
	LOST,
	ERROR,
	TEXT,
	N_COLUMNS
};

static const struct stream_column columns[N_COLUMNS] = {
	[TIME] = {{"TIME", TABLE_TEXT, TABLE_SHOWN, "when it happened; with the day in JSON"}, 12},
	[EVENT] = {{"EVENT", TABLE_TEXT, TABLE_SHOWN, "what happened"}, 9},
	[USER] = {{"USER", TABLE_TEXT, TABLE_SHOWN, "whose affair it is"}, 8},
	[UID] = {{"UID", TABLE_NUMBER, TABLE_ONLY_JSON, "the same as a number"}, 6},
	[PID] = {{"PID", TABLE_NUMBER, TABLE_SHOWN, "process that asked"}, 7},
	[PROGRAM] = {{"PROGRAM", TABLE_TEXT, TABLE_ON_DEMAND,
		      "its name, if it is still there for you to see"},
		     15},
	[ID] = {{"ID", TABLE_NUMBER, TABLE_SHOWN, "number of the buffer"}, 6},
	[SIZE] = {{"SIZE", TABLE_SIZE, TABLE_SHOWN, "of each buffer, or of the pool"}, 6},
	[POOL] = {{"POOL", TABLE_TEXT, TABLE_SHOWN, "pool"}, 18},
	[NAME] = {{"NAME", TABLE_TEXT, TABLE_ONLY_JSON, "label of the buffer"}, 10},
	[DEVICES] = {{"DEVICES", TABLE_TEXT, TABLE_ONLY_JSON, "bus and name of each device"}, 20},
	[LOST] = {{"LOST", TABLE_NUMBER, TABLE_ONLY_JSON,
		   "events that were lost here, for this command was too slow"},
		  6},
	[ERROR] = {{"ERROR", TABLE_TEXT, TABLE_ONLY_JSON, "name of the error of a refusal"}, 10},
	[TEXT] = {{"TEXT", TABLE_TEXT, TABLE_SHOWN, "why, or the label of the buffer"}, 0},
};

static void set_time(struct stream *stream, uint64_t microseconds)
{
	time_t seconds = (time_t)(microseconds / 1000000);
	char date[32], zone[8], text[64];
	struct tm tm;

	localtime_r(&seconds, &tm);
	if (stream->options->json) {
		strftime(date, sizeof(date), "%FT%T", &tm);
		strftime(zone, sizeof(zone), "%z", &tm);
		snprintf(text, sizeof(text), "%s.%06u%s", date,
			 (unsigned int)(microseconds % 1000000), zone);
	} else {
		strftime(date, sizeof(date), "%T", &tm);
		snprintf(text, sizeof(text), "%s.%03u", date,
			 (unsigned int)(microseconds / 1000 % 1000));
	}
	stream_set_text(stream, TIME, text);
}

static void set_text(struct stream *stream, unsigned int column, const char *text)
{
	if (*text)
		stream_set_text(stream, column, text);
}

/* Who did it; nobody did what happens to pools and the daemon. */
static void set_who(struct stream *stream, const struct dmabuf_event *event)
{
	char name[PEOPLE_NAME_MAX];

	if (!event->pid)
		return;
	stream_set_text(stream, USER, user_name(event->uid, name));
	stream_set_number(stream, UID, event->uid);
	stream_set_number(stream, PID, (uint64_t)event->pid);
	if (program_name(event->pid, name))
		stream_set_text(stream, PROGRAM, name);
}

static void set_lost(struct stream *stream, uint64_t lost)
{
	char text[64];

	stream_set_number(stream, LOST, lost);
	snprintf(text, sizeof(text), "%llu events were lost here", (unsigned long long)lost);
	stream_set_text(stream, TEXT, text);
}

static int add_event(const struct dmabuf_event *event, void *userdata)
{
	struct stream *stream = userdata;

	set_time(stream, event->time);
	stream_set_text(stream, EVENT, event_name(event->type));
	set_who(stream, event);
	if (event->type == DMABUF_EVENT_LOST)
		set_lost(stream, event->number);
	else if (event->number)
		stream_set_number(stream, ID, event->number);
	if (event->size)
		stream_set_number(stream, SIZE, event->size);
	set_text(stream, POOL, event->pool);
	set_text(stream, NAME, event->name);
	set_text(stream, DEVICES, event->devices);
	if (event->error)
		stream_set_text(stream, ERROR, strerrorname_np(-event->error));
	set_text(stream, TEXT, event->text);
	if (!event->text[0] && !stream->options->json)
		set_text(stream, TEXT, event->name);
	return stream_print_row(stream);
}

/* Until the daemon stops or the output is closed. */
static int watch(struct dmabuf *conn, struct stream *stream)
{
	struct pollfd fds[] = {{.fd = dmabuf_watch_get_fd(conn), .events = POLLIN},
			       {.fd = fileno(stdout)}};

	for (;;) {
		int r;

		if (poll(fds, 2, -1) < 0 && errno != EINTR) {
			warn("cannot wait");
			return EXIT_REFUSED;
		}
		/* Whoever read this has left. */
		if (fds[1].revents & (POLLERR | POLLHUP))
			return EXIT_OK;
		r = dmabuf_watch_read(conn, add_event, stream);
		if (r < 0 && dmabuf_watch_get_fd(conn) >= 0) {
			warnx("cannot write: %s", strerror(-r));
			return EXIT_REFUSED;
		}
		if (r < 0)
			return ctl_fail(conn);
	}
}

static int monitor(const struct table_options *options)
{
	_cleanup_(ctl_disconnectp) struct dmabuf *conn = NULL;
	struct stream stream;

	if (stream_init(&stream, columns, N_COLUMNS, options) < 0)
		return EXIT_USAGE;
	conn = ctl_connect();
	if (!conn)
		return EXIT_REFUSED;
	if (dmabuf_watch_start(conn) < 0)
		return ctl_fail(conn);
	stream_print_headings(&stream);
	/* Who waits for the first line knows from then on that nothing is missed. */
	if (fflush(stdout) != 0)
		return EXIT_REFUSED;
	return watch(conn, &stream);
}

static int help(void)
{
	printf("Usage: dmabufctl monitor [OPTION]...\n\nShow what happens to your buffers, "
	       "requests "
	       "and connections, or to all for\nroot, as it happens; and what happens to pools. "
	       "With --json, one object on each\nline.\n\n" TABLE_HELP
	       "  -h, --help            this text\n");
	stream_print_columns(columns, N_COLUMNS);
	return EXIT_OK;
}

int ctl_monitor(int argc, char *argv[])
{
	struct table_options options = {0};
	int r = ctl_table_options("monitor", argc, argv, &options);

	if (r)
		return r == 'h' ? help() : r;
	return monitor(&options);
}
