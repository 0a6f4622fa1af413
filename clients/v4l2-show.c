/* SPDX-License-Identifier: MIT */
/*
 * v4l2-show: a camera on a display without a copy, in buffers that dmabufd chose for both at once.
 * This file has the options, the order of things and the report.
 */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "cleanup.h"
#include "config.h"
#include "show.h"
#include "text.h"
#include "video-options.h"
#include "video-report.h"

enum {
	DISPLAY = 0x100,
	SCREENSHOT,
	TIMEOUT
};

static const struct option long_options[] = {
	{"buffers", required_argument, NULL, 'b'},
	{"device", required_argument, NULL, 'd'},
	{"display", required_argument, NULL, DISPLAY},
	{"frames", required_argument, NULL, 'n'},
	{"help", no_argument, NULL, 'h'},
	{"json", no_argument, NULL, 'J'},
	{"screenshot", required_argument, NULL, SCREENSHOT},
	{"size", required_argument, NULL, 's'},
	{"timeout", required_argument, NULL, TIMEOUT},
	{"version", no_argument, NULL, 'V'},
	{0},
};

static void help(void)
{
	printf("Usage: v4l2-show -d DEVICE [OPTION]...\n\n"
	       "Show a camera on a display, without a copy, in memory that dmabufd gives for "
	       "both.\n\n"
	       "  -d, --device NODE   camera, such as /dev/video0\n"
	       "      --display NODE  display (default /dev/dri/card0)\n"
	       "  -s, --size WxH      size of frames and screen (default 640x480)\n"
	       "  -n, --frames N      frames to show (default 300)\n"
	       "  -b, --buffers N     buffers that go round (default 4)\n"
	       "      --screenshot F  at the end write what is on the screen as PNG\n"
	       "      --timeout S     seconds to wait for a frame (default 10)\n"
	       "  -J, --json          report as JSON\n"
	       "  -h, --help          this text\n"
	       "  -V, --version       version\n\n"
	       "Exit: 0 done, 1 refused or failed, 2 not asked properly.\n");
}

static int value_option(struct show_options *options, int c, const char *argument)
{
	switch (c) {
	case 'b':
		return option_number(argument, VIDEO_BUFFERS_MAX, &options->buffers);
	case 'n':
		return option_number(argument, INT_MAX, &options->frames);
	case 's':
		return option_dimensions(argument, &options->width, &options->height);
	case TIMEOUT:
		return option_number(argument, 3600, &options->timeout);
	default:
		fprintf(stderr, "Try \"v4l2-show --help\".\n");
		return -EINVAL;
	}
}

static int parse_option(struct show_options *options, int c, const char *argument)
{
	switch (c) {
	case 'd':
		options->camera = argument;
		return 0;
	case DISPLAY:
		options->display = argument;
		return 0;
	case SCREENSHOT:
		options->screenshot = argument;
		return 0;
	case 'J':
		options->json = true;
		return 0;
	default:
		return value_option(options, c, argument);
	}
}

/* Ends the program when there is nothing to show. */
static void parse(struct show_options *options, int argc, char *argv[])
{
	int c;

	while ((c = getopt_long(argc, argv, "b:d:hJn:s:V", long_options, NULL)) >= 0) {
		if (c == 'h') {
			help();
			exit(EXIT_OK);
		}
		if (c == 'V') {
			printf("v4l2-show %s\n", VERSION);
			exit(EXIT_OK);
		}
		if (parse_option(options, c, optarg) < 0)
			exit(EXIT_USAGE);
	}
	if (optind < argc)
		errx(EXIT_USAGE, "\"%s\" is no option; the camera goes to -d", argv[optind]);
	if (!options->camera)
		errx(EXIT_USAGE, "which camera? -d /dev/video0");
}

/* The bytes that V4L2 calls XBGR32 are those that DRM calls XRGB8888. */
static int set_format(struct video_queue *camera, const struct show_options *options)
{
	int r = video_format_set(camera, V4L2_PIX_FMT_XBGR32, options->width, options->height);

	if (r == 0 &&
	    (camera->format.width != options->width || camera->format.height != options->height)) {
		warnx("%s has no frames of %ux%u", options->camera, options->width,
		      options->height);
		r = -EOPNOTSUPP;
	}
	return r;
}

static int open_camera(struct video_queue *camera, const struct show_options *options)
{
	int r = video_device_open(camera->device, options->camera);

	if (r < 0)
		return r;
	if (!(camera->device->can & V4L2_CAP_VIDEO_CAPTURE)) {
		warnx("%s (%s) is no camera with frames of one plane", options->camera,
		      camera->device->card);
		return -ENODEV;
	}
	return set_format(camera, options);
}

static int open_display(struct display *display, const struct show_options *options)
{
	int r = display_open(display, options->display);

	return r < 0 ? r : display_choose(display, options->width, options->height);
}

/* One request, solved for the camera and the display together. */
static int share_buffers(struct video_queue *camera, struct display *display,
			 const struct show_options *options)
{
	const char *const others[] = {options->display, NULL};
	struct video_wish wish = {.count = options->buffers, .name = "v4l2-show", .nodes = others};
	int r = video_buffers_get(camera, &wish);

	for (unsigned int i = 0; i < camera->n_buffers && r == 0; i++)
		r = display_import(display, dmabuf_buffer_get_fd(camera->buffers[i][0].granted),
				   camera->format.planes[0].stride, &display->framebuffers[i]);
	return r;
}

static int report_json(const struct video_queue *camera, const struct show_options *options,
		       const struct show_count *count)
{
	int r;

	printf("{\n");
	report_member("node", camera->device->node);
	report_member("driver", camera->device->driver);
	report_member("card", camera->device->card);
	report_member("display", options->display);
	printf("   \"shown\": %u,\n   \"skipped\": %u,\n", count->shown, count->skipped);
	r = report_queue_json(camera);
	printf("\n}\n");
	return r;
}

static int report_text(const struct video_queue *camera, const struct show_options *options,
		       const struct show_count *count)
{
	printf("%s: %s (%s), ", camera->device->node, camera->device->card, camera->device->driver);
	report_format(camera);
	printf(" on %s, %u frames shown, %u skipped\n\n", options->display, count->shown,
	       count->skipped);
	return report_queue_text(camera);
}

static int report(const struct video_queue *camera, const struct show_options *options,
		  const struct show_count *count)
{
	int r = options->json ? report_json(camera, options, count)
			      : report_text(camera, options, count);

	if (r == 0 && fflush(stdout) == 0)
		return 0;
	warn("cannot write the report");
	return -EIO;
}

static int run(struct video_queue *camera, struct display *display,
	       const struct show_options *options)
{
	struct show_count count = {0};
	int r = open_camera(camera, options);

	if (r == 0)
		r = open_display(display, options);
	if (r == 0)
		r = share_buffers(camera, display, options);
	if (r == 0)
		r = show_stream(camera, display, options, &count);
	if (r == 0 && options->screenshot)
		r = display_screenshot(display, options->screenshot);
	return r < 0 ? r : report(camera, options, &count);
}

int main(int argc, char *argv[])
{
	_cleanup_(video_device_close) struct video_device device = {.fd = -EBADF};
	_cleanup_(video_buffers_free) struct video_queue camera = {
		.device = &device,
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = V4L2_MEMORY_DMABUF,
	};
	_cleanup_(display_close) struct display display = {.fd = -EBADF};
	struct show_options options = {.display = "/dev/dri/card0",
				       .frames = 300,
				       .buffers = 4,
				       .timeout = 10,
				       .width = 640,
				       .height = 480};

	parse(&options, argc, argv);
	return run(&camera, &display, &options) < 0 ? EXIT_REFUSED : EXIT_OK;
}
