/* SPDX-License-Identifier: MIT */
/*
 * A converter made ready: that the device is one, and for each of its queues a format and buffers.
 */
#include <err.h>
#include <errno.h>

#include "convert.h"

int convert_open(struct converter *converter, const struct convert_options *options)
{
	struct video_device *device = &converter->device;
	int r = video_device_open(device, options->node);

	if (r < 0)
		return r;
	converter->source.device = converter->destination.device = device;
	converter->source.memory = converter->destination.memory = V4L2_MEMORY_DMABUF;
	if (device->can & V4L2_CAP_VIDEO_M2M) {
		converter->source.type = V4L2_BUF_TYPE_VIDEO_OUTPUT;
		converter->destination.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
	} else if (device->can & V4L2_CAP_VIDEO_M2M_MPLANE) {
		converter->source.type = V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE;
		converter->destination.type = V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE;
	} else {
		warnx("%s (%s) is not a converter", options->node, device->card);
		return -ENODEV;
	}
	return 0;
}

static int find_format(const struct video_queue *queue, uint32_t pixels, struct v4l2_fmtdesc *ret)
{
	char name[VIDEO_FOURCC_SIZE];

	for (unsigned int i = 0; video_format_next(queue, i, ret); i++)
		if (ret->pixelformat == pixels)
			return 0;
	video_fourcc_format(pixels, name);
	warnx("%s %s no %s; --list-formats tells what it does", queue->device->node,
	      V4L2_TYPE_IS_OUTPUT(queue->type) ? "takes" : "gives", name);
	return -EOPNOTSUPP;
}

static int get_buffers(struct video_queue *queue, const struct convert_options *options)
{
	struct video_wish wish = {.count = options->buffers, .name = "v4l2-convert"};

	return video_buffers_get(queue, &wish);
}

/* A decoder says by an event when it knows what the frames will be. */
static int await_first_frame(struct converter *converter)
{
	struct v4l2_event_subscription wanted = {.type = V4L2_EVENT_SOURCE_CHANGE};

	converter->decodes = true;
	if (video_ioctl(converter->device.fd, VIDIOC_SUBSCRIBE_EVENT, &wanted) == 0)
		return 0;
	warnx("%s does not tell the size of what it decodes", converter->device.node);
	return -EOPNOTSUPP;
}

int convert_prepare_source(struct converter *converter, const struct convert_options *options)
{
	struct video_queue *queue = &converter->source;
	struct v4l2_fmtdesc format;
	int r = find_format(queue, options->from, &format);

	if (r == 0)
		r = find_format(&converter->destination, options->to, &(struct v4l2_fmtdesc){0});
	if (r == 0)
		r = video_format_set(queue, options->from, options->width, options->height);
	if (r == 0 && format.flags & V4L2_FMT_FLAG_COMPRESSED)
		r = await_first_frame(converter);
	return r < 0 ? r : get_buffers(queue, options);
}

int convert_prepare_destination(struct converter *converter, const struct convert_options *options)
{
	struct video_queue *queue = &converter->destination;
	const struct video_format *source = &converter->source.format;
	int r;

	if (converter->decodes)
		r = video_format_set(queue, options->to, 0, 0);
	else
		r = video_format_set(queue, options->to, source->width, source->height);
	return r < 0 ? r : get_buffers(queue, options);
}

void convert_close(struct converter *converter)
{
	video_buffers_free(&converter->source);
	video_buffers_free(&converter->destination);
	video_device_close(&converter->device);
}
