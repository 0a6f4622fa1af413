// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module's arithmetic in numbers: what is usual, the edges, and what would overflow. A kernel
 * with KUnit runs this as a module; elsewhere shim/ stands in for the kernel.
 */
#include <kunit/test.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/module.h>

#include "arith.h"

#define KIB 1024ull
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define PAGE ((u64)PAGE_SIZE)
/* The last page that 64 bits can address. */
#define TOP (0 - PAGE)

/* dbp_size_round() */

static void expect_rounded(struct kunit *test, u64 size, u64 expected)
{
	KUNIT_EXPECT_EQ(test, dbp_size_round(&size), 0);
	KUNIT_EXPECT_EQ(test, size, expected);
}

static void expect_no_size(struct kunit *test, u64 size, int error)
{
	u64 rounded = size;

	KUNIT_EXPECT_EQ(test, dbp_size_round(&rounded), error);
	KUNIT_EXPECT_EQ(test, rounded, size);
}

static void size_is_whole_pages(struct kunit *test)
{
	expect_rounded(test, 1, PAGE);
	expect_rounded(test, PAGE - 1, PAGE);
	expect_rounded(test, PAGE, PAGE);
	expect_rounded(test, PAGE + 1, 2 * PAGE);
	expect_rounded(test, 4 * GIB - 1, 4 * GIB);
	expect_rounded(test, 4 * GIB + 1, 4 * GIB + PAGE);
}

static void size_of_nothing_is_refused(struct kunit *test)
{
	expect_no_size(test, 0, -EINVAL);
}

static void size_stays_positive(struct kunit *test)
{
	u64 largest = (1ull << 63) - PAGE;

	expect_rounded(test, largest - 1, largest);
	expect_no_size(test, largest, -E2BIG);
	expect_no_size(test, LONG_MAX, -E2BIG);
	expect_no_size(test, 1ull << 63, -E2BIG);
	expect_no_size(test, TOP, -E2BIG);
	expect_no_size(test, TOP + 1, -E2BIG);
	expect_no_size(test, U64_MAX, -E2BIG);
}

static struct kunit_case size_cases[] = {
	KUNIT_CASE(size_is_whole_pages),
	KUNIT_CASE(size_of_nothing_is_refused),
	KUNIT_CASE(size_stays_positive),
	{}
};

static struct kunit_suite size_suite = {
	.name = "dmabuf_pool_size",
	.test_cases = size_cases,
};

/* dbp_range_within() */

static void range_ends_with_the_buffer(struct kunit *test)
{
	KUNIT_EXPECT_TRUE(test, dbp_range_within(0, PAGE, PAGE));
	KUNIT_EXPECT_TRUE(test, dbp_range_within(0, 1, PAGE));
	KUNIT_EXPECT_TRUE(test, dbp_range_within(PAGE - 1, 1, PAGE));
	KUNIT_EXPECT_FALSE(test, dbp_range_within(0, PAGE + 1, PAGE));
	KUNIT_EXPECT_FALSE(test, dbp_range_within(1, PAGE, PAGE));
	KUNIT_EXPECT_FALSE(test, dbp_range_within(PAGE, 1, PAGE));
	KUNIT_EXPECT_FALSE(test, dbp_range_within(PAGE + 1, 1, PAGE));
}

static void range_of_nothing_is_nowhere(struct kunit *test)
{
	KUNIT_EXPECT_FALSE(test, dbp_range_within(0, 0, PAGE));
	KUNIT_EXPECT_FALSE(test, dbp_range_within(PAGE, 0, PAGE));
	KUNIT_EXPECT_FALSE(test, dbp_range_within(0, 0, 0));
	KUNIT_EXPECT_FALSE(test, dbp_range_within(0, 1, 0));
}

static void range_does_not_wrap(struct kunit *test)
{
	KUNIT_EXPECT_FALSE(test, dbp_range_within(1, U64_MAX, PAGE));
	KUNIT_EXPECT_FALSE(test, dbp_range_within(PAGE, U64_MAX - PAGE + 1, PAGE));
	KUNIT_EXPECT_FALSE(test, dbp_range_within(PAGE - 1, U64_MAX - PAGE + 3, PAGE));
	KUNIT_EXPECT_FALSE(test, dbp_range_within(U64_MAX, 1, PAGE));
	KUNIT_EXPECT_FALSE(test, dbp_range_within(U64_MAX, U64_MAX, U64_MAX));
	KUNIT_EXPECT_TRUE(test, dbp_range_within(0, U64_MAX, U64_MAX));
	KUNIT_EXPECT_TRUE(test, dbp_range_within(U64_MAX - 1, 1, U64_MAX));
	KUNIT_EXPECT_FALSE(test, dbp_range_within(U64_MAX - 1, 2, U64_MAX));
}

static struct kunit_case range_cases[] = {
	KUNIT_CASE(range_ends_with_the_buffer),
	KUNIT_CASE(range_of_nothing_is_nowhere),
	KUNIT_CASE(range_does_not_wrap),
	{}
};

static struct kunit_suite range_suite = {
	.name = "dmabuf_pool_range",
	.test_cases = range_cases,
};

/* dbp_ranges_overlap() */

static void expect_overlap(struct kunit *test, bool expected, u64 a, u64 a_size, u64 b, u64 b_size)
{
	KUNIT_EXPECT_EQ(test, dbp_ranges_overlap(a, a_size, b, b_size), expected);
	KUNIT_EXPECT_EQ(test, dbp_ranges_overlap(b, b_size, a, a_size), expected);
}

static void neighbours_do_not_overlap(struct kunit *test)
{
	expect_overlap(test, false, 0, PAGE, PAGE, PAGE);
	expect_overlap(test, true, 0, PAGE + 1, PAGE, PAGE);
	expect_overlap(test, true, 0, PAGE, PAGE - 1, PAGE);
	expect_overlap(test, false, 0, PAGE, 2 * PAGE, PAGE);
	expect_overlap(test, false, 4 * GIB, GIB, 5 * GIB, GIB);
	expect_overlap(test, true, 4 * GIB, GIB, 5 * GIB - 1, 1);
}

static void one_within_the_other_overlaps(struct kunit *test)
{
	expect_overlap(test, true, PAGE, PAGE, PAGE, PAGE);
	expect_overlap(test, true, 0, GIB, PAGE, PAGE);
	expect_overlap(test, true, PAGE, GIB, PAGE, PAGE);
	expect_overlap(test, true, 0, GIB, GIB - PAGE, PAGE);
}

/* A pool without a fixed place has base and size zero. */
static void nothing_overlaps_nothing(struct kunit *test)
{
	expect_overlap(test, false, 0, 0, 0, 0);
	expect_overlap(test, false, 0, 0, 0, GIB);
	expect_overlap(test, false, PAGE, 0, 0, GIB);
	expect_overlap(test, false, GIB, 0, 0, U64_MAX);
}

/* The end of the last page is no address any more. */
static void overlap_at_the_top(struct kunit *test)
{
	expect_overlap(test, true, TOP, PAGE, TOP, PAGE);
	expect_overlap(test, false, TOP, PAGE, 0, PAGE);
	expect_overlap(test, false, TOP, PAGE, TOP - PAGE, PAGE);
	expect_overlap(test, true, TOP, PAGE, TOP - PAGE, PAGE + 1);
	expect_overlap(test, true, 0, U64_MAX, TOP, PAGE);
	expect_overlap(test, false, 0, U64_MAX, U64_MAX, 1);
}

static struct kunit_case overlap_cases[] = {
	KUNIT_CASE(neighbours_do_not_overlap),
	KUNIT_CASE(one_within_the_other_overlaps),
	KUNIT_CASE(nothing_overlaps_nothing),
	KUNIT_CASE(overlap_at_the_top),
	{}
};

static struct kunit_suite overlap_suite = {
	.name = "dmabuf_pool_overlap",
	.test_cases = overlap_cases,
};

/* dbp_region_is_whole_pages() */

static void region_is_aligned(struct kunit *test)
{
	KUNIT_EXPECT_TRUE(test, dbp_region_is_whole_pages(0, PAGE));
	KUNIT_EXPECT_TRUE(test, dbp_region_is_whole_pages(GIB, 32 * MIB));
	KUNIT_EXPECT_FALSE(test, dbp_region_is_whole_pages(0, 0));
	KUNIT_EXPECT_FALSE(test, dbp_region_is_whole_pages(PAGE, 0));
	KUNIT_EXPECT_FALSE(test, dbp_region_is_whole_pages(1, PAGE));
	KUNIT_EXPECT_FALSE(test, dbp_region_is_whole_pages(PAGE / 2, PAGE));
	KUNIT_EXPECT_FALSE(test, dbp_region_is_whole_pages(PAGE, 1));
	KUNIT_EXPECT_FALSE(test, dbp_region_is_whole_pages(PAGE, PAGE + PAGE / 2));
}

static void region_does_not_wrap(struct kunit *test)
{
	KUNIT_EXPECT_TRUE(test, dbp_region_is_whole_pages(TOP, PAGE));
	KUNIT_EXPECT_FALSE(test, dbp_region_is_whole_pages(TOP, 2 * PAGE));
	KUNIT_EXPECT_TRUE(test, dbp_region_is_whole_pages(PAGE, TOP));
	KUNIT_EXPECT_FALSE(test, dbp_region_is_whole_pages(2 * PAGE, TOP));
	KUNIT_EXPECT_FALSE(test, dbp_region_is_whole_pages(TOP, TOP));
}

/* dbp_region_parse() */

#define ROOM 8

static void expect_region(struct kunit *test, const char *text, const char *name, u64 base,
			  u64 size)
{
	char got[ROOM];
	u64 got_base, got_size;

	KUNIT_EXPECT_EQ_MSG(test, dbp_region_parse(text, got, sizeof(got), &got_base, &got_size),
			    0, "%s", text);
	KUNIT_EXPECT_STREQ(test, got, name);
	KUNIT_EXPECT_EQ_MSG(test, got_base, base, "%s", text);
	KUNIT_EXPECT_EQ_MSG(test, got_size, size, "%s", text);
}

static void expect_no_region(struct kunit *test, const char *text)
{
	char name[ROOM] = "before";
	u64 base, size;

	KUNIT_EXPECT_EQ_MSG(test, dbp_region_parse(text, name, sizeof(name), &base, &size),
			    -EINVAL, "%s", text);
	KUNIT_EXPECT_STREQ(test, name, "before");
}

static void region_numbers_as_for_memmap(struct kunit *test)
{
	expect_region(test, "camera@0x40000000+0x2000000", "camera", GIB, 32 * MIB);
	expect_region(test, "camera@1G+32M", "camera", GIB, 32 * MIB);
	expect_region(test, "a@3k+5m", "a", 3 * KIB, 5 * MIB);
	expect_region(test, "a@4096+010", "a", 4096, 8);
	expect_region(test, "a@0XfF+1", "a", 255, 1);
	expect_region(test, "a@0+0xffffffffffffffff", "a", 0, U64_MAX);
	expect_region(test, "a@0xffffffffffffffff+1", "a", U64_MAX, 1);
}

static void region_name_may_be_anything_short(struct kunit *test)
{
	expect_region(test, "seven77@0+1", "seven77", 0, 1);
	expect_no_region(test, "eight888@0+1");
	expect_no_region(test, "more than eight@0+1");
	expect_no_region(test, "@0+1");
	expect_region(test, "a+b@0+1", "a+b", 0, 1);
}

static void region_is_whole_text(struct kunit *test)
{
	static const char * const wrong[] = {
		"", "a", "a@", "a@1", "a@1+", "a@+1", "a@1+0", "a@1+1x", "a@1+1 ", "a@1+1@2",
		"a@@1+1", "a@x+1", "a@1+x", "a@-1+1", "a@1-1", "a@0x+1", "a@ 1+1", "a@1+ 1",
		"a@1 +1", "a+1@1", "a@1+1,", "a@09+1",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		expect_no_region(test, wrong[i]);
}

static struct kunit_case region_cases[] = {
	KUNIT_CASE(region_is_aligned),
	KUNIT_CASE(region_does_not_wrap),
	KUNIT_CASE(region_numbers_as_for_memmap),
	KUNIT_CASE(region_name_may_be_anything_short),
	KUNIT_CASE(region_is_whole_text),
	{}
};

static struct kunit_suite region_suite = {
	.name = "dmabuf_pool_region",
	.test_cases = region_cases,
};

/* dbp_block_next() */

static void block_is_a_power_of_two(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, dbp_block_next(PAGE, 4 * MIB), PAGE);
	KUNIT_EXPECT_EQ(test, dbp_block_next(3 * PAGE, 4 * MIB), 2 * PAGE);
	KUNIT_EXPECT_EQ(test, dbp_block_next(4 * PAGE, 4 * MIB), 4 * PAGE);
	KUNIT_EXPECT_EQ(test, dbp_block_next(4 * MIB - PAGE, 4 * MIB), 2 * MIB);
}

static void block_is_no_larger_than_the_last(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, dbp_block_next(4 * MIB, 4 * MIB), 4 * MIB);
	KUNIT_EXPECT_EQ(test, dbp_block_next(4 * MIB + PAGE, 4 * MIB), 4 * MIB);
	KUNIT_EXPECT_EQ(test, dbp_block_next(GIB, PAGE), PAGE);
	KUNIT_EXPECT_EQ(test, dbp_block_next(PAGE, PAGE), PAGE);
}

static void block_of_a_huge_rest(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, dbp_block_next(SIZE_MAX, 4 * MIB), 4 * MIB);
	KUNIT_EXPECT_EQ(test, dbp_block_next(SIZE_MAX, SIZE_MAX), 1ull << 63);
	KUNIT_EXPECT_EQ(test, dbp_block_next(1ull << 63, SIZE_MAX), 1ull << 63);
	KUNIT_EXPECT_EQ(test, dbp_block_next((1ull << 63) - 1, SIZE_MAX), 1ull << 62);
}

/* As the page allocator's pool asks for them while memory is not in pieces. */
static void blocks_add_up(struct kunit *test)
{
	static const size_t expected[] = { 8, 8, 8, 4, 1 };
	size_t left = 29 * PAGE, max = 8 * PAGE;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(expected); i++) {
		max = dbp_block_next(left, max);
		KUNIT_EXPECT_EQ(test, max, expected[i] * PAGE);
		left -= max;
	}
	KUNIT_EXPECT_EQ(test, left, 0);
}

static struct kunit_case block_cases[] = {
	KUNIT_CASE(block_is_a_power_of_two),
	KUNIT_CASE(block_is_no_larger_than_the_last),
	KUNIT_CASE(block_of_a_huge_rest),
	KUNIT_CASE(blocks_add_up),
	{}
};

static struct kunit_suite block_suite = {
	.name = "dmabuf_pool_block",
	.test_cases = block_cases,
};

/* dbp_segment_size(), dbp_segment_count() */

static void segment_is_whole_pages(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, dbp_segment_size(MIB), MIB);
	KUNIT_EXPECT_EQ(test, dbp_segment_size(MIB + 1), MIB);
	KUNIT_EXPECT_EQ(test, dbp_segment_size(MIB - 1), MIB - PAGE);
	KUNIT_EXPECT_EQ(test, dbp_segment_size(2 * PAGE - 1), PAGE);
}

static void segment_is_at_least_a_page(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, dbp_segment_size(0), PAGE);
	KUNIT_EXPECT_EQ(test, dbp_segment_size(1), PAGE);
	KUNIT_EXPECT_EQ(test, dbp_segment_size(PAGE - 1), PAGE);
	KUNIT_EXPECT_EQ(test, dbp_segment_size(PAGE), PAGE);
}

static void segment_without_limit(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, dbp_segment_size(UINT_MAX), 4 * GIB - PAGE);
	KUNIT_EXPECT_EQ(test, dbp_segment_size(1u << 31), 2 * GIB);
}

static void segments_cover_a_block(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, dbp_segment_count(MIB, MIB), 1);
	KUNIT_EXPECT_EQ(test, dbp_segment_count(MIB + PAGE, MIB), 2);
	KUNIT_EXPECT_EQ(test, dbp_segment_count(MIB - PAGE, MIB), 1);
	KUNIT_EXPECT_EQ(test, dbp_segment_count(PAGE, MIB), 1);
	KUNIT_EXPECT_EQ(test, dbp_segment_count(0, MIB), 0);
	KUNIT_EXPECT_EQ(test, dbp_segment_count(GIB, 64 * KIB), 16384);
	KUNIT_EXPECT_EQ(test, dbp_segment_count(GIB, 4 * GIB - PAGE), 1);
	KUNIT_EXPECT_EQ(test, dbp_segment_count(4 * GIB, 4 * GIB - PAGE), 2);
}

static struct kunit_case segment_cases[] = {
	KUNIT_CASE(segment_is_whole_pages),
	KUNIT_CASE(segment_is_at_least_a_page),
	KUNIT_CASE(segment_without_limit),
	KUNIT_CASE(segments_cover_a_block),
	{}
};

static struct kunit_suite segment_suite = {
	.name = "dmabuf_pool_segment",
	.test_cases = segment_cases,
};

/* dbp_range_cut() */

static void expect_cut(struct kunit *test, struct dbp_range *range, size_t block, size_t start,
		       size_t length)
{
	size_t got_start = 0;

	KUNIT_EXPECT_EQ(test, dbp_range_cut(range, block, &got_start), length);
	if (length)
		KUNIT_EXPECT_EQ(test, got_start, start);
}

static void expect_range(struct kunit *test, const struct dbp_range *range, size_t skip,
			 size_t left)
{
	KUNIT_EXPECT_EQ(test, range->skip, skip);
	KUNIT_EXPECT_EQ(test, range->left, left);
}

static void cut_within_one_block(struct kunit *test)
{
	struct dbp_range range = { .skip = 100, .left = 50 };

	expect_cut(test, &range, 4096, 100, 50);
	expect_range(test, &range, 0, 0);
	expect_cut(test, &range, 4096, 0, 0);
	expect_range(test, &range, 0, 0);
}

static void cut_across_blocks(struct kunit *test)
{
	struct dbp_range range = { .skip = 5000, .left = 10000 };

	expect_cut(test, &range, 4096, 0, 0);
	expect_range(test, &range, 904, 10000);
	expect_cut(test, &range, 4096, 904, 3192);
	expect_range(test, &range, 0, 6808);
	expect_cut(test, &range, 4096, 0, 4096);
	expect_range(test, &range, 0, 2712);
	expect_cut(test, &range, 8192, 0, 2712);
	expect_range(test, &range, 0, 0);
}

static void cut_at_the_edge_of_a_block(struct kunit *test)
{
	struct dbp_range range = { .skip = 4096, .left = 4096 };

	expect_cut(test, &range, 4096, 0, 0);
	expect_range(test, &range, 0, 4096);
	expect_cut(test, &range, 4096, 0, 4096);
	expect_range(test, &range, 0, 0);

	range = (struct dbp_range){ .skip = 4095, .left = 2 };
	expect_cut(test, &range, 4096, 4095, 1);
	expect_cut(test, &range, 4096, 0, 1);
	expect_range(test, &range, 0, 0);
}

/* How a fault finds its place: a range without an end. */
static void cut_without_end(struct kunit *test)
{
	struct dbp_range range = { .skip = 3 * GIB, .left = SIZE_MAX };

	expect_cut(test, &range, 2 * GIB, 0, 0);
	expect_cut(test, &range, 2 * GIB, GIB, GIB);
	expect_range(test, &range, 0, SIZE_MAX - GIB);

	range = (struct dbp_range){ .skip = SIZE_MAX, .left = SIZE_MAX };
	expect_cut(test, &range, SIZE_MAX - 1, 0, 0);
	expect_range(test, &range, 1, SIZE_MAX);
	expect_cut(test, &range, SIZE_MAX, 1, SIZE_MAX - 1);
	expect_range(test, &range, 0, 1);
}

/* Every range of a few bytes over a few blocks: each byte in its place, once. */
static void cut_every_byte_once(struct kunit *test)
{
	static const size_t blocks[] = { 3, 1, 4, 2 };
	size_t skip, left, i, at, start, length, sum;

	for (skip = 0; skip <= 10; skip++) {
		for (left = 0; left <= 10 - skip; left++) {
			struct dbp_range range = { .skip = skip, .left = left };

			for (at = i = sum = 0; i < ARRAY_SIZE(blocks); at += blocks[i++]) {
				length = dbp_range_cut(&range, blocks[i], &start);
				if (!length)
					continue;
				KUNIT_EXPECT_EQ(test, at + start, skip + sum);
				KUNIT_EXPECT_LE(test, start + length, blocks[i]);
				sum += length;
			}
			KUNIT_EXPECT_EQ(test, sum, left);
		}
	}
}

static struct kunit_case cut_cases[] = {
	KUNIT_CASE(cut_within_one_block),
	KUNIT_CASE(cut_across_blocks),
	KUNIT_CASE(cut_at_the_edge_of_a_block),
	KUNIT_CASE(cut_without_end),
	KUNIT_CASE(cut_every_byte_once),
	{}
};

static struct kunit_suite cut_suite = {
	.name = "dmabuf_pool_cut",
	.test_cases = cut_cases,
};

/* dbp_span_plan(), with large pages of 2 MiB */

static void expect_span(struct kunit *test, u64 physical, u64 virtual, size_t length, size_t head,
			size_t large, size_t tail)
{
	struct dbp_span span = dbp_span_plan(physical, virtual, length, 2 * MIB);

	KUNIT_EXPECT_EQ(test, span.head, head);
	KUNIT_EXPECT_EQ(test, span.large, large);
	KUNIT_EXPECT_EQ(test, span.tail, tail);
}

static void span_of_large_pages(struct kunit *test)
{
	expect_span(test, GIB, 0, 2 * MIB, 0, 2 * MIB, 0);
	expect_span(test, GIB, 6 * MIB, 64 * MIB, 0, 64 * MIB, 0);
	expect_span(test, GIB, 0, 2 * MIB + PAGE, 0, 2 * MIB, PAGE);
	expect_span(test, GIB, 0, 2 * MIB - PAGE, 0, 0, 2 * MIB - PAGE);
}

static void span_begins_with_pages(struct kunit *test)
{
	expect_span(test, GIB + MIB, MIB, 5 * MIB, MIB, 4 * MIB, 0);
	expect_span(test, GIB - PAGE, 4 * MIB - PAGE, 3 * MIB, PAGE, 2 * MIB, MIB - PAGE);
	expect_span(test, GIB + PAGE, PAGE, 4 * MIB, 2 * MIB - PAGE, 2 * MIB, PAGE);
	expect_span(test, GIB + MIB, MIB, MIB, MIB, 0, 0);
	expect_span(test, GIB + MIB, MIB, MIB - PAGE, MIB - PAGE, 0, 0);
	expect_span(test, GIB + MIB, MIB, MIB + PAGE, MIB, 0, PAGE);
}

static void span_of_pages_only(struct kunit *test)
{
	expect_span(test, GIB, MIB, 64 * MIB, 64 * MIB, 0, 0);
	expect_span(test, GIB + PAGE, 0, 64 * MIB, 64 * MIB, 0, 0);
	expect_span(test, GIB, PAGE, 0, 0, 0, 0);
	expect_span(test, GIB, 0, 0, 0, 0, 0);
}

static void span_at_the_top(struct kunit *test)
{
	expect_span(test, TOP, TOP, PAGE, PAGE, 0, 0);
	expect_span(test, 0 - 2 * MIB, 0 - 2 * MIB, 2 * MIB, 0, 2 * MIB, 0);
	expect_span(test, 0 - 3 * MIB, 0 - 3 * MIB, 3 * MIB, MIB, 2 * MIB, 0);
}

/* Where a kernel has no large pages, one is larger than any buffer. */
static void span_without_large_pages(struct kunit *test)
{
	struct dbp_span span = dbp_span_plan(GIB, GIB, 64 * MIB, 1ull << 63);

	KUNIT_EXPECT_EQ(test, span.head, 64 * MIB);
	KUNIT_EXPECT_EQ(test, span.large, 0);
	KUNIT_EXPECT_EQ(test, span.tail, 0);
}

static struct kunit_case span_cases[] = {
	KUNIT_CASE(span_of_large_pages),
	KUNIT_CASE(span_begins_with_pages),
	KUNIT_CASE(span_of_pages_only),
	KUNIT_CASE(span_at_the_top),
	KUNIT_CASE(span_without_large_pages),
	{}
};

static struct kunit_suite span_suite = {
	.name = "dmabuf_pool_span",
	.test_cases = span_cases,
};

kunit_test_suites(&size_suite, &range_suite, &overlap_suite, &region_suite, &block_suite,
		  &segment_suite, &cut_suite, &span_suite);

MODULE_DESCRIPTION("KUnit tests of dmabuf_pool's arithmetic");
MODULE_AUTHOR("The dmabufd authors");
MODULE_LICENSE("GPL");
