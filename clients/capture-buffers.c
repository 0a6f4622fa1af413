/* SPDX-License-Identifier: MIT */
/*
 * Memory for frames: granted by dmabufd for this device, or the device's own for comparison.
 */
#include <err.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "capture.h"

/* Buffers in one request to dmabufd. */
#define AT_ONCE 14

/* How many buffers the device really wants goes to device->n_buffers. */
static int request_buffers(struct capture_device *device, unsigned int count)
{
	struct v4l2_requestbuffers wanted = {
		.count = count, .type = device->type, .memory = device->memory};
	int r = capture_ioctl(device->fd, VIDIOC_REQBUFS, &wanted);

	if (r == -EBUSY)
		warnx("%s is busy: another program captures from it", device->node);
	else if (r == -EINVAL && device->memory == V4L2_MEMORY_DMABUF)
		warnx("%s does not import buffers; --mmap uses its own", device->node);
	else if (r < 0)
		warnx("%s: cannot request buffers: %s", device->node, strerror(-r));
	if (r < 0)
		return r;
	if (wanted.count == 0 || wanted.count > CAPTURE_BUFFERS_MAX) {
		warnx("%s wants %u buffers", device->node, wanted.count);
		return -EINVAL;
	}
	device->n_buffers = wanted.count;
	return 0;
}

static int query_size(const struct capture_device *device, unsigned int index, size_t *ret_size,
		      off_t *ret_offset)
{
	struct v4l2_plane plane = {0};
	struct v4l2_buffer b = {.type = device->type, .memory = device->memory, .index = index};
	bool multiplanar = device->type == V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE;
	int r;

	if (multiplanar) {
		b.m.planes = &plane;
		b.length = 1;
	}
	r = capture_ioctl(device->fd, VIDIOC_QUERYBUF, &b);
	if (r < 0)
		return r;
	*ret_size = multiplanar ? plane.length : b.length;
	*ret_offset = multiplanar ? plane.m.mem_offset : b.m.offset;
	return 0;
}

static int map_own(struct capture_device *device)
{
	for (unsigned int i = 0; i < device->n_buffers; i++) {
		struct capture_buffer *buffer = &device->buffers[i];
		off_t offset;
		void *map;
		int r = query_size(device, i, &buffer->size, &offset);

		if (r < 0) {
			warnx("%s: no buffer %u: %s", device->node, i, strerror(-r));
			return r;
		}
		map = mmap(NULL, buffer->size, PROT_READ | PROT_WRITE, MAP_SHARED, device->fd,
			   offset);
		if (map == MAP_FAILED || buffer->size < device->format.size) {
			warn("%s: cannot map buffer %u", device->node, i);
			return -ENOMEM;
		}
		buffer->map = map;
	}
	return 0;
}

static int make_request(const struct capture_device *device, const struct capture_options *options,
			struct dmabuf_request **ret)
{
	int r = dmabuf_request_new(ret);

	if (r == 0)
		r = dmabuf_request_add_device(*ret, device->node);
	if (r == 0)
		r = dmabuf_request_set_size(*ret, device->format.size);
	if (r == 0)
		r = dmabuf_request_set_name(*ret, "v4l2-capture");
	/* Who looks at many frames reads more than it waits for the device. */
	if (r == 0 && options->every)
		r = dmabuf_request_set_usage(*ret, DMABUF_USAGE_CPU_READS_OFTEN);
	if (r < 0)
		warnx("%s: %s", device->node, strerror(-r));
	return r;
}

static int allocate(struct capture_device *device, struct dmabuf *conn,
		    const struct dmabuf_request *request)
{
	struct dmabuf_buffer *granted[AT_ONCE];

	for (unsigned int i = 0; i < device->n_buffers;) {
		unsigned int n = device->n_buffers - i < AT_ONCE ? device->n_buffers - i : AT_ONCE;
		int r = dmabuf_allocate(conn, request, granted, n);

		if (r < 0) {
			warnx("%s", dmabuf_error(conn));
			return r;
		}
		for (unsigned int k = 0; k < n; k++, i++)
			device->buffers[i] = (struct capture_buffer){
				.granted = granted[k],
				.size = dmabuf_buffer_get_size(granted[k]),
			};
	}
	return 0;
}

static int map_granted(struct capture_device *device)
{
	for (unsigned int i = 0; i < device->n_buffers; i++) {
		struct capture_buffer *buffer = &device->buffers[i];
		int r = dmabuf_buffer_map(buffer->granted, &buffer->map);

		if (r < 0) {
			warnx("cannot map buffer %u: %s", i, strerror(-r));
			return r;
		}
	}
	return 0;
}

static int get_granted(struct capture_device *device, const struct capture_options *options)
{
	struct dmabuf_request *request = NULL;
	struct dmabuf *conn = NULL;
	int r = dmabuf_connect(&conn);

	if (r < 0) {
		warnx("%s", dmabuf_error(NULL));
		return r;
	}
	r = make_request(device, options, &request);
	if (r == 0)
		r = allocate(device, conn, request);
	dmabuf_request_free(request);
	/* Buffers need no connection. */
	dmabuf_disconnect(conn);
	return r < 0 ? r : map_granted(device);
}

int capture_buffers_get(struct capture_device *device, const struct capture_options *options)
{
	int r = request_buffers(device, options->buffers);

	if (r < 0)
		return r;
	return options->mmap ? map_own(device) : get_granted(device, options);
}

void capture_buffers_free(struct capture_device *device)
{
	for (unsigned int i = 0; i < device->n_buffers; i++) {
		struct capture_buffer *buffer = &device->buffers[i];

		if (!buffer->granted && buffer->map)
			munmap(buffer->map, buffer->size);
		buffer->granted = dmabuf_buffer_free(buffer->granted);
		buffer->map = NULL;
	}
}

int capture_buffer_read(const struct capture_device *device, unsigned int index, void *frame)
{
	const struct capture_buffer *buffer = &device->buffers[index];
	int r = 0;

	if (buffer->granted)
		r = dmabuf_buffer_begin_access(buffer->granted, DMABUF_ACCESS_READ);
	if (r == 0) {
		memcpy(frame, buffer->map, device->format.size);
		if (buffer->granted)
			r = dmabuf_buffer_end_access(buffer->granted, DMABUF_ACCESS_READ);
	}
	if (r < 0)
		warnx("cannot read buffer %u: %s", index, strerror(-r));
	return r;
}
