/* SPDX-License-Identifier: MIT */
/*
 * Lines for the journal. Only main, manager, attach, reload, listener and report log; everything
 * below returns a negative errno to them. A line is logged here and nowhere else; what an
 * administrator searches for has a message id and fields, and a text in dmabufd.catalog.
 */
#ifndef LOG_H
#define LOG_H

#include <stdio.h>
#include <sys/uio.h>
#include <systemd/sd-daemon.h>

#define MESSAGE_MODULE_READY "a87d6cde07624c378044c9ca9f091d1c"
#define MESSAGE_MODULE_MISSING "d640f7ded8ab4b9bb745684ccc936e7d"
#define MESSAGE_NODE_GONE "ba112472d79e47e78555eb66f047213b"
#define MESSAGE_NODE_BACK "02116f3a783a4499b334ffd9f0fe7b0f"
#define MESSAGE_POOL_FULL "60e98ebccce24abc8b106713a1be03dd"
#define MESSAGE_QUOTA_REFUSED "4a3db779ab3e4d338c50e3c37c89fccd"
#define MESSAGE_CONFIG_LOADED "12801ccc24904e8ebf32a78b7e0f5569"
#define MESSAGE_CONFIG_REFUSED "bd8c05ae3b734181bbd55285cb75cb9f"

/* On standard error with the priority in front. */
#define log_error(...) log_line(SD_ERR, __VA_ARGS__)
#define log_warning(...) log_line(SD_WARNING, __VA_ARGS__)
#define log_info(...) log_line(SD_INFO, __VA_ARGS__)
#define log_line(priority, format, ...) fprintf(stderr, priority format "\n", ##__VA_ARGS__)

#define LOG_FIELDS_MAX 24

/* A line with fields while it is made. Not initialized, it is large: log_begin(). */
struct log_record {
	const char *priority; /* SD_ERR and the like */
	unsigned int n;
	struct iovec fields[LOG_FIELDS_MAX];
	size_t used;
	char text[4096];
};

void log_begin(struct log_record *record, const char *priority, const char *message_id);

/* "NAME=value". What does not fit is left out. */
__attribute__((format(printf, 2, 3))) void log_field(struct log_record *record, const char *format,
						     ...);

/*
 * Adds the text, which begins with "MESSAGE=", and writes the line: to the journal when standard
 * error leads there, otherwise the text alone to standard error.
 */
__attribute__((format(printf, 2, 3))) void log_end(struct log_record *record, const char *format,
						   ...);

#endif
