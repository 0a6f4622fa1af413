/* SPDX-License-Identifier: MIT */
/*
 * The configuration as one object: sections, and the values that the files assign in them. Knows
 * neither how the files are found nor what a value means; limits.c asks it.
 */
#ifndef SETTINGS_H
#define SETTINGS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "pool.h"

enum section_kind {
	SECTION_DAEMON,
	SECTION_POOL,
	SECTION_DEVICE,
	SECTION_USER,
};

/* All keys of all sections; keys.c has their names. */
enum key_id {
	DAEMON_USER_BYTES_MAX,
	DAEMON_USER_BUFFERS_MAX,
	DAEMON_USER_CONNECTIONS_MAX,
	DAEMON_WAITERS_MAX,
	DAEMON_USER_WAITERS_MAX,
	DAEMON_DEVICE_BYTES_MAX,
	DAEMON_DEVICE_BUFFERS_MAX,
	DAEMON_USER_DEVICE_BYTES_MAX,
	DAEMON_USER_DEVICE_BUFFERS_MAX,
	DAEMON_FAIR_SHARE,
	DAEMON_ALLOCATE_GROUP,
	DAEMON_ADDRESS_GROUP,
	POOL_BYTES_MAX,
	POOL_USER_BYTES_MAX,
	POOL_STOCK,
	DEVICE_BYTES_MAX,
	DEVICE_BUFFERS_MAX,
	DEVICE_USER_BYTES_MAX,
	DEVICE_POOL,
	DEVICE_COHERENT,
	DEVICE_IOMMU,
	DEVICE_ADDRESS_BITS,
	DEVICE_RESERVE,
	USER_BYTES_MAX,
	USER_BUFFERS_MAX,
	USER_CONNECTIONS_MAX,
	USER_WAITERS_MAX,
	N_KEYS
};

/* One value. */
struct setting {
	unsigned int order; /* of the assignment among all that were read; 0: not assigned */
	bool percent;       /* value is per cent of something that the reader knows */
	uint64_t value;
	char text[POOL_NAME_SIZE]; /* the name of a pool, where the key takes one */
};

/* One Reserve=: bytes of the pool that setting.text names. */
struct reserve {
	TAILQ_ENTRY(reserve) link; /* section.reserves */
	struct setting setting;
};
TAILQ_HEAD(reserves, reserve);

struct section {
	TAILQ_ENTRY(section) link; /* settings.sections */
	enum section_kind kind;
	const char *match; /* the words behind the kind, in name; "" for Daemon */
	bool pattern;      /* of a device: match has wildcards */
	bool group;        /* of a user: id is a group's */
	uint32_t id;       /* of a user */
	struct setting values[N_KEYS];
	struct reserves reserves; /* in the order of their assignment */
	char name[];              /* "Device platform:camera" */
};
TAILQ_HEAD(sections, section);

struct settings {
	struct section *daemon; /* always there; what is not assigned has its default */
	struct sections sections;
	unsigned int n_assigned; /* orders given out */
};

/* With every default and nothing else. -ENOMEM. */
int settings_new(struct settings **ret);

/* NULL is ignored. Returns NULL. */
struct settings *settings_free(struct settings *settings);
void settings_freep(struct settings **settings);

/* The section of this kind and match, made when it is not there. -ENOMEM. */
int settings_add_section(struct settings *settings, enum section_kind kind, const char *match,
			 struct section **ret);

/* Assigns a text to a key of the section; an empty one resets it. -EINVAL, -ERANGE, -ENOMEM. */
int settings_assign(struct settings *settings, struct section *section, enum key_id key,
		    const char *text);

/* The value of a key of [Daemon]: assigned, or the default. */
static inline const struct setting *settings_get(const struct settings *settings, enum key_id key)
{
	return &settings->daemon->values[key];
}

#endif
