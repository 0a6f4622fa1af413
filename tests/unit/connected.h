/* SPDX-License-Identifier: MIT */
/*
 * The fixture of tests of the library: a fake daemon, a connection to it, a request, and a check
 * that no descriptor is left afterwards.
 */
#ifndef CONNECTED_H
#define CONNECTED_H

#include "count-fds.h"
#include "dmabuf.h"
#include "fake-daemon.h"

#define CONNECTED_SIZE 5000 /* of the request; no whole page */

struct fixture {
	struct fake_daemon *daemon;
	struct dmabuf *conn;
	struct dmabuf_request *request;
	int n_open;
	unsigned int n;       /* items that a callback saw */
	unsigned int stop_at; /* item at which it ends the listing; 0 for never */
};

static int setup(void **state)
{
	static struct fixture fixture;

	fixture = (struct fixture){.n_open = count_fds()};
	fixture.daemon = fake_daemon_start();
	*state = &fixture;
	if (dmabuf_request_new(&fixture.request) < 0)
		return -1;
	dmabuf_request_set_size(fixture.request, CONNECTED_SIZE);
	return dmabuf_connect(&fixture.conn);
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	fixture->conn = dmabuf_disconnect(fixture->conn);
	fixture->request = dmabuf_request_free(fixture->request);
	fixture->daemon = fake_daemon_stop(fixture->daemon);
	fake_daemon_remove_socket();
	assert_int_equal(count_fds(), fixture->n_open);
	return 0;
}

#endif
