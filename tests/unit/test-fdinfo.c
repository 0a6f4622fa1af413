/* SPDX-License-Identifier: MIT */
/*
 * What the kernel says of a descriptor: whose dma-buf it is, and which.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

#include "fdinfo.h"

#define GENERAL "pos:\t0\nflags:\t02100002\nmnt_id:\t15\nino:\t1043\n"
#define OURS GENERAL "size:\t8192\ncount:\t2\nexp_name:\tdmabuf_pool\n"

static void texts(void **state)
{
	const struct {
		const char *text;
		int result;
		uint64_t size, id;
	} rows[] = {
		{OURS, 0, 8192, 0},
		{OURS "name:\t77 preview\n", 0, 8192, 77},
		{OURS "name:\t77\n", 0, 8192, 77},
		{OURS "name:\t18446744073709551615", 0, 8192, UINT64_MAX},
		/* Names that others gave. */
		{OURS "name:\t18446744073709551616\n", 0, 8192, 0},
		{OURS "name:\t77x\n", 0, 8192, 0},
		{OURS "name:\tpreview 77\n", 0, 8192, 0},
		{OURS "name:\t\n", 0, 8192, 0},
		{GENERAL "size:\t8192\ncount:\t2\nexp_name:\tsystem\n", -EXDEV, 0, 0},
		{GENERAL "size:\t8192\ncount:\t2\nexp_name:\tdmabuf_pool2\n", -EXDEV, 0, 0},
		{GENERAL "size:\t8192\ncount:\t2\nexp_name:\tdmabuf\n", -EXDEV, 0, 0},
		/* Not at the start of a line. */
		{GENERAL "size:\t8192\nname:\texp_name:\tdmabuf_pool\n", -ENOTTY, 0, 0},
		{GENERAL "exp_name:\tdmabuf_pool\n", -ENOTTY, 0, 0},
		{GENERAL, -ENOTTY, 0, 0},
		{"", -ENOTTY, 0, 0},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct fdinfo info = {0};

		assert_int_equal(fdinfo_parse(rows[i].text, &info), rows[i].result);
		assert_int_equal(info.size, rows[i].size);
		assert_int_equal(info.id, rows[i].id);
	}
}

static void descriptors(void **state)
{
	int file = memfd_create("exp_name:\tdmabuf_pool", MFD_CLOEXEC);
	struct fdinfo info;

	assert_int_equal(fdinfo_read(-1, &info), -EBADF);
	assert_int_equal(fdinfo_read(file, &info), -ENOTTY);
	close(file);
	assert_int_equal(fdinfo_read(file, &info), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts),
		cmocka_unit_test(descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
