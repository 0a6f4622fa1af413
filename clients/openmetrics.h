/* SPDX-License-Identifier: MIT */
/*
 * Samples of numbers, as OpenMetrics text or as JSON. Knows the two formats and nothing of what is
 * measured.
 */
#ifndef CLIENTS_OPENMETRICS_H
#define CLIENTS_OPENMETRICS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define OPENMETRICS_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"

struct metrics {
	FILE *file;
	bool json;
	bool begun; /* a sample was written */
};

void metrics_begin(struct metrics *metrics);
void metrics_end(struct metrics *metrics);

/* The samples that follow belong to the family: gauge, counter or histogram. */
void metrics_family(struct metrics *metrics, const char *name, const char *type, const char *help);

/* label may be NULL. The name of a counter's sample ends in _total. */
void metrics_add(struct metrics *metrics, const char *name, const char *label, const char *value,
		 uint64_t number);

/* The same for microseconds, written in seconds. */
void metrics_add_seconds(struct metrics *metrics, const char *name, const char *label,
			 const char *value, uint64_t microseconds);

#endif
