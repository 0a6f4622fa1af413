/* SPDX-License-Identifier: MIT */
/*
 * The table of sections and keys: their names, what they accept, their defaults. dmabufd.conf(5)
 * describes each of them, and a test compares the two.
 */
#ifndef KEYS_H
#define KEYS_H

#include "settings.h"

struct key {
	enum section_kind section;
	const char *name;
	int (*parse)(const char *text, struct setting *ret); /* -EINVAL, -ERANGE, -ENOENT */
	const char *accepts;
	const char *fallback; /* the default, as the file would have it; "" for none */
};

extern const struct key keys[N_KEYS];
extern const char *const section_names[];

/* N_KEYS: there is no such key in this section. */
enum key_id key_find(enum section_kind section, const char *name);

#endif
