/* SPDX-License-Identifier: MIT */
/*
 * Buffers into a queue and out of it again.
 */
#include <err.h>
#include <errno.h>
#include <string.h>

#include "video.h"

static int fail_put(const struct video_queue *queue, unsigned int index, int r)
{
	const char *node = queue->device->node;

	if (queue->memory == V4L2_MEMORY_DMABUF && (r == -EFAULT || r == -EINVAL))
		warnx("the device refused the buffer: %s cannot use the memory of buffer %u (%s); "
		      "compare dmabufctl explain %s --size %zu with what the kernel log says",
		      node, index, strerror(-r), node, queue->format.planes[0].size);
	else
		warnx("%s: cannot queue buffer %u: %s", node, index, strerror(-r));
	return r;
}

/* What is in the buffer matters on its way in only. */
static void write_planes(const struct video_queue *queue, const struct video_frame *frame,
			 struct v4l2_plane planes[static VIDEO_MAX_PLANES])
{
	for (unsigned int p = 0; p < queue->format.n_planes; p++) {
		const struct video_memory *memory = &queue->buffers[frame->index][p];

		planes[p].length = (uint32_t)memory->size;
		if (memory->granted)
			planes[p].m.fd = dmabuf_buffer_get_fd(memory->granted);
		if (V4L2_TYPE_IS_OUTPUT(queue->type)) {
			planes[p].data_offset = (uint32_t)frame->offset[p];
			planes[p].bytesused = (uint32_t)(frame->offset[p] + frame->used[p]);
		}
	}
}

int video_queue_put(const struct video_queue *queue, const struct video_frame *frame)
{
	struct v4l2_plane planes[VIDEO_MAX_PLANES] = {0};
	struct v4l2_buffer b = {
		.type = queue->type, .memory = queue->memory, .index = frame->index};
	int r;

	write_planes(queue, frame, planes);
	if (video_is_multiplanar(queue)) {
		b.m.planes = planes;
		b.length = queue->format.n_planes;
	} else {
		b.length = planes[0].length;
		b.bytesused = planes[0].bytesused;
		if (queue->memory == V4L2_MEMORY_DMABUF)
			b.m.fd = planes[0].m.fd;
	}
	if (V4L2_TYPE_IS_OUTPUT(queue->type))
		b.timestamp = frame->time;
	r = video_ioctl(queue->device->fd, VIDIOC_QBUF, &b);
	return r < 0 ? fail_put(queue, frame->index, r) : 0;
}

/* The device's own numbers must not lead past the buffer. */
static void read_plane(struct video_frame *to, unsigned int plane, size_t size, size_t offset,
		       size_t used)
{
	used = used < size ? used : size;
	to->offset[plane] = offset < used ? offset : used;
	to->used[plane] = used - to->offset[plane];
}

int video_queue_take(const struct video_queue *queue, struct video_frame *ret)
{
	struct v4l2_plane planes[VIDEO_MAX_PLANES] = {0};
	struct v4l2_buffer b = {.type = queue->type, .memory = queue->memory};
	int r;

	if (video_is_multiplanar(queue)) {
		b.m.planes = planes;
		b.length = queue->format.n_planes;
	}
	r = video_ioctl(queue->device->fd, VIDIOC_DQBUF, &b);
	if (r < 0 && r != -EAGAIN)
		warnx("%s: cannot take a frame: %s", queue->device->node, strerror(-r));
	if (r < 0)
		return r;
	*ret = (struct video_frame){
		.index = b.index, .sequence = b.sequence, .flags = b.flags, .time = b.timestamp};
	if (!video_is_multiplanar(queue))
		planes[0].bytesused = b.bytesused;
	for (unsigned int p = 0; p < queue->format.n_planes; p++)
		read_plane(ret, p, queue->buffers[b.index][p].size, planes[p].data_offset,
			   planes[p].bytesused);
	return 0;
}

int video_queue_start(const struct video_queue *queue)
{
	int type = (int)queue->type;
	int r = video_ioctl(queue->device->fd, VIDIOC_STREAMON, &type);

	if (r < 0)
		warnx("%s: cannot start: %s", queue->device->node, strerror(-r));
	return r;
}

void video_queue_stop(const struct video_queue *queue)
{
	int type = (int)queue->type;

	video_ioctl(queue->device->fd, VIDIOC_STREAMOFF, &type);
}
