/* SPDX-License-Identifier: MIT */
/*
 * How the daemon writes numbers for people. Knows nothing of what they count.
 */
#ifndef TEXT_H
#define TEXT_H

#include <stdint.h>

#define SIZE_TEXT 24

/* "500.0 MiB"; returns text. */
const char *size_text(char text[static SIZE_TEXT], uint64_t bytes);

#endif
