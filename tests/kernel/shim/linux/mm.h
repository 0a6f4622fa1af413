/* SPDX-License-Identifier: MIT */
#ifndef SHIM_MM_H
#define SHIM_MM_H

/* PAGE_SHIFT comes from the command line. */
#define PAGE_SIZE (1ul << PAGE_SHIFT)
#define PAGE_MASK (~(PAGE_SIZE - 1))
#define PAGE_ALIGN(address) (((address) + PAGE_SIZE - 1) & PAGE_MASK)
#define PAGE_ALIGNED(address) (!((address) & (PAGE_SIZE - 1)))

#endif
