/* SPDX-License-Identifier: MIT */
/*
 * The configuration: dmabufd.conf and the drop-ins beside it. Knows files and numbers; what a limit
 * means is the business of who reads it.
 */
#ifndef SETTINGS_H
#define SETTINGS_H

#include <stddef.h>
#include <stdint.h>

#define USER_BYTES_MAX_DEFAULT (UINT64_C(512) << 20)
#define DEVICE_BYTES_MAX_DEFAULT (UINT64_C(512) << 20)
#define USER_CONNECTIONS_MAX_DEFAULT 64

struct settings {
	uint64_t user_bytes_max;
	uint64_t device_bytes_max;
	uint64_t user_connections_max;
};

#define SETTINGS_REASON_SIZE 512

/*
 * Read path, then path.d/<name>.conf in the order of the names; a file that is not there is empty.
 * On failure nothing is applied, and reason says "file:line: what is wrong". -EINVAL, -ENOMEM,
 * errors of opening and reading.
 */
int settings_load(const char *path, struct settings *ret, char reason[static SETTINGS_REASON_SIZE]);

#endif
