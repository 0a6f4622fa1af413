/* SPDX-License-Identifier: MIT */
/*
 * Frames: queue the buffers, start, take frame after frame, and make pictures of some. A buffer
 * goes back to the device before its copy becomes a picture, which takes longer than a frame.
 */
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "capture.h"
#include "cleanup.h"

struct stream {
	struct capture_device *device;
	const struct capture_options *options;
	struct capture_result *result;
	void *frame;
	uint32_t sequence; /* of the last frame */
};

static bool is_multiplanar(const struct capture_device *device)
{
	return device->type == V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE;
}

static int fail_queue(const struct capture_device *device, unsigned int index, int r)
{
	if (device->memory == V4L2_MEMORY_DMABUF && (r == -EFAULT || r == -EINVAL))
		warnx("the device refused the buffer: %s cannot use the memory of buffer %u (%s); "
		      "compare dmabufctl explain %s --size %zu with what the kernel log says",
		      device->node, index, strerror(-r), device->node, device->format.size);
	else
		warnx("%s: cannot queue buffer %u: %s", device->node, index, strerror(-r));
	return r;
}

static int queue(const struct capture_device *device, unsigned int index)
{
	const struct capture_buffer *buffer = &device->buffers[index];
	int fd = buffer->granted ? dmabuf_buffer_get_fd(buffer->granted) : -1;
	struct v4l2_plane plane = {.length = (uint32_t)buffer->size};
	struct v4l2_buffer b = {.type = device->type,
				.memory = device->memory,
				.index = index,
				.length = (uint32_t)buffer->size};
	int r;

	if (is_multiplanar(device)) {
		plane.m.fd = fd;
		b.m.planes = &plane;
		b.length = 1;
	} else {
		b.m.fd = fd;
	}
	r = capture_ioctl(device->fd, VIDIOC_QBUF, &b);
	return r < 0 ? fail_queue(device, index, r) : 0;
}

/* -EAGAIN while there is none. */
static int dequeue(const struct capture_device *device, struct v4l2_buffer *ret)
{
	struct v4l2_plane plane = {0};
	struct v4l2_buffer b = {.type = device->type, .memory = device->memory};
	int r;

	if (is_multiplanar(device)) {
		b.m.planes = &plane;
		b.length = 1;
	}
	r = capture_ioctl(device->fd, VIDIOC_DQBUF, &b);
	if (r < 0 && r != -EAGAIN)
		warnx("%s: cannot take a frame: %s", device->node, strerror(-r));
	if (r == 0)
		*ret = b;
	return r;
}

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int fail_stalled(const struct stream *stream)
{
	warnx("%s gave no frame for %u s; %u of %u frames captured", stream->device->node,
	      stream->options->timeout, stream->result->frames, stream->options->frames);
	return -ETIMEDOUT;
}

/* The next whole frame. A damaged one is dropped, and does not count as a sign of life. */
static int next_frame(const struct stream *stream, struct v4l2_buffer *ret)
{
	struct pollfd p = {.fd = stream->device->fd, .events = POLLIN};
	int64_t deadline = now() + (int64_t)stream->options->timeout * 1000;

	for (;;) {
		int64_t rest = deadline - now();
		int r = poll(&p, 1, rest > 0 ? (int)rest : 0);

		if (r < 0 && errno != EINTR) {
			warn("%s: cannot wait", stream->device->node);
			return -EIO;
		}
		if (r == 0)
			return fail_stalled(stream);
		if (r < 0)
			continue;
		r = dequeue(stream->device, ret);
		if (r == 0 && !(ret->flags & V4L2_BUF_FLAG_ERROR))
			return 0;
		if (r == 0)
			r = queue(stream->device, ret->index);
		if (r < 0 && r != -EAGAIN)
			return r;
	}
}

static bool wants_picture(const struct stream *stream, unsigned int number)
{
	unsigned int every = stream->options->every;

	return every ? number % every == 0 : number + 1 == stream->options->frames;
}

static int take_frame(struct stream *stream)
{
	struct capture_result *result = stream->result;
	unsigned int number = result->frames;
	struct v4l2_buffer b;
	bool picture = wants_picture(stream, number);
	int r = next_frame(stream, &b);

	if (r < 0)
		return r;
	if (number > 0)
		result->dropped += b.sequence - stream->sequence - 1;
	stream->sequence = b.sequence;
	result->frames++;
	if (picture)
		r = capture_buffer_read(stream->device, b.index, stream->frame);
	if (r == 0)
		r = queue(stream->device, b.index);
	if (r == 0 && picture)
		r = capture_write_picture(stream->options, &stream->device->format, stream->frame,
					  number, result);
	return r;
}

static int start(const struct capture_device *device)
{
	int type = (int)device->type, r;

	for (unsigned int i = 0; i < device->n_buffers; i++) {
		r = queue(device, i);
		if (r < 0)
			return r;
	}
	r = capture_ioctl(device->fd, VIDIOC_STREAMON, &type);
	if (r < 0)
		warnx("%s: cannot start: %s", device->node, strerror(-r));
	return r;
}

int capture_stream(struct capture_device *device, const struct capture_options *options,
		   struct capture_result *result)
{
	_cleanup_free_ void *frame = malloc(device->format.size);
	struct stream stream = {device, options, result, frame, 0};
	int type = (int)device->type, r;

	if (!frame) {
		warn("cannot keep a frame");
		return -ENOMEM;
	}
	r = start(device);
	while (r == 0 && result->frames < options->frames)
		r = take_frame(&stream);
	/* Also when it did not start: buffers that are queued come back. */
	capture_ioctl(device->fd, VIDIOC_STREAMOFF, &type);
	return r;
}
