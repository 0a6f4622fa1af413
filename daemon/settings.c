/* SPDX-License-Identifier: MIT */
/*
 * The configuration as one object.
 */
#include "settings.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "keys.h"

static void section_drop_reserves(struct section *section, const char *pool)
{
	struct reserve *reserve = TAILQ_FIRST(&section->reserves);

	while (reserve) {
		struct reserve *next = TAILQ_NEXT(reserve, link);

		if (!pool || !strcmp(pool, reserve->setting.text)) {
			TAILQ_REMOVE(&section->reserves, reserve, link);
			free(reserve);
		}
		reserve = next;
	}
}

static struct section *section_find(const struct settings *settings, enum section_kind kind,
				    const char *match)
{
	struct section *section;

	TAILQ_FOREACH(section, &settings->sections, link)
	if (section->kind == kind && !strcmp(section->match, match))
		return section;
	return NULL;
}

int settings_add_section(struct settings *settings, enum section_kind kind, const char *match,
			 struct section **ret)
{
	struct section *section = section_find(settings, kind, match);
	size_t size = strlen(section_names[kind]) + 1 + strlen(match) + 1;

	if (!section) {
		section = calloc(1, sizeof(*section) + size);
		if (!section)
			return -ENOMEM;
		snprintf(section->name, size, "%s%s%s", section_names[kind], *match ? " " : "",
			 match);
		section->kind = kind;
		section->match = section->name + size - 1 - strlen(match) - !*match;
		section->pattern = strpbrk(match, "*?[");
		TAILQ_INIT(&section->reserves);
		TAILQ_INSERT_TAIL(&settings->sections, section, link);
	}
	*ret = section;
	return 0;
}

/* Of several lines for one pool the last counts; those for other pools stay. */
static int section_reserve(struct section *section, const struct setting *setting)
{
	struct reserve *reserve = calloc(1, sizeof(*reserve));

	if (!reserve)
		return -ENOMEM;
	reserve->setting = *setting;
	section_drop_reserves(section, setting->text);
	TAILQ_INSERT_TAIL(&section->reserves, reserve, link);
	return 0;
}

/* Back to the default. */
static int section_reset(struct section *section, enum key_id key)
{
	struct setting *setting = &section->values[key];

	*setting = (struct setting){0};
	if (key == DEVICE_RESERVE)
		section_drop_reserves(section, NULL);
	return keys[key].fallback[0] ? keys[key].parse(keys[key].fallback, setting) : 0;
}

int settings_assign(struct settings *settings, struct section *section, enum key_id key,
		    const char *text)
{
	struct setting setting = {0};
	int r;

	if (!*text)
		return section_reset(section, key);
	r = keys[key].parse(text, &setting);
	if (r < 0)
		return r;
	setting.order = ++settings->n_assigned;
	if (key == DEVICE_RESERVE)
		return section_reserve(section, &setting);
	section->values[key] = setting;
	return 0;
}

int settings_new(struct settings **ret)
{
	_cleanup_(settings_freep) struct settings *settings = calloc(1, sizeof(*settings));
	int r;

	if (!settings)
		return -ENOMEM;
	TAILQ_INIT(&settings->sections);
	r = settings_add_section(settings, SECTION_DAEMON, "", &settings->daemon);
	for (enum key_id key = 0; r >= 0 && key < N_KEYS; key++)
		if (keys[key].section == SECTION_DAEMON)
			r = section_reset(settings->daemon, key);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(settings);
	return 0;
}

struct settings *settings_free(struct settings *settings)
{
	struct section *section;

	while (settings && (section = TAILQ_FIRST(&settings->sections))) {
		TAILQ_REMOVE(&settings->sections, section, link);
		section_drop_reserves(section, NULL);
		free(section);
	}
	free(settings);
	return NULL;
}

void settings_freep(struct settings **settings)
{
	settings_free(*settings);
}
