/* SPDX-License-Identifier: MIT */
/*
 * Which section of the configuration applies to whom. Pure.
 */
#include "match.h"

#include <fnmatch.h>
#include <string.h>

/* Rank 0: the section does not match. The setting is assigned. */
static void found_weigh(struct found *found, const struct section *section, enum key_id key,
			unsigned int rank)
{
	const struct setting *setting = &section->values[key];

	if (!rank || rank < found->rank)
		return;
	if (rank == found->rank && setting->order < found->setting->order)
		return;
	*found = (struct found){section, setting, rank};
}

static unsigned int rank_device(const struct section *section, const char *device, const char *node)
{
	if (section->kind != SECTION_DEVICE)
		return 0;
	if (section->pattern)
		return !fnmatch(section->match, device, 0) || !fnmatch(section->match, node, 0);
	if (!strcmp(section->match, device))
		return 2;
	return !strcmp(section->match, node) ? 3 : 0;
}

struct found match_device(const struct settings *settings, const char *device, const char *node,
			  enum key_id key)
{
	const struct section *section;
	struct found found = {0};

	TAILQ_FOREACH(section, &settings->sections, link)
	if (section->values[key].order)
		found_weigh(&found, section, key, rank_device(section, device, node));
	return found;
}

static unsigned int rank_user(const struct section *section, const struct peer *peer)
{
	if (section->kind != SECTION_USER)
		return 0;
	if (section->group)
		return peer_is_in_group(peer, section->id);
	return section->id == peer->uid ? 2 : 0;
}

struct found match_user(const struct settings *settings, const struct peer *peer, enum key_id key)
{
	const struct section *section;
	struct found found = {0};

	TAILQ_FOREACH(section, &settings->sections, link)
	if (section->values[key].order)
		found_weigh(&found, section, key, rank_user(section, peer));
	return found;
}

struct found match_pool(const struct settings *settings, const char *pool, enum key_id key)
{
	const struct section *section;
	struct found found = {0};

	TAILQ_FOREACH(section, &settings->sections, link)
	if (section->values[key].order)
		found_weigh(&found, section, key,
			    section->kind == SECTION_POOL && !strcmp(section->match, pool));
	return found;
}
