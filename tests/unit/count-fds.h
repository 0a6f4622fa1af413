/* SPDX-License-Identifier: MIT */
/*
 * How many descriptors the test has open: the same before and after, or something leaks.
 */
#ifndef COUNT_FDS_H
#define COUNT_FDS_H

#include <dirent.h>

static inline int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	if (!dir)
		return -1;
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

#endif
