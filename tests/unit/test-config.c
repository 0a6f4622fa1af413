/* SPDX-License-Identifier: MIT */
/*
 * The configuration files: what they accept, what they refuse and in which words.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

#include "settings.h"

static char folder[] = "/tmp/test-config-XXXXXX";
static char path[64], drop_ins[80];
static char reason[SETTINGS_REASON_SIZE];

static int make_folder(void **state)
{
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/dmabufd.conf", folder);
	snprintf(drop_ins, sizeof(drop_ins), "%s.d", path);
	return 0;
}

static void write_file(const char *name, const char *text)
{
	FILE *file = fopen(name, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void write_drop_in(const char *name, const char *text)
{
	char full[256];

	mkdir(drop_ins, 0755);
	snprintf(full, sizeof(full), "%s/%s", drop_ins, name);
	write_file(full, text);
}

static int remove_all(void **state)
{
	static const char *const names[] = {"10-a.conf", "20-b.conf", "30-c.txt", ".40-d.conf",
					    "50-e.conf~"};
	char full[256];

	for (size_t i = 0; i < N_ELEMENTS(names); i++) {
		snprintf(full, sizeof(full), "%s/%s", drop_ins, names[i]);
		unlink(full);
	}
	rmdir(drop_ins);
	unlink(path);
	return 0;
}

static int remove_folder(void **state)
{
	return rmdir(folder);
}

static void assert_loads(uint64_t user, uint64_t device, uint64_t connections)
{
	struct settings settings = {0};

	if (settings_load(path, &settings, reason) < 0)
		fail_msg("%s", reason);
	assert_int_equal(settings.user_bytes_max, user);
	assert_int_equal(settings.device_bytes_max, device);
	assert_int_equal(settings.user_connections_max, connections);
}

static void defaults(void **state)
{
	assert_loads(MIB(512), MIB(512), 64);
	write_file(path, "");
	assert_loads(MIB(512), MIB(512), 64);
	write_file(path, "# nothing\n\n[Daemon]\n;nothing\n");
	assert_loads(MIB(512), MIB(512), 64);
}

static void values(void **state)
{
	write_file(path, "[Daemon]\nUserBytesMax=1G\nDeviceBytesMax = 300M\n"
			 "UserConnectionsMax=1\n");
	assert_loads(GIB(1), MIB(300), 1);
	write_file(path, "[Daemon]\nUserBytesMax=0\nDeviceBytesMax=4096\nUserConnectionsMax=65536");
	assert_loads(0, 4096, 65536);
	write_file(path, "[Daemon]\nUserBytesMax=8K\nUserBytesMax=9223372036854775807\n");
	assert_loads(INT64_MAX, MIB(512), 64);
}

static void drop_ins_in_order(void **state)
{
	write_file(path, "[Daemon]\nUserBytesMax=1M\nDeviceBytesMax=1M\n");
	write_drop_in("20-b.conf", "[Daemon]\nUserBytesMax=3M\n");
	write_drop_in("10-a.conf", "[Daemon]\nUserBytesMax=2M\nUserConnectionsMax=9\n");
	write_drop_in("30-c.txt", "nonsense");
	write_drop_in(".40-d.conf", "nonsense");
	write_drop_in("50-e.conf~", "nonsense");
	assert_loads(MIB(3), MIB(1), 9);
	unlink(path);
	assert_loads(MIB(3), MIB(512), 9);
}

/* The reason is "file:line: words"; nothing is applied. */
static void assert_refused(const char *text, int line, const char *words)
{
	struct settings settings = {.user_bytes_max = 42};
	char expected[SETTINGS_REASON_SIZE + 128];

	write_file(path, text);
	snprintf(expected, sizeof(expected), "%s:%d: %s", path, line, words);
	assert_int_equal(settings_load(path, &settings, reason), -EINVAL);
	assert_string_equal(reason, expected);
	assert_int_equal(settings.user_bytes_max, 42);
}

static void what_is_wrong(void **state)
{
	assert_refused("[Daemon]\nUserBytesMax=1M\n\nUserBytsMax=2M\n", 4,
		       "unknown key UserBytsMax=");
	assert_refused("[Daemon]\nuserbytesmax=1M\n", 2, "unknown key userbytesmax=");
	assert_refused("[Deamon]\nUserBytesMax=1M\n", 1,
		       "unknown section [Deamon]; the only one is [Daemon]");
	assert_refused("[Daemon]\n[Other]\n", 2,
		       "unknown section [Other]; the only one is [Daemon]");
	assert_refused("UserBytesMax=1M\n", 1,
		       "UserBytesMax= is in section []; the only section is [Daemon]");
	assert_refused("[Daemon]\nhello\n", 2, "not a [Section], a key=value or a comment");
	assert_refused("[Daemon]\nhello\nUserBytsMax=1\n", 2,
		       "not a [Section], a key=value or a comment");
	assert_refused("[Daemon\n", 1, "unknown section [Daemon; the only one is [Daemon]");
}

static void bad_values(void **state)
{
	static const char *const bytes[] = {"",
					    "x",
					    "-1",
					    "+1",
					    "1T",
					    "1MM",
					    "1 M",
					    "1m",
					    "0x1",
					    "1.5G",
					    "99999999999999999999",
					    "9223372036854775808",
					    "17179869184G"};
	static const char *const numbers[] = {"", "0", "65537", "1K", "-1", "x"};
	char text[128], words[256];

	for (size_t i = 0; i < N_ELEMENTS(bytes); i++) {
		snprintf(text, sizeof(text), "[Daemon]\nDeviceBytesMax=%s\n", bytes[i]);
		snprintf(words, sizeof(words),
			 "DeviceBytesMax= must be a number of bytes, with K, M or G behind it if "
			 "wanted, not \"%s\"",
			 bytes[i]);
		assert_refused(text, 2, words);
	}
	for (size_t i = 0; i < N_ELEMENTS(numbers); i++) {
		snprintf(text, sizeof(text), "[Daemon]\nUserConnectionsMax=%s\n", numbers[i]);
		snprintf(words, sizeof(words),
			 "UserConnectionsMax= must be a number from 1 to 65536, not \"%s\"",
			 numbers[i]);
		assert_refused(text, 2, words);
	}
}

static void long_lines(void **state)
{
	char text[1024] = "[Daemon]\n#";

	memset(text + 10, 'x', 500);
	strcpy(text + 510, "\nUserBytesMax=1M\n");
	assert_refused(text, 2, "the line is longer than 198 characters");
}

static void first_mistake_counts(void **state)
{
	struct settings settings;
	char expected[256];

	assert_refused("[Daemon]\nA=1\nB=2\n", 2, "unknown key A=");
	write_file(path, "[Daemon]\nUserBytesMax=1M\n");
	write_drop_in("10-a.conf", "[Daemon]\n\nDeviceBytesMax=lots\n");
	write_drop_in("20-b.conf", "[Other]\n");
	snprintf(expected, sizeof(expected), "%s/10-a.conf:3: ", drop_ins);
	assert_int_equal(settings_load(path, &settings, reason), -EINVAL);
	assert_memory_equal(reason, expected, strlen(expected));
}

static void unreadable(void **state)
{
	struct settings settings;

	assert_int_equal(mkdir(path, 0755), 0);
	assert_true(settings_load(path, &settings, reason) < 0);
	assert_int_equal(rmdir(path), 0);
	assert_non_null(strstr(reason, path));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(defaults, remove_all),
		cmocka_unit_test_teardown(values, remove_all),
		cmocka_unit_test_teardown(drop_ins_in_order, remove_all),
		cmocka_unit_test_teardown(what_is_wrong, remove_all),
		cmocka_unit_test_teardown(bad_values, remove_all),
		cmocka_unit_test_teardown(long_lines, remove_all),
		cmocka_unit_test_teardown(first_mistake_counts, remove_all),
		cmocka_unit_test_teardown(unreadable, remove_all),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
