/* SPDX-License-Identifier: MIT */
/*
 * The V4L2 device: open it, see that it captures, settle the format. Knows no buffer.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "capture.h"

int capture_ioctl(int fd, unsigned long request, void *argument)
{
	int r;

	do
		r = ioctl(fd, request, argument);
	while (r < 0 && errno == EINTR);

	return r < 0 ? -errno : 0;
}

static bool is_multiplanar(const struct capture_device *device)
{
	return device->type == V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE;
}

static int read_capabilities(struct capture_device *device)
{
	struct v4l2_capability capability = {0};
	uint32_t can;

	if (capture_ioctl(device->fd, VIDIOC_QUERYCAP, &capability) < 0) {
		warnx("%s is no video device", device->node);
		return -ENODEV;
	}
	snprintf(device->driver, sizeof(device->driver), "%.16s", (char *)capability.driver);
	snprintf(device->card, sizeof(device->card), "%.32s", (char *)capability.card);
	can = capability.capabilities & V4L2_CAP_DEVICE_CAPS ? capability.device_caps
							     : capability.capabilities;
	if (can & V4L2_CAP_VIDEO_CAPTURE)
		device->type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
	else if (can & V4L2_CAP_VIDEO_CAPTURE_MPLANE)
		device->type = V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE;
	if (!device->type || !(can & V4L2_CAP_STREAMING)) {
		warnx("%s (%s) is not a capture device", device->node, device->card);
		return -ENODEV;
	}
	return 0;
}

static bool has_format(const struct capture_device *device, uint32_t pixels)
{
	struct v4l2_fmtdesc d = {.type = device->type};

	for (; capture_ioctl(device->fd, VIDIOC_ENUM_FMT, &d) == 0; d.index++)
		if (d.pixelformat == pixels)
			return true;
	return false;
}

static uint32_t choose_pixels(const struct capture_device *device)
{
	const uint32_t *pixels = capture_pixel_formats;

	while (*pixels && !has_format(device, *pixels))
		pixels++;
	return *pixels;
}

/* A device may colour as it likes where it says nothing: HD as BT.709, the rest as BT.601. */
static bool is_bt709(uint32_t encoding, uint32_t colorspace)
{
	if (encoding == V4L2_YCBCR_ENC_DEFAULT)
		return colorspace == V4L2_COLORSPACE_REC709;
	return encoding == V4L2_YCBCR_ENC_709;
}

static int read_format(struct capture_format *to, const struct v4l2_format *f, bool multiplanar)
{
	const struct v4l2_pix_format_mplane *m = &f->fmt.pix_mp;
	const struct v4l2_pix_format *s = &f->fmt.pix;

	if (multiplanar && m->num_planes != 1)
		return -EOPNOTSUPP;
	if (multiplanar)
		*to = (struct capture_format){m->pixelformat,
					      m->width,
					      m->height,
					      m->plane_fmt[0].bytesperline,
					      m->plane_fmt[0].sizeimage,
					      is_bt709(m->ycbcr_enc, m->colorspace)};
	else
		*to = (struct capture_format){
			s->pixelformat,  s->width,     s->height,
			s->bytesperline, s->sizeimage, is_bt709(s->ycbcr_enc, s->colorspace)};
	return 0;
}

static void write_format(struct v4l2_format *f, uint32_t pixels,
			 const struct capture_options *options, bool multiplanar)
{
	struct v4l2_pix_format_mplane *m = &f->fmt.pix_mp;
	struct v4l2_pix_format *s = &f->fmt.pix;

	if (multiplanar) {
		m->pixelformat = pixels;
		m->field = V4L2_FIELD_NONE;
		m->width = options->width ? options->width : m->width;
		m->height = options->height ? options->height : m->height;
		memset(m->plane_fmt, 0, sizeof(m->plane_fmt));
	} else {
		s->pixelformat = pixels;
		s->field = V4L2_FIELD_NONE;
		s->width = options->width ? options->width : s->width;
		s->height = options->height ? options->height : s->height;
		s->bytesperline = s->sizeimage = 0;
	}
}

static int fail_format(const struct capture_device *device, int r)
{
	if (r == -EBUSY)
		warnx("%s is busy: another program captures from it", device->node);
	else if (r == -EOPNOTSUPP)
		warnx("%s gives no format that a picture can be made of", device->node);
	else
		warnx("%s: cannot set the format: %s", device->node, strerror(-r));
	return r;
}

/* The least that a frame takes: the device's own numbers must not lead past the buffer. */
static bool format_holds(const struct capture_format *f)
{
	size_t lines = f->pixels == V4L2_PIX_FMT_NV12 ? f->height + (f->height + 1) / 2 : f->height;
	size_t pixel = 1;

	if (f->pixels == V4L2_PIX_FMT_RGB24 || f->pixels == V4L2_PIX_FMT_BGR24)
		pixel = 3;
	else if (f->pixels == V4L2_PIX_FMT_XRGB32 || f->pixels == V4L2_PIX_FMT_XBGR32)
		pixel = 4;
	else if (f->pixels == V4L2_PIX_FMT_YUYV || f->pixels == V4L2_PIX_FMT_UYVY)
		pixel = 2;
	return f->width && f->height && f->stride >= f->width * pixel &&
	       f->size >= lines * f->stride;
}

static int settle_format(struct capture_device *device, const struct capture_options *options)
{
	struct v4l2_format f = {.type = device->type};
	uint32_t pixels = choose_pixels(device);
	int r;

	if (!pixels)
		return fail_format(device, -EOPNOTSUPP);
	r = capture_ioctl(device->fd, VIDIOC_G_FMT, &f);
	if (r < 0)
		return fail_format(device, r);
	write_format(&f, pixels, options, is_multiplanar(device));
	r = capture_ioctl(device->fd, VIDIOC_S_FMT, &f);
	if (r < 0)
		return fail_format(device, r);
	r = read_format(&device->format, &f, is_multiplanar(device));
	if (r == 0 && (device->format.pixels != pixels || !format_holds(&device->format)))
		r = -EOPNOTSUPP;
	return r < 0 ? fail_format(device, r) : 0;
}

int capture_device_open(struct capture_device *device, const struct capture_options *options)
{
	int r;

	device->node = options->node;
	device->memory = options->mmap ? V4L2_MEMORY_MMAP : V4L2_MEMORY_DMABUF;
	device->fd = open(device->node, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (device->fd < 0) {
		r = -errno;
		warn("%s", device->node);
		return r;
	}
	r = read_capabilities(device);
	return r < 0 ? r : settle_format(device, options);
}

void capture_device_close(struct capture_device *device)
{
	capture_buffers_free(device);
	if (device->fd >= 0)
		close(device->fd);
}
