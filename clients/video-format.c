/* SPDX-License-Identifier: MIT */
/*
 * Formats of a queue: which there are, which is set, and to set one. Knows no buffer.
 */
#include <err.h>
#include <errno.h>
#include <string.h>

#include "video.h"

bool video_is_multiplanar(const struct video_queue *queue)
{
	return V4L2_TYPE_IS_MULTIPLANAR(queue->type);
}

bool video_format_next(const struct video_queue *queue, unsigned int index,
		       struct v4l2_fmtdesc *ret)
{
	*ret = (struct v4l2_fmtdesc){.index = index, .type = queue->type};
	return video_ioctl(queue->device->fd, VIDIOC_ENUM_FMT, ret) == 0;
}

bool video_format_is_offered(const struct video_queue *queue, uint32_t pixels)
{
	struct v4l2_fmtdesc found;

	for (unsigned int i = 0; video_format_next(queue, i, &found); i++)
		if (found.pixelformat == pixels)
			return true;
	return false;
}

/* A device may colour as it likes where it says nothing: HD as BT.709, the rest as BT.601. */
static bool is_bt709(uint32_t encoding, uint32_t colorspace)
{
	if (encoding == V4L2_YCBCR_ENC_DEFAULT)
		return colorspace == V4L2_COLORSPACE_REC709;
	return encoding == V4L2_YCBCR_ENC_709;
}

static bool is_full_range(uint32_t quantization, uint32_t colorspace)
{
	if (quantization == V4L2_QUANTIZATION_DEFAULT)
		return colorspace == V4L2_COLORSPACE_JPEG;
	return quantization == V4L2_QUANTIZATION_FULL_RANGE;
}

static struct video_format from_single(const struct v4l2_pix_format *f)
{
	return (struct video_format){
		.pixels = f->pixelformat,
		.width = f->width,
		.height = f->height,
		.bt709 = is_bt709(f->ycbcr_enc, f->colorspace),
		.full_range = is_full_range(f->quantization, f->colorspace),
		.n_planes = 1,
		.planes = {{f->bytesperline, f->sizeimage}},
	};
}

static struct video_format from_multi(const struct v4l2_pix_format_mplane *f)
{
	struct video_format to = {
		.pixels = f->pixelformat,
		.width = f->width,
		.height = f->height,
		.bt709 = is_bt709(f->ycbcr_enc, f->colorspace),
		.full_range = is_full_range(f->quantization, f->colorspace),
		.n_planes = f->num_planes < VIDEO_MAX_PLANES ? f->num_planes : VIDEO_MAX_PLANES,
	};

	for (unsigned int i = 0; i < to.n_planes; i++) {
		to.planes[i].stride = f->plane_fmt[i].bytesperline;
		to.planes[i].size = f->plane_fmt[i].sizeimage;
	}
	return to;
}

static void read_format(struct video_queue *queue, const struct v4l2_format *f)
{
	queue->format =
		video_is_multiplanar(queue) ? from_multi(&f->fmt.pix_mp) : from_single(&f->fmt.pix);
}

static void write_format(struct v4l2_format *f, uint32_t pixels, unsigned int width,
			 unsigned int height)
{
	struct v4l2_pix_format_mplane *m = &f->fmt.pix_mp;
	struct v4l2_pix_format *s = &f->fmt.pix;

	if (V4L2_TYPE_IS_MULTIPLANAR(f->type)) {
		m->pixelformat = pixels;
		m->field = V4L2_FIELD_NONE;
		m->width = width ? width : m->width;
		m->height = height ? height : m->height;
		memset(m->plane_fmt, 0, sizeof(m->plane_fmt));
	} else {
		s->pixelformat = pixels;
		s->field = V4L2_FIELD_NONE;
		s->width = width ? width : s->width;
		s->height = height ? height : s->height;
		s->bytesperline = s->sizeimage = 0;
	}
}

static int fail_format(const struct video_queue *queue, int r)
{
	const char *node = queue->device->node;

	if (r == -EBUSY)
		warnx("%s is busy: another program uses it", node);
	else
		warnx("%s: cannot set the format: %s", node, strerror(-r));
	return r;
}

static int get_format(const struct video_queue *queue, struct v4l2_format *f)
{
	int r;

	*f = (struct v4l2_format){.type = queue->type};
	r = video_ioctl(queue->device->fd, VIDIOC_G_FMT, f);
	return r < 0 ? fail_format(queue, r) : 0;
}

int video_format_get(struct video_queue *queue)
{
	struct v4l2_format f;
	int r = get_format(queue, &f);

	if (r == 0)
		read_format(queue, &f);
	return r;
}

int video_format_set(struct video_queue *queue, uint32_t pixels, unsigned int width,
		     unsigned int height)
{
	char wanted[VIDEO_FOURCC_SIZE], got[VIDEO_FOURCC_SIZE];
	struct v4l2_format f;
	int r = get_format(queue, &f);

	if (r < 0)
		return r;
	write_format(&f, pixels, width, height);
	r = video_ioctl(queue->device->fd, VIDIOC_S_FMT, &f);
	if (r < 0)
		return fail_format(queue, r);
	read_format(queue, &f);
	if (queue->format.pixels == pixels)
		return 0;
	video_fourcc_format(pixels, wanted);
	video_fourcc_format(queue->format.pixels, got);
	warnx("%s gives no %s, but %s", queue->device->node, wanted, got);
	return -EOPNOTSUPP;
}
