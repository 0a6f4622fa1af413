/* SPDX-License-Identifier: MIT */
/*
 * See capture-count.h.
 */
#include "capture-count.h"

static bool is_timed(const struct video_frame *frame)
{
	return (frame->flags & V4L2_BUF_FLAG_TIMESTAMP_MASK) == V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
}

/* Numbers wrap. Two fields of one frame have the same; a driver that counts nothing repeats 0. */
static unsigned int missing(uint32_t before, uint32_t now)
{
	int32_t steps = (int32_t)(now - before);

	return steps > 1 ? (unsigned int)steps - 1 : 0;
}

void capture_count_frame(struct capture_count *count, const struct video_frame *frame)
{
	int64_t time = (int64_t)frame->time.tv_sec * 1000000 + frame->time.tv_usec;

	if (count->frames == 0) {
		count->first = time;
		count->timed = is_timed(frame);
	} else {
		count->dropped += missing(count->sequence, frame->sequence);
		count->timed = count->timed && is_timed(frame);
	}
	count->last = time;
	count->sequence = frame->sequence;
	count->frames++;
}

double capture_count_rate(const struct capture_count *count)
{
	if (!count->timed || count->last <= count->first)
		return 0;
	return (count->frames - 1) * 1e6 / (double)(count->last - count->first);
}
