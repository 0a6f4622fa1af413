/* SPDX-License-Identifier: MIT */
/*
 * What a configuration file may say, what is refused and in which words.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

#include "config-load.h"
#include "keys.h"

static char path[] = "/tmp/test-config-XXXXXX";
static char reason[CONFIG_REASON_SIZE];

static int make_file(void **state)
{
	int fd = mkstemp(path);

	return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
	return unlink(path);
}

static void write_bytes(const char *text, size_t size)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

static int load(const char *text, struct settings **ret)
{
	char *paths[] = {path};
	const struct config_files files = {1, paths};

	write_bytes(text, strlen(text));
	return config_load_files(&files, ret, reason);
}

static struct settings *accept(const char *text)
{
	struct settings *settings = NULL;

	if (load(text, &settings) < 0)
		fail_msg("%s", reason);
	return settings;
}

/* One key of the only section but [Daemon], or of that. */
static const struct setting *get(const struct settings *settings, enum key_id key)
{
	const struct section *section = settings->daemon;

	if (keys[key].section != SECTION_DAEMON)
		section = TAILQ_LAST(&settings->sections, sections);
	return &section->values[key];
}

static void assert_value(const char *text, enum key_id key, uint64_t value, bool percent)
{
	struct settings *settings = accept(text);

	assert_int_equal(get(settings, key)->value, value);
	assert_int_equal(get(settings, key)->percent, percent);
	assert_true(get(settings, key)->order > 0);
	settings_free(settings);
}

static void assert_defaults(const char *text)
{
	struct settings *settings = accept(text);

	assert_int_equal(settings_get(settings, DAEMON_USER_BYTES_MAX)->value, MIB(512));
	assert_int_equal(settings_get(settings, DAEMON_USER_BUFFERS_MAX)->value, 8192);
	assert_int_equal(settings_get(settings, DAEMON_USER_CONNECTIONS_MAX)->value, 64);
	assert_int_equal(settings_get(settings, DAEMON_DEVICE_BYTES_MAX)->value, MIB(512));
	assert_int_equal(settings_get(settings, DAEMON_DEVICE_BUFFERS_MAX)->value, 16384);
	assert_int_equal(settings_get(settings, DAEMON_USER_DEVICE_BYTES_MAX)->value, INFINITE);
	assert_int_equal(settings_get(settings, DAEMON_USER_DEVICE_BUFFERS_MAX)->value, INFINITE);
	assert_int_equal(settings_get(settings, DAEMON_FAIR_SHARE)->value, 1);
	for (enum key_id key = 0; key <= DAEMON_ADDRESS_GROUP; key++)
		assert_int_equal(settings_get(settings, key)->order, 0);
	settings_free(settings);
}

static void defaults(void **state)
{
	assert_defaults("");
	assert_defaults("# nothing\n\n[Daemon]\n;nothing\n   \n\t# nothing\n");
	/* An empty assignment takes back what was assigned before. */
	assert_defaults("[Daemon]\nUserBytesMax=1M\nFairShare=no\nAllocateGroup=0\n"
			"UserBytesMax=\nFairShare=\nAllocateGroup = \n");
}

static void bytes(void **state)
{
	static const struct {
		const char *text;
		uint64_t value;
	} rows[] = {
		{"0", 0},
		{"4096", 4096},
		{"8K", KIB(8)},
		{"300M", MIB(300)},
		{"1G", GIB(1)},
		{"2T", GIB(2048)},
		{"1P", UINT64_C(1) << 50},
		{"7E", UINT64_C(7) << 60},
		{"9223372036854775807", INT64_MAX},
		{"infinity", INFINITE},
	};
	char text[128];

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		snprintf(text, sizeof(text), "[Daemon]\nUserBytesMax=%s\n", rows[i].text);
		assert_value(text, DAEMON_USER_BYTES_MAX, rows[i].value, false);
		snprintf(text, sizeof(text), "[Pool p]\nBytesMax = %s", rows[i].text);
		assert_value(text, POOL_BYTES_MAX, rows[i].value, false);
	}
	assert_value("[Pool p]\nBytesMax=0%\n", POOL_BYTES_MAX, 0, true);
	assert_value("[Pool p]\nUserBytesMax=100%\n", POOL_USER_BYTES_MAX, 100, true);
}

static void other_values(void **state)
{
	struct settings *settings;

	assert_value("[Daemon]\nUserBuffersMax=4294967295\n", DAEMON_USER_BUFFERS_MAX, UINT32_MAX,
		     false);
	assert_value("[User 7]\nBuffersMax=infinity\n", USER_BUFFERS_MAX, INFINITE, false);
	assert_value("[User @0]\nConnectionsMax=65536\n", USER_CONNECTIONS_MAX, 65536, false);
	assert_value("[Daemon]\nAllocateGroup=root\n", DAEMON_ALLOCATE_GROUP, 0, false);
	assert_value("[Daemon]\nAddressGroup=4294967294\n", DAEMON_ADDRESS_GROUP, 4294967294,
		     false);
	assert_value("[Device a:b]\nCoherent=Yes\n", DEVICE_COHERENT, 1, false);
	assert_value("[Device a:b]\nIOMMU=off\n", DEVICE_IOMMU, 0, false);
	assert_value("[Device a:b]\nAddressBits=12\n", DEVICE_ADDRESS_BITS, 12, false);
	assert_value("[Device a:b]\nAddressBits=64\n", DEVICE_ADDRESS_BITS, 64, false);

	settings = accept("[Device /dev/video0]\nPool=a-name-of-31-characters-and-not\n");
	assert_string_equal(get(settings, DEVICE_POOL)->text, "a-name-of-31-characters-and-not");
	settings_free(settings);
}

/* systemd's format: words around a name, indented lines, sections that come again. */
static void form(void **state)
{
	struct settings *settings = accept("  [Device   platform:a[0-9] ]  \n"
					   "\tBytesMax =  1M \n"
					   "    BuffersMax=3\n"
					   "[Pool p]\nBytesMax=9\n"
					   "[Device platform:a[0-9]]\r\n"
					   "UserBytesMax=2M\r\n");
	const struct section *section = TAILQ_NEXT(settings->daemon, link);

	assert_string_equal(section->name, "Device platform:a[0-9]");
	assert_string_equal(section->match, "platform:a[0-9]");
	assert_true(section->pattern);
	assert_int_equal(section->values[DEVICE_BYTES_MAX].value, MIB(1));
	assert_int_equal(section->values[DEVICE_BUFFERS_MAX].value, 3);
	assert_int_equal(section->values[DEVICE_USER_BYTES_MAX].value, MIB(2));
	assert_true(section->values[DEVICE_USER_BYTES_MAX].order >
		    section->values[DEVICE_BUFFERS_MAX].order);
	section = TAILQ_NEXT(section, link);
	assert_string_equal(section->name, "Pool p");
	assert_int_equal(section->values[POOL_BYTES_MAX].value, 9);
	assert_null(TAILQ_NEXT(section, link));
	assert_string_equal(settings->daemon->name, "Daemon");
	assert_string_equal(settings->daemon->match, "");
	settings_free(settings);
}

static void users_and_groups(void **state)
{
	struct settings *settings = accept("[User root]\n[User @daemon]\n[User 4294967294]\n");
	const struct section *section = TAILQ_NEXT(settings->daemon, link);

	assert_true(!section->group && section->id == 0);
	section = TAILQ_NEXT(section, link);
	assert_true(section->group && section->id == 1);
	section = TAILQ_NEXT(section, link);
	assert_true(!section->group && section->id == 4294967294);
	settings_free(settings);
}

/* A list: the last for one pool, and an empty assignment drops all. */
static void reserves(void **state)
{
	struct settings *settings = accept("[Device a:b]\nReserve=x 1M\nReserve=y \t 50%\n"
					   "Reserve=x 2M\n[Device a:c]\nReserve=x 3M\nReserve=\n");
	const struct section *section = TAILQ_NEXT(settings->daemon, link);
	const struct reserve *reserve = TAILQ_FIRST(&section->reserves);

	assert_string_equal(reserve->setting.text, "y");
	assert_true(reserve->setting.percent && reserve->setting.value == 50);
	reserve = TAILQ_NEXT(reserve, link);
	assert_string_equal(reserve->setting.text, "x");
	assert_int_equal(reserve->setting.value, MIB(2));
	assert_null(TAILQ_NEXT(reserve, link));
	assert_true(TAILQ_EMPTY(&TAILQ_NEXT(section, link)->reserves));
	settings_free(settings);
}

/* The reason is "file:line: words"; there are no settings. */
static void assert_refused(const char *text, int line, const char *words)
{
	struct settings *settings = NULL;
	char expected[CONFIG_REASON_SIZE + 128];

	snprintf(expected, sizeof(expected), "%s:%d: %s", path, line, words);
	assert_int_equal(load(text, &settings), -EINVAL);
	assert_string_equal(reason, expected);
	assert_null(settings);
}

static void what_is_wrong(void **state)
{
	static const char *const not_a_line = "not a [Section], a key=value or a comment";

	assert_refused("[Daemon]\nUserBytesMax=1M\n\nUserBytsMax=2M\n", 4,
		       "unknown key UserBytsMax= in section [Daemon]");
	assert_refused("[Daemon]\nuserbytesmax=1M\n", 2,
		       "unknown key userbytesmax= in section [Daemon]");
	assert_refused("[Pool p]\nUserBuffersMax=1\n", 2,
		       "unknown key UserBuffersMax= in section [Pool]");
	assert_refused("[Daemon]\nBytesMax=1M\n", 2, "unknown key BytesMax= in section [Daemon]");
	assert_refused("UserBytesMax=1M\n", 1, "UserBytesMax= stands before the first section");
	assert_refused("[Daemon]\nhello\n", 2, not_a_line);
	assert_refused("[Daemon]\nUserBytesMax: 1M\n", 2, not_a_line);
	assert_refused("[Daemon]\n=1M\n", 2, not_a_line);
	assert_refused("[Daemon]\nUserBytesMax=1M\n  hello\n", 3, not_a_line);
	assert_refused("[Daemon]\nhello\nUserBytsMax=1\n", 2, not_a_line);
	assert_refused("[Daemon]\nA=1\nB=2\n", 2, "unknown key A= in section [Daemon]");
}

static void wrong_sections(void **state)
{
	static const char *const unknown = "unknown section [%s]; there are [Daemon], [Pool NAME], "
					   "[Device MATCH] and [User MATCH]";
	static const char *const names[] = {"Deamon", "", "daemon", "Pools x", "Devic", "Userx y"};
	char text[128], words[256];

	for (size_t i = 0; i < N_ELEMENTS(names); i++) {
		snprintf(text, sizeof(text), "[Daemon]\n\n[%s]\n", names[i]);
		snprintf(words, sizeof(words), unknown, names[i]);
		assert_refused(text, 3, words);
	}
	assert_refused("[Daemon\n", 1, "the section is not closed by a ]");
	assert_refused("[", 1, "the section is not closed by a ]");
	assert_refused("[Daemon x]\n", 1, "section [Daemon] has no name behind it");
	assert_refused("[Pool]\n", 1, "section [Pool] wants the name of a pool behind it");
	assert_refused("[Device  ]\n", 1,
		       "section [Device] wants a device (platform:camera, /dev/video0) or a "
		       "pattern behind it");
	assert_refused("[User]\n", 1,
		       "section [User] wants a user, a number or an @group behind it");
	assert_refused("[Device camera]\n", 1, "\"camera\" is neither bus:name nor a path in /dev");
	assert_refused("[User no-such-user]\n", 1, "there is no user \"no-such-user\"");
	assert_refused("[User @no-such-group]\n", 1, "there is no group \"no-such-group\"");
	assert_refused("[User @]\n", 1, "there is no group \"\"");
	assert_refused("[User 4294967295]\n", 1, "there is no user \"4294967295\"");
}

static void assert_values_refused(const char *section, enum key_id key, const char *const values[],
				  size_t n)
{
	char text[256], words[512];

	for (size_t i = 0; i < n; i++) {
		snprintf(text, sizeof(text), "[%s]\n%s=%s\n", section, keys[key].name, values[i]);
		snprintf(words, sizeof(words), "%s= must be %s, not \"%s\"", keys[key].name,
			 keys[key].accepts, values[i]);
		assert_refused(text, 2, words);
	}
}

static void bad_values(void **state)
{
	static const char *const bytes[] = {"x",
					    "-1",
					    "+1",
					    "1Q",
					    "1MM",
					    "1 M",
					    "1m",
					    "0x1",
					    "1.5G",
					    "50%",
					    "Infinity",
					    "99999999999999999999",
					    "9223372036854775808",
					    "17179869184G",
					    "8E"};
	static const char *const shares[] = {
		"101%", "-1%", "%", "5 %", "1.5%", "50%%", "99999999999999999999%"};
	static const char *const numbers[] = {"-1", "4294967296", "1K", "x",
					      "99999999999999999999"};
	static const char *const connections[] = {"0", "65537", "1K", "-1", "x", "infinity"};
	static const char *const bits[] = {"0", "11", "65", "32 bits"};
	static const char *const booleans[] = {"y", "2", "maybe", "yes no"};
	static const char *const groups[] = {"no-such-group", "4294967295", "-1", "1x"};
	static const char *const pools[] = {"two words", "a-name-of-32-characters-and-more"};
	static const char *const reserves[] = {
		"x",  "x 1Q",       "x infinity", "x 101%",
		"1M", "x 1M again", "x -1",       "a-name-of-32-characters-and-more 1M"};

	assert_values_refused("Daemon", DAEMON_DEVICE_BYTES_MAX, bytes, N_ELEMENTS(bytes));
	assert_values_refused("Pool p", POOL_BYTES_MAX, shares, N_ELEMENTS(shares));
	assert_values_refused("User 1", USER_BUFFERS_MAX, numbers, N_ELEMENTS(numbers));
	assert_values_refused("Daemon", DAEMON_USER_CONNECTIONS_MAX, connections,
			      N_ELEMENTS(connections));
	assert_values_refused("Device a:b", DEVICE_ADDRESS_BITS, bits, N_ELEMENTS(bits));
	assert_values_refused("Device a:b", DEVICE_COHERENT, booleans, N_ELEMENTS(booleans));
	assert_values_refused("Daemon", DAEMON_ADDRESS_GROUP, groups, N_ELEMENTS(groups));
	assert_values_refused("Device a:b", DEVICE_POOL, pools, N_ELEMENTS(pools));
	assert_values_refused("Device a:b", DEVICE_RESERVE, reserves, N_ELEMENTS(reserves));
}

static void reserves_of_many(void **state)
{
	static const char *const words =
		"Reserve= is for one device: name it in the section by bus:name";

	assert_refused("[Device platform:*]\nReserve=x 1M\n", 2, words);
	assert_refused("[Device /dev/video0]\nReserve=x 1M\n", 2, words);
}

static void long_lines(void **state)
{
	char text[1024] = "[Daemon]\n#";

	memset(text + 10, 'x', 500);
	strcpy(text + 510, "\nUserBytesMax=1M\n");
	assert_refused(text, 2, "the line is longer than 198 characters");
}

/* Any bytes at all: refused or not, but never a crash. */
static void noise(void **state)
{
	static const char alphabet[] = "[]=:;# \t\n\nDaemonPoolDeviceUser@1%K*\\\"\xff\x01";
	unsigned int seed = 4711;
	char text[300];

	for (unsigned int i = 0; i < 400; i++) {
		size_t length = (size_t)rand_r(&seed) % sizeof(text);
		char *paths[] = {path};
		const struct config_files files = {1, paths};
		struct settings *settings = NULL;
		int r;

		for (size_t k = 0; k < length; k++)
			text[k] = alphabet[(size_t)rand_r(&seed) % sizeof(alphabet)];
		write_bytes(text, length);
		r = config_load_files(&files, &settings, reason);
		assert_true(r == 0 || (r == -EINVAL && !settings));
		settings_free(settings);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),         cmocka_unit_test(bytes),
		cmocka_unit_test(other_values),     cmocka_unit_test(form),
		cmocka_unit_test(users_and_groups), cmocka_unit_test(reserves),
		cmocka_unit_test(what_is_wrong),    cmocka_unit_test(wrong_sections),
		cmocka_unit_test(bad_values),       cmocka_unit_test(reserves_of_many),
		cmocka_unit_test(long_lines),       cmocka_unit_test(noise),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
