/* SPDX-License-Identifier: MIT */
/*
 * See video-report.h.
 */
#include "video-report.h"

#include <stdio.h>

#include "cleanup.h"
#include "granted.h"
#include "text.h"

void report_member(const char *name, const char *value)
{
	printf("   \"%s\": ", name);
	json_string(stdout, value);
	printf(",\n");
}

const char *report_memory(const struct video_queue *queue)
{
	return queue->memory == V4L2_MEMORY_MMAP ? "mmap" : "dmabuf";
}

static int buffers_table(const struct video_queue *queue, bool json, struct table **ret)
{
	struct table_options options = {.json = json};
	int r = granted_table_new(ret, &options);

	if (r < 0)
		return r;
	for (unsigned int i = 0; i < queue->n_buffers; i++) {
		for (unsigned int p = 0; p < queue->format.n_planes; p++) {
			const struct video_memory *memory = &queue->buffers[i][p];

			if (memory->granted)
				granted_table_add(*ret, memory->granted);
			else
				granted_table_add_foreign(*ret, memory->size);
		}
	}
	return 0;
}

int report_queue_json(const struct video_queue *queue)
{
	_cleanup_(table_freep) struct table *buffers = NULL;
	const struct video_format *format = &queue->format;
	char name[VIDEO_FOURCC_SIZE];
	int r = buffers_table(queue, true, &buffers);

	if (r < 0)
		return r;
	video_fourcc_format(format->pixels, name);
	report_member("format", name);
	printf("   \"width\": %u,\n   \"height\": %u,\n   \"planes\": %u,\n", format->width,
	       format->height, format->n_planes);
	report_member("memory", report_memory(queue));
	return table_print_member(buffers);
}

int report_queue_text(const struct video_queue *queue)
{
	_cleanup_(table_freep) struct table *buffers = NULL;
	int r = buffers_table(queue, false, &buffers);

	return r < 0 ? r : tables_print(&buffers, 1);
}

void report_format(const struct video_queue *queue)
{
	char name[VIDEO_FOURCC_SIZE];

	video_fourcc_format(queue->format.pixels, name);
	printf("%s %ux%u", name, queue->format.width, queue->format.height);
}
