/* SPDX-License-Identifier: MIT */
/*
 * What was granted, as rows: see granted.h. Reads buffers through their getters only.
 */
#include "granted.h"

#include <inttypes.h>
#include <stdio.h>

#include "text.h"

enum {
	ID,
	POOL,
	KIND,
	SIZE,
	MAPPING,
	CONTIGUOUS,
	RELAXED,
	ADDRESS,
	BASE,
	END,
	N_COLUMNS
};

static const struct table_column columns[N_COLUMNS] = {
	[ID] = {"ID", TABLE_NUMBER, TABLE_SHOWN, "number of the buffer, never used again"},
	[POOL] = {"POOL", TABLE_TEXT, TABLE_SHOWN, "pool it came from"},
	[KIND] = {"KIND", TABLE_TEXT, TABLE_SHOWN, "kind of that pool"},
	[SIZE] = {"SIZE", TABLE_SIZE, TABLE_SHOWN, "whole pages"},
	[MAPPING] = {"MAPPING", TABLE_TEXT, TABLE_SHOWN, "how the CPU sees it"},
	[CONTIGUOUS] = {"CONTIGUOUS", TABLE_BOOLEAN, TABLE_SHOWN, "one physical block"},
	[RELAXED] = {"RELAXED", TABLE_TEXT, TABLE_SHOWN, "what was preferred and is not so"},
	[ADDRESS] = {"ADDRESS", TABLE_TEXT, TABLE_ONLY_TEXT, "physical addresses, end excluded"},
	[BASE] = {"BASE", TABLE_ADDRESS, TABLE_ONLY_JSON, "lowest physical address"},
	[END] = {"END", TABLE_ADDRESS, TABLE_ONLY_JSON, "one past the highest"},
};

int granted_table_new(struct table **ret, const struct table_options *options)
{
	return table_new(ret, "buffers", columns, N_COLUMNS, options);
}

void granted_table_add(struct table *table, const struct dmabuf_buffer *buffer)
{
	char relaxed[CONSTRAINTS_TEXT_SIZE];
	uint64_t base, end;

	table_add_row(table);
	table_set_number(table, ID, dmabuf_buffer_get_id(buffer));
	table_set_text(table, POOL, dmabuf_buffer_get_pool(buffer));
	table_set_text(table, KIND, kind_name(dmabuf_buffer_get_kind(buffer)));
	table_set_number(table, SIZE, dmabuf_buffer_get_size(buffer));
	table_set_text(table, MAPPING, mapping_name(dmabuf_buffer_get_mapping(buffer)));
	table_set_number(table, CONTIGUOUS, (uint64_t)dmabuf_buffer_is_contiguous(buffer));
	if (dmabuf_buffer_get_relaxed(buffer))
		table_set_text(table, RELAXED,
			       constraints_text(relaxed, dmabuf_buffer_get_relaxed(buffer)));
	if (dmabuf_buffer_get_address(buffer, &base, &end) < 0) {
		table_set_text(table, ADDRESS, "hidden");
		return;
	}
	table_set_range(table, ADDRESS, base, end);
	table_set_number(table, BASE, base);
	table_set_number(table, END, end);
}

void granted_table_add_foreign(struct table *table, uint64_t size)
{
	table_add_row(table);
	table_set_number(table, SIZE, size);
}

void granted_print_columns(void)
{
	table_print_columns(columns, N_COLUMNS);
}

void table_set_range(struct table *table, unsigned int column, uint64_t base, uint64_t end)
{
	char text[48];

	snprintf(text, sizeof(text), "0x%" PRIx64 "-0x%" PRIx64, base, end);
	table_set_text(table, column, text);
}
