/* SPDX-License-Identifier: MIT */
/*
 * What is told when all is done, for a person or a program.
 */
#include <err.h>
#include <errno.h>
#include <stdio.h>

#include "capture.h"
#include "text.h"
#include "video-report.h"

static void json_rate(double rate)
{
	if (rate > 0)
		printf("   \"rate\": %.3f,\n", rate);
	else
		printf("   \"rate\": null,\n");
}

static int report_json(const struct capture_camera *camera)
{
	int r;

	printf("{\n");
	report_member("node", camera->device.node);
	report_member("driver", camera->device.driver);
	report_member("card", camera->device.card);
	printf("   \"frames\": %u,\n   \"dropped\": %llu,\n", camera->count.frames,
	       (unsigned long long)camera->count.dropped);
	json_rate(capture_count_rate(&camera->count));
	r = report_queue_json(&camera->queue);
	printf(",\n   \"pictures\": [");
	for (unsigned int i = 0; i < camera->n_pictures; i++) {
		printf("%s\n      ", i ? "," : "");
		json_string(stdout, camera->pictures[i]);
	}
	printf("\n   ]\n}");
	return r;
}

static int report_text(const struct capture_camera *camera)
{
	double rate = capture_count_rate(&camera->count);
	int r;

	printf("%s: %s (%s), ", camera->device.node, camera->device.card, camera->device.driver);
	report_format(&camera->queue);
	printf(", %u frames, %llu dropped, ", camera->count.frames,
	       (unsigned long long)camera->count.dropped);
	if (rate > 0)
		printf("%.2f frames/s, ", rate);
	printf("memory: %s\n\n", report_memory(&camera->queue));
	r = report_queue_text(&camera->queue);
	printf("\n");
	for (unsigned int i = 0; i < camera->n_pictures; i++)
		printf("%s\n", camera->pictures[i]);
	return r;
}

int capture_report(const struct capture_camera *cameras, const struct capture_options *options)
{
	int r = 0;

	if (options->json)
		printf("{\"devices\": [\n");
	for (unsigned int i = 0; i < options->n_nodes && r == 0; i++) {
		if (i > 0)
			printf(options->json ? ",\n" : "\n");
		r = options->json ? report_json(&cameras[i]) : report_text(&cameras[i]);
	}
	if (options->json)
		printf("\n]}\n");
	if (r < 0 || fflush(stdout) != 0) {
		warn("cannot write the report");
		return -EIO;
	}
	return 0;
}
