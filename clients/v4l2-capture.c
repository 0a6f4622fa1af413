/* SPDX-License-Identifier: MIT */
/*
 * v4l2-capture: frames from a V4L2 device into memory from dmabufd, and pictures of them. This file
 * has the options and the order of things; the rest is in the capture-*.c files.
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

enum {
	ALL = 0x100,
	EVERY,
	MMAP,
	PREFIX,
	TIMEOUT
};

static const struct option long_options[] = {
	{"all", no_argument, NULL, ALL},          {"buffers", required_argument, NULL, 'b'},
	{"device", required_argument, NULL, 'd'}, {"every", required_argument, NULL, EVERY},
	{"frames", required_argument, NULL, 'n'}, {"help", no_argument, NULL, 'h'},
	{"json", no_argument, NULL, 'J'},         {"mmap", no_argument, NULL, MMAP},
	{"output", required_argument, NULL, 'o'}, {"prefix", required_argument, NULL, PREFIX},
	{"size", required_argument, NULL, 's'},   {"timeout", required_argument, NULL, TIMEOUT},
	{"version", no_argument, NULL, 'V'},      {0},
};

static void help(void)
{
	printf("Usage: v4l2-capture -d DEVICE [OPTION]...\n\n"
	       "Capture frames into memory that dmabufd gives for the device.\n\n"
	       "  -d, --device NODE   capture device, such as /dev/video0\n"
	       "  -n, --frames N      frames to capture (default 30)\n"
	       "  -b, --buffers N     buffers to capture into (default 4)\n"
	       "  -s, --size WxH      size of the frames; the device takes the nearest it has\n"
	       "  -o, --output DIR    folder for the pictures (default .)\n"
	       "      --prefix NAME   pictures are NAME-NNN.png (default frame)\n"
	       "      --every N       a picture of every Nth frame, not of the last alone\n"
	       "      --all           a picture of every frame\n"
	       "      --mmap          use the device's own buffers, for comparison\n"
	       "      --timeout S     seconds to wait for a frame (default 10)\n"
	       "  -J, --json          report as JSON\n"
	       "  -h, --help          this text\n"
	       "  -V, --version       version\n\n"
	       "Exit: 0 done, 1 refused or failed, 2 not asked properly.\n");
}

static int number_option(const char *argument, unsigned int max, unsigned int *ret)
{
	if (number_parse(argument, max, ret) == 0)
		return 0;
	warnx("\"%s\" is no number from 1 to %u", argument, max);
	return -EINVAL;
}

static int size_option(struct capture_options *options, const char *argument)
{
	char width[16] = "";
	const char *height = strchr(argument, 'x');

	if (height && (size_t)(height - argument) < sizeof(width))
		memcpy(width, argument, (size_t)(height - argument));
	if (height && number_parse(width, USHRT_MAX, &options->width) == 0 &&
	    number_parse(height + 1, USHRT_MAX, &options->height) == 0)
		return 0;
	warnx("\"%s\" is no size such as 640x480", argument);
	return -EINVAL;
}

static int value_option(struct capture_options *options, int c, const char *argument)
{
	switch (c) {
	case 'n':
		return number_option(argument, INT_MAX, &options->frames);
	case 'b':
		return number_option(argument, CAPTURE_BUFFERS_MAX, &options->buffers);
	case 's':
		return size_option(options, argument);
	case EVERY:
		return number_option(argument, INT_MAX, &options->every);
	case TIMEOUT:
		return number_option(argument, 3600, &options->timeout);
	default:
		fprintf(stderr, "Try \"v4l2-capture --help\".\n");
		return -EINVAL;
	}
}

static int parse_option(struct capture_options *options, int c, const char *argument)
{
	switch (c) {
	case 'd':
		options->node = argument;
		return 0;
	case 'o':
		options->folder = argument;
		return 0;
	case PREFIX:
		options->prefix = argument;
		return 0;
	case ALL:
		options->every = 1;
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

	while ((c = getopt_long(argc, argv, "b:d:hJn:o:s:V", long_options, NULL)) >= 0) {
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
	if (!options->node)
		errx(EXIT_USAGE, "which device? -d /dev/video0");
}

int main(int argc, char *argv[])
{
	struct capture_options options = {
		.folder = ".", .prefix = "frame", .frames = 30, .buffers = 4, .timeout = 10};
	_cleanup_(capture_device_close) struct capture_device device = {.fd = -EBADF};
	_cleanup_(capture_result_free) struct capture_result result = {0};
	int r;

	parse(&options, argc, argv);
	r = capture_device_open(&device, &options);
	if (r == 0)
		r = capture_buffers_get(&device, &options);
	if (r == 0)
		r = capture_stream(&device, &options, &result);
	if (r == 0)
		r = capture_report(&device, &options, &result);
	return r < 0 ? EXIT_REFUSED : EXIT_OK;
}
