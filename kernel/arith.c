// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sizes and addresses. Every number here may come from user space or a command line, so nothing may
 * overflow unnoticed. (What memparse() makes of a number too long is the same as for memmap=.)
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/log2.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "arith.h"

/* Up to whole pages. No buffer is half the address space or more: signed sizes stay positive. */
int dbp_size_round(u64 *size)
{
	if (!*size)
		return -EINVAL;
	if (*size > LONG_MAX - PAGE_SIZE)
		return -E2BIG;
	*size = PAGE_ALIGN(*size);
	return 0;
}

bool dbp_range_within(u64 offset, u64 length, u64 size)
{
	return length && offset <= size && length <= size - offset;
}

/* Of regions that do not wrap around; an empty one overlaps nothing. */
bool dbp_ranges_overlap(u64 base, u64 size, u64 other_base, u64 other_size)
{
	if (!size || !other_size)
		return false;
	return base < other_base ? other_base - base < size : base - other_base < other_size;
}

bool dbp_region_is_whole_pages(u64 base, u64 size)
{
	return size && PAGE_ALIGNED(base) && PAGE_ALIGNED(size) && size - 1 <= U64_MAX - base;
}

/* NAME@BASE+SIZE, the numbers as for memmap=. @name has @room bytes. */
int dbp_region_parse(const char *text, char *name, size_t room, u64 *base, u64 *size)
{
	const char *at = strchr(text, '@');
	char *end;

	if (!at || at == text || at - text >= room)
		return -EINVAL;
	*base = memparse(at + 1, &end);
	if (end == at + 1 || *end != '+')
		return -EINVAL;
	*size = memparse(end + 1, &end);
	if (*end || !*size)
		return -EINVAL;
	memcpy(name, text, at - text);
	name[at - text] = '\0';
	return 0;
}

/* The largest block worth asking for: a power of two, no larger than what is missing. */
size_t dbp_block_next(size_t left, size_t max)
{
	return min_t(size_t, max, rounddown_pow_of_two(left));
}

/* Whole pages, and at least one, of what an importer claims to support. */
unsigned int dbp_segment_size(unsigned int claimed)
{
	return max_t(unsigned int, claimed & PAGE_MASK, PAGE_SIZE);
}

unsigned int dbp_segment_count(size_t length, unsigned int segment)
{
	return DIV_ROUND_UP(length, segment);
}

/*
 * The part of @range that lies in the next block, of @block bytes: returns its length, 0 when there
 * is none, and where in the block it starts.
 */
size_t dbp_range_cut(struct dbp_range *range, size_t block, size_t *start)
{
	size_t length;

	*start = range->skip;
	if (range->skip >= block) {
		range->skip -= block;
		return 0;
	}
	length = min(block - range->skip, range->left);
	range->skip = 0;
	range->left -= length;
	return length;
}

/* Large pages where both addresses are at the same place within one. */
struct dbp_span dbp_span_plan(u64 physical, u64 virtual, size_t length, size_t large_page)
{
	struct dbp_span span = {};

	span.head = -virtual & (large_page - 1);
	if (((physical ^ virtual) & (large_page - 1)) || span.head > length)
		span.head = length;
	span.large = rounddown(length - span.head, large_page);
	span.tail = length - span.head - span.large;
	return span;
}
