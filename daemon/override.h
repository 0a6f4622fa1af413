/* SPDX-License-Identifier: MIT */
/*
 * What people know better than the kernel of a device: udev properties, then the configuration.
 * Pure: knows the C library, facts and settings only.
 */
#ifndef OVERRIDE_H
#define OVERRIDE_H

#include <stddef.h>

#include "pool.h"
#include "settings.h"

/* What somebody says; all zero says nothing. */
struct override {
	bool says_coherent, coherent;
	bool says_iommu, iommu;
	unsigned int address_bits; /* 0: not said */
	char pool[POOL_NAME_SIZE]; /* "": not said */
};

/* What the configuration says of a device. */
struct override override_from_settings(const struct settings *settings, const char *device,
				       const char *node);

/* Takes the place of what the facts have; a pool that does not exist leaves none bound. */
void override_apply(const struct override *override, enum source source, const struct pool pools[],
		    unsigned int n_pools, struct facts *facts);

/* "coherent (dmabufd.conf), pool codec (udev)"; false when nothing is overridden. */
bool override_say(const struct facts *facts, const struct pool pools[], unsigned int n_pools,
		  char *text, size_t size);

#endif
