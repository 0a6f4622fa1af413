/* SPDX-License-Identifier: MIT */
/*
 * The table of buffers that a program was granted, the same in every program.
 */
#ifndef CLIENTS_GRANTED_H
#define CLIENTS_GRANTED_H

#include <dmabuf.h>

#include "table.h"

int granted_table_new(struct table **ret, const struct table_options *options);
void granted_table_add(struct table *table, const struct dmabuf_buffer *buffer);
/* Memory that came from elsewhere: only its size is known. */
void granted_table_add_foreign(struct table *table, uint64_t size);
void granted_print_columns(void);

/* "0x48000000-0x48200000"; the end is not part of it. */
void table_set_range(struct table *table, unsigned int column, uint64_t base, uint64_t end);

#endif
