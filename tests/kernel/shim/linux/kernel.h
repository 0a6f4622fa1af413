/* SPDX-License-Identifier: MIT */
#ifndef SHIM_KERNEL_H
#define SHIM_KERNEL_H

#include <ctype.h>
#include <linux/types.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

static inline int shim_digit(char c)
{
	return isdigit(c) ? c - '0' : isxdigit(c) ? tolower(c) - 'a' + 10 : 16;
}

/* As lib/cmdline.c and what it calls: no sign, no space, and what is too large wraps. */
static inline unsigned long long memparse(const char *text, char **end)
{
	static const char suffixes[] = "kmgtpe";
	unsigned long long value = 0;
	int base = 10, i;

	if (text[0] == '0' && tolower(text[1]) == 'x' && isxdigit(text[2]))
		base = 16;
	else if (text[0] == '0')
		base = 8;
	for (text += base == 16 ? 2 : 0; shim_digit(*text) < base; text++)
		value = value * base + shim_digit(*text);
	for (i = 0; suffixes[i]; i++) {
		if (tolower(*text) == suffixes[i]) {
			value <<= 10 * (i + 1);
			text++;
			break;
		}
	}
	*end = (char *)text;
	return value;
}

#endif
