/* SPDX-License-Identifier: MIT */
/*
 * How each kind of source is opened and asked, for the table in sources.c; see struct source.
 */
#ifndef SOURCES_H
#define SOURCES_H

#include "bench.h"

int open_heap(struct source *source);
int allocate_heap(struct source *source, size_t size);
int open_udmabuf(struct source *source);
int allocate_udmabuf(struct source *source, size_t size);
int open_module(struct source *source);
int allocate_module(struct source *source, size_t size);
int open_broker(struct source *source);
int allocate_broker(struct source *source, size_t size);

#endif
