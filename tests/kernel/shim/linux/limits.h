/* SPDX-License-Identifier: MIT */
#ifndef SHIM_LIMITS_H
#define SHIM_LIMITS_H

/* The C library's own header is among those that want the file which this one stands for. */
#include <limits.h>
#include_next <linux/limits.h>
#include <stdint.h>

#define U64_MAX (~0ull)

#endif
