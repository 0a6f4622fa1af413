/* SPDX-License-Identifier: MIT */
/*
 * What new settings change of the limits. For a user the limits themselves are compared. For pools
 * and devices it is what the files say, in the order of the sections: which devices there will be is
 * not known here. A change that changes nothing is told too; only one is not told, the same
 * assignments of patterns that overlap in another order within the same order of sections.
 */
#include "changes.h"

#include <string.h>

#include "claims.h"

static const enum key_id of_daemon[] = {
	DAEMON_DEVICE_BYTES_MAX,        DAEMON_DEVICE_BUFFERS_MAX, DAEMON_USER_DEVICE_BYTES_MAX,
	DAEMON_USER_DEVICE_BUFFERS_MAX, DAEMON_FAIR_SHARE,
};
static const enum key_id of_sections[] = {
	POOL_BYTES_MAX,     POOL_USER_BYTES_MAX,   DEVICE_BYTES_MAX,
	DEVICE_BUFFERS_MAX, DEVICE_USER_BYTES_MAX,
};

#define N(array) (sizeof(array) / sizeof((array)[0]))

static bool is_same_setting(const struct setting *a, const struct setting *b)
{
	return !a->order == !b->order && a->percent == b->percent && a->value == b->value &&
	       !strcmp(a->text, b->text);
}

static bool are_same_settings(const struct section *a, const struct section *b,
			      const enum key_id keys[], size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!is_same_setting(&a->values[keys[i]], &b->values[keys[i]]))
			return false;
	return true;
}

static bool are_same_reserves(const struct reserves *a, const struct reserves *b)
{
	const struct reserve *x = TAILQ_FIRST(a), *y = TAILQ_FIRST(b);

	while (x && y && is_same_setting(&x->setting, &y->setting)) {
		x = TAILQ_NEXT(x, link);
		y = TAILQ_NEXT(y, link);
	}
	return !x && !y;
}

static bool limits_anything(const struct section *section)
{
	for (size_t i = 0; i < N(of_sections); i++)
		if (section->values[of_sections[i]].order)
			return true;
	return !TAILQ_EMPTY(&section->reserves);
}

/* From this section on, itself included. */
static const struct section *find_limiting(const struct section *section)
{
	while (section && !limits_anything(section))
		section = TAILQ_NEXT(section, link);
	return section;
}

static bool is_same_section(const struct section *a, const struct section *b)
{
	return !strcmp(a->name, b->name) && are_same_settings(a, b, of_sections, N(of_sections)) &&
	       are_same_reserves(&a->reserves, &b->reserves);
}

bool changes_shared_limits(const struct settings *before, const struct settings *after)
{
	const struct section *a = find_limiting(TAILQ_FIRST(&before->sections));
	const struct section *b = find_limiting(TAILQ_FIRST(&after->sections));

	if (!are_same_settings(before->daemon, after->daemon, of_daemon, N(of_daemon)))
		return true;
	while (a && b && is_same_section(a, b)) {
		a = find_limiting(TAILQ_NEXT(a, link));
		b = find_limiting(TAILQ_NEXT(b, link));
	}
	return a || b;
}

struct claim limits_of_user(const struct settings *settings, const struct peer *peer)
{
	const struct payer payer = {.peer = peer};
	struct claim claims[CLAIMS_MAX];

	claims_of_payer(settings, &payer, claims);
	return claims[0];
}

bool changes_limits_of_user(const struct settings *before, const struct settings *after,
			    const struct peer *peer)
{
	const struct claim a = limits_of_user(before, peer), b = limits_of_user(after, peer);

	return a.bytes.max != b.bytes.max || a.buffers.max != b.buffers.max;
}
