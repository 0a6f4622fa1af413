/* SPDX-License-Identifier: MIT */
/*
 * Tables and JSON, see table.h. The only file that includes libsmartcols.
 */
#include "table.h"

#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <libsmartcols.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cleanup.h"
#include "text.h"

#define COLUMNS_MAX 16
#define WRAP_MIN 12 /* narrower, a column of text is no use */

struct table {
	const char *name;
	const struct table_column *columns;
	unsigned int n_columns;
	const struct table_options *options;
	struct libscols_table *scols;
	struct libscols_line *row;
	unsigned int n_rows;
	/* Where a column stands in scols; negative: not shown. */
	int position[COLUMNS_MAX];
};

static void check(int r)
{
	if (r < 0)
		errx(EXIT_REFUSED, "%s", strerror(-r));
}

bool table_option(struct table_options *options, int c, const char *argument)
{
	switch (c) {
	case 'b':
		options->bytes = true;
		return true;
	case 'J':
		options->json = true;
		return true;
	case 'n':
		options->noheadings = true;
		return true;
	case 'o':
		options->columns = argument;
		return true;
	default:
		return false;
	}
}

bool table_column_is_default(const struct table_column *column, const struct table_options *options)
{
	return column->shown == TABLE_SHOWN ||
	       column->shown == (options->json ? TABLE_ONLY_JSON : TABLE_ONLY_TEXT);
}

static int json_type(enum table_type type)
{
	if (type == TABLE_TEXT)
		return SCOLS_JSON_STRING;
	return type == TABLE_BOOLEAN ? SCOLS_JSON_BOOLEAN_OPTIONAL : SCOLS_JSON_NUMBER;
}

static void show_column(struct table *table, unsigned int i)
{
	static const int narrow[] = {
		[TABLE_WRAPS] = SCOLS_FL_WRAP, [TABLE_SHRINKS] = SCOLS_FL_TRUNC};
	const struct table_column *column = &table->columns[i];
	bool right = column->type != TABLE_TEXT && column->type != TABLE_BOOLEAN;
	int flags = (right ? SCOLS_FL_RIGHT : 0) | narrow[column->narrow];
	struct libscols_column *cl;

	/* Named twice: the first place stays. */
	if (table->position[i] >= 0)
		return;
	table->position[i] = (int)scols_table_get_ncols(table->scols);
	cl = scols_table_new_column(table->scols, column->name, 0, flags);
	if (!cl)
		check(-ENOMEM);
	if (column->narrow == TABLE_WRAPS) {
		check(scols_column_set_wrapfunc(cl, scols_wrapnl_chunksize, scols_wrapnl_nextchunk,
						NULL));
		check(scols_column_set_safechars(cl, "\n"));
	}
	check(scols_column_set_json_type(cl, json_type(column->type)));
	check(scols_cell_set_color(scols_column_get_header(cl), "bold"));
}

static int find_column(const struct table *table, const char *name, size_t length)
{
	for (unsigned int i = 0; i < table->n_columns; i++)
		if (strlen(table->columns[i].name) == length &&
		    strncasecmp(table->columns[i].name, name, length) == 0)
			return (int)i;
	warnx("unknown column \"%.*s\"; see --help", (int)length, name);
	return -EINVAL;
}

static int choose_columns(struct table *table)
{
	const char *name = table->options->columns;

	for (unsigned int i = 0; i < table->n_columns; i++)
		table->position[i] = -1;
	for (unsigned int i = 0; i < table->n_columns && !name; i++)
		if (table_column_is_default(&table->columns[i], table->options))
			show_column(table, i);
	while (name) {
		size_t length = strcspn(name, ",");
		int i = find_column(table, name, length);

		if (i < 0)
			return i;
		show_column(table, (unsigned int)i);
		name = name[length] == ',' ? name + length + 1 : NULL;
	}
	return 0;
}

int table_new(struct table **ret, const char *name, const struct table_column *columns,
	      unsigned int n_columns, const struct table_options *options)
{
	_cleanup_(table_freep) struct table *table = calloc(1, sizeof(*table));
	int r;

	if (!table || n_columns > COLUMNS_MAX)
		check(-ENOMEM);
	table->name = name;
	table->columns = columns;
	table->n_columns = n_columns;
	table->options = options;
	table->scols = scols_new_table();
	if (!table->scols)
		check(-ENOMEM);
	check(scols_table_set_name(table->scols, name));
	scols_table_enable_json(table->scols, options->json);
	scols_table_enable_colors(table->scols, !options->json && colours_are_wanted());
	scols_table_enable_noheadings(table->scols, options->noheadings);
	r = choose_columns(table);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(table);
	return 0;
}

struct table *table_free(struct table *table)
{
	if (table) {
		scols_unref_table(table->scols);
		free(table);
	}
	return NULL;
}

void table_freep(struct table **table)
{
	table_free(*table);
}

void table_add_row(struct table *table)
{
	table->row = scols_table_new_line(table->scols, NULL);
	if (!table->row)
		check(-ENOMEM);
	table->n_rows++;
	/* libsmartcols writes null for an empty cell. */
	for (unsigned int i = 0; i < table->n_columns && !table->options->json; i++)
		table_set_text(table, i, "-");
}

void table_set_text(struct table *table, unsigned int column, const char *text)
{
	if (table->position[column] >= 0)
		check(scols_line_set_data(table->row, (size_t)table->position[column], text));
}

void table_set_colour(struct table *table, unsigned int column, enum table_colour colour)
{
	static const char *const names[] = {
		[TABLE_GOOD] = "green",
		[TABLE_DOUBTFUL] = "yellow",
		[TABLE_BAD] = "red",
		[TABLE_FAINT] = "halfbright",
	};
	int position = table->position[column];

	if (position >= 0)
		check(scols_cell_set_color(scols_line_get_cell(table->row, (size_t)position),
					   names[colour]));
}

void table_format_number(char text[static TABLE_CELL_MAX], enum table_type type,
			 const struct table_options *options, uint64_t value)
{
	bool json = options->json;

	if (type == TABLE_SIZE)
		size_format(value, options->bytes || json, text);
	else if (type == TABLE_BOOLEAN)
		snprintf(text, TABLE_CELL_MAX, "%s", value ? "yes" : "no");
	else if (type == TABLE_ADDRESS && !json)
		snprintf(text, TABLE_CELL_MAX, "0x%" PRIx64, value);
	else if (type == TABLE_DURATION && !json)
		duration_format(value, text);
	else if (type == TABLE_DURATION)
		snprintf(text, TABLE_CELL_MAX, "%" PRIu64 ".%06" PRIu64, value / 1000000,
			 value % 1000000);
	else
		snprintf(text, TABLE_CELL_MAX, "%" PRIu64, value);
}

void table_set_number(struct table *table, unsigned int column, uint64_t value)
{
	char text[TABLE_CELL_MAX];

	table_format_number(text, table->columns[column].type, table->options, value);
	table_set_text(table, column, text);
}

/* libsmartcols prints an object for one table, and nothing at all for an empty one. */
int table_print_member(struct table *table)
{
	_cleanup_free_ char *text = NULL;
	const char *start, *end;
	int r;

	if (table->n_rows == 0) {
		printf("   \"%s\": []", table->name);
		return 0;
	}
	r = scols_print_table_to_string(table->scols, &text);
	if (r < 0)
		return r;
	start = strchr(text, '\n');
	end = strrchr(text, ']');
	if (!start || !end)
		return -EINVAL;
	printf("%.*s", (int)(end - start), start + 1);
	return 0;
}

static int print_json(struct table *const tables[], unsigned int n_tables)
{
	printf("{\n");
	for (unsigned int i = 0; i < n_tables; i++) {
		int r = table_print_member(tables[i]);

		if (r < 0)
			return r;
		printf(i + 1 < n_tables ? ",\n" : "\n");
	}
	printf("}\n");
	return 0;
}

size_t terminal_width(void)
{
	struct winsize size;

	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
		return 0;
	return size.ws_col;
}

static size_t widest_cell(const struct table *table, unsigned int column)
{
	size_t widest = strlen(table->columns[column].name);
	struct libscols_line *row;

	for (size_t i = 0; (row = scols_table_get_line(table->scols, i)); i++) {
		const char *text = scols_cell_get_data(
			scols_line_get_cell(row, (size_t)table->position[column]));

		if (text && strlen(text) > widest)
			widest = strlen(text);
	}
	return widest;
}

/* What is left for each column that wraps, when the others have what they need. */
static size_t width_to_wrap(const struct table *table, size_t terminal)
{
	size_t needed = 0, n = 0;

	for (unsigned int i = 0; i < table->n_columns; i++) {
		bool wraps = table->columns[i].narrow == TABLE_WRAPS;

		if (table->position[i] < 0)
			continue;
		n += wraps;
		needed += 1 + (wraps ? 0 : widest_cell(table, i));
	}
	if (!n || needed > terminal || (terminal - needed) / n < WRAP_MIN)
		return WRAP_MIN;
	return (terminal - needed) / n;
}

/* libsmartcols breaks lines within words: break them between words where it finds newlines. */
static void wrap_column(struct table *table, unsigned int column, size_t width)
{
	struct libscols_line *row;

	for (size_t i = 0; (row = scols_table_get_line(table->scols, i)); i++) {
		const char *text = scols_cell_get_data(
			scols_line_get_cell(row, (size_t)table->position[column]));
		char *wrapped = text_wrap(text, width);

		if (!wrapped)
			check(-ENOMEM);
		check(scols_line_refer_data(row, (size_t)table->position[column], wrapped));
	}
}

static void wrap(struct table *table)
{
	size_t terminal = terminal_width();
	size_t width = terminal ? width_to_wrap(table, terminal) : 0;

	for (unsigned int i = 0; i < table->n_columns && width; i++)
		if (table->position[i] >= 0 && table->columns[i].narrow == TABLE_WRAPS)
			wrap_column(table, i, width);
}

int tables_print(struct table *const tables[], unsigned int n_tables)
{
	if (tables[0]->options->json)
		return print_json(tables, n_tables);
	for (unsigned int i = 0; i < n_tables; i++) {
		int r;

		wrap(tables[i]);
		r = scols_print_table(tables[i]->scols);
		if (r < 0)
			return r;
		if (i + 1 < n_tables)
			printf("\n");
	}
	return 0;
}

char *table_get_text(struct table *table)
{
	char *text = NULL;

	wrap(table);
	/* Of an empty table there is no text. */
	if (table->n_rows)
		check(scols_print_table_to_string(table->scols, &text));
	if (!text)
		text = strdup("");
	if (!text)
		check(-ENOMEM);
	return text;
}

static size_t widest_heading(const struct table *table)
{
	size_t widest = 0;

	for (unsigned int i = 0; i < table->n_columns; i++)
		if (table->position[i] >= 0 && strlen(table->columns[i].name) > widest)
			widest = strlen(table->columns[i].name);
	return widest;
}

int table_print_upright(struct table *table)
{
	bool bold = colours_are_wanted();
	int width = (int)widest_heading(table);

	if (table->options->json)
		return tables_print(&table, 1);
	for (size_t i = 0; i < scols_table_get_ncols(table->scols); i++) {
		const char *name = scols_cell_get_data(
			scols_column_get_header(scols_table_get_column(table->scols, i)));
		const char *value = scols_cell_get_data(scols_line_get_cell(table->row, i));

		if (table->options->noheadings)
			printf("%s\n", value);
		else
			printf("%s%-*s%s  %s\n", bold ? "\033[1m" : "", width, name,
			       bold ? "\033[0m" : "", value);
	}
	return 0;
}

bool colours_are_wanted(void)
{
	const char *no = getenv("NO_COLOR"), *terminal = getenv("TERM");

	return isatty(STDOUT_FILENO) && (!no || !*no) && terminal && strcmp(terminal, "dumb");
}

void table_print_columns(const struct table_column *columns, unsigned int n_columns)
{
	printf("\nColumns:\n");
	for (unsigned int i = 0; i < n_columns; i++)
		table_print_column(&columns[i]);
}

void table_print_column(const struct table_column *column)
{
	printf("  %-12s %s\n", column->name, column->help);
}
