/* SPDX-License-Identifier: MIT */
/*
 * How the daemon writes numbers for people. Knows nothing of what they count.
 */
#include "text.h"

#include <inttypes.h>
#include <stdio.h>

const char *size_text(char text[static SIZE_TEXT], uint64_t bytes)
{
	static const char units[] = "KMGTPE";
	unsigned int unit = 0;

	if (bytes < 1024) {
		snprintf(text, SIZE_TEXT, "%" PRIu64 " B", bytes);
		return text;
	}
	while (unit < 5 && bytes >> (10 * (unit + 2)))
		unit++;
	/* Rounded down: a limit is never shown as more than it is. */
	snprintf(text, SIZE_TEXT, "%" PRIu64 ".%" PRIu64 " %ciB", bytes >> (10 * (unit + 1)),
		 (((bytes >> (10 * unit)) & 1023) * 10) >> 10, units[unit]);
	return text;
}
