/* SPDX-License-Identifier: MIT */
/*
 * What is right in itself and comes to nothing with the pools that there are. Pure.
 */
#include "review.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "claims.h"
#include "keys.h"
#include "text.h"

struct review {
	const struct settings *settings;
	const struct pool *pools;
	unsigned int n_pools;
	void (*tell)(const char *text);
};

__attribute__((format(printf, 2, 3))) static void say(const struct review *review,
						      const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	review->tell(text);
}

static const struct pool *find_pool(const struct review *review, const char *name)
{
	uint64_t mask = pools_find(review->pools, review->n_pools, name);

	return mask ? &review->pools[__builtin_ctzll(mask)] : NULL;
}

static void review_share(const struct review *review, const struct section *section,
			 enum key_id key)
{
	const struct setting *setting = &section->values[key];
	const struct pool *pool = find_pool(review, section->match);

	if (setting->order && setting->percent && pool &&
	    pool_get_whole(review->settings, pool) == INFINITE)
		say(review,
		    "%s= in [%s] limits nothing: it is per cent of a size that the kernel does not "
		    "tell",
		    keys[key].name, section->name);
}

static void review_stock(const struct review *review, const struct section *section)
{
	const struct pool *pool = find_pool(review, section->match);

	if (!section->values[POOL_STOCK].order || !pool)
		return;
	if (pool->kind == KIND_BUDDY)
		say(review,
		    "Stock= in [%s] keeps nothing: memory of the page allocator is charged to its "
		    "user from allocation to release",
		    section->name);
	else if (section->values[POOL_STOCK].percent &&
		 pool_get_whole(review->settings, pool) == INFINITE)
		say(review,
		    "Stock= in [%s] keeps nothing: it is per cent of a size that the kernel does "
		    "not tell",
		    section->name);
}

static void review_reserves(const struct review *review, const struct section *section)
{
	const struct reserve *reserve;

	TAILQ_FOREACH(reserve, &section->reserves, link)
	{
		const char *name = reserve->setting.text;
		const struct pool *pool = find_pool(review, name);

		if (!pool)
			say(review, "Reserve= in [%s]: there is no pool %s", section->name, name);
		else if (pool_get_capacity(review->settings, pool) == INFINITE)
			say(review,
			    "Reserve= in [%s] keeps nothing: the kernel does not tell the size of "
			    "pool %s, so give its BytesMax= in [Pool %s]",
			    section->name, name, name);
	}
}

/* The sum of what all sections reserve of a pool. */
static uint64_t sum_reserves(const struct review *review, const struct pool *pool)
{
	const struct section *section;
	const struct reserve *reserve;
	uint64_t sum = 0;

	TAILQ_FOREACH(section, &review->settings->sections, link)
	TAILQ_FOREACH(reserve, &section->reserves, link)
	{
		if (strcmp(reserve->setting.text, pool->name) != 0)
			continue;
		if (__builtin_add_overflow(sum, reserve_get_bytes(review->settings, reserve, pool),
					   &sum))
			return INFINITE;
	}
	return sum;
}

static void review_pool(const struct review *review, const struct pool *pool)
{
	uint64_t capacity = pool_get_capacity(review->settings, pool);
	uint64_t sum = sum_reserves(review, pool);
	char reserved[SIZE_TEXT], there[SIZE_TEXT];

	if (sum > capacity)
		say(review, "%s of pool %s are reserved, which can give %s",
		    size_text(reserved, sum), pool->name, size_text(there, capacity));
}

void review(const struct settings *settings, const struct pool pools[], unsigned int n_pools,
	    void (*tell)(const char *text))
{
	const struct review context = {settings, pools, n_pools, tell};
	const struct section *section;

	TAILQ_FOREACH(section, &settings->sections, link)
	{
		if (section->kind == SECTION_POOL) {
			if (!find_pool(&context, section->match))
				say(&context, "[%s]: there is no such pool", section->name);
			review_share(&context, section, POOL_BYTES_MAX);
			review_share(&context, section, POOL_USER_BYTES_MAX);
			review_stock(&context, section);
		}
		review_reserves(&context, section);
	}
	for (unsigned int i = 0; i < n_pools; i++)
		review_pool(&context, &pools[i]);
}
