/* SPDX-License-Identifier: MIT */
/*
 * Text in and out, see text.h. Knows no option, no table, and prints nothing by itself.
 */
#include "text.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *const mapping_names[] = {
	[DMABUF_MAPPING_ANY] = "any",
	[DMABUF_MAPPING_CACHED] = "cached",
	[DMABUF_MAPPING_WRITE_COMBINED] = "write-combined",
};

static const char *const kind_names[] = {
	[DMABUF_KIND_COHERENT] = "coherent",
	[DMABUF_KIND_CMA] = "cma",
	[DMABUF_KIND_BUDDY] = "buddy",
};

static const char *const refusal_names[] = {
	[DMABUF_REFUSED_QUOTA] = "quota",           [DMABUF_REFUSED_FULL] = "full",
	[DMABUF_REFUSED_UNSUITABLE] = "unsuitable", [DMABUF_REFUSED_ACCESS] = "access",
	[DMABUF_REFUSED_DEVICE] = "device",         [DMABUF_REFUSED_INVALID] = "invalid",
	[DMABUF_REFUSED_MODULE] = "module",         [DMABUF_REFUSED_OTHER] = "other",
};

static const char *const event_names[] = {
	[DMABUF_EVENT_ALLOCATED] = "allocated", [DMABUF_EVENT_RELEASED] = "released",
	[DMABUF_EVENT_REFUSED] = "refused",     [DMABUF_EVENT_CONNECTED] = "connected",
	[DMABUF_EVENT_LEFT] = "left",           [DMABUF_EVENT_POOL_APPEARED] = "pool-new",
	[DMABUF_EVENT_RELOADED] = "reloaded",   [DMABUF_EVENT_LOST] = "lost",
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* strtoull() alone would take blanks and signs. */
static int digits_parse(const char *text, const char **ret_end, uint64_t *ret)
{
	unsigned long long value;
	char *end;

	if (!isdigit((unsigned char)text[0]))
		return -EINVAL;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno == ERANGE)
		return -ERANGE;
	*ret_end = end;
	*ret = value;
	return 0;
}

static int suffix_shift(const char *suffix)
{
	static const char units[] = "KMG";
	const char *unit;

	if (suffix[0] == '\0')
		return 0;
	unit = strchr(units, toupper((unsigned char)suffix[0]));
	if (!unit || suffix[1] != '\0')
		return -EINVAL;
	return 10 * (int)(unit - units + 1);
}

int size_parse(const char *text, uint64_t *ret)
{
	const char *suffix;
	uint64_t value;
	int r, shift;

	r = digits_parse(text, &suffix, &value);
	if (r < 0)
		return r;
	shift = suffix_shift(suffix);
	if (shift < 0)
		return shift;
	if (value == 0)
		return -EINVAL;
	if (value > UINT64_MAX >> shift)
		return -ERANGE;
	*ret = value << shift;
	return 0;
}

int number_parse(const char *text, unsigned int max, unsigned int *ret)
{
	const char *end;
	uint64_t value;
	int r;

	r = digits_parse(text, &end, &value);
	if (r < 0)
		return r;
	if (*end != '\0')
		return -EINVAL;
	if (value < 1 || value > max)
		return -ERANGE;
	*ret = (unsigned int)value;
	return 0;
}

int time_parse(const char *text, unsigned int *ret)
{
	static const struct {
		const char *name;
		unsigned int milliseconds;
	} units[] = {{"", 1000}, {"ms", 1}, {"s", 1000}, {"min", 60000}, {"h", 3600000}};
	const char *unit;
	uint64_t value;
	int r;

	if (strcmp(text, "infinity") == 0) {
		*ret = DMABUF_WAIT_FOREVER;
		return 0;
	}
	r = digits_parse(text, &unit, &value);
	for (size_t i = 0; r == 0 && i < COUNT(units); i++) {
		if (strcmp(unit, units[i].name) != 0)
			continue;
		if (value >= DMABUF_WAIT_FOREVER / units[i].milliseconds)
			return -ERANGE;
		*ret = (unsigned int)value * units[i].milliseconds;
		return 0;
	}
	return r < 0 ? r : -EINVAL;
}

void size_format(uint64_t size, bool bytes, char text[static TEXT_SIZE_MAX])
{
	static const char units[] = "BKMGTPE";
	unsigned int unit = 0;
	uint64_t tenths = 0;

	if (bytes) {
		snprintf(text, TEXT_SIZE_MAX, "%" PRIu64, size);
		return;
	}
	while (unit + 2 < sizeof(units) && size >> (10 * (unit + 1)))
		unit++;
	if (unit > 0)
		tenths = ((size >> (10 * (unit - 1))) % 1024 * 10 + 512) / 1024;
	size >>= 10 * unit;
	if (tenths == 10) {
		size++;
		tenths = 0;
	}
	if (tenths)
		snprintf(text, TEXT_SIZE_MAX, "%" PRIu64 ".%" PRIu64 "%c", size, tenths,
			 units[unit]);
	else
		snprintf(text, TEXT_SIZE_MAX, "%" PRIu64 "%c", size, units[unit]);
}

int mapping_parse(const char *text, enum dmabuf_mapping *ret)
{
	for (size_t i = 0; i < COUNT(mapping_names); i++)
		if (strcmp(text, mapping_names[i]) == 0) {
			*ret = (enum dmabuf_mapping)i;
			return 0;
		}
	return -EINVAL;
}

const char *constraints_text(char text[static CONSTRAINTS_TEXT_SIZE], unsigned int constraints)
{
	static const char *const names[] = {"mapping", "align", "contiguous", "address-bits"};
	size_t at = 0;

	text[0] = '\0';
	for (size_t i = 0; i < COUNT(names); i++)
		if (constraints & 1u << i)
			at += (size_t)snprintf(text + at, CONSTRAINTS_TEXT_SIZE - at, "%s%s",
					       at ? "," : "", names[i]);
	return text;
}

const char *mapping_name(enum dmabuf_mapping mapping)
{
	return mapping < COUNT(mapping_names) ? mapping_names[mapping] : "unknown";
}

const char *kind_name(enum dmabuf_kind kind)
{
	return kind < COUNT(kind_names) && kind_names[kind] ? kind_names[kind] : "unknown";
}

const char *refusal_name(unsigned int refusal)
{
	return refusal < COUNT(refusal_names) ? refusal_names[refusal] : "other";
}

const char *event_name(enum dmabuf_event_type type)
{
	return type < COUNT(event_names) && event_names[type] ? event_names[type] : "unknown";
}

void duration_format(uint64_t microseconds, char text[static TEXT_SIZE_MAX])
{
	static const struct {
		uint64_t seconds;
		char unit;
	} units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
	uint64_t seconds = microseconds / 1000000;

	if (seconds < 10) {
		snprintf(text, TEXT_SIZE_MAX, "%" PRIu64 ".%" PRIu64 "s", seconds,
			 microseconds / 100000 % 10);
		return;
	}
	for (size_t i = 0; i < COUNT(units); i++) {
		if (seconds < units[i].seconds)
			continue;
		if (units[i].unit == 's')
			snprintf(text, TEXT_SIZE_MAX, "%" PRIu64 "s", seconds);
		else
			snprintf(text, TEXT_SIZE_MAX, "%" PRIu64 "%c %" PRIu64 "%c",
				 seconds / units[i].seconds, units[i].unit,
				 seconds % units[i].seconds / units[i + 1].seconds,
				 units[i + 1].unit);
		return;
	}
}

char *text_wrap(const char *text, size_t width)
{
	size_t indent = 0, at = 0;
	char *wrapped = NULL;
	FILE *file;
	size_t size;

	file = open_memstream(&wrapped, &size);
	if (!file)
		return NULL;
	while (*text) {
		size_t blanks = strspn(text, " "), word = strcspn(text + blanks, " \n");

		if (at == 0)
			indent = blanks;
		if (at > 0 && at + blanks + word > width)
			at = (size_t)fprintf(file, "\n%*s", (int)indent, "") - 1;
		else
			at += (size_t)fprintf(file, "%*s", (int)blanks, "");
		at += fwrite(text + blanks, 1, word, file);
		text += blanks + word;
		if (*text != '\n')
			continue;
		fputc(*text++, file);
		at = 0;
	}
	if (fclose(file) == 0)
		return wrapped;
	free(wrapped);
	return NULL;
}

void json_string(FILE *file, const char *text)
{
	fputc('"', file);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			fprintf(file, "\\%c", c);
		else if (c < 0x20)
			fprintf(file, "\\u%04x", c);
		else
			fputc(c, file);
	}
	fputc('"', file);
}
