/* SPDX-License-Identifier: MIT */
/*
 * Rows one at a time, for what happens while one looks: each is printed at once, in columns of fixed
 * width, or as one line of JSON. Columns and options are those of a table. Knows nothing of memory.
 */
#ifndef CLIENTS_STREAM_H
#define CLIENTS_STREAM_H

#include <stdint.h>

#include "table.h"

#define STREAM_COLUMNS_MAX 16

struct stream_column {
	struct table_column table;
	int width; /* of a usual cell; a longer one shifts the rest of its row */
};

struct stream {
	const struct stream_column *columns;
	const struct table_options *options;
	unsigned int n_shown;
	unsigned int shown[STREAM_COLUMNS_MAX]; /* in order */
	char *cells[STREAM_COLUMNS_MAX];        /* owned; NULL when empty */
	bool literal[STREAM_COLUMNS_MAX];       /* no string in JSON */
};

/* -EINVAL when options->columns names an unknown column; said on stderr. Neither is copied. */
int stream_init(struct stream *stream, const struct stream_column columns[], unsigned int n_columns,
		const struct table_options *options);

void stream_print_headings(const struct stream *stream);

/* Cells of the row to come. */
void stream_set_text(struct stream *stream, unsigned int column, const char *text);
void stream_set_number(struct stream *stream, unsigned int column, uint64_t value);

/* Print the row and empty it. Negative errno when it could not be written. */
int stream_print_row(struct stream *stream);

void stream_print_columns(const struct stream_column columns[], unsigned int n_columns);

#endif
