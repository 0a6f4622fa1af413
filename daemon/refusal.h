/* SPDX-License-Identifier: MIT */
/*
 * The words for a refusal of the quota. Decides nothing; knows the C library only.
 */
#ifndef REFUSAL_H
#define REFUSAL_H

#include <stddef.h>

#include "quota.h"

#define REFUSAL_TEXT_SIZE 512

/* In two parts: whose account, what is on it and what is allowed; what would have to be done. */
void refusal_say_fact(const struct refusal *refusal, char *text, size_t size);
void refusal_say_remedy(const struct refusal *refusal, char *text, size_t size);

/* One clause: whose account, what is on it, what is allowed, and what to do. */
void refusal_say(const struct refusal *refusal, char text[static REFUSAL_TEXT_SIZE]);

#endif
