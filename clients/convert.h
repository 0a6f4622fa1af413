/* SPDX-License-Identifier: MIT */
/*
 * What the files of v4l2-convert share: a device with frames going into it and others coming out,
 * both in memory of dmabufd.
 */
#ifndef CLIENTS_CONVERT_H
#define CLIENTS_CONVERT_H

#include <stdio.h>

#include "video.h"

struct convert_options {
	const char *node;
	const char *input;
	const char *output;
	uint32_t from; /* V4L2_PIX_FMT_* */
	uint32_t to;
	unsigned int width; /* of the frames in the input; 0: as the device is set */
	unsigned int height;
	unsigned int buffers;
	unsigned int timeout;
	bool json;
	bool list;
};

struct converter {
	struct video_device device;
	struct video_queue source;      /* V4L2's output: frames go into the device */
	struct video_queue destination; /* V4L2's capture: they come out */
	FILE *input;
	FILE *output;
	bool decodes; /* the source tells itself how large its frames are */
	bool at_end;  /* of the input */
	bool told;    /* the device knows of it, and will flag its last frame */
	unsigned int put;
	unsigned int taken;
};

/* Every function that returns int says on stderr why it fails, and returns a negative number. */

/* convert-device.c: that it converts, formats, buffers. */
int convert_open(struct converter *converter, const struct convert_options *options);
int convert_prepare_source(struct converter *converter, const struct convert_options *options);
/* Of a decoder, after it has seen the first frame. */
int convert_prepare_destination(struct converter *converter, const struct convert_options *options);
void convert_close(struct converter *converter);

/* convert-stream.c: all of the input through the device. */
int convert_stream(struct converter *converter, const struct convert_options *options);

#endif
