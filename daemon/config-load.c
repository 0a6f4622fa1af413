/* SPDX-License-Identifier: MIT */
/*
 * Reads configuration files into settings. inih splits the lines; what of systemd's format it does
 * not know, or cuts off in silence (sections of two words, indented lines), is done before it sees
 * a line.
 */
#include "config-load.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "keys.h"
#include "values.h"

/* One file while it is read. */
struct reader {
	FILE *file;
	const char *path;
	int line;
	int error;    /* of the first mistake; reason is written */
	char *reason; /* CONFIG_REASON_SIZE */
	struct settings *settings;
	struct section *section; /* NULL before the first */
};

__attribute__((format(printf, 3, 4))) static int reader_fail(struct reader *reader, int error,
							     const char *format, ...)
{
	va_list args;
	int n;

	n = snprintf(reader->reason, CONFIG_REASON_SIZE, "%s:%d: ", reader->path, reader->line);
	if (n > 0 && n < CONFIG_REASON_SIZE) {
		va_start(args, format);
		vsnprintf(reader->reason + n, CONFIG_REASON_SIZE - (size_t)n, format, args);
		va_end(args);
	}
	return reader->error = error;
}

/* inih's callback: 1 to go on, 0 for an error. */
static int reader_assign(void *userdata, const char *unused, const char *name, const char *value)
{
	struct reader *reader = userdata;
	enum key_id key;
	int r;

	if (!reader->section) {
		reader_fail(reader, -EINVAL, "%s= stands before the first section", name);
		return 0;
	}
	key = key_find(reader->section->kind, name);
	if (key == N_KEYS) {
		reader_fail(reader, -EINVAL, "unknown key %s= in section [%s]", name,
			    section_names[reader->section->kind]);
		return 0;
	}
	/* A daemon that starts anew knows the devices of a buffer by these names alone. */
	if (key == DEVICE_RESERVE && (reader->section->pattern || *reader->section->match == '/')) {
		reader_fail(reader, -EINVAL,
			    "Reserve= is for one device: name it in the section by bus:name");
		return 0;
	}
	r = settings_assign(reader->settings, reader->section, key, value);
	if (r == -ENOMEM)
		reader_fail(reader, r, "%s", strerror(-r));
	else if (r < 0)
		reader_fail(reader, -EINVAL, "%s= must be %s, not \"%s\"", name, keys[key].accepts,
			    value);
	return r >= 0;
}

/* The section of a user: a name, a number, or the same of a group behind an @. */
static int reader_set_user(struct reader *reader, struct section *section)
{
	const char *name = section->match + (*section->match == '@');
	int r;

	section->group = *section->match == '@';
	r = section->group ? parse_group_name(name, &section->id)
			   : parse_user_name(name, &section->id);
	if (r < 0)
		return reader_fail(reader, -EINVAL, "there is no %s \"%s\"",
				   section->group ? "group" : "user", name);
	return 0;
}

static int reader_enter(struct reader *reader, enum section_kind kind, const char *match)
{
	static const char *const wants[] = {
		[SECTION_POOL] = "the name of a pool",
		[SECTION_DEVICE] = "a device (platform:camera, /dev/video0) or a pattern",
		[SECTION_USER] = "a user, a number or an @group",
	};
	int r;

	if (kind == SECTION_DAEMON && *match)
		return reader_fail(reader, -EINVAL, "section [Daemon] has no name behind it");
	if (kind != SECTION_DAEMON && !*match)
		return reader_fail(reader, -EINVAL, "section [%s] wants %s behind it",
				   section_names[kind], wants[kind]);
	if (kind == SECTION_DEVICE && *match != '/' && !strchr(match, ':') && *match != '*')
		return reader_fail(reader, -EINVAL, "\"%s\" is neither bus:name nor a path in /dev",
				   match);
	r = settings_add_section(reader->settings, kind, match, &reader->section);
	if (r < 0)
		return reader_fail(reader, r, "%s", strerror(-r));
	return kind == SECTION_USER ? reader_set_user(reader, reader->section) : 0;
}

static void strip_end(char *text)
{
	size_t length = strlen(text);

	while (length && isspace((unsigned char)text[length - 1]))
		text[--length] = '\0';
}

/* line is "[Kind match]". */
static int reader_parse_section(struct reader *reader, char *line)
{
	char *word = line + 1, *rest;
	size_t length = strlen(line);

	if (line[length - 1] != ']')
		return reader_fail(reader, -EINVAL, "the section is not closed by a ]");
	line[length - 1] = '\0';
	strip_end(word);
	rest = word + strcspn(word, " \t");
	for (enum section_kind kind = SECTION_DAEMON; kind <= SECTION_USER; kind++)
		if (strlen(section_names[kind]) == (size_t)(rest - word) &&
		    !strncmp(word, section_names[kind], (size_t)(rest - word)))
			return reader_enter(reader, kind, rest + strspn(rest, " \t"));
	return reader_fail(reader, -EINVAL,
			   "unknown section [%s]; there are [Daemon], [Pool NAME], [Device MATCH] "
			   "and [User MATCH]",
			   word);
}

static bool is_assignment(const char *line)
{
	return line[strcspn(line, "=:")] == '=' && line[0] != '=';
}

/* line is stripped. */
static int reader_check_line(struct reader *reader, char *line)
{
	int r;

	if (!*line || *line == '#' || *line == ';')
		return 0;
	if (*line == '[') {
		r = reader_parse_section(reader, line);
		/* inih needs to know where a section begins, but not which. */
		strcpy(line, "[]");
		return r;
	}
	if (!is_assignment(line))
		return reader_fail(reader, -EINVAL, "not a [Section], a key=value or a comment");
	return 0;
}

/* inih's source of lines, which counts them; NULL ends the file. */
static char *reader_read_line(char *line, int size, void *userdata)
{
	struct reader *reader = userdata;
	size_t length;

	if (reader->error || !fgets(line, size, reader->file))
		return NULL;
	reader->line++;
	length = strlen(line);
	if (length + 1 == (size_t)size && line[length - 1] != '\n') {
		reader_fail(reader, -EINVAL, "the line is longer than %d characters", size - 2);
		return NULL;
	}
	strip_end(line);
	length = strspn(line, " \t");
	memmove(line, line + length, strlen(line + length) + 1);
	return reader_check_line(reader, line) < 0 ? NULL : line;
}

static void closefilep(FILE **file)
{
	if (*file)
		fclose(*file);
}

static int load_file(const char *path, struct settings *settings, char *reason)
{
	_cleanup_(closefilep) FILE *file = fopen(path, "re");
	struct reader reader = {.file = file, .path = path, .reason = reason, .settings = settings};
	int line;

	if (!file)
		return reader_fail(&reader, -errno, "%s", strerror(errno));
	line = ini_parse_stream(reader_read_line, &reader, reader_assign, &reader);
	if (!reader.error && ferror(file))
		return reader_fail(&reader, -EIO, "cannot be read");
	if (!reader.error && line) {
		reader.line = line > 0 ? line : reader.line;
		return reader_fail(&reader, -EINVAL, "cannot be understood");
	}
	return reader.error;
}

int config_load_files(const struct config_files *files, struct settings **ret,
		      char reason[static CONFIG_REASON_SIZE])
{
	_cleanup_(settings_freep) struct settings *settings = NULL;
	int r = settings_new(&settings);

	if (r < 0)
		snprintf(reason, CONFIG_REASON_SIZE, "%s", strerror(-r));
	for (size_t i = 0; r >= 0 && i < files->n; i++)
		r = load_file(files->paths[i], settings, reason);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(settings);
	return 0;
}

int config_load(const struct config_place places[], size_t n, struct settings **ret,
		char reason[static CONFIG_REASON_SIZE])
{
	_cleanup_(config_files_free) struct config_files files = {0};
	int r = config_files_find(places, n, &files, reason);

	if (r >= 0)
		r = config_load_files(&files, ret, reason);
	return r;
}
