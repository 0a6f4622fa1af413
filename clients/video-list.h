/* SPDX-License-Identifier: MIT */
/*
 * The formats of devices as a table: a row for each that a queue has.
 */
#ifndef CLIENTS_VIDEO_LIST_H
#define CLIENTS_VIDEO_LIST_H

#include "table.h"
#include "video.h"

int video_list_new(struct table **ret, bool json);
void video_list_add(struct table *table, const struct video_queue *queue);

#endif
