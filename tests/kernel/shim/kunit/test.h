/* SPDX-License-Identifier: MIT */
/*
 * As much of KUnit as the tests beside need, as a program that speaks TAP. A failed expectation is
 * told and the case goes on, as in the kernel.
 */
#ifndef SHIM_KUNIT_TEST_H
#define SHIM_KUNIT_TEST_H

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct kunit {
	unsigned int failures;
};

struct kunit_case {
	void (*run_case)(struct kunit *test);
	const char *name;
};

struct kunit_suite {
	const char *name;
	struct kunit_case *test_cases;
};

#define KUNIT_CASE(function)                                                                       \
	{                                                                                          \
		.run_case = function, .name = #function                                            \
	}

static inline void shim_expect(struct kunit *test, int met, const char *text, int line,
			       const char *format, ...) __attribute__((format(printf, 5, 6)));

static inline void shim_expect(struct kunit *test, int met, const char *text, int line,
			       const char *format, ...)
{
	va_list arguments;

	if (met)
		return;
	test->failures++;
	printf("# line %d: expected %s: ", line, text);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
}

#define SHIM_COMPARE(test, x, op, y, format, ...)                                                  \
	do {                                                                                       \
		const typeof(x) shim_left = (x);                                                   \
		const typeof(y) shim_right = (y);                                                  \
		shim_expect(test, shim_left op shim_right, #x " " #op " " #y, __LINE__,            \
			    "%#llx, %#llx " format, (unsigned long long)shim_left,                 \
			    (unsigned long long)shim_right, ##__VA_ARGS__);                        \
	} while (0)

#define KUNIT_EXPECT_EQ(test, x, y) SHIM_COMPARE(test, x, ==, y, "")
#define KUNIT_EXPECT_EQ_MSG(test, x, y, ...) SHIM_COMPARE(test, x, ==, y, __VA_ARGS__)
#define KUNIT_EXPECT_LE(test, x, y) SHIM_COMPARE(test, x, <=, y, "")
#define KUNIT_EXPECT_TRUE(test, x) SHIM_COMPARE(test, x, ==, true, "")
#define KUNIT_EXPECT_FALSE(test, x) SHIM_COMPARE(test, x, ==, false, "")
#define KUNIT_EXPECT_STREQ(test, x, y)                                                             \
	shim_expect(test, !strcmp(x, y), #x " is " #y, __LINE__, "\"%s\", \"%s\"", x, y)

static inline int shim_run(struct kunit_suite **suites)
{
	unsigned int n = 0, failures = 0;

	for (; *suites; suites++) {
		for (struct kunit_case *c = (*suites)->test_cases; c->run_case; c++) {
			struct kunit test = {0};

			c->run_case(&test);
			printf("%sok %u %s: %s\n", test.failures ? "not " : "", ++n,
			       (*suites)->name, c->name);
			failures += test.failures;
		}
	}
	printf("1..%u\n", n);
	return failures ? 1 : 0;
}

#define kunit_test_suites(...)                                                                     \
	int main(void)                                                                             \
	{                                                                                          \
		struct kunit_suite *suites[] = {__VA_ARGS__, NULL};                                \
                                                                                                   \
		return shim_run(suites);                                                           \
	}                                                                                          \
	_Static_assert(1, "a semicolon follows")

#endif
