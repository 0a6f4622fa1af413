/* SPDX-License-Identifier: MIT */
/*
 * The words for a refusal of the quota. Decides nothing; knows the C library only.
 */
#ifndef REFUSAL_H
#define REFUSAL_H

#include <stddef.h>

#include "quota.h"

#define REFUSAL_TEXT_SIZE 512

/* One clause: whose account, what is on it, what is allowed, and what to do. */
void refusal_say(const struct refusal *refusal, char text[static REFUSAL_TEXT_SIZE]);

#endif
