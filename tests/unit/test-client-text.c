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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),        cmocka_unit_test(test_no_sizes),
		cmocka_unit_test(test_numbers),      cmocka_unit_test(test_formats),
		cmocka_unit_test(test_json_strings), cmocka_unit_test(test_times),
		cmocka_unit_test(test_no_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
