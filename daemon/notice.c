/* SPDX-License-Identifier: MIT */
/*
 * Things to tell the administrator once.
 */
#include "notice.h"

#include <search.h>
#include <string.h>

#include "cleanup.h"

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

bool notices_add(struct notices *notices, const char *text)
{
	char *copy = strdup(text);
	char **node = copy ? tsearch(copy, &notices->tree, compare) : NULL;

	if (node && *node == copy)
		return true;
	/* Known already, or no memory: better silent than a flood. */
	free(copy);
	return false;
}

void notices_clear(struct notices *notices)
{
	tdestroy(notices->tree, free);
	notices->tree = NULL;
}
