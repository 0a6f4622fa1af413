/* SPDX-License-Identifier: MIT */
#ifndef SHIM_MODULE_H
#define SHIM_MODULE_H

#define MODULE_DESCRIPTION(text) _Static_assert(sizeof(text) > 1, "text")
#define MODULE_AUTHOR(text) _Static_assert(sizeof(text) > 1, "text")
#define MODULE_LICENSE(text) _Static_assert(sizeof(text) > 1, "text")

#endif
