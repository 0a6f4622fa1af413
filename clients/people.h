/* SPDX-License-Identifier: MIT */
/*
 * Names for numbers: of users and of processes.
 */
#ifndef CLIENTS_PEOPLE_H
#define CLIENTS_PEOPLE_H

#include <stdbool.h>

#define PEOPLE_NAME_MAX 64

/* The user's name, or the number where there is none; returns name. */
const char *user_name(unsigned int uid, char name[static PEOPLE_NAME_MAX]);

/*
 * The name of the program that runs as this process; false when it is gone or not for the caller to
 * know. The daemon is shut off from /proc, so those who look at its numbers ask for themselves.
 */
bool program_name(int pid, char name[static PEOPLE_NAME_MAX]);

#endif
