/* SPDX-License-Identifier: MIT */
/*
 * Which files make up the configuration: systemd's rules for main files and drop-ins. A file that
 * masks another, being empty or a link to /dev/null, needs no rule: it is read, and says nothing.
 */
#include "config-files.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"

void config_files_free(struct config_files *files)
{
	while (files->n)
		free(files->paths[--files->n]);
	free(files->paths);
	files->paths = NULL;
}

/* Takes possession of the path, also on failure. */
static int files_append(struct config_files *files, char *path)
{
	char **paths = path ? realloc(files->paths, (files->n + 1) * sizeof(*paths)) : NULL;

	if (!paths) {
		free(path);
		return -ENOMEM;
	}
	files->paths = paths;
	files->paths[files->n++] = path;
	return 0;
}

/* A link that leads nowhere is there: reading it tells what is wrong. */
static bool is_there(const char *path)
{
	struct stat st;

	return lstat(path, &st) >= 0;
}

static int add_main(const struct config_place places[], size_t n, struct config_files *files)
{
	for (size_t i = 0; i < n; i++)
		if (is_there(places[i].main))
			return files_append(files, strdup(places[i].main));
	return 0;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool is_drop_in(const char *name)
{
	size_t length = strlen(name);

	return name[0] != '.' && length > 5 && !strcmp(name + length - 5, ".conf");
}

/* Unless a folder of higher precedence has one of this name. */
static int add_drop_in(const char *folder, const char *name, struct config_files *files)
{
	char *path;

	for (size_t i = 0; i < files->n; i++)
		if (!strcmp(base_name(files->paths[i]), name))
			return 0;
	if (asprintf(&path, "%s/%s", folder, name) < 0)
		return -ENOMEM;
	return files_append(files, path);
}

static void closedirp(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static int add_folder(const char *folder, struct config_files *files)
{
	_cleanup_(closedirp) DIR *dir = opendir(folder);
	const struct dirent *entry;
	int r = 0;

	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	do {
		errno = 0;
		entry = readdir(dir);
		if (entry && is_drop_in(entry->d_name))
			r = add_drop_in(folder, entry->d_name, files);
		else if (!entry)
			r = -errno;
	} while (entry && r >= 0);
	return r;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(base_name(*(char *const *)a), base_name(*(char *const *)b));
}

/* Takes the paths out of from. */
static int files_append_all(struct config_files *files, struct config_files *from)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < from->n; i++)
		r = files_append(files, TAKE_PTR(from->paths[i]));
	return r;
}

static int add_drop_ins(const struct config_place places[], size_t n, struct config_files *files,
			char reason[static CONFIG_REASON_SIZE])
{
	_cleanup_(config_files_free) struct config_files drop_ins = {0};

	for (size_t i = 0; i < n; i++) {
		int r = add_folder(places[i].drop_ins, &drop_ins);

		if (r < 0) {
			snprintf(reason, CONFIG_REASON_SIZE, "%s:0: %s", places[i].drop_ins,
				 strerror(-r));
			return r;
		}
	}
	if (drop_ins.n)
		qsort(drop_ins.paths, drop_ins.n, sizeof(*drop_ins.paths), by_name);
	return files_append_all(files, &drop_ins);
}

int config_files_find(const struct config_place places[], size_t n, struct config_files *ret,
		      char reason[static CONFIG_REASON_SIZE])
{
	_cleanup_(config_files_free) struct config_files files = {0};
	int r;

	snprintf(reason, CONFIG_REASON_SIZE, "%s:0: %s", places[0].main, strerror(ENOMEM));
	r = add_main(places, n, &files);
	if (r >= 0)
		r = add_drop_ins(places, n, &files, reason);
	if (r < 0)
		return r;
	*ret = files;
	files = (struct config_files){0};
	return 0;
}
