/* SPDX-License-Identifier: MIT */
/*
 * Memory for frames: granted by dmabufd for the devices that share it, each plane apart, or the
 * device's own for comparison.
 */
#include <err.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "video.h"

/* Buffers in one request to dmabufd. */
#define AT_ONCE 14

/* How many buffers the device really wants goes to queue->n_buffers. */
static int request_buffers(struct video_queue *queue, unsigned int count)
{
	struct v4l2_requestbuffers wanted = {
		.count = count, .type = queue->type, .memory = queue->memory};
	const char *node = queue->device->node;
	int r = video_ioctl(queue->device->fd, VIDIOC_REQBUFS, &wanted);

	if (r == -EBUSY)
		warnx("%s is busy: another program uses it", node);
	else if (r == -EINVAL && queue->memory == V4L2_MEMORY_DMABUF)
		warnx("%s does not import buffers", node);
	else if (r < 0)
		warnx("%s: cannot request buffers: %s", node, strerror(-r));
	if (r < 0)
		return r;
	if (wanted.count == 0 || wanted.count > VIDEO_BUFFERS_MAX) {
		warnx("%s wants %u buffers", node, wanted.count);
		return -EINVAL;
	}
	queue->n_buffers = wanted.count;
	return 0;
}

/* Where the device shows each plane of one of its own buffers. */
static int query_planes(const struct video_queue *queue, unsigned int index,
			struct v4l2_plane planes[static VIDEO_MAX_PLANES])
{
	struct v4l2_buffer b = {.type = queue->type, .memory = queue->memory, .index = index};
	int r;

	memset(planes, 0, VIDEO_MAX_PLANES * sizeof(*planes));
	if (video_is_multiplanar(queue)) {
		b.m.planes = planes;
		b.length = VIDEO_MAX_PLANES;
	}
	r = video_ioctl(queue->device->fd, VIDIOC_QUERYBUF, &b);
	if (r == 0 && !video_is_multiplanar(queue)) {
		planes[0].length = b.length;
		planes[0].m.mem_offset = b.m.offset;
	}
	if (r < 0)
		warnx("%s: no buffer %u: %s", queue->device->node, index, strerror(-r));
	return r;
}

static int map_own_planes(struct video_queue *queue, unsigned int index)
{
	struct v4l2_plane planes[VIDEO_MAX_PLANES];
	int r = query_planes(queue, index, planes);

	if (r < 0)
		return r;
	for (unsigned int p = 0; p < queue->format.n_planes; p++) {
		struct video_memory *memory = &queue->buffers[index][p];
		void *map = mmap(NULL, planes[p].length, PROT_READ | PROT_WRITE, MAP_SHARED,
				 queue->device->fd, planes[p].m.mem_offset);

		if (map == MAP_FAILED) {
			warn("%s: cannot map buffer %u", queue->device->node, index);
			return -ENOMEM;
		}
		*memory = (struct video_memory){.map = map, .size = planes[p].length};
	}
	return 0;
}

static int map_own(struct video_queue *queue)
{
	int r = 0;

	for (unsigned int i = 0; i < queue->n_buffers && r == 0; i++)
		r = map_own_planes(queue, i);
	return r;
}

static int add_devices(struct dmabuf_request *request, const char *node, const char *const *others)
{
	int r = dmabuf_request_add_device(request, node);

	if (r < 0)
		warnx("%s: %s", node, strerror(-r));
	for (; r == 0 && others && *others; others++) {
		r = dmabuf_request_add_device(request, *others);
		if (r < 0)
			warnx("%s: %s", *others, strerror(-r));
	}
	return r;
}

static int make_request(const struct video_queue *queue, const struct video_wish *wish,
			struct dmabuf_request **ret)
{
	int r = dmabuf_request_new(ret);

	if (r == 0)
		r = dmabuf_request_set_name(*ret, wish->name);
	if (r == 0)
		r = dmabuf_request_set_usage(*ret, wish->usage);
	if (r < 0)
		warnx("cannot ask for buffers: %s", strerror(-r));
	return r < 0 ? r : add_devices(*ret, queue->device->node, wish->nodes);
}

/* One plane of every buffer. */
static int allocate_plane(struct video_queue *queue, unsigned int plane, struct dmabuf *conn,
			  struct dmabuf_request *request)
{
	struct dmabuf_buffer *granted[AT_ONCE];

	if (dmabuf_request_set_size(request, queue->format.planes[plane].size) < 0) {
		warnx("%s has frames of no size", queue->device->node);
		return -EINVAL;
	}
	for (unsigned int i = 0; i < queue->n_buffers;) {
		unsigned int n = queue->n_buffers - i < AT_ONCE ? queue->n_buffers - i : AT_ONCE;
		int r = dmabuf_allocate(conn, request, granted, n);

		if (r < 0) {
			warnx("%s", dmabuf_error(conn));
			return r;
		}
		for (unsigned int k = 0; k < n; k++, i++)
			queue->buffers[i][plane] = (struct video_memory){
				.granted = granted[k],
				.size = dmabuf_buffer_get_size(granted[k]),
			};
	}
	return 0;
}

static int map_granted(struct video_queue *queue)
{
	for (unsigned int i = 0; i < queue->n_buffers; i++) {
		for (unsigned int p = 0; p < queue->format.n_planes; p++) {
			struct video_memory *memory = &queue->buffers[i][p];
			int r = dmabuf_buffer_map(memory->granted, &memory->map);

			if (r < 0) {
				warnx("cannot map buffer %u: %s", i, strerror(-r));
				return r;
			}
		}
	}
	return 0;
}

static int get_granted(struct video_queue *queue, const struct video_wish *wish)
{
	struct dmabuf_request *request = NULL;
	struct dmabuf *conn = NULL;
	int r = dmabuf_connect(&conn);

	if (r < 0) {
		warnx("%s", dmabuf_error(NULL));
		return r;
	}
	r = make_request(queue, wish, &request);
	for (unsigned int p = 0; p < queue->format.n_planes && r == 0; p++)
		r = allocate_plane(queue, p, conn, request);
	dmabuf_request_free(request);
	/* Buffers need no connection. */
	dmabuf_disconnect(conn);
	return r < 0 ? r : map_granted(queue);
}

int video_buffers_get(struct video_queue *queue, const struct video_wish *wish)
{
	int r = request_buffers(queue, wish->count);

	if (r < 0)
		return r;
	return queue->memory == V4L2_MEMORY_MMAP ? map_own(queue) : get_granted(queue, wish);
}

void video_buffers_free(struct video_queue *queue)
{
	for (unsigned int i = 0; i < queue->n_buffers; i++) {
		for (unsigned int p = 0; p < VIDEO_MAX_PLANES; p++) {
			struct video_memory *memory = &queue->buffers[i][p];

			if (!memory->granted && memory->map)
				munmap(memory->map, memory->size);
			dmabuf_buffer_free(memory->granted);
			*memory = (struct video_memory){0};
		}
	}
	queue->n_buffers = 0;
}

static int for_planes(const struct video_queue *queue, unsigned int index, unsigned int access,
		      int (*call)(struct dmabuf_buffer *buffer, unsigned int access))
{
	for (unsigned int p = 0; p < queue->format.n_planes; p++) {
		struct dmabuf_buffer *granted = queue->buffers[index][p].granted;
		int r = granted ? call(granted, access) : 0;

		if (r < 0) {
			warnx("cannot access buffer %u: %s", index, strerror(-r));
			return r;
		}
	}
	return 0;
}

int video_buffer_begin(const struct video_queue *queue, unsigned int index, unsigned int access)
{
	return for_planes(queue, index, access, dmabuf_buffer_begin_access);
}

int video_buffer_end(const struct video_queue *queue, unsigned int index, unsigned int access)
{
	return for_planes(queue, index, access, dmabuf_buffer_end_access);
}
