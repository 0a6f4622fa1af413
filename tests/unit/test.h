/* SPDX-License-Identifier: MIT */
/*
 * cmocka, with what it needs included first.
 */
#ifndef TEST_H
#define TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define KIB(n) (UINT64_C(n) << 10)
#define MIB(n) (UINT64_C(n) << 20)
#define GIB(n) (UINT64_C(n) << 30)
#define PAGE UINT64_C(4096)

#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

#endif
