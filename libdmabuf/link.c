/* SPDX-License-Identifier: MIT */
/*
 * A connection that nobody waits for: connects, says HELLO, and connects again when the daemon was
 * away. Knows no request. That it does not spin, whatever the daemon does, is decided here.
 */
#include <errno.h>

#include "async.h"

/* Between two attempts when the first failed soon; each is twice as long as that before. */
#define PAUSE_MIN_MS 250
#define PAUSE_MAX_MS 8000

void link_init(struct link *link, int set)
{
	*link = (struct link){.conn = {.fd = -EBADF, .set = set}};
}

void link_drop(struct link *link)
{
	connection_drop(&link->conn);
	link->state = LINK_DOWN;
	link->time = 0;
	link->pause = 0;
}

static void pause_until_later(struct link *link, int64_t now)
{
	link->pause *= 2;
	if (link->pause < PAUSE_MIN_MS)
		link->pause = PAUSE_MIN_MS;
	if (link->pause > PAUSE_MAX_MS)
		link->pause = PAUSE_MAX_MS;
	link->time = now + link->pause;
}

static int fail(struct link *link, int error, int64_t now)
{
	connection_drop(&link->conn);
	link->state = LINK_DOWN;
	pause_until_later(link, now);
	/* -ENOENT would be a missing device or pool to who asked for one. */
	link->error = error == -ENOENT ? -ENOTCONN : error;
	return link->error;
}

/* A call on the connection found it broken. */
static void notice_loss(struct link *link, int64_t now)
{
	if (link->state != LINK_UP || link->conn.fd >= 0)
		return;
	link->state = LINK_DOWN;
	link->error = -ECONNRESET;
	if (now - link->time < PAUSE_MIN_MS)
		return pause_until_later(link, now);
	link->pause = 0;
	link->time = now;
}

static int start(struct link *link, int64_t now)
{
	int r;

	if (now < link->time)
		return 0;
	r = connection_start(&link->conn);
	if (r < 0)
		return fail(link, r, now);
	link->state = LINK_GREETS;
	link->time = link->conn.timeout ? now + link->conn.timeout : TIME_NEVER;
	return 0;
}

static int finish(struct link *link, int64_t now)
{
	int r = connection_finish(&link->conn);

	if (r == CONNECTION_NOT_YET && now < link->time)
		return 0;
	if (r == CONNECTION_NOT_YET)
		r = connection_fail_transport(&link->conn, -ETIMEDOUT);
	if (r < 0)
		return fail(link, r, now);
	link->state = LINK_UP;
	link->time = now;
	return 1;
}

int link_connect(struct link *link, int64_t now)
{
	int r = 0;

	notice_loss(link, now);
	if (link->state == LINK_DOWN)
		r = start(link, now);
	if (link->state == LINK_GREETS)
		r = finish(link, now);
	return link->state == LINK_UP ? 1 : r;
}

int64_t link_get_time(const struct link *link)
{
	return link->state == LINK_UP ? TIME_NEVER : link->time;
}
