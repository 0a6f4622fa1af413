/* SPDX-License-Identifier: MIT */
/*
 * What programs need of V4L2: a device, one or two queues of it, their formats, and buffers from
 * dmabufd to queue. Knows neither what frames show nor what becomes of them.
 *
 * Every function that returns int says on stderr why it fails, and returns a negative errno; those
 * that leave it to the caller say so.
 */
#ifndef CLIENTS_VIDEO_H
#define CLIENTS_VIDEO_H

#include <dmabuf.h>
#include <linux/videodev2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define VIDEO_BUFFERS_MAX VIDEO_MAX_FRAME

struct video_device {
	const char *node;
	int fd;
	uint32_t can; /* V4L2_CAP_* of this node */
	char driver[17];
	char card[33];
};

/* How the bytes of a frame lie. */
struct video_format {
	uint32_t pixels; /* V4L2_PIX_FMT_* */
	unsigned int width;
	unsigned int height;
	bool bt709;
	bool full_range;
	unsigned int n_planes; /* each in memory of its own */
	struct {
		unsigned int stride; /* bytes from one line to the next */
		size_t size;
	} planes[VIDEO_MAX_PLANES];
};

/* Memory of one plane: granted by dmabufd, or the device's own. */
struct video_memory {
	struct dmabuf_buffer *granted; /* NULL: the device's own */
	void *map;
	size_t size;
};

/* Frames one way: out of the device, or into it. All zero at first, but for device and type. */
struct video_queue {
	struct video_device *device;
	uint32_t type;   /* V4L2_BUF_TYPE_VIDEO_{CAPTURE,OUTPUT}, or that with _MPLANE */
	uint32_t memory; /* V4L2_MEMORY_DMABUF or _MMAP */
	struct video_format format;
	struct video_memory buffers[VIDEO_BUFFERS_MAX][VIDEO_MAX_PLANES];
	unsigned int n_buffers;
};

/* A buffer on its way into a queue or out of it. */
struct video_frame {
	unsigned int index;
	uint32_t sequence;
	uint32_t flags;
	struct timeval time;
	/* Of each plane: where the picture begins, and how many bytes it has from there. */
	size_t offset[VIDEO_MAX_PLANES];
	size_t used[VIDEO_MAX_PLANES];
};

/* What buffers are asked for, apart from their size. */
struct video_wish {
	unsigned int count;
	unsigned int usage;       /* DMABUF_USAGE_* */
	const char *name;         /* their label */
	const char *const *nodes; /* other devices that share them; NULL ends the list; or NULL */
};

/* video-device.c */
int video_device_open(struct video_device *device, const char *node);
void video_device_close(struct video_device *device);
/* -errno; says nothing. */
int video_ioctl(int fd, unsigned long request, void *argument);

/* video-format.c */
bool video_is_multiplanar(const struct video_queue *queue);
/* Of ENUM_FMT; false past the last. */
bool video_format_next(const struct video_queue *queue, unsigned int index,
		       struct v4l2_fmtdesc *ret);
bool video_format_is_offered(const struct video_queue *queue, uint32_t pixels);
/* As the device is set. */
int video_format_get(struct video_queue *queue);
/*
 * To these pixels, and the nearest size that the device has; 0: as it is set. Another format than
 * the one that is wanted fails.
 */
int video_format_set(struct video_queue *queue, uint32_t pixels, unsigned int width,
		     unsigned int height);

/* video-buffers.c: for each plane of each buffer a buffer of dmabufd, or the device's own memory. */
int video_buffers_get(struct video_queue *queue, const struct video_wish *wish);
void video_buffers_free(struct video_queue *queue);
/* Between these the CPU may use the maps of a buffer. */
int video_buffer_begin(const struct video_queue *queue, unsigned int index, unsigned int access);
int video_buffer_end(const struct video_queue *queue, unsigned int index, unsigned int access);

/* video-queue.c */
/* Of a frame, what goes into the device counts; a camera takes the buffer's number alone. */
int video_queue_put(const struct video_queue *queue, const struct video_frame *frame);
/* -EAGAIN, in silence, while there is none. */
int video_queue_take(const struct video_queue *queue, struct video_frame *ret);
int video_queue_start(const struct video_queue *queue);
/* Buffers that are queued come back. */
void video_queue_stop(const struct video_queue *queue);

/* video-fourcc.c, which is pure: "YUYV", "Y16 " and "Y16 -BE" as V4L2's tools write them. */
#define VIDEO_FOURCC_SIZE 8
void video_fourcc_format(uint32_t pixels, char text[static VIDEO_FOURCC_SIZE]);
/* Blanks at the end may be left out. -EINVAL, in silence. */
int video_fourcc_parse(const char *text, uint32_t *ret);

#endif
