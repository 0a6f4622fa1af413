/* SPDX-License-Identifier: MIT */
/*
 * A camera made ready: that it is one, which format it gives, buffers of that size.
 */
#include <err.h>
#include <errno.h>
#include <stdlib.h>

#include "capture.h"
#include "pixels.h"

int capture_camera_open(struct capture_camera *camera, const char *node)
{
	struct video_device *device = &camera->device;
	int r = video_device_open(device, node);

	if (r < 0)
		return r;
	camera->queue.device = device;
	if (device->can & V4L2_CAP_VIDEO_CAPTURE)
		camera->queue.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
	else if (device->can & V4L2_CAP_VIDEO_CAPTURE_MPLANE)
		camera->queue.type = V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE;
	else {
		warnx("%s (%s) is not a capture device", node, device->card);
		return -ENODEV;
	}
	return 0;
}

static int fail_pixels(const struct capture_camera *camera, uint32_t pixels)
{
	char name[VIDEO_FOURCC_SIZE];

	video_fourcc_format(pixels, name);
	if (!video_format_is_offered(&camera->queue, pixels))
		warnx("%s has no format %s; --list-formats tells which it has", camera->device.node,
		      name);
	else
		warnx("no picture can be made of %s; --type raw writes frames as they are", name);
	return -EOPNOTSUPP;
}

static int check_pixels(const struct capture_camera *camera, const struct capture_options *options)
{
	if (!video_format_is_offered(&camera->queue, options->pixels))
		return fail_pixels(camera, options->pixels);
	if (options->type != PICTURE_RAW && !pixels_are_known(options->pixels))
		return fail_pixels(camera, options->pixels);
	return 0;
}

/* Nobody said which: one that can be looked at, or what the device is set to. */
static int choose_pixels(struct capture_camera *camera, const struct capture_options *options,
			 uint32_t *ret)
{
	unsigned int i = 0;
	uint32_t pixels;
	int r;

	while ((pixels = pixels_by_preference(i)) &&
	       !video_format_is_offered(&camera->queue, pixels))
		i++;
	if (!pixels && options->type != PICTURE_RAW) {
		warnx("%s gives no format that a picture can be made of; --type raw writes frames "
		      "as they are",
		      camera->device.node);
		return -EOPNOTSUPP;
	}
	r = pixels ? 0 : video_format_get(&camera->queue);
	*ret = pixels ? pixels : camera->queue.format.pixels;
	return r;
}

static int settle_format(struct capture_camera *camera, const struct capture_options *options)
{
	uint32_t pixels = options->pixels;
	int r = pixels ? check_pixels(camera, options) : choose_pixels(camera, options, &pixels);

	if (r < 0)
		return r;
	return video_format_set(&camera->queue, pixels, options->width, options->height);
}

static int get_buffers(struct capture_camera *camera, const struct capture_options *options)
{
	struct video_wish wish = {.count = options->buffers, .name = "v4l2-capture"};
	size_t size = 0;
	int r;

	/* Who looks at many frames reads more than it waits for the device. */
	if (options->every)
		wish.usage = DMABUF_USAGE_CPU_READS_OFTEN;
	r = video_buffers_get(&camera->queue, &wish);
	if (r < 0)
		return r;
	for (unsigned int p = 0; p < camera->queue.format.n_planes; p++)
		size += camera->queue.buffers[0][p].size;
	camera->copy = malloc(size);
	if (!camera->copy) {
		warn("cannot keep a frame");
		return -ENOMEM;
	}
	return 0;
}

int capture_camera_prepare(struct capture_camera *camera, const struct capture_options *options)
{
	int r;

	camera->queue.memory = options->mmap ? V4L2_MEMORY_MMAP : V4L2_MEMORY_DMABUF;
	r = settle_format(camera, options);
	return r < 0 ? r : get_buffers(camera, options);
}

void capture_camera_close(struct capture_camera *camera)
{
	video_buffers_free(&camera->queue);
	video_device_close(&camera->device);
	for (unsigned int i = 0; i < camera->n_pictures; i++)
		free(camera->pictures[i]);
	free(camera->pictures);
	free(camera->prefix_part);
	free(camera->copy);
}
