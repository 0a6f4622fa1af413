/* SPDX-License-Identifier: MIT */
/*
 * libdmabuf in a loop of sd-event: allocates without blocking, and is told what concerns it.
 *
 *	cc loop-sd-event.c $(pkg-config --cflags --libs libdmabuf libsystemd)
 */
#include <dmabuf.h>
#include <err.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <systemd/sd-event.h>

static struct dmabuf *conn;
static sd_event *event;

static int on_readable(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	(void)source, (void)fd, (void)revents, (void)userdata;
	dmabuf_dispatch(conn);
	return 0;
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
	sd_event_exit(event, result);
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
	int r;

	if (dmabuf_connect(&conn) < 0 || dmabuf_request_new(&request) < 0)
		errx(1, "%s", dmabuf_error(NULL));
	if (argc > 1 && dmabuf_request_add_device(request, argv[1]) < 0)
		errx(1, "%s is not the node of a device", argv[1]);
	dmabuf_request_set_size(request, 1024 * 1024);
	dmabuf_request_set_wait(request, 10000);

	if (sd_event_default(&event) < 0 ||
	    sd_event_add_io(event, NULL, dmabuf_get_fd(conn), EPOLLIN, on_readable, NULL) < 0)
		errx(1, "No event loop");
	if (dmabuf_set_notify(conn, on_event, NULL) < 0 ||
	    dmabuf_allocate_start(conn, request, 1, on_buffer, NULL, NULL) < 0)
		errx(1, "%s", dmabuf_error(conn));
	dmabuf_request_free(request);
	r = sd_event_loop(event);
	sd_event_unref(event);
	dmabuf_disconnect(conn);
	return r < 0;
}
