/* SPDX-License-Identifier: MIT */
/*
 * Frames: queue the buffers, start, take frame after frame of whichever camera has one, and make
 * pictures of some. A buffer goes back to its camera before its copy becomes a picture, which takes
 * longer than a frame.
 */
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "capture.h"
#include "cleanup.h"

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool is_done(const struct capture_camera *camera, const struct capture_options *options)
{
	return camera->count.frames >= options->frames;
}

static bool wants_picture(const struct capture_options *options, unsigned int number)
{
	unsigned int every = options->every;

	return every ? number % every == 0 : number + 1 == options->frames;
}

static int copy_frame(struct capture_camera *camera, const struct video_frame *frame,
		      struct picture_frame *ret)
{
	const struct video_queue *queue = &camera->queue;
	uint8_t *to = camera->copy;
	int r = video_buffer_begin(queue, frame->index, DMABUF_ACCESS_READ);

	if (r < 0)
		return r;
	for (unsigned int p = 0; p < queue->format.n_planes; p++) {
		const uint8_t *map = queue->buffers[frame->index][p].map;

		memcpy(to, map + frame->offset[p], frame->used[p]);
		ret->planes[p] = to;
		ret->used[p] = frame->used[p];
		to += frame->used[p];
	}
	return video_buffer_end(queue, frame->index, DMABUF_ACCESS_READ);
}

static int keep_path(struct capture_camera *camera, char *path)
{
	char **pictures = reallocarray(camera->pictures, camera->n_pictures + 1, sizeof(char *));

	if (!pictures) {
		warn("cannot keep the name of a picture");
		return -ENOMEM;
	}
	camera->pictures = pictures;
	camera->pictures[camera->n_pictures++] = path;
	return 0;
}

static int write_picture(struct capture_camera *camera, const struct capture_options *options,
			 const struct picture_frame *frame, unsigned int number)
{
	_cleanup_free_ char *path = NULL;
	int r;

	if (asprintf(&path, "%s/%s%s-%03u.%s", options->folder, options->prefix,
		     camera->prefix_part ? camera->prefix_part : "", number,
		     picture_type_name(options->type)) < 0) {
		path = NULL;
		warn("cannot make a picture");
		return -ENOMEM;
	}
	r = picture_write(path, options->type, &camera->queue.format, frame);
	if (r == 0)
		r = keep_path(camera, path);
	if (r == 0)
		TAKE_PTR(path);
	return r;
}

static int use_frame(struct capture_camera *camera, const struct capture_options *options,
		     const struct video_frame *frame)
{
	unsigned int number = camera->count.frames;
	bool picture = wants_picture(options, number);
	struct picture_frame copy;
	int r = 0;

	capture_count_frame(&camera->count, frame);
	if (picture)
		r = copy_frame(camera, frame, &copy);
	if (r == 0)
		r = video_queue_put(&camera->queue, frame);
	return r == 0 && picture ? write_picture(camera, options, &copy, number) : r;
}

/* A damaged frame is dropped, and does not count as a sign of life. */
static int take_frame(struct capture_camera *camera, const struct capture_options *options)
{
	struct video_frame frame;
	int r = video_queue_take(&camera->queue, &frame);

	if (r == -EAGAIN)
		return 0;
	if (r == 0 && frame.flags & V4L2_BUF_FLAG_ERROR)
		return video_queue_put(&camera->queue, &frame);
	if (r == 0)
		r = use_frame(camera, options, &frame);
	camera->deadline = now() + (int64_t)options->timeout * 1000;
	return r;
}

static int fail_stalled(const struct capture_camera *camera, const struct capture_options *options)
{
	warnx("%s gave no frame for %u s; %u of %u frames captured", camera->device.node,
	      options->timeout, camera->count.frames, options->frames);
	return -ETIMEDOUT;
}

/* Milliseconds until the first camera that is not done has been silent for too long. */
static int patience(const struct capture_camera *cameras, const struct capture_options *options)
{
	int64_t first = INT64_MAX, rest;

	for (unsigned int i = 0; i < options->n_nodes; i++)
		if (!is_done(&cameras[i], options) && cameras[i].deadline < first)
			first = cameras[i].deadline;
	rest = first - now();
	return rest > 0 ? (int)rest : 0;
}

static int serve(struct capture_camera *camera, const struct capture_options *options,
		 short revents)
{
	if (is_done(camera, options))
		return 0;
	if (revents)
		return take_frame(camera, options);
	return now() >= camera->deadline ? fail_stalled(camera, options) : 0;
}

/* One turn: wait, then at most one frame of each camera. */
static int serve_all(struct capture_camera *cameras, const struct capture_options *options)
{
	struct pollfd fds[CAPTURE_CAMERAS_MAX];
	int r;

	for (unsigned int i = 0; i < options->n_nodes; i++)
		fds[i] = (struct pollfd){.fd = is_done(&cameras[i], options) ? -1
									     : cameras[i].device.fd,
					 .events = POLLIN};
	r = poll(fds, options->n_nodes, patience(cameras, options));
	if (r < 0 && errno != EINTR) {
		warn("cannot wait for frames");
		return -EIO;
	}
	if (r < 0)
		return 0;
	r = 0;
	for (unsigned int i = 0; i < options->n_nodes && r == 0; i++)
		r = serve(&cameras[i], options, fds[i].revents);
	return r;
}

static int start(struct capture_camera *camera, const struct capture_options *options)
{
	int r = 0;

	for (unsigned int i = 0; i < camera->queue.n_buffers && r == 0; i++)
		r = video_queue_put(&camera->queue, &(struct video_frame){.index = i});
	if (r == 0)
		r = video_queue_start(&camera->queue);
	camera->deadline = now() + (int64_t)options->timeout * 1000;
	return r;
}

static bool all_done(const struct capture_camera *cameras, const struct capture_options *options)
{
	for (unsigned int i = 0; i < options->n_nodes; i++)
		if (!is_done(&cameras[i], options))
			return false;
	return true;
}

int capture_stream(struct capture_camera *cameras, const struct capture_options *options)
{
	int r = 0;

	for (unsigned int i = 0; i < options->n_nodes && r == 0; i++)
		r = start(&cameras[i], options);
	while (r == 0 && !all_done(cameras, options))
		r = serve_all(cameras, options);
	/* Also those that did not start: buffers that are queued come back. */
	for (unsigned int i = 0; i < options->n_nodes; i++)
		video_queue_stop(&cameras[i].queue);
	return r;
}
