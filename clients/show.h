/* SPDX-License-Identifier: MIT */
/*
 * What the files of v4l2-show share: a camera, a display, and the buffers that both use.
 *
 * Every function that returns int says on stderr why it fails, and returns a negative number.
 */
#ifndef CLIENTS_SHOW_H
#define CLIENTS_SHOW_H

#include <xf86drmMode.h>

#include "video.h"

struct show_options {
	const char *camera;
	const char *display;
	const char *screenshot; /* path; NULL for none */
	unsigned int frames;
	unsigned int buffers;
	unsigned int timeout;
	unsigned int width; /* of a mode that the display has */
	unsigned int height;
	bool json;
};

/* A screen, by DRM's objects. Closing the node takes framebuffers and handles along. */
struct display {
	const char *node;
	int fd;
	uint32_t connector;
	uint32_t crtc;
	uint32_t plane;
	unsigned int crtc_index;
	drmModeModeInfo mode;
	uint32_t framebuffers[VIDEO_BUFFERS_MAX];
};

/* show-display.c */
int display_open(struct display *display, const char *node);
void display_close(struct display *display);
/* A connector with such a mode, and what leads to it. */
int display_choose(struct display *display, unsigned int width, unsigned int height);
/* A framebuffer of a dma-buf, whose pixels are DRM_FORMAT_XRGB8888. */
int display_import(const struct display *display, int dmabuf, unsigned int stride, uint32_t *ret);
/* The first frame sets the mode, and is on the screen afterwards. */
int display_start(const struct display *display, uint32_t framebuffer);
/* At the next turn of the screen; then the node can be read. */
int display_flip(const struct display *display, uint32_t framebuffer);
/* Take the event of a flip: the frame that was asked for is on the screen, the one before is not. */
int display_flipped(const struct display *display);
/* 0 if the object has no such property; says nothing. */
uint32_t display_property(const struct display *display, uint32_t object, uint32_t type,
			  const char *name);

/* show-screenshot.c: what is on the screen, by a writeback connector, to a PNG file. */
int display_screenshot(const struct display *display, const char *path);

/* show-stream.c */
struct show_count {
	unsigned int shown;
	unsigned int skipped; /* came while another frame waited for the screen */
};

int show_stream(const struct video_queue *camera, const struct display *display,
		const struct show_options *options, struct show_count *ret);

#endif
