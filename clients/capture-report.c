/* SPDX-License-Identifier: MIT */
/*
 * What is told when all is done, for a person or a program.
 */
#include <err.h>
#include <errno.h>
#include <stdio.h>

#include "capture.h"
#include "cleanup.h"
#include "granted.h"
#include "text.h"

static const char *memory_name(const struct capture_camera *camera)
{
	return camera->queue.memory == V4L2_MEMORY_MMAP ? "mmap" : "dmabuf";
}

static void json_member(const char *name, const char *value)
{
	printf("   \"%s\": ", name);
	json_string(stdout, value);
	printf(",\n");
}

static void json_rate(double rate)
{
	if (rate > 0)
		printf("   \"rate\": %.3f,\n", rate);
	else
		printf("   \"rate\": null,\n");
}

static int report_json(const struct capture_camera *camera, struct table *buffers)
{
	const struct video_format *format = &camera->queue.format;
	char name[VIDEO_FOURCC_SIZE];
	int r;

	video_fourcc_format(format->pixels, name);
	printf("{\n");
	json_member("node", camera->device.node);
	json_member("driver", camera->device.driver);
	json_member("card", camera->device.card);
	json_member("format", name);
	printf("   \"width\": %u,\n   \"height\": %u,\n   \"planes\": %u,\n", format->width,
	       format->height, format->n_planes);
	printf("   \"frames\": %u,\n   \"dropped\": %llu,\n", camera->count.frames,
	       (unsigned long long)camera->count.dropped);
	json_rate(capture_count_rate(&camera->count));
	json_member("memory", memory_name(camera));
	r = table_print_member(buffers);
	printf(",\n   \"pictures\": [");
	for (unsigned int i = 0; i < camera->n_pictures; i++) {
		printf("%s\n      ", i ? "," : "");
		json_string(stdout, camera->pictures[i]);
	}
	printf("\n   ]\n}");
	return r;
}

static int report_text(const struct capture_camera *camera, struct table *buffers)
{
	const struct video_format *format = &camera->queue.format;
	double rate = capture_count_rate(&camera->count);
	char name[VIDEO_FOURCC_SIZE];
	int r;

	video_fourcc_format(format->pixels, name);
	printf("%s: %s (%s), %s %ux%u, %u frames, %llu dropped, ", camera->device.node,
	       camera->device.card, camera->device.driver, name, format->width, format->height,
	       camera->count.frames, (unsigned long long)camera->count.dropped);
	if (rate > 0)
		printf("%.2f frames/s, ", rate);
	printf("memory: %s\n\n", memory_name(camera));
	r = tables_print(&buffers, 1);
	printf("\n");
	for (unsigned int i = 0; i < camera->n_pictures; i++)
		printf("%s\n", camera->pictures[i]);
	return r;
}

static void add_buffers(struct table *table, const struct video_queue *queue)
{
	for (unsigned int i = 0; i < queue->n_buffers; i++) {
		for (unsigned int p = 0; p < queue->format.n_planes; p++) {
			const struct video_memory *memory = &queue->buffers[i][p];

			if (memory->granted)
				granted_table_add(table, memory->granted);
			else
				granted_table_add_foreign(table, memory->size);
		}
	}
}

static int report_one(const struct capture_camera *camera, const struct capture_options *options)
{
	_cleanup_(table_freep) struct table *buffers = NULL;
	struct table_options table = {.json = options->json};
	int r = granted_table_new(&buffers, &table);

	if (r < 0)
		return r;
	add_buffers(buffers, &camera->queue);
	return options->json ? report_json(camera, buffers) : report_text(camera, buffers);
}

int capture_report(const struct capture_camera *cameras, const struct capture_options *options)
{
	int r = 0;

	if (options->json)
		printf("{\"devices\": [\n");
	for (unsigned int i = 0; i < options->n_nodes && r == 0; i++) {
		if (i > 0)
			printf(options->json ? ",\n" : "\n");
		r = report_one(&cameras[i], options);
	}
	if (options->json)
		printf("\n]}\n");
	if (r < 0 || fflush(stdout) != 0) {
		warn("cannot write the report");
		return -EIO;
	}
	return 0;
}
