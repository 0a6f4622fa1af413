/* SPDX-License-Identifier: MIT */
/*
 * What the files of v4l2-capture share: what is asked for, the device, its buffers.
 */
#ifndef CLIENTS_CAPTURE_H
#define CLIENTS_CAPTURE_H

#include <dmabuf.h>
#include <linux/videodev2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CAPTURE_BUFFERS_MAX VIDEO_MAX_FRAME

struct capture_options {
	const char *node;
	const char *folder;
	const char *prefix;
	unsigned int frames;
	unsigned int buffers;
	unsigned int every; /* a picture of each so manieth frame; 0: of the last alone */
	unsigned int timeout;
	unsigned int width; /* 0: as the device is set */
	unsigned int height;
	bool mmap;
	bool json;
};

/* How the bytes of a frame lie. All functions that take it take the bytes apart. */
struct capture_format {
	uint32_t pixels; /* V4L2_PIX_FMT_* */
	unsigned int width;
	unsigned int height;
	unsigned int stride; /* bytes from one line to the next */
	size_t size;
	bool bt709;
};

/* One buffer: granted by dmabufd, or the device's own. */
struct capture_buffer {
	struct dmabuf_buffer *granted; /* NULL: the device's own */
	void *map;
	size_t size;
};

struct capture_device {
	const char *node;
	int fd;
	uint32_t type;   /* V4L2_BUF_TYPE_VIDEO_CAPTURE, or _MPLANE with one plane of memory */
	uint32_t memory; /* V4L2_MEMORY_* */
	char driver[17];
	char card[33];
	struct capture_format format;
	struct capture_buffer buffers[CAPTURE_BUFFERS_MAX];
	unsigned int n_buffers;
};

/* What came of it. */
struct capture_result {
	unsigned int frames;
	unsigned int dropped;
	char **pictures;
	unsigned int n_pictures;
};

/* Every function that returns int says on stderr why it fails, and returns a negative number. */

/* capture-device.c: the device and its format. */
int capture_device_open(struct capture_device *device, const struct capture_options *options);
void capture_device_close(struct capture_device *device);
int capture_ioctl(int fd, unsigned long request, void *argument);

/* capture-buffers.c: memory for frames. */
int capture_buffers_get(struct capture_device *device, const struct capture_options *options);
void capture_buffers_free(struct capture_device *device);
/* Copy a frame out, so that the CPU sees what the device wrote. */
int capture_buffer_read(const struct capture_device *device, unsigned int index, void *frame);

/* capture-stream.c: frames. */
int capture_stream(struct capture_device *device, const struct capture_options *options,
		   struct capture_result *result);

/* capture-pixels.c: formats that pictures can be made of, the best first; 0 ends the list. */
extern const uint32_t capture_pixel_formats[];
/* 24-bit RGB of a whole frame. */
void capture_pixels_convert(const struct capture_format *format, const uint8_t *frame,
			    uint8_t *rgb);

/* capture-report.c: pictures and the report. */
int capture_write_picture(const struct capture_options *options,
			  const struct capture_format *format, const void *frame,
			  unsigned int number, struct capture_result *result);
int capture_report(const struct capture_device *device, const struct capture_options *options,
		   const struct capture_result *result);
void capture_result_free(struct capture_result *result);

#endif
