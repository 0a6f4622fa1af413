/* SPDX-License-Identifier: MIT */
/*
 * v4l2-convert: frames of a file through a V4L2 device that converts, encodes or decodes, in and out
 * by memory from dmabufd. This file has the options and the report.
 */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "cleanup.h"
#include "config.h"
#include "convert.h"
#include "text.h"
#include "video-list.h"
#include "video-options.h"
#include "video-report.h"

enum {
	LIST_FORMATS = 0x100,
	TIMEOUT,
	TO
};

static const struct option long_options[] = {
	{"buffers", required_argument, NULL, 'b'},
	{"device", required_argument, NULL, 'd'},
	{"format", required_argument, NULL, 'f'},
	{"help", no_argument, NULL, 'h'},
	{"input", required_argument, NULL, 'i'},
	{"json", no_argument, NULL, 'J'},
	{"output", required_argument, NULL, 'o'},
	{"list-formats", no_argument, NULL, LIST_FORMATS},
	{"size", required_argument, NULL, 's'},
	{"timeout", required_argument, NULL, TIMEOUT},
	{"to", required_argument, NULL, TO},
	{"version", no_argument, NULL, 'V'},
	{0},
};

static void help(void)
{
	printf("Usage: v4l2-convert -d DEVICE -f FORMAT --to FORMAT -i FILE -o FILE [OPTION]...\n\n"
	       "Convert, encode or decode frames in memory that dmabufd gives for the device.\n\n"
	       "  -d, --device NODE   converter, encoder or decoder, such as /dev/video0\n"
	       "      --list-formats  show what the device takes and gives, and convert nothing\n"
	       "  -i, --input FILE    frames one after the other, as v4l2-capture -t raw writes "
	       "them\n"
	       "  -f, --format NAME   their format, such as YUYV\n"
	       "  -s, --size WxH      their size; what is coded has it in itself\n"
	       "      --to NAME       format to convert to\n"
	       "  -o, --output FILE   converted frames one after the other\n"
	       "  -b, --buffers N     buffers on each side of the device (default 4)\n"
	       "      --timeout S     seconds to wait for a frame (default 10)\n"
	       "  -J, --json          report as JSON\n"
	       "  -h, --help          this text\n"
	       "  -V, --version       version\n\n"
	       "Exit: 0 done, 1 refused or failed, 2 not asked properly.\n");
}

static int value_option(struct convert_options *options, int c, const char *argument)
{
	switch (c) {
	case 'b':
		return option_number(argument, VIDEO_BUFFERS_MAX, &options->buffers);
	case 'f':
		return option_pixels(argument, &options->from);
	case 's':
		return option_dimensions(argument, &options->width, &options->height);
	case TO:
		return option_pixels(argument, &options->to);
	case TIMEOUT:
		return option_number(argument, 3600, &options->timeout);
	default:
		fprintf(stderr, "Try \"v4l2-convert --help\".\n");
		return -EINVAL;
	}
}

static int parse_option(struct convert_options *options, int c, const char *argument)
{
	switch (c) {
	case 'd':
		options->node = argument;
		return 0;
	case 'i':
		options->input = argument;
		return 0;
	case 'o':
		options->output = argument;
		return 0;
	case 'J':
		options->json = true;
		return 0;
	case LIST_FORMATS:
		options->list = true;
		return 0;
	default:
		return value_option(options, c, argument);
	}
}

static void check_options(const struct convert_options *options)
{
	if (!options->node)
		errx(EXIT_USAGE, "which device? -d /dev/video0");
	if (options->list)
		return;
	if (!options->from || !options->to)
		errx(EXIT_USAGE, "from which format to which? -f YUYV --to RGB3");
	if (!options->input || !options->output)
		errx(EXIT_USAGE, "from which file to which? -i FILE -o FILE");
}

/* Ends the program when there is nothing to convert. */
static void parse(struct convert_options *options, int argc, char *argv[])
{
	int c;

	while ((c = getopt_long(argc, argv, "b:d:f:hi:Jo:s:V", long_options, NULL)) >= 0) {
		if (c == 'h') {
			help();
			exit(EXIT_OK);
		}
		if (c == 'V') {
			printf("v4l2-convert %s\n", VERSION);
			exit(EXIT_OK);
		}
		if (parse_option(options, c, optarg) < 0)
			exit(EXIT_USAGE);
	}
	if (optind < argc)
		errx(EXIT_USAGE, "\"%s\" is no option; the device goes to -d", argv[optind]);
	check_options(options);
}

static int list_formats(const struct converter *converter, const struct convert_options *options)
{
	_cleanup_(table_freep) struct table *table = NULL;
	int r = video_list_new(&table, options->json);

	if (r < 0)
		return r;
	video_list_add(table, &converter->source);
	video_list_add(table, &converter->destination);
	return tables_print(&table, 1);
}

static int report_json(const struct converter *converter)
{
	int r;

	printf("{\n");
	report_member("node", converter->device.node);
	report_member("driver", converter->device.driver);
	report_member("card", converter->device.card);
	printf("   \"source\": {\n   \"frames\": %u,\n", converter->put);
	r = report_queue_json(&converter->source);
	printf("\n   },\n   \"destination\": {\n   \"frames\": %u,\n", converter->taken);
	if (r == 0)
		r = report_queue_json(&converter->destination);
	printf("\n   }\n}\n");
	return r;
}

static int report_text(const struct converter *converter)
{
	int r;

	printf("%s: %s (%s), ", converter->device.node, converter->device.card,
	       converter->device.driver);
	report_format(&converter->source);
	printf(" to ");
	report_format(&converter->destination);
	printf(", %u buffers in, %u out\n\nsource:\n", converter->put, converter->taken);
	r = report_queue_text(&converter->source);
	printf("\ndestination:\n");
	return r < 0 ? r : report_queue_text(&converter->destination);
}

static int report(const struct converter *converter, const struct convert_options *options)
{
	int r = options->json ? report_json(converter) : report_text(converter);

	if (r == 0 && fflush(stdout) == 0)
		return 0;
	warn("cannot write the report");
	return -EIO;
}

static FILE *open_file(const char *path, const char *mode)
{
	FILE *file = fopen(path, mode);

	if (!file)
		warn("%s", path);
	return file;
}

static int convert(struct converter *converter, const struct convert_options *options)
{
	int r = convert_prepare_source(converter, options);

	if (r < 0)
		return r;
	converter->input = open_file(options->input, "re");
	if (!converter->input)
		return -EIO;
	converter->output = open_file(options->output, "we");
	r = converter->output ? convert_stream(converter, options) : -EIO;
	fclose(converter->input);
	if (converter->output && fclose(converter->output) != 0 && r == 0) {
		warn("cannot write %s", options->output);
		r = -EIO;
	}
	return r < 0 ? r : report(converter, options);
}

int main(int argc, char *argv[])
{
	_cleanup_(convert_close) struct converter converter = {.device = {.fd = -EBADF}};
	struct convert_options options = {.buffers = 4, .timeout = 10};
	int r;

	parse(&options, argc, argv);
	r = convert_open(&converter, &options);
	if (r == 0)
		r = options.list ? list_formats(&converter, &options)
				 : convert(&converter, &options);
	return r < 0 ? EXIT_REFUSED : EXIT_OK;
}
