/* SPDX-License-Identifier: MIT */
/*
 * libdmabuf in a main loop of GLib: allocates without blocking, and is told what concerns it.
 *
 *	cc loop-glib.c $(pkg-config --cflags --libs libdmabuf glib-2.0)
 */
#include <dmabuf.h>
#include <err.h>
#include <glib-unix.h>
#include <stdio.h>

static struct dmabuf *conn;
static GMainLoop *loop;
static int status;

static gboolean on_readable(gint fd, GIOCondition condition, gpointer userdata)
{
	(void)fd, (void)condition, (void)userdata;
	dmabuf_dispatch(conn);
	return G_SOURCE_CONTINUE;
}

static void on_buffer(int result, struct dmabuf_buffer *const buffers[], unsigned int n_buffers,
		      void *userdata)
{
	(void)userdata;
	if (result < 0) {
		warnx("%s", dmabuf_error(conn));
	} else {
		printf("%u buffer from pool %s\n", n_buffers, dmabuf_buffer_get_pool(buffers[0]));
		dmabuf_buffer_free(buffers[0]);
	}
	status = result < 0;
	g_main_loop_quit(loop);
}

static void on_event(const struct dmabuf_event *what, void *userdata)
{
	(void)userdata;
	if (what->type == DMABUF_EVENT_ASKED_BACK)
		printf("others want memory of pool %s\n", what->pool);
}

int main(int argc, char *argv[])
{
	struct dmabuf_request *request;

	if (dmabuf_connect(&conn) < 0 || dmabuf_request_new(&request) < 0)
		errx(1, "%s", dmabuf_error(NULL));
	if (argc > 1 && dmabuf_request_add_device(request, argv[1]) < 0)
		errx(1, "%s is not the node of a device", argv[1]);
	dmabuf_request_set_size(request, 1024 * 1024);
	dmabuf_request_set_wait(request, 10000);

	loop = g_main_loop_new(NULL, FALSE);
	g_unix_fd_add(dmabuf_get_fd(conn), G_IO_IN, on_readable, NULL);
	if (dmabuf_set_notify(conn, on_event, NULL) < 0 ||
	    dmabuf_allocate_start(conn, request, 1, on_buffer, NULL, NULL) < 0)
		errx(1, "%s", dmabuf_error(conn));
	dmabuf_request_free(request);
	g_main_loop_run(loop);
	g_main_loop_unref(loop);
	dmabuf_disconnect(conn);
	return status;
}
