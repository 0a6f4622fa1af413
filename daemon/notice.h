/* SPDX-License-Identifier: MIT */
/*
 * Things to tell the administrator once, however often requests come across them: until the next
 * reload, which may have changed them. Knows strings only.
 */
#ifndef NOTICE_H
#define NOTICE_H

#include <stdbool.h>

/* All zero at first. */
struct notices {
	void *tree; /* tsearch() tree of texts */
};

/* True when this very text was not told yet; it counts as told from now on. */
bool notices_add(struct notices *notices, const char *text);

/* Forget all. */
void notices_clear(struct notices *notices);

#endif
