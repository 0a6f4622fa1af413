/* SPDX-License-Identifier: MIT */
/*
 * Tables for people and JSON for programs, from the same rows. Wraps libsmartcols; knows nothing of
 * memory. Ends the program when there is no memory left: a client has nothing to save.
 */
#ifndef CLIENTS_TABLE_H
#define CLIENTS_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum table_type {
	TABLE_TEXT,
	TABLE_NUMBER,
	TABLE_SIZE,    /* bytes: human in a table, exact in JSON */
	TABLE_ADDRESS, /* hexadecimal in a table, a number in JSON */
	TABLE_BOOLEAN,
	TABLE_DURATION, /* microseconds: "2h 5m" in a table, seconds in JSON */
};

/* What a cell says at a glance, on a terminal only. */
enum table_colour {
	TABLE_PLAIN,
	TABLE_GOOD,
	TABLE_DOUBTFUL,
	TABLE_BAD,
	TABLE_FAINT,
};

/* Where a column is shown unless -o chooses. */
enum table_default {
	TABLE_SHOWN,
	TABLE_ONLY_TEXT,
	TABLE_ONLY_JSON,
	TABLE_ON_DEMAND,
};

/* What becomes of a text that a narrow terminal has no room for. */
enum table_narrow {
	TABLE_KEEPS,
	TABLE_WRAPS,   /* broken into lines, between words */
	TABLE_SHRINKS, /* cut off */
};

struct table_column {
	const char *name;
	enum table_type type;
	enum table_default shown;
	const char *help;
	enum table_narrow narrow;
};

struct table_options {
	bool json;
	bool noheadings;
	bool bytes;
	const char *columns; /* of -o; NULL for the default */
};

/* For getopt_long(): the options of every table, and their lines of --help. */
#define TABLE_OPTIONS "bJno:"
#define TABLE_LONG_OPTIONS                                                                         \
	{"bytes", no_argument, NULL, 'b'}, {"json", no_argument, NULL, 'J'},                       \
		{"noheadings", no_argument, NULL, 'n'},                                            \
	{                                                                                          \
		"output", required_argument, NULL, 'o'                                             \
	}
#define TABLE_HELP                                                                                 \
	"  -b, --bytes           sizes in bytes, exactly\n"                                        \
	"  -J, --json            JSON\n"                                                           \
	"  -n, --noheadings      no headings\n"                                                    \
	"  -o, --output COLUMNS  these columns, separated by commas\n"

/* What getopt_long() returned; false when it is not one of the above. */
bool table_option(struct table_options *options, int c, const char *argument);

struct table;

/*
 * name is the table's key in JSON. Neither columns nor options are copied. -EINVAL when
 * options->columns names an unknown column; said on stderr.
 */
int table_new(struct table **ret, const char *name, const struct table_column *columns,
	      unsigned int n_columns, const struct table_options *options);
struct table *table_free(struct table *table);
void table_freep(struct table **table);

/* Start a row; its cells are empty ("-", null) until set. column is an index into columns. */
void table_add_row(struct table *table);
void table_set_text(struct table *table, unsigned int column, const char *text);
/* Nothing where colours are not wanted: no terminal, or NO_COLOR is set. */
void table_set_colour(struct table *table, unsigned int column, enum table_colour colour);
void table_set_number(struct table *table, unsigned int column, uint64_t value);

/* All tables, one below the other, or as one JSON object with a member for each. */
int tables_print(struct table *const tables[], unsigned int n_tables);

/* One table as it would be printed. The caller frees it. */
char *table_get_text(struct table *table);

/* The only row of a table, one line for each column; JSON as of tables_print(). */
int table_print_upright(struct table *table);

/* Columns of the terminal on standard output; 0 when it is none. */
size_t terminal_width(void);

/* Are colours wanted on standard output? */
bool colours_are_wanted(void);

/* The text of a cell's number as a table shows it, or as JSON has it. */
#define TABLE_CELL_MAX 32
void table_format_number(char text[static TABLE_CELL_MAX], enum table_type type,
			 const struct table_options *options, uint64_t value);

/* The member "name": [...] alone, for a larger object. */
int table_print_member(struct table *table);

/* Is it shown when -o chooses nothing? */
bool table_column_is_default(const struct table_column *column,
			     const struct table_options *options);

/* Lines "NAME  help" for --help. */
void table_print_column(const struct table_column *column);
void table_print_columns(const struct table_column *columns, unsigned int n_columns);

#endif
