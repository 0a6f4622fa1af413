/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sizes and addresses: everything that is computed and needs no kernel object, so that tests can
 * ask for numbers. Bytes throughout. Knows no pool, no buffer and no lock.
 */
#ifndef DBP_ARITH_H
#define DBP_ARITH_H

#include <linux/types.h>

int dbp_size_round(u64 *size);
bool dbp_range_within(u64 offset, u64 length, u64 size);
bool dbp_ranges_overlap(u64 base, u64 size, u64 other_base, u64 other_size);
bool dbp_region_is_whole_pages(u64 base, u64 size);
int dbp_region_parse(const char *text, char *name, size_t room, u64 *base, u64 *size);

size_t dbp_block_next(size_t left, size_t max);
unsigned int dbp_segment_size(unsigned int claimed);
unsigned int dbp_segment_count(size_t length, unsigned int segment);

/* A range of a buffer, on its way through the blocks. */
struct dbp_range {
	size_t skip;	/* bytes before the range, from the block at hand */
	size_t left;	/* bytes of the range, from the block at hand */
};

size_t dbp_range_cut(struct dbp_range *range, size_t block, size_t *start);

/* How one run of memory is mapped: pages, then large pages, then pages. */
struct dbp_span {
	size_t head;
	size_t large;
	size_t tail;
};

struct dbp_span dbp_span_plan(u64 physical, u64 virtual, size_t length, size_t large_page);

#endif
