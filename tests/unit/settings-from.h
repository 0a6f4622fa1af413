/* SPDX-License-Identifier: MIT */
/*
 * Settings from a text, as if it stood in a file.
 */
#ifndef SETTINGS_FROM_H
#define SETTINGS_FROM_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "test.h"

#include "config-load.h"

static inline struct settings *settings_from(const char *text)
{
	char path[] = "/tmp/test-settings-XXXXXX", reason[CONFIG_REASON_SIZE];
	char *paths[] = {path};
	const struct config_files files = {1, paths};
	struct settings *settings = NULL;
	int fd = mkstemp(path);
	int r;

	assert_true(fd >= 0);
	assert_true(dprintf(fd, "%s", text) >= 0);
	close(fd);
	r = config_load_files(&files, &settings, reason);
	unlink(path);
	if (r < 0)
		fail_msg("%s", reason);
	return settings;
}

#endif
