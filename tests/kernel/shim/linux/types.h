/* SPDX-License-Identifier: MIT */
#ifndef SHIM_TYPES_H
#define SHIM_TYPES_H

#include <stdbool.h>
#include <stddef.h>

typedef unsigned long long u64;

#endif
