/* SPDX-License-Identifier: MIT */
#ifndef SHIM_MATH_H
#define SHIM_MATH_H

#define DIV_ROUND_UP(n, d) (((n) + (d)-1) / (d))
#define rounddown(x, y) ((x) - (x) % (y))

#endif
