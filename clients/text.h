/* SPDX-License-Identifier: MIT */
/*
 * What the programs read from and write for people: sizes, numbers, names of kinds and mappings.
 */
#ifndef CLIENTS_TEXT_H
#define CLIENTS_TEXT_H

#include <dmabuf.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define TEXT_SIZE_MAX 24

/* Exit codes of all programs. */
enum exit_code {
	EXIT_OK = 0,
	EXIT_REFUSED = 1, /* what was asked could not be done */
	EXIT_USAGE = 2,   /* it was not asked properly */
};

/*
 * A size such as 4096, 64K, 8M or 2G (powers of 1024). -EINVAL for what is no number, zero, signed
 * or followed by something else; -ERANGE past 64 bits.
 */
int size_parse(const char *text, uint64_t *ret);

/* A decimal number from 1 to max; -EINVAL, -ERANGE. */
int number_parse(const char *text, unsigned int max, unsigned int *ret);

/*
 * Milliseconds of a time such as 2, 2s (seconds), 500ms, 1min or 1h, or DMABUF_WAIT_FOREVER for
 * infinity. -EINVAL for what is no number, signed or of another unit; -ERANGE from forever on.
 */
int time_parse(const char *text, unsigned int *ret);

/* "1.8M", or the bare number of bytes. */
void size_format(uint64_t size, bool bytes, char text[static TEXT_SIZE_MAX]);

/* Microseconds as "3d 4h", "2h 5m", "5m 9s" or "1.5s": the two largest units. */
void duration_format(uint64_t microseconds, char text[static TEXT_SIZE_MAX]);

/* -EINVAL for a mapping of another name; "any" is one. */
int mapping_parse(const char *text, enum dmabuf_mapping *ret);

const char *mapping_name(enum dmabuf_mapping mapping);

#define CONSTRAINTS_TEXT_SIZE 48

/* DMABUF_CONSTRAINT_* as --prefer takes them; "" for none. Returns text. */
const char *constraints_text(char text[static CONSTRAINTS_TEXT_SIZE], unsigned int constraints);
const char *kind_name(enum dmabuf_kind kind);

/* "quota", as in dmabuf_status_info.refusals; "other" for one that is not known. */
const char *refusal_name(unsigned int refusal);

/* "allocated", "refused" and so on. */
const char *event_name(enum dmabuf_event_type type);

/*
 * A copy with newlines between words, such that lines have at most so many bytes unless a word is
 * longer. Lines that follow are indented as far as the one they continue. NULL: no memory.
 */
char *text_wrap(const char *text, size_t width);

/* A JSON string with its quotes. */
void json_string(FILE *file, const char *text);

#endif
