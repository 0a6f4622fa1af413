/* SPDX-License-Identifier: MIT */
/*
 * Which files make up the configuration: three places, main files, drop-ins, masks.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

#include "config-load.h"

enum {
	ETC,
	RUN,
	LIB,
	N_PLACES
};

static char folder[] = "/tmp/test-config-files-XXXXXX";
static char names[N_PLACES][2][64];
static struct config_place places[N_PLACES];
static char reason[CONFIG_REASON_SIZE];

static int make_places(void **state)
{
	static const char *const words[] = {"etc", "run", "lib"};

	strcpy(folder + strlen(folder) - 6, "XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	for (int i = 0; i < N_PLACES; i++) {
		snprintf(names[i][0], sizeof(names[i][0]), "%s/%s.conf", folder, words[i]);
		snprintf(names[i][1], sizeof(names[i][1]), "%s/%s.conf.d", folder, words[i]);
		places[i] = (struct config_place){names[i][0], names[i][1]};
		if (mkdir(names[i][1], 0755) < 0)
			return -1;
	}
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	return remove(path);
}

static int remove_all(void **state)
{
	return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* A file that says so many bytes; where is the main file of a place when name is NULL. */
static const char *path_of(int where, const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s%s%s", name ? places[where].drop_ins : places[where].main,
		 name ? "/" : "", name ? name : "");
	return path;
}

static void say(int where, const char *name, const char *key, unsigned int number)
{
	char text[64];

	snprintf(text, sizeof(text), "[Daemon]\n%s=%u\n", key, number);
	write_file(path_of(where, name), text);
}

static void assert_loads(uint64_t user, uint64_t device, uint64_t buffers)
{
	struct settings *settings = NULL;

	if (config_load(places, N_PLACES, &settings, reason) < 0)
		fail_msg("%s", reason);
	assert_int_equal(settings_get(settings, DAEMON_USER_BYTES_MAX)->value, user);
	assert_int_equal(settings_get(settings, DAEMON_DEVICE_BYTES_MAX)->value, device);
	assert_int_equal(settings_get(settings, DAEMON_USER_BUFFERS_MAX)->value, buffers);
	settings_free(settings);
}

static void nothing(void **state)
{
	assert_loads(MIB(512), MIB(512), 8192);
	for (int i = 0; i < N_PLACES; i++)
		assert_int_equal(rmdir(places[i].drop_ins), 0);
	assert_loads(MIB(512), MIB(512), 8192);
}

/* Each of the eight ways in which a main file may lie in three places: the first is read alone. */
static void one_main_file(void **state)
{
	static const char *const keys[] = {"UserBytesMax", "DeviceBytesMax", "UserBuffersMax"};

	for (unsigned int mask = 0; mask < 8; mask++) {
		uint64_t expected[] = {MIB(512), MIB(512), 8192};
		int first = -1;

		for (int i = 0; i < N_PLACES; i++) {
			unlink(path_of(i, NULL));
			if (!(mask & 1u << i))
				continue;
			say(i, NULL, keys[i], 7);
			first = first < 0 ? i : first;
		}
		if (first >= 0)
			expected[first] = 7;
		assert_loads(expected[0], expected[1], expected[2]);
	}
}

/* The same for a drop-in of one name. */
static void one_drop_in_of_a_name(void **state)
{
	static const char *const keys[] = {"UserBytesMax", "DeviceBytesMax", "UserBuffersMax"};

	for (unsigned int mask = 0; mask < 8; mask++) {
		uint64_t expected[] = {MIB(512), MIB(512), 8192};
		int first = -1;

		for (int i = 0; i < N_PLACES; i++) {
			unlink(path_of(i, "10-a.conf"));
			if (!(mask & 1u << i))
				continue;
			say(i, "10-a.conf", keys[i], 7);
			first = first < 0 ? i : first;
		}
		if (first >= 0)
			expected[first] = 7;
		assert_loads(expected[0], expected[1], expected[2]);
	}
}

/* The place of a drop-in decides which of one name is read, not when. */
static void drop_ins_by_name_over_all_places(void **state)
{
	say(ETC, "10-a.conf", "UserBytesMax", 1);
	say(LIB, "20-b.conf", "UserBytesMax", 2);
	say(RUN, "15-c.conf", "UserBytesMax", 3);
	assert_loads(2, MIB(512), 8192);
	say(RUN, "30-d.conf", "UserBytesMax", 4);
	assert_loads(4, MIB(512), 8192);
	say(ETC, "30-d.conf", "DeviceBytesMax", 5);
	assert_loads(2, 5, 8192);
	/* The main file comes first, wherever it is. */
	say(ETC, NULL, "UserBytesMax", 6);
	say(ETC, "05-e.conf", "UserBuffersMax", 7);
	assert_loads(2, 5, 7);
}

static void masks(void **state)
{
	say(LIB, NULL, "UserBytesMax", 1);
	say(LIB, "10-a.conf", "DeviceBytesMax", 2);
	say(RUN, "20-b.conf", "UserBuffersMax", 3);
	assert_loads(1, 2, 3);
	write_file(path_of(ETC, "10-a.conf"), "");
	assert_loads(1, MIB(512), 3);
	assert_int_equal(symlink("/dev/null", path_of(ETC, "20-b.conf")), 0);
	assert_loads(1, MIB(512), 8192);
	assert_int_equal(symlink("/dev/null", path_of(RUN, NULL)), 0);
	assert_loads(MIB(512), MIB(512), 8192);
}

static void files_of_other_names(void **state)
{
	write_file(path_of(ETC, "30-c.txt"), "nonsense");
	write_file(path_of(ETC, ".40-d.conf"), "nonsense");
	write_file(path_of(ETC, "50-e.conf~"), "nonsense");
	write_file(path_of(ETC, ".conf"), "nonsense");
	assert_loads(MIB(512), MIB(512), 8192);
}

static void assert_reason(int error, const char *path, const char *words)
{
	struct settings *settings = NULL;
	char expected[512];

	snprintf(expected, sizeof(expected), "%s:%s", path, words);
	assert_int_equal(config_load(places, N_PLACES, &settings, reason), error);
	assert_string_equal(reason, expected);
	assert_null(settings);
}

/* One bad file, and nothing of the others holds. */
static void the_file_that_is_wrong(void **state)
{
	say(ETC, NULL, "UserBytesMax", 1);
	write_file(path_of(LIB, "10-a.conf"), "[Daemon]\n\nDeviceBytesMax=lots\n");
	write_file(path_of(ETC, "20-b.conf"), "[Other]\n");
	assert_reason(-EINVAL, path_of(LIB, "10-a.conf"),
		      "3: DeviceBytesMax= must be a number of bytes, with K, M, G or T behind it "
		      "if wanted, or infinity, not \"lots\"");
}

static void unreadable(void **state)
{
	assert_int_equal(symlink("nowhere", path_of(RUN, "10-a.conf")), 0);
	assert_reason(-ENOENT, path_of(RUN, "10-a.conf"), "0: No such file or directory");
	unlink(path_of(RUN, "10-a.conf"));
	assert_int_equal(mkdir(path_of(RUN, "10-a.conf"), 0755), 0);
	assert_reason(-EIO, path_of(RUN, "10-a.conf"), "0: cannot be read");
	rmdir(path_of(RUN, "10-a.conf"));
	rmdir(places[RUN].drop_ins);
	write_file(places[RUN].drop_ins, "a file");
	assert_reason(-ENOTDIR, places[RUN].drop_ins, "0: Not a directory");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make_places, remove_all)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing),
		TEST(one_main_file),
		TEST(one_drop_in_of_a_name),
		TEST(drop_ins_by_name_over_all_places),
		TEST(masks),
		TEST(files_of_other_names),
		TEST(the_file_that_is_wrong),
		TEST(unreadable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
