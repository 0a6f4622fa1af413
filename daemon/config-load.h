/* SPDX-License-Identifier: MIT */
/*
 * Reads configuration files into settings. Knows the form of a file and says which line is wrong;
 * what a key accepts is in keys.c.
 */
#ifndef CONFIG_LOAD_H
#define CONFIG_LOAD_H

#include "config-files.h"
#include "settings.h"

/*
 * The settings that these files make, read in this order. On failure there are none, and reason
 * says "file:line: what is wrong". -EINVAL, -ENOMEM, errors of opening and reading.
 */
int config_load_files(const struct config_files *files, struct settings **ret,
		      char reason[static CONFIG_REASON_SIZE]);

/* The same for the files that config_files_find() finds. */
int config_load(const struct config_place places[], size_t n, struct settings **ret,
		char reason[static CONFIG_REASON_SIZE]);

#endif
