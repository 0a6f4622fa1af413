/* SPDX-License-Identifier: MIT */
/*
 * What each fuzz target is: one function of libFuzzer's name. It aborts when something is wrong,
 * returns 0, and leaves nothing behind.
 */
#ifndef TARGET_H
#define TARGET_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#endif
