/* SPDX-License-Identifier: MIT */
#ifndef SHIM_LOG2_H
#define SHIM_LOG2_H

/* As in the kernel, there is none of zero: the sanitizer says so. */
static inline unsigned long rounddown_pow_of_two(unsigned long n)
{
	return 1ul << (63 - __builtin_clzl(n));
}

#endif
