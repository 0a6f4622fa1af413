/* SPDX-License-Identifier: MIT */
/*
 * What may stand behind the equals sign: texts into numbers. Digits are counted here, as strtoull()
 * would take signs, spaces and hexadecimal.
 */
#include "values.h"

#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <strings.h>

#include "cleanup.h"

#define BYTES_MAX ((uint64_t)INT64_MAX)

/* *end is what follows the digits. */
static int parse_digits(const char *text, uint64_t *ret, const char **end)
{
	uint64_t value = 0;

	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	for (; isdigit((unsigned char)*text); text++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*text - '0'), &value))
			return -ERANGE;
	*ret = value;
	*end = text;
	return 0;
}

int parse_number(const char *text, uint64_t max, uint64_t *ret)
{
	const char *end;
	uint64_t value;
	int r = parse_digits(text, &value, &end);

	if (r < 0)
		return r;
	if (*end)
		return -EINVAL;
	if (value > max)
		return -ERANGE;
	*ret = value;
	return 0;
}

static int multiply_by_suffix(const char *suffix, uint64_t *value)
{
	static const char suffixes[] = "KMGTPE";
	const char *found = strchr(suffixes, *suffix);

	if (!found || suffix[1])
		return -EINVAL;
	if (__builtin_mul_overflow(*value, UINT64_C(1) << (10 * (found - suffixes + 1)), value))
		return -ERANGE;
	return 0;
}

int value_parse_bytes(const char *text, struct setting *ret)
{
	const char *end;
	uint64_t value;
	int r;

	if (!strcmp(text, "infinity")) {
		ret->value = INFINITE;
		return 0;
	}
	r = parse_digits(text, &value, &end);
	if (r >= 0 && *end)
		r = multiply_by_suffix(end, &value);
	if (r < 0)
		return r;
	if (value > BYTES_MAX)
		return -ERANGE;
	ret->value = value;
	return 0;
}

int value_parse_share(const char *text, struct setting *ret)
{
	const char *end;
	uint64_t value;

	if (parse_digits(text, &value, &end) < 0 || strcmp(end, "%") != 0)
		return value_parse_bytes(text, ret);
	if (value > 100)
		return -ERANGE;
	ret->value = value;
	ret->percent = true;
	return 0;
}

int value_parse_count(const char *text, struct setting *ret)
{
	if (!strcmp(text, "infinity")) {
		ret->value = INFINITE;
		return 0;
	}
	return parse_number(text, UINT32_MAX, &ret->value);
}

int value_parse_connections(const char *text, struct setting *ret)
{
	int r = parse_number(text, 65536, &ret->value);

	return r >= 0 && !ret->value ? -ERANGE : r;
}

int value_parse_bits(const char *text, struct setting *ret)
{
	int r = parse_number(text, 64, &ret->value);

	/* Fewer would not even reach past the first page. */
	return r >= 0 && ret->value < 12 ? -ERANGE : r;
}

int value_parse_boolean(const char *text, struct setting *ret)
{
	static const char *const words[] = {"no", "yes", "false", "true", "off", "on", "0", "1"};

	for (unsigned int i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcasecmp(text, words[i])) {
			ret->value = i % 2;
			return 0;
		}
	return -EINVAL;
}

int value_parse_pool(const char *text, struct setting *ret)
{
	size_t length = strlen(text);

	if (length >= sizeof(ret->text) || strcspn(text, " \t") != length)
		return -EINVAL;
	memcpy(ret->text, text, length + 1);
	return 0;
}

int value_parse_reserve(const char *text, struct setting *ret)
{
	size_t length = strcspn(text, " \t");
	size_t gap = strspn(text + length, " \t");

	if (!length || length >= sizeof(ret->text) || !gap)
		return -EINVAL;
	memcpy(ret->text, text, length);
	ret->text[length] = '\0';
	/* A whole pool is 100%; an infinity of it means nothing. */
	if (!isdigit((unsigned char)text[length + gap]))
		return -EINVAL;
	return value_parse_share(text + length + gap, ret);
}

/* All ones is the kernel's word for nobody. */
static int parse_id(const char *text, uint32_t *ret)
{
	uint64_t value;
	int r = parse_number(text, UINT32_MAX - 1, &value);

	if (r >= 0)
		*ret = (uint32_t)value;
	return r;
}

int parse_user_name(const char *text, uint32_t *ret)
{
	const struct passwd *entry;

	if (isdigit((unsigned char)*text))
		return parse_id(text, ret);
	entry = getpwnam(text);
	if (!entry)
		return -ENOENT;
	*ret = entry->pw_uid;
	return 0;
}

int parse_group_name(const char *text, uint32_t *ret)
{
	const struct group *entry;

	if (isdigit((unsigned char)*text))
		return parse_id(text, ret);
	entry = getgrnam(text);
	if (!entry)
		return -ENOENT;
	*ret = entry->gr_gid;
	return 0;
}

int value_parse_group(const char *text, struct setting *ret)
{
	uint32_t id;
	int r = parse_group_name(text, &id);

	if (r >= 0)
		ret->value = id;
	return r;
}
