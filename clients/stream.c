/* SPDX-License-Identifier: MIT */
/*
 * Rows one at a time, see stream.h. Ends the program when there is no memory left, as tables do.
 */
#include "stream.h"

#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cleanup.h"
#include "text.h"

static int find(const struct stream_column columns[], unsigned int n_columns, const char *name,
		size_t length)
{
	for (unsigned int i = 0; i < n_columns; i++)
		if (strlen(columns[i].table.name) == length &&
		    strncasecmp(columns[i].table.name, name, length) == 0)
			return (int)i;
	warnx("unknown column \"%.*s\"; see --help", (int)length, name);
	return -EINVAL;
}

static bool is_shown(const struct stream *stream, unsigned int column)
{
	for (unsigned int i = 0; i < stream->n_shown; i++)
		if (stream->shown[i] == column)
			return true;
	return false;
}

static void show(struct stream *stream, unsigned int column)
{
	/* Named twice: the first place stays. */
	if (!is_shown(stream, column))
		stream->shown[stream->n_shown++] = column;
}

int stream_init(struct stream *stream, const struct stream_column columns[], unsigned int n_columns,
		const struct table_options *options)
{
	const char *name = options->columns;

	*stream = (struct stream){.columns = columns, .options = options};
	for (unsigned int i = 0; i < n_columns && !name; i++)
		if (table_column_is_default(&columns[i].table, options))
			show(stream, i);
	while (name) {
		size_t length = strcspn(name, ",");
		int i = find(columns, n_columns, name, length);

		if (i < 0)
			return i;
		show(stream, (unsigned int)i);
		name = name[length] == ',' ? name + length + 1 : NULL;
	}
	return 0;
}

static bool is_right(const struct stream_column *column)
{
	return column->table.type != TABLE_TEXT && column->table.type != TABLE_BOOLEAN;
}

static void print_cell(const struct stream *stream, unsigned int i, const char *text)
{
	const struct stream_column *column = &stream->columns[stream->shown[i]];
	bool last = i + 1 == stream->n_shown;

	if (is_right(column))
		printf("%*s", column->width, text);
	else
		printf("%-*s", last ? 0 : column->width, text);
	putchar(last ? '\n' : ' ');
}

void stream_print_headings(const struct stream *stream)
{
	bool bold = colours_are_wanted();

	if (stream->options->json || stream->options->noheadings)
		return;
	printf("%s", bold ? "\033[1m" : "");
	for (unsigned int i = 0; i < stream->n_shown; i++)
		print_cell(stream, i, stream->columns[stream->shown[i]].table.name);
	printf("%s", bold ? "\033[0m" : "");
}

static void set(struct stream *stream, unsigned int column, const char *text, bool literal)
{
	free(stream->cells[column]);
	stream->cells[column] = strdup(text);
	if (!stream->cells[column])
		err(EXIT_REFUSED, "row");
	stream->literal[column] = literal;
}

void stream_set_text(struct stream *stream, unsigned int column, const char *text)
{
	set(stream, column, text, false);
}

void stream_set_number(struct stream *stream, unsigned int column, uint64_t value)
{
	char text[TABLE_CELL_MAX];

	table_format_number(text, stream->columns[column].table.type, stream->options, value);
	set(stream, column, text, true);
}

static void print_json(const struct stream *stream)
{
	for (unsigned int i = 0; i < stream->n_shown; i++) {
		unsigned int column = stream->shown[i];

		printf("%s\"", i ? ", " : "{");
		for (const char *c = stream->columns[column].table.name; *c; c++)
			putchar(tolower((unsigned char)*c));
		printf("\": ");
		if (!stream->cells[column])
			printf("null");
		else if (stream->literal[column])
			printf("%s", stream->cells[column]);
		else
			json_string(stdout, stream->cells[column]);
	}
	printf("}\n");
}

/* Bytes that the row has when the terminal is wide enough. */
static size_t row_width(const struct stream *stream)
{
	size_t width = 0;

	for (unsigned int i = 0; i < stream->n_shown; i++) {
		const char *text = stream->cells[stream->shown[i]];
		size_t usual = (size_t)stream->columns[stream->shown[i]].width;

		width += 1 + (text && strlen(text) > usual ? strlen(text) : usual);
	}
	return width;
}

/* The text at the end of a row gets lines of its own where the terminal is too narrow for it. */
static void print_last(const struct stream *stream, const char *text)
{
	size_t terminal = terminal_width();
	_cleanup_free_ char *indented = NULL, *wrapped = NULL;

	if (!terminal || row_width(stream) <= terminal || stream->n_shown == 1) {
		printf("%s\n", text);
		return;
	}
	if (asprintf(&indented, "    %s", text) < 0)
		err(EXIT_REFUSED, "row");
	wrapped = text_wrap(indented, terminal);
	if (!wrapped)
		err(EXIT_REFUSED, "row");
	printf("\n%s\n", wrapped);
}

static void print_text(const struct stream *stream)
{
	for (unsigned int i = 0; i < stream->n_shown; i++) {
		const char *text = stream->cells[stream->shown[i]];
		bool last = i + 1 == stream->n_shown;

		if (text && last && !is_right(&stream->columns[stream->shown[i]]))
			print_last(stream, text);
		else
			print_cell(stream, i, text ? text : last ? "" : "-");
	}
}

int stream_print_row(struct stream *stream)
{
	if (stream->options->json)
		print_json(stream);
	else
		print_text(stream);
	for (unsigned int i = 0; i < STREAM_COLUMNS_MAX; i++) {
		free(stream->cells[i]);
		stream->cells[i] = NULL;
	}
	return fflush(stdout) == 0 ? 0 : -errno;
}

void stream_print_columns(const struct stream_column columns[], unsigned int n_columns)
{
	printf("\nColumns:\n");
	for (unsigned int i = 0; i < n_columns; i++)
		table_print_column(&columns[i].table);
}
