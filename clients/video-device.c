/* SPDX-License-Identifier: MIT */
/*
 * A video node: open it, and see who is there. Knows no format and no buffer.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "video.h"

int video_ioctl(int fd, unsigned long request, void *argument)
{
	int r;

	do
		r = ioctl(fd, request, argument);
	while (r < 0 && errno == EINTR);

	return r < 0 ? -errno : 0;
}

static int read_capabilities(struct video_device *device)
{
	struct v4l2_capability capability = {0};

	if (video_ioctl(device->fd, VIDIOC_QUERYCAP, &capability) < 0) {
		warnx("%s is no video device", device->node);
		return -ENODEV;
	}
	snprintf(device->driver, sizeof(device->driver), "%.16s", (char *)capability.driver);
	snprintf(device->card, sizeof(device->card), "%.32s", (char *)capability.card);
	device->can = capability.capabilities & V4L2_CAP_DEVICE_CAPS ? capability.device_caps
								     : capability.capabilities;
	if (!(device->can & V4L2_CAP_STREAMING)) {
		warnx("%s (%s) has no buffers to share", device->node, device->card);
		return -ENODEV;
	}
	return 0;
}

int video_device_open(struct video_device *device, const char *node)
{
	int r;

	device->node = node;
	device->fd = open(node, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (device->fd < 0) {
		r = -errno;
		warn("%s", node);
		return r;
	}
	r = read_capabilities(device);
	if (r < 0)
		video_device_close(device);
	return r;
}

void video_device_close(struct video_device *device)
{
	if (device->fd >= 0)
		close(device->fd);
	device->fd = -EBADF;
}
