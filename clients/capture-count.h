/* SPDX-License-Identifier: MIT */
/*
 * Frames counted: how many came, how many are missing between them, how fast. Pure.
 */
#ifndef CLIENTS_CAPTURE_COUNT_H
#define CLIENTS_CAPTURE_COUNT_H

#include "video.h"

/* All zero at first. */
struct capture_count {
	unsigned int frames;
	uint64_t dropped;
	uint32_t sequence; /* of the last frame */
	int64_t first;     /* when the first was there, and the last; microseconds */
	int64_t last;
	bool timed; /* all frames had times of the monotonic clock */
};

void capture_count_frame(struct capture_count *count, const struct video_frame *frame);

/* Frames in a second, between the first and the last; 0 where that cannot be told. */
double capture_count_rate(const struct capture_count *count);

#endif
