/* SPDX-License-Identifier: MIT */
/*
 * v4l2-capture: frames from V4L2 devices into memory from dmabufd, and pictures of them. This file
 * has the options and the order of things; the rest is in the capture-*.c and video-*.c files.
 */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture.h"
#include "cleanup.h"
#include "config.h"
#include "text.h"
#include "video-list.h"
#include "video-options.h"

enum {
	ALL = 0x100,
	EVERY,
	LIST_FORMATS,
	MMAP,
	PREFIX,
	TIMEOUT
};

static const struct option long_options[] = {
	{"all", no_argument, NULL, ALL},
	{"buffers", required_argument, NULL, 'b'},
	{"device", required_argument, NULL, 'd'},
	{"every", required_argument, NULL, EVERY},
	{"format", required_argument, NULL, 'f'},
	{"frames", required_argument, NULL, 'n'},
	{"help", no_argument, NULL, 'h'},
	{"json", no_argument, NULL, 'J'},
	{"list-formats", no_argument, NULL, LIST_FORMATS},
	{"mmap", no_argument, NULL, MMAP},
	{"output", required_argument, NULL, 'o'},
	{"prefix", required_argument, NULL, PREFIX},
	{"size", required_argument, NULL, 's'},
	{"timeout", required_argument, NULL, TIMEOUT},
	{"type", required_argument, NULL, 't'},
	{"version", no_argument, NULL, 'V'},
	{0},
};

static void help(void)
{
	printf("Usage: v4l2-capture -d DEVICE [-d DEVICE]... [OPTION]...\n\n"
	       "Capture frames into memory that dmabufd gives for the device.\n\n"
	       "  -d, --device NODE   capture device, such as /dev/video0; several at once\n"
	       "      --list-formats  show the formats of the devices, and capture nothing\n"
	       "  -f, --format NAME   format of the frames, such as YUYV\n"
	       "  -s, --size WxH      size of the frames; the device takes the nearest it has\n"
	       "  -n, --frames N      frames to capture (default 30)\n"
	       "  -b, --buffers N     buffers to capture into (default 4)\n"
	       "  -o, --output DIR    folder for the pictures (default .)\n"
	       "  -t, --type TYPE     png, ppm, or raw: frames as they are (default png)\n"
	       "      --prefix NAME   pictures are NAME-NNN.TYPE (default frame)\n"
	       "      --every N       a picture of every Nth frame, not of the last alone\n"
	       "      --all           a picture of every frame\n"
	       "      --mmap          use the device's own buffers, for comparison\n"
	       "      --timeout S     seconds to wait for a frame (default 10)\n"
	       "  -J, --json          report as JSON\n"
	       "  -h, --help          this text\n"
	       "  -V, --version       version\n\n"
	       "Exit: 0 done, 1 refused or failed, 2 not asked properly.\n");
}

static int add_device(struct capture_options *options, const char *node)
{
	for (unsigned int i = 0; i < options->n_nodes; i++) {
		if (strcmp(options->nodes[i], node) == 0) {
			warnx("%s is there twice", node);
			return -EINVAL;
		}
	}
	if (options->n_nodes == CAPTURE_CAMERAS_MAX) {
		warnx("%d devices at once are the most", CAPTURE_CAMERAS_MAX);
		return -EINVAL;
	}
	options->nodes[options->n_nodes++] = node;
	return 0;
}

static int type_option(struct capture_options *options, const char *argument)
{
	if (picture_type_parse(argument, &options->type) == 0)
		return 0;
	warnx("\"%s\" is none of png, ppm and raw", argument);
	return -EINVAL;
}

static int value_option(struct capture_options *options, int c, const char *argument)
{
	switch (c) {
	case 'd':
		return add_device(options, argument);
	case 'n':
		return option_number(argument, INT_MAX, &options->frames);
	case 'b':
		return option_number(argument, VIDEO_BUFFERS_MAX, &options->buffers);
	case 'f':
		return option_pixels(argument, &options->pixels);
	case 's':
		return option_dimensions(argument, &options->width, &options->height);
	case 't':
		return type_option(options, argument);
	case EVERY:
		return option_number(argument, INT_MAX, &options->every);
	case TIMEOUT:
		return option_number(argument, 3600, &options->timeout);
	default:
		fprintf(stderr, "Try \"v4l2-capture --help\".\n");
		return -EINVAL;
	}
}

static int parse_option(struct capture_options *options, int c, const char *argument)
{
	switch (c) {
	case 'o':
		options->folder = argument;
		return 0;
	case PREFIX:
		options->prefix = argument;
		return 0;
	case ALL:
		options->every = 1;
		return 0;
	case LIST_FORMATS:
		options->list = true;
		return 0;
	case MMAP:
		options->mmap = true;
		return 0;
	case 'J':
		options->json = true;
		return 0;
	default:
		return value_option(options, c, argument);
	}
}

/* Ends the program when there is nothing to capture. */
static void parse(struct capture_options *options, int argc, char *argv[])
{
	int c;

	while ((c = getopt_long(argc, argv, "b:d:f:hJn:o:s:t:V", long_options, NULL)) >= 0) {
		if (c == 'h') {
			help();
			exit(EXIT_OK);
		}
		if (c == 'V') {
			printf("v4l2-capture %s\n", VERSION);
			exit(EXIT_OK);
		}
		if (parse_option(options, c, optarg) < 0)
			exit(EXIT_USAGE);
	}
	if (optind < argc)
		errx(EXIT_USAGE, "\"%s\" is no option; the device goes to -d", argv[optind]);
	if (options->n_nodes == 0)
		errx(EXIT_USAGE, "which device? -d /dev/video0");
}

static int list_formats(const struct capture_camera *cameras, const struct capture_options *options)
{
	_cleanup_(table_freep) struct table *table = NULL;
	int r = video_list_new(&table, options->json);

	if (r < 0)
		return r;
	for (unsigned int i = 0; i < options->n_nodes; i++)
		video_list_add(table, &cameras[i].queue);
	return tables_print(&table, 1);
}

static int capture(struct capture_camera *cameras, const struct capture_options *options)
{
	int r = 0;

	for (unsigned int i = 0; i < options->n_nodes && r == 0; i++)
		r = capture_camera_prepare(&cameras[i], options);
	if (r == 0)
		r = capture_stream(cameras, options);
	return r < 0 ? r : capture_report(cameras, options);
}

/* "-video0": pictures of several cameras lie in one folder. */
static char *prefix_part(const char *node)
{
	const char *slash = strrchr(node, '/');
	char *part;

	if (asprintf(&part, "-%s", slash ? slash + 1 : node) < 0)
		err(EXIT_REFUSED, "cannot name pictures");
	return part;
}

static int run(struct capture_camera *cameras, const struct capture_options *options)
{
	int r = 0;

	for (unsigned int i = 0; i < options->n_nodes; i++)
		cameras[i].device.fd = -EBADF;
	for (unsigned int i = 0; i < options->n_nodes && r == 0; i++) {
		if (options->n_nodes > 1)
			cameras[i].prefix_part = prefix_part(options->nodes[i]);
		r = capture_camera_open(&cameras[i], options->nodes[i]);
	}
	if (r == 0)
		r = options->list ? list_formats(cameras, options) : capture(cameras, options);
	for (unsigned int i = 0; i < options->n_nodes; i++)
		capture_camera_close(&cameras[i]);
	return r;
}

int main(int argc, char *argv[])
{
	struct capture_options options = {
		.folder = ".", .prefix = "frame", .frames = 30, .buffers = 4, .timeout = 10};
	_cleanup_free_ struct capture_camera *cameras = NULL;

	parse(&options, argc, argv);
	cameras = calloc(options.n_nodes, sizeof(*cameras));
	if (!cameras)
		err(EXIT_REFUSED, "cannot begin");
	return run(cameras, &options) < 0 ? EXIT_REFUSED : EXIT_OK;
}
