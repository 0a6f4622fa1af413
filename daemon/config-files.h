/* SPDX-License-Identifier: MIT */
/*
 * Which files make up the configuration, and in which order they are read. Reads none of them.
 */
#ifndef CONFIG_FILES_H
#define CONFIG_FILES_H

#include <stddef.h>

/* Where a main file and its drop-ins may lie. */
struct config_place {
	const char *main;     /* a file */
	const char *drop_ins; /* a folder of *.conf */
};

struct config_files {
	size_t n;
	char **paths; /* owned */
};

#define CONFIG_REASON_SIZE 512

/*
 * Places in the order of their precedence. The first main file that exists, then the drop-ins of
 * all folders in the order of their names; of several with one name that of the first folder. On
 * failure reason says "folder:0: what is wrong". -ENOMEM, errors of reading folders.
 */
int config_files_find(const struct config_place places[], size_t n, struct config_files *ret,
		      char reason[static CONFIG_REASON_SIZE]);

void config_files_free(struct config_files *files);

#endif
