/* SPDX-License-Identifier: MIT */
/*
 * Samples of numbers, see openmetrics.h.
 */
#include "openmetrics.h"

#include <inttypes.h>

#include "text.h"

#define PREFIX "dmabufd_"

void metrics_begin(struct metrics *metrics)
{
	if (metrics->json)
		fprintf(metrics->file, "{\n   \"metrics\": [");
}

void metrics_end(struct metrics *metrics)
{
	fprintf(metrics->file, metrics->json ? "\n   ]\n}\n" : "# EOF\n");
}

void metrics_family(struct metrics *metrics, const char *name, const char *type, const char *help)
{
	if (!metrics->json)
		fprintf(metrics->file,
			"# TYPE " PREFIX "%s %s\n"
			"# HELP " PREFIX "%s %s.\n",
			name, type, name, help);
}

/* The format has escapes of its own. */
static void print_value(FILE *file, const char *text)
{
	for (; *text; text++)
		if (*text == '\\' || *text == '"')
			fprintf(file, "\\%c", *text);
		else if (*text == '\n')
			fprintf(file, "\\n");
		else
			fputc(*text, file);
}

static void add_text(FILE *file, const char *name, const char *label, const char *value,
		     const char *number)
{
	fprintf(file, PREFIX "%s", name);
	if (label) {
		fprintf(file, "{%s=\"", label);
		print_value(file, value);
		fprintf(file, "\"}");
	}
	fprintf(file, " %s\n", number);
}

static void add_json(FILE *file, const char *name, const char *label, const char *value,
		     const char *number)
{
	fprintf(file, "      {\"name\": \"" PREFIX "%s\", \"labels\": {", name);
	if (label) {
		fprintf(file, "\"%s\": ", label);
		json_string(file, value);
	}
	fprintf(file, "}, \"value\": %s}", number);
}

static void add(struct metrics *metrics, const char *name, const char *label, const char *value,
		const char *number)
{
	if (!metrics->json) {
		add_text(metrics->file, name, label, value, number);
		return;
	}
	fprintf(metrics->file, metrics->begun ? ",\n" : "\n");
	metrics->begun = true;
	add_json(metrics->file, name, label, value, number);
}

void metrics_add(struct metrics *metrics, const char *name, const char *label, const char *value,
		 uint64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, number);
	add(metrics, name, label, value, text);
}

void metrics_add_seconds(struct metrics *metrics, const char *name, const char *label,
			 const char *value, uint64_t microseconds)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64 ".%06" PRIu64, microseconds / 1000000,
		 microseconds % 1000000);
	add(metrics, name, label, value, text);
}
