/* SPDX-License-Identifier: MIT */
/*
 * What the files of v4l2-capture share: what is asked for, the cameras, what they gave.
 */
#ifndef CLIENTS_CAPTURE_H
#define CLIENTS_CAPTURE_H

#include "capture-count.h"
#include "picture.h"
#include "video.h"

#define CAPTURE_CAMERAS_MAX 16

struct capture_options {
	const char *nodes[CAPTURE_CAMERAS_MAX];
	unsigned int n_nodes;
	const char *folder;
	const char *prefix;
	unsigned int frames;
	unsigned int buffers;
	unsigned int every; /* a picture of each so manieth frame; 0: of the last alone */
	unsigned int timeout;
	uint32_t pixels;    /* V4L2_PIX_FMT_*; 0: the best that a picture can be made of */
	unsigned int width; /* 0: as the device is set */
	unsigned int height;
	enum picture_type type;
	bool mmap;
	bool json;
	bool list; /* formats, and capture nothing */
};

struct capture_camera {
	struct video_device device;
	struct video_queue queue;
	struct capture_count count;
	int64_t deadline;  /* for the next frame, milliseconds */
	void *copy;        /* room for one frame */
	char *prefix_part; /* what its pictures' names have after the prefix, owned; or NULL */
	char **pictures;   /* paths, owned as the array is */
	unsigned int n_pictures;
};

/* Every function that returns int says on stderr why it fails, and returns a negative number. */

/* capture-camera.c: from a node to buffers that can be queued. */
int capture_camera_open(struct capture_camera *camera, const char *node);
int capture_camera_prepare(struct capture_camera *camera, const struct capture_options *options);
void capture_camera_close(struct capture_camera *camera);

/* capture-stream.c: frames of all cameras, until each has given as many as wanted. */
int capture_stream(struct capture_camera *cameras, const struct capture_options *options);

/* capture-report.c: what was captured, of all cameras. */
int capture_report(const struct capture_camera *cameras, const struct capture_options *options);

#endif
