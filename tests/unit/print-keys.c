/* SPDX-License-Identifier: MIT */
/*
 * The table of keys, for check-config-keys.sh: "Section Key default" a line.
 */
#include <stdio.h>

#include "keys.h"

int main(void)
{
	for (enum key_id key = 0; key < N_KEYS; key++)
		printf("%s %s %s\n", section_names[keys[key].section], keys[key].name,
		       keys[key].fallback[0] ? keys[key].fallback : "-");
	return 0;
}
