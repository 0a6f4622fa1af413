/* SPDX-License-Identifier: MIT */
/*
 * The formats of devices as a table.
 */
#include "video-list.h"

#include <stdio.h>
#include <string.h>

#include "pixels.h"

enum {
	NODE,
	QUEUE,
	FORMAT,
	PICTURE,
	SIZES,
	DESCRIPTION,
	N_COLUMNS
};

static const struct table_column columns[N_COLUMNS] = {
	[NODE] = {"NODE", TABLE_TEXT, TABLE_SHOWN, "device"},
	[QUEUE] = {"QUEUE", TABLE_TEXT, TABLE_SHOWN, "capture: out of the device; output: into it"},
	[FORMAT] = {"FORMAT", TABLE_TEXT, TABLE_SHOWN, "for --format"},
	[PICTURE] = {"PICTURE", TABLE_BOOLEAN, TABLE_SHOWN, "it can become a PNG or PPM file"},
	[SIZES] = {"SIZES", TABLE_TEXT, TABLE_SHOWN, "for --size", TABLE_WRAPS},
	[DESCRIPTION] = {"DESCRIPTION", TABLE_TEXT, TABLE_SHOWN, "what the driver calls it"},
};

int video_list_new(struct table **ret, bool json)
{
	struct table_options options = {.json = json};

	return table_new(ret, "formats", columns, N_COLUMNS, &options);
}

static int write_size(char *text, size_t room, const struct v4l2_frmsizeenum *size, bool first)
{
	const struct v4l2_frmsize_stepwise *range = &size->stepwise;

	if (size->type == V4L2_FRMSIZE_TYPE_DISCRETE)
		return snprintf(text, room, "%s%ux%u", first ? "" : " ", size->discrete.width,
				size->discrete.height);
	return snprintf(text, room, "%ux%u to %ux%u", range->min_width, range->min_height,
			range->max_width, range->max_height);
}

/* As many as fit; empty where the driver does not tell. */
static void write_sizes(const struct video_queue *queue, uint32_t pixels, char *text, size_t room)
{
	struct v4l2_frmsizeenum size = {.pixel_format = pixels};

	text[0] = '\0';
	for (; video_ioctl(queue->device->fd, VIDIOC_ENUM_FRAMESIZES, &size) == 0; size.index++) {
		int n = write_size(text, room, &size, size.index == 0);

		if (n < 0 || (size_t)n >= room || size.type != V4L2_FRMSIZE_TYPE_DISCRETE)
			return;
		text += n;
		room -= (size_t)n;
	}
}

static void add_format(struct table *table, const struct video_queue *queue,
		       const struct v4l2_fmtdesc *format)
{
	char name[VIDEO_FOURCC_SIZE], sizes[512], description[sizeof(format->description) + 1];

	video_fourcc_format(format->pixelformat, name);
	write_sizes(queue, format->pixelformat, sizes, sizeof(sizes));
	snprintf(description, sizeof(description), "%.*s", (int)sizeof(format->description),
		 (const char *)format->description);
	table_add_row(table);
	table_set_text(table, NODE, queue->device->node);
	table_set_text(table, QUEUE, V4L2_TYPE_IS_OUTPUT(queue->type) ? "output" : "capture");
	table_set_text(table, FORMAT, name);
	table_set_number(table, PICTURE, pixels_are_known(format->pixelformat));
	if (sizes[0])
		table_set_text(table, SIZES, sizes);
	table_set_text(table, DESCRIPTION, description);
}

void video_list_add(struct table *table, const struct video_queue *queue)
{
	struct v4l2_fmtdesc format;

	for (unsigned int i = 0; video_format_next(queue, i, &format); i++)
		add_format(table, queue, &format);
}
