/* SPDX-License-Identifier: MIT */
/*
 * The configuration files. inih splits the lines; here stand the keys, what they accept, and which
 * line was wrong. dmabufd.conf(5) describes each key, and a test compares it with the table.
 */
#include "settings.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <ini.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"

/* One file while it is read. */
struct reader {
	FILE *file;
	const char *path;
	int line;
	bool broken; /* reason is written */
	char *reason;
	struct settings settings;
};

__attribute__((format(printf, 2, 3))) static void reader_fail(struct reader *reader,
							      const char *format, ...)
{
	va_list args;
	int n;

	reader->broken = true;
	n = snprintf(reader->reason, SETTINGS_REASON_SIZE, "%s:%d: ", reader->path, reader->line);
	if (n < 0 || n >= SETTINGS_REASON_SIZE)
		return;
	va_start(args, format);
	vsnprintf(reader->reason + n, SETTINGS_REASON_SIZE - (size_t)n, format, args);
	va_end(args);
}

/* Digits only, unlike strtoull(); *end is what follows them. */
static int parse_digits(const char *text, uint64_t *ret, const char **end)
{
	uint64_t value = 0;

	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	for (; isdigit((unsigned char)*text); text++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*text - '0'), &value))
			return -ERANGE;
	*ret = value;
	*end = text;
	return 0;
}

static int parse_bytes(const char *text, uint64_t *ret)
{
	static const char suffixes[] = "KMG";
	const char *end, *suffix;
	uint64_t value;
	int r = parse_digits(text, &value, &end);

	if (r < 0)
		return r;
	if (*end) {
		suffix = strchr(suffixes, *end);
		if (!suffix || end[1])
			return -EINVAL;
		if (__builtin_mul_overflow(value, UINT64_C(1) << (10 * (suffix - suffixes + 1)),
					   &value))
			return -ERANGE;
	}
	*ret = value;
	return 0;
}

static int parse_number(const char *text, uint64_t *ret)
{
	const char *end;
	uint64_t value;
	int r = parse_digits(text, &value, &end);

	if (r < 0)
		return r;
	if (*end)
		return -EINVAL;
	*ret = value;
	return 0;
}

static const struct key {
	const char *name;
	int (*parse)(const char *text, uint64_t *ret);
	size_t offset; /* in struct settings */
	uint64_t min;
	uint64_t max;
	const char *accepts;
} keys[] = {
	{"UserBytesMax", parse_bytes, offsetof(struct settings, user_bytes_max), 0, INT64_MAX,
	 "a number of bytes, with K, M or G behind it if wanted"},
	{"DeviceBytesMax", parse_bytes, offsetof(struct settings, device_bytes_max), 0, INT64_MAX,
	 "a number of bytes, with K, M or G behind it if wanted"},
	{"UserConnectionsMax", parse_number, offsetof(struct settings, user_connections_max), 1,
	 65536, "a number from 1 to 65536"},
};

static const struct key *key_find(const char *name)
{
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (!strcmp(keys[i].name, name))
			return &keys[i];
	return NULL;
}

/* inih's callback: 1 to go on, 0 for an error. */
static int reader_assign(void *userdata, const char *section, const char *name, const char *value)
{
	struct reader *reader = userdata;
	const struct key *key = key_find(name);
	uint64_t number;

	if (strcmp(section, "Daemon")) {
		reader_fail(reader, "%s= is in section [%s]; the only section is [Daemon]", name,
			    section);
		return 0;
	}
	if (!key) {
		reader_fail(reader, "unknown key %s=", name);
		return 0;
	}
	if (key->parse(value, &number) < 0 || number < key->min || number > key->max) {
		reader_fail(reader, "%s= must be %s, not \"%s\"", name, key->accepts, value);
		return 0;
	}
	memcpy((char *)&reader->settings + key->offset, &number, sizeof(number));
	return 1;
}

/* inih's source of lines, which counts them; NULL ends the file. */
static char *reader_read_line(char *line, int size, void *userdata)
{
	struct reader *reader = userdata;
	size_t length;

	if (reader->broken || !fgets(line, size, reader->file))
		return NULL;
	reader->line++;
	length = strlen(line);
	if (length + 1 == (size_t)size && line[length - 1] != '\n') {
		reader_fail(reader, "the line is longer than %d characters", size - 2);
		return NULL;
	}
	/* inih would take a section without keys in silence. */
	if (line[0] == '[' && strncmp(line, "[Daemon]", 8)) {
		line[strcspn(line, "\n")] = '\0';
		reader_fail(reader, "unknown section %s; the only one is [Daemon]", line);
		return NULL;
	}
	return line;
}

static void closefilep(FILE **file)
{
	if (*file)
		fclose(*file);
}

static int settings_read_file(const char *path, struct settings *settings, char *reason)
{
	_cleanup_(closefilep) FILE *file = fopen(path, "re");
	struct reader reader = {
		.file = file, .path = path, .reason = reason, .settings = *settings};
	int line;

	if (!file && errno == ENOENT)
		return 0;
	if (!file) {
		int r = -errno;

		snprintf(reason, SETTINGS_REASON_SIZE, "%s:0: %s", path, strerror(-r));
		return r;
	}
	line = ini_parse_stream(reader_read_line, &reader, reader_assign, &reader);
	/* The first mistake is the one to tell; of a line that is none of these only inih knows. */
	if (line && (!reader.broken || line < reader.line)) {
		reader.line = line > 0 ? line : reader.line;
		reader_fail(&reader, "not a [Section], a key=value or a comment");
	}
	if (!reader.broken && ferror(file))
		reader_fail(&reader, "cannot be read");
	if (reader.broken)
		return -EINVAL;
	*settings = reader.settings;
	return 0;
}

static int is_drop_in(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return entry->d_name[0] != '.' && length > 5 &&
	       !strcmp(entry->d_name + length - 5, ".conf");
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int settings_read_drop_in(const char *folder, const char *name, struct settings *settings,
				 char *reason)
{
	_cleanup_free_ char *path = NULL;

	if (asprintf(&path, "%s/%s", folder, name) < 0)
		return -ENOMEM;
	return settings_read_file(path, settings, reason);
}

static int settings_read_drop_ins(const char *main_path, struct settings *settings, char *reason)
{
	_cleanup_free_ char *folder = NULL;
	struct dirent **names = NULL;
	int n, r = 0;

	if (asprintf(&folder, "%s.d", main_path) < 0)
		return -ENOMEM;
	n = scandir(folder, &names, is_drop_in, by_name);
	if (n < 0 && errno != ENOENT) {
		r = -errno;
		snprintf(reason, SETTINGS_REASON_SIZE, "%s:0: %s", folder, strerror(-r));
	}
	for (int i = 0; i < n; i++) {
		if (r >= 0)
			r = settings_read_drop_in(folder, names[i]->d_name, settings, reason);
		free(names[i]);
	}
	free(names);
	return r;
}

int settings_load(const char *path, struct settings *ret, char reason[static SETTINGS_REASON_SIZE])
{
	struct settings settings = {
		.user_bytes_max = USER_BYTES_MAX_DEFAULT,
		.device_bytes_max = DEVICE_BYTES_MAX_DEFAULT,
		.user_connections_max = USER_CONNECTIONS_MAX_DEFAULT,
	};
	int r;

	snprintf(reason, SETTINGS_REASON_SIZE, "%s:0: %s", path, strerror(ENOMEM));
	r = settings_read_file(path, &settings, reason);
	if (r >= 0)
		r = settings_read_drop_ins(path, &settings, reason);
	if (r < 0)
		return r;
	*ret = settings;
	return 0;
}
