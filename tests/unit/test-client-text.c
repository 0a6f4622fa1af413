/* SPDX-License-Identifier: MIT */
/*
 * Sizes and numbers as the programs read and write them, at their edges.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

static void expect_size(const char *text, uint64_t expected)
{
	uint64_t size = 0;

	assert_int_equal(size_parse(text, &size), 0);
	assert_true(size == expected);
}

static void expect_no_size(const char *text, int error)
{
	uint64_t size = 77;

	assert_int_equal(size_parse(text, &size), error);
	assert_true(size == 77);
}

static void test_sizes(void **state)
{
	expect_size("1", 1);
	expect_size("4096", 4096);
	expect_size("4k", 4096);
	expect_size("64K", 65536);
	expect_size("8M", 8 << 20);
	expect_size("2G", UINT64_C(2) << 30);
	expect_size("18446744073709551615", UINT64_MAX);
	expect_size("17179869183G", UINT64_C(17179869183) << 30);
}

static void test_no_sizes(void **state)
{
	static const char *const wrong[] = {"",  "0",  "0K",  "-1", "+1",  " 1",  "1 ", "1.5M",
					    "M", "1T", "1KB", "1x", "0x1", "1M1", "K1", "one"};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		expect_no_size(wrong[i], -EINVAL);
	expect_no_size("18446744073709551616", -ERANGE);
	expect_no_size("17179869184G", -ERANGE);
	expect_no_size("18014398509481984K", -ERANGE);
}

static void expect_time(const char *text, unsigned int expected)
{
	unsigned int milliseconds = 77;

	assert_int_equal(time_parse(text, &milliseconds), 0);
	assert_int_equal(milliseconds, expected);
}

static void test_times(void **state)
{
	expect_time("0", 0);
	expect_time("2", 2000);
	expect_time("2s", 2000);
	expect_time("007ms", 7);
	expect_time("1min", 60000);
	expect_time("3h", 10800000);
	expect_time("4294966", 4294966000);
	expect_time("4294967294ms", 4294967294);
	expect_time("infinity", DMABUF_WAIT_FOREVER);
}

static void test_no_times(void **state)
{
	static const char *const wrong[] = {"", "s", "-1", "+1", " 1", "1 s", "1.5s", "1m", "1S"};
	static const char *const long_ones[] = {"4294967295ms", "4294967", "71583min", "1194h",
						"18446744073709551616"};
	unsigned int milliseconds = 77;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(time_parse(wrong[i], &milliseconds), -EINVAL);
	for (size_t i = 0; i < sizeof(long_ones) / sizeof(long_ones[0]); i++)
		assert_int_equal(time_parse(long_ones[i], &milliseconds), -ERANGE);
	assert_int_equal(milliseconds, 77);
}

static void test_numbers(void **state)
{
	unsigned int n = 77;

	assert_int_equal(number_parse("0", 10, &n), -ERANGE);
	assert_int_equal(number_parse("11", 10, &n), -ERANGE);
	assert_int_equal(number_parse("4294967297", 10, &n), -ERANGE);
	assert_int_equal(number_parse("1K", 10, &n), -EINVAL);
	assert_int_equal(number_parse("-1", 10, &n), -EINVAL);
	assert_int_equal(n, 77);
	assert_int_equal(number_parse("10", 10, &n), 0);
	assert_int_equal(n, 10);
}

static void expect_text(uint64_t size, bool bytes, const char *expected)
{
	char text[TEXT_SIZE_MAX];

	size_format(size, bytes, text);
	assert_string_equal(text, expected);
}

static void test_formats(void **state)
{
	expect_text(0, false, "0B");
	expect_text(1023, false, "1023B");
	expect_text(1024, false, "1K");
	expect_text(1843200, false, "1.8M");
	expect_text(8 << 20, false, "8M");
	expect_text((1 << 20) - 1, false, "1024K");
	expect_text(UINT64_MAX, false, "16E");
	expect_text(UINT64_MAX, true, "18446744073709551615");
}

static void test_json_strings(void **state)
{
	char text[64] = "";
	FILE *file = fmemopen(text, sizeof(text), "w");

	assert_non_null(file);
	json_string(file, "a\"b\\c\nd\xc3\xa9");
	fclose(file);
	assert_string_equal(text, "\"a\\\"b\\\\c\\u000ad\xc3\xa9\"");
}

static void expect_duration(uint64_t microseconds, const char *expected)
{
	char text[TEXT_SIZE_MAX];

	duration_format(microseconds, text);
	assert_string_equal(text, expected);
}

static void test_durations(void **state)
{
	expect_duration(0, "0.0s");
	expect_duration(1599999, "1.5s");
	expect_duration(9999999, "9.9s");
	expect_duration(10000000, "10s");
	expect_duration(59999999, "59s");
	expect_duration(60000000, "1m 0s");
	expect_duration(UINT64_C(7509) * 1000000, "2h 5m");
	expect_duration(UINT64_C(93784) * 1000000, "1d 2h");
	expect_duration(UINT64_MAX, "213503982d 8h");
}

static void expect_wrapped(const char *text, size_t width, const char *expected)
{
	char *wrapped = text_wrap(text, width);

	assert_string_equal(wrapped, expected);
	free(wrapped);
}

static void test_wrap(void **state)
{
	expect_wrapped("", 10, "");
	expect_wrapped("one two three", 20, "one two three");
	expect_wrapped("one two three", 13, "one two three");
	expect_wrapped("one two three", 12, "one two\nthree");
	expect_wrapped("one two three", 3, "one\ntwo\nthree");
	expect_wrapped("  one two", 6, "  one\n  two");
	expect_wrapped("one\n  two three", 8, "one\n  two\n  three");
	expect_wrapped("extraordinary word", 5, "extraordinary\nword");
}

static void test_names(void **state)
{
	assert_string_equal(refusal_name(DMABUF_REFUSED_QUOTA), "quota");
	assert_string_equal(refusal_name(DMABUF_REFUSED_OTHER + 1), "other");
	assert_string_equal(event_name(DMABUF_EVENT_LOST), "lost");
	assert_string_equal(event_name((enum dmabuf_event_type)99), "unknown");
}

static void constraints(void **state)
{
	char text[CONSTRAINTS_TEXT_SIZE];

	assert_string_equal(constraints_text(text, 0), "");
	assert_string_equal(constraints_text(text, DMABUF_CONSTRAINT_ALIGNMENT), "align");
	assert_string_equal(constraints_text(text, 15), "mapping,align,contiguous,address-bits");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),        cmocka_unit_test(test_no_sizes),
		cmocka_unit_test(test_numbers),      cmocka_unit_test(test_formats),
		cmocka_unit_test(test_json_strings), cmocka_unit_test(test_times),
		cmocka_unit_test(test_no_times),     cmocka_unit_test(test_json_strings),
		cmocka_unit_test(test_durations),    cmocka_unit_test(test_wrap),
		cmocka_unit_test(test_names),        cmocka_unit_test(constraints),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
