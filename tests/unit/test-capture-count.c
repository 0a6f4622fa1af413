/* SPDX-License-Identifier: MIT */
/*
 * Frames counted: missing ones, numbers that wrap or repeat, times, and none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "capture-count.h"

static void add(struct capture_count *count, uint32_t sequence, int64_t microseconds)
{
	struct video_frame frame = {
		.sequence = sequence,
		.flags = V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC,
		.time = {.tv_sec = microseconds / 1000000, .tv_usec = microseconds % 1000000},
	};

	capture_count_frame(count, &frame);
}

static void test_no_frame_is_missing(void **state)
{
	struct capture_count count = {0};

	for (uint32_t i = 0; i < 5; i++)
		add(&count, 7 + i, 990000 + i * 40000);
	assert_int_equal(count.frames, 5);
	assert_int_equal(count.dropped, 0);
	assert_true(capture_count_rate(&count) == 25.0);
}

/* The rate is of the frames that came. */
static void test_missing_frames(void **state)
{
	struct capture_count count = {0};

	add(&count, 0, 0);
	add(&count, 3, 300000);
	add(&count, 4, 400000);
	add(&count, 10, 1000000);
	assert_int_equal(count.dropped, 7);
	assert_true(capture_count_rate(&count) == 3.0);
}

static void test_numbers_wrap(void **state)
{
	struct capture_count count = {0};

	add(&count, UINT32_MAX - 1, 0);
	add(&count, UINT32_MAX, 1);
	add(&count, 2, 2);
	assert_int_equal(count.dropped, 2);
}

/* Two fields of a frame; a driver that starts anew, or does not count. */
static void test_numbers_that_do_not_grow(void **state)
{
	struct capture_count count = {0};

	add(&count, 5, 0);
	add(&count, 5, 1);
	add(&count, 6, 2);
	add(&count, 0, 3);
	assert_int_equal(count.frames, 4);
	assert_int_equal(count.dropped, 0);
}

static void test_no_rate(void **state)
{
	struct capture_count count = {0};
	struct video_frame copied = {
		.sequence = 1, .flags = V4L2_BUF_FLAG_TIMESTAMP_COPY, .time = {.tv_sec = 1}};

	assert_true(capture_count_rate(&count) == 0);
	add(&count, 0, 500);
	assert_true(capture_count_rate(&count) == 0);
	capture_count_frame(&count, &copied);
	assert_true(capture_count_rate(&count) == 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_frame_is_missing),
		cmocka_unit_test(test_missing_frames),
		cmocka_unit_test(test_numbers_wrap),
		cmocka_unit_test(test_numbers_that_do_not_grow),
		cmocka_unit_test(test_no_rate),
	};

	return cmocka_run_group_tests_name("capture-count", tests, NULL, NULL);
}
