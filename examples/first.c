/* SPDX-License-Identifier: MIT */
#include <dmabuf.h>
#include <err.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char *argv[])
{
	const char *device = argc > 1 ? argv[1] : "/dev/video0";
	struct dmabuf *conn;
	struct dmabuf_request *request;
	struct dmabuf_buffer *buffer;
	void *memory;

	if (dmabuf_connect(&conn) < 0 || dmabuf_request_new(&request) < 0)
		errx(1, "%s", dmabuf_error(NULL));
	if (dmabuf_request_add_device(request, device) < 0)
		errx(1, "%s is not the node of a device", device);
	dmabuf_request_set_size(request, 1024 * 1024);
	if (dmabuf_allocate(conn, request, &buffer, 1) < 0)
		errx(1, "%s", dmabuf_error(conn));
	if (dmabuf_buffer_map(buffer, &memory) < 0)
		errx(1, "The buffer cannot be mapped");
	dmabuf_buffer_begin_access(buffer, DMABUF_ACCESS_WRITE);
	memset(memory, 0xff, dmabuf_buffer_get_size(buffer));
	dmabuf_buffer_end_access(buffer, DMABUF_ACCESS_WRITE);
	printf("%s: %zu bytes from pool %s\n", device, (size_t)dmabuf_buffer_get_size(buffer),
	       dmabuf_buffer_get_pool(buffer));
	return 0;
}
