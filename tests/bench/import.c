/* SPDX-License-Identifier: MIT */
/*
 * A camera imports a buffer: videobuf2 attaches, maps, and lets go again. It must not know which
 * importer a node has; what that importer does not take is said once and left out.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bench.h"

static int set_format(int camera, unsigned int width, unsigned int height, size_t *ret_size)
{
	struct v4l2_format format = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.fmt.pix = {.width = width, .height = height, .pixelformat = V4L2_PIX_FMT_NV12},
	};

	if (ioctl(camera, VIDIOC_S_FMT, &format) < 0)
		return -errno;
	*ret_size = format.fmt.pix.sizeimage;
	return 0;
}

static int request_buffers(int camera, unsigned int count)
{
	struct v4l2_requestbuffers request = {
		.count = count,
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = V4L2_MEMORY_DMABUF,
	};

	return ioctl(camera, VIDIOC_REQBUFS, &request) < 0 ? -errno : 0;
}

/* 0, or the importer's refusal. */
static int import(int camera, const char *what, const struct source *source, int fd, size_t size)
{
	struct v4l2_buffer buffer = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = V4L2_MEMORY_DMABUF,
		.m.fd = fd,
	};
	uint64_t t;
	int r;

	bench_check("REQBUFS", request_buffers(camera, 1));
	t = bench_now();
	r = ioctl(camera, VIDIOC_PREPARE_BUF, &buffer) < 0 ? -errno : 0;
	if (r == 0)
		bench_sample(what, source->name, size, bench_now() - t);
	bench_check("REQBUFS", request_buffers(camera, 0));
	return r;
}

static void import_from(int camera, const char *what, struct source **source, size_t size,
			const struct bench_options *options)
{
	int fd = bench_check("import", (*source)->allocate(*source, size)), r;

	r = import(camera, what, *source, fd, size);
	close(fd);
	bench_settle(options);
	if (r == 0)
		return;
	fprintf(stderr, "missing\t%s by %s\t%s\n", (*source)->name, what, strerror(-r));
	do
		source[0] = source[1];
	while (*source++);
}

/* Words: what to call it, the camera's node, width and height as often as wanted. */
void bench_import(const struct bench_options *options)
{
	struct source **sources = bench_sources(options);
	int camera = open(options->words[1], O_RDWR | O_CLOEXEC);
	size_t size = 0;

	if (camera < 0)
		err(1, "%s", options->words[1]);
	for (unsigned int i = 0; i < options->rounds; i++)
		for (char **word = options->words + 2; word[0] && word[1]; word += 2) {
			bench_check("S_FMT", set_format(camera, (unsigned int)atoi(word[0]),
							(unsigned int)atoi(word[1]), &size));
			for (struct source **source = sources; *source; source++)
				import_from(camera, options->words[0], source, size, options);
		}
}
