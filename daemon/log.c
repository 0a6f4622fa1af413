/* SPDX-License-Identifier: MIT */
/*
 * Lines with fields for the journal.
 */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include "log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

/* What the service manager connected to the journal it names by device and inode. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	uintmax_t device, inode;
	struct stat st;

	return stream && sscanf(stream, "%" SCNuMAX ":%" SCNuMAX, &device, &inode) == 2 &&
	       fstat(STDERR_FILENO, &st) >= 0 && st.st_dev == device && st.st_ino == inode;
}

static void add(struct log_record *record, const char *format, va_list args)
{
	size_t room = sizeof(record->text) - record->used;
	char *place = record->text + record->used;
	int n = vsnprintf(place, room, format, args);

	if (n < 0 || (size_t)n >= room || record->n == LOG_FIELDS_MAX)
		return;
	record->fields[record->n++] = (struct iovec){place, (size_t)n};
	record->used += (size_t)n + 1;
}

void log_field(struct log_record *record, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(record, format, args);
	va_end(args);
}

void log_begin(struct log_record *record, const char *priority, const char *message_id)
{
	record->priority = priority;
	record->n = 0;
	record->used = 0;
	log_field(record, "MESSAGE_ID=%s", message_id);
	log_field(record, "PRIORITY=%c", priority[1]); /* "<4>" */
}

void log_end(struct log_record *record, const char *format, ...)
{
	const char *text = record->text + record->used;
	va_list args;

	record->n -= record->n == LOG_FIELDS_MAX; /* the text is worth more than the last field */
	va_start(args, format);
	add(record, format, args);
	va_end(args);
	if (stderr_is_journal() && sd_journal_sendv(record->fields, (int)record->n) >= 0)
		return;
	fprintf(stderr, "%s%s\n", record->priority, text + strlen("MESSAGE="));
}
