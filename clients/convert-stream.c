/* SPDX-License-Identifier: MIT */
/*
 * Frames through a converter: the input into its source buffers as they come free, what it makes of
 * them to the output, until the input is at its end and the last frame is out.
 */
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "convert.h"

/* The next of the input into one plane. What is coded is cut anywhere; the device finds frames. */
static int read_plane(struct converter *converter, const struct convert_options *options,
		      unsigned int index, unsigned int plane, size_t *ret)
{
	const struct video_queue *queue = &converter->source;
	size_t size = queue->format.planes[plane].size;
	size_t n = fread(queue->buffers[index][plane].map, 1, size, converter->input);

	if (ferror(converter->input)) {
		warn("cannot read %s", options->input);
		return -EIO;
	}
	*ret = n;
	if (n == size || converter->decodes || (n == 0 && plane == 0))
		return 0;
	warnx("%s ends within a frame; %zu bytes of %zu are there", options->input, n, size);
	return -EBADMSG;
}

static int read_frame(struct converter *converter, const struct convert_options *options,
		      struct video_frame *frame)
{
	const struct video_queue *queue = &converter->source;
	int r = video_buffer_begin(queue, frame->index, DMABUF_ACCESS_WRITE);

	if (r < 0)
		return r;
	for (unsigned int p = 0; p < queue->format.n_planes && r == 0; p++) {
		r = read_plane(converter, options, frame->index, p, &frame->used[p]);
		if (r == 0 && p == 0 && frame->used[0] == 0) {
			converter->at_end = true;
			break;
		}
	}
	return r < 0 ? r : video_buffer_end(queue, frame->index, DMABUF_ACCESS_WRITE);
}

/* A converter that makes one frame of each has no such command, and needs none. */
static void tell_end(struct converter *converter)
{
	struct v4l2_encoder_cmd encoder = {.cmd = V4L2_ENC_CMD_STOP};
	struct v4l2_decoder_cmd decoder = {.cmd = V4L2_DEC_CMD_STOP};

	if (converter->decodes)
		converter->told =
			video_ioctl(converter->device.fd, VIDIOC_DECODER_CMD, &decoder) == 0;
	else
		converter->told =
			video_ioctl(converter->device.fd, VIDIOC_ENCODER_CMD, &encoder) == 0;
}

/* The end is told once the destination is there to come to it. */
static int put_frame(struct converter *converter, const struct convert_options *options,
		     unsigned int index)
{
	struct video_frame frame = {.index = index, .time = {.tv_sec = converter->put}};
	int r;

	if (converter->at_end)
		return 0;
	r = read_frame(converter, options, &frame);
	if (r < 0)
		return r;
	if (converter->at_end) {
		if (converter->destination.n_buffers)
			tell_end(converter);
		return 0;
	}
	converter->put++;
	return video_queue_put(&converter->source, &frame);
}

static int write_frame(struct converter *converter, const struct convert_options *options,
		       const struct video_frame *frame)
{
	const struct video_queue *queue = &converter->destination;
	int r = video_buffer_begin(queue, frame->index, DMABUF_ACCESS_READ);

	if (r < 0)
		return r;
	for (unsigned int p = 0; p < queue->format.n_planes; p++) {
		const char *map = queue->buffers[frame->index][p].map;

		fwrite(map + frame->offset[p], 1, frame->used[p], converter->output);
	}
	if (ferror(converter->output)) {
		warn("cannot write %s", options->output);
		return -EIO;
	}
	return video_buffer_end(queue, frame->index, DMABUF_ACCESS_READ);
}

/* 1 when that was the last. */
static int take_frame(struct converter *converter, const struct convert_options *options)
{
	struct video_frame frame;
	int r = video_queue_take(&converter->destination, &frame);

	if (r < 0)
		return r == -EAGAIN ? 0 : r;
	if (frame.flags & V4L2_BUF_FLAG_ERROR) {
		warnx("%s could not convert frame %u", options->node, converter->taken);
		return -EIO;
	}
	if (frame.used[0] > 0) {
		r = write_frame(converter, options, &frame);
		converter->taken++;
	}
	if (r == 0 && frame.flags & V4L2_BUF_FLAG_LAST)
		return 1;
	return r < 0 ? r : video_queue_put(&converter->destination, &frame);
}

static int refill(struct converter *converter, const struct convert_options *options)
{
	struct video_frame frame;
	int r = video_queue_take(&converter->source, &frame);

	if (r < 0)
		return r == -EAGAIN ? 0 : r;
	return put_frame(converter, options, frame.index);
}

/* What happened; 0 is no answer. */
static int wait_for(struct converter *converter, const struct convert_options *options,
		    short events)
{
	struct pollfd fd = {.fd = converter->device.fd, .events = events};
	int r;

	do
		r = poll(&fd, 1, (int)options->timeout * 1000);
	while (r < 0 && errno == EINTR);

	if (r < 0) {
		warn("%s: cannot wait", options->node);
		return -EIO;
	}
	if (r == 0 || (fd.revents & POLLERR && !(fd.revents & (POLLIN | POLLOUT | POLLPRI)))) {
		warnx("%s gave no frame for %u s; %u frames in, %u out", options->node,
		      options->timeout, converter->put, converter->taken);
		return -ETIMEDOUT;
	}
	return fd.revents;
}

static bool is_done(const struct converter *converter)
{
	return converter->at_end && !converter->told && converter->taken >= converter->put;
}

/* 1 when the last frame is out. */
static int turn(struct converter *converter, const struct convert_options *options)
{
	short events = (short)(POLLIN | (converter->at_end ? 0 : POLLOUT));
	int r = wait_for(converter, options, events), happened = r;

	if (r > 0)
		r = 0;
	if (r == 0 && happened & POLLOUT)
		r = refill(converter, options);
	if (r == 0 && happened & POLLIN)
		r = take_frame(converter, options);
	return r == 0 && is_done(converter) ? 1 : r;
}

static int start_source(struct converter *converter, const struct convert_options *options)
{
	int r = 0;

	for (unsigned int i = 0; i < converter->source.n_buffers && r == 0; i++)
		r = put_frame(converter, options, i);
	if (r == 0 && converter->put == 0) {
		warnx("%s has no frame", options->input);
		return -ENODATA;
	}
	return r < 0 ? r : video_queue_start(&converter->source);
}

/* A decoder takes more of the input until it has seen a whole header. */
static int await_size(struct converter *converter, const struct convert_options *options)
{
	struct v4l2_event event;
	int r;

	do {
		r = wait_for(converter, options, converter->at_end ? POLLPRI : POLLPRI | POLLOUT);
		if (r > 0 && r & POLLPRI)
			return video_ioctl(converter->device.fd, VIDIOC_DQEVENT, &event);
		if (r > 0)
			r = refill(converter, options);
	} while (r == 0);

	return r;
}

static int start_destination(struct converter *converter, const struct convert_options *options)
{
	struct video_queue *queue = &converter->destination;
	int r = converter->decodes ? await_size(converter, options) : 0;

	if (r == 0)
		r = convert_prepare_destination(converter, options);
	for (unsigned int i = 0; i < queue->n_buffers && r == 0; i++)
		r = video_queue_put(queue, &(struct video_frame){.index = i});
	if (r == 0)
		r = video_queue_start(queue);
	if (r == 0 && converter->at_end)
		tell_end(converter);
	return r;
}

int convert_stream(struct converter *converter, const struct convert_options *options)
{
	int r = start_source(converter, options);

	if (r == 0)
		r = start_destination(converter, options);
	while (r == 0)
		r = turn(converter, options);
	video_queue_stop(&converter->source);
	video_queue_stop(&converter->destination);
	return r < 0 ? r : 0;
}
