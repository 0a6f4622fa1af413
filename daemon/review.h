/* SPDX-License-Identifier: MIT */
/*
 * What is right in itself and comes to nothing with the pools that there are: settings that an
 * administrator would want to hear of. Pure.
 */
#ifndef REVIEW_H
#define REVIEW_H

#include "pool.h"
#include "settings.h"

/* Calls tell with one line for each. */
void review(const struct settings *settings, const struct pool pools[], unsigned int n_pools,
	    void (*tell)(const char *text));

#endif
