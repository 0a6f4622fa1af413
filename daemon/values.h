/* SPDX-License-Identifier: MIT */
/*
 * What may stand behind the equals sign: texts into numbers. Knows no key.
 */
#ifndef VALUES_H
#define VALUES_H

#include "settings.h"

/* Each fills value, percent and text. -EINVAL: not of this form. -ERANGE: a number too large. */
int value_parse_bytes(const char *text, struct setting *ret);       /* 64M, infinity */
int value_parse_share(const char *text, struct setting *ret);       /* 64M, 50%, infinity */
int value_parse_count(const char *text, struct setting *ret);       /* 0 to UINT32_MAX, infinity */
int value_parse_connections(const char *text, struct setting *ret); /* 1 to 65536 */
int value_parse_bits(const char *text, struct setting *ret);        /* 12 to 64 */
int value_parse_boolean(const char *text, struct setting *ret);     /* yes, no */
int value_parse_pool(const char *text, struct setting *ret);        /* a name */
int value_parse_reserve(const char *text, struct setting *ret);     /* a name, then 64M or 50% */

/* A name or a number. -ENOENT: there is no such group. */
int value_parse_group(const char *text, struct setting *ret);

/* Digits only, to the end of the text. */
int parse_number(const char *text, uint64_t max, uint64_t *ret);

/* -ENOENT: there is no such user, or group. */
int parse_user_name(const char *text, uint32_t *ret);
int parse_group_name(const char *text, uint32_t *ret);

#endif
