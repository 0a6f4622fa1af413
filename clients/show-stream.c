/* SPDX-License-Identifier: MIT */
/*
 * Frames from the camera to the screen, none of them copied: a buffer is the camera's until it has a
 * frame, the display's until the next frame is on the screen, and the camera's again.
 */
#include <err.h>
#include <errno.h>
#include <poll.h>

#include "show.h"

#define NONE UINT32_MAX

struct stream {
	const struct video_queue *camera;
	const struct display *display;
	const struct show_options *options;
	struct show_count *count;
	uint32_t on_screen; /* number of a buffer, or NONE */
	uint32_t next;      /* it waits for the screen */
};

static int give_back(const struct stream *stream, uint32_t index)
{
	if (index == NONE)
		return 0;
	return video_queue_put(stream->camera, &(struct video_frame){.index = index});
}

static int show(struct stream *stream, uint32_t index)
{
	uint32_t framebuffer = stream->display->framebuffers[index];
	int r;

	if (stream->on_screen == NONE) {
		r = display_start(stream->display, framebuffer);
		stream->on_screen = index;
	} else {
		r = display_flip(stream->display, framebuffer);
		stream->next = index;
	}
	stream->count->shown += r == 0;
	return r;
}

static int take_frame(struct stream *stream)
{
	struct video_frame frame;
	int r = video_queue_take(stream->camera, &frame);

	if (r < 0)
		return r == -EAGAIN ? 0 : r;
	if (frame.flags & V4L2_BUF_FLAG_ERROR)
		return give_back(stream, frame.index);
	if (stream->next == NONE && stream->count->shown < stream->options->frames)
		return show(stream, frame.index);
	stream->count->skipped++;
	return give_back(stream, frame.index);
}

static int take_flip(struct stream *stream)
{
	uint32_t before = stream->on_screen;
	int r = display_flipped(stream->display);

	if (r < 0)
		return r;
	stream->on_screen = stream->next;
	stream->next = NONE;
	return give_back(stream, before);
}

static int turn(struct stream *stream)
{
	struct pollfd fds[] = {{.fd = stream->camera->device->fd, .events = POLLIN},
			       {.fd = stream->display->fd, .events = POLLIN}};
	int r = poll(fds, 2, (int)stream->options->timeout * 1000);

	if (r < 0 && errno != EINTR) {
		warn("cannot wait for frames");
		return -EIO;
	}
	if (r == 0) {
		warnx("nothing happened for %u s; %u frames shown", stream->options->timeout,
		      stream->count->shown);
		return -ETIMEDOUT;
	}
	if (r < 0)
		return 0;
	r = fds[1].revents ? take_flip(stream) : 0;
	return r == 0 && fds[0].revents ? take_frame(stream) : r;
}

static int start(const struct stream *stream)
{
	int r = 0;

	for (unsigned int i = 0; i < stream->camera->n_buffers && r == 0; i++)
		r = give_back(stream, i);
	return r < 0 ? r : video_queue_start(stream->camera);
}

/* Ends with the last frame on the screen. */
int show_stream(const struct video_queue *camera, const struct display *display,
		const struct show_options *options, struct show_count *ret)
{
	struct stream stream = {camera, display, options, ret, NONE, NONE};
	int r = start(&stream);

	while (r == 0 && (ret->shown < options->frames || stream.next != NONE))
		r = turn(&stream);
	video_queue_stop(camera);
	return r;
}
