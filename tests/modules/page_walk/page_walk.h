/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the page tables say of an address: /dev/page_walk, for tests only.
 */
#ifndef PAGE_WALK_H
#define PAGE_WALK_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * struct page_walk - the entries that translate one address
 * @address: in: virtual, of the calling process.
 * @entry: out: the entry of the process as the processor reads it; 0 when there is none.
 * @size: out: bytes that the entry maps.
 * @alias: out: the entry of the kernel's own mapping of the same memory; 0 when there is none, or
 *	when a module of this architecture cannot ask.
 * @alias_size: out: bytes that @alias maps.
 */
struct page_walk {
	__u64 address;
	__u64 entry;
	__u64 size;
	__u64 alias;
	__u64 alias_size;
};

#define PAGE_WALK_IOCTL _IOWR('W', 0, struct page_walk)

#endif
