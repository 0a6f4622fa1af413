/* SPDX-License-Identifier: MIT */
/*
 * What programs for video tell of a queue: its format, and its buffers with their pools.
 */
#ifndef CLIENTS_VIDEO_REPORT_H
#define CLIENTS_VIDEO_REPORT_H

#include "video.h"

/* "name": "value", and a comma. */
void report_member(const char *name, const char *value);
/* Members of an object, the last without a comma: negative errno when they cannot be written. */
int report_queue_json(const struct video_queue *queue);
/* A table of the buffers. */
int report_queue_text(const struct video_queue *queue);
/* "RGB3 320x180" */
void report_format(const struct video_queue *queue);
const char *report_memory(const struct video_queue *queue);

#endif
