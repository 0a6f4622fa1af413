/* SPDX-License-Identifier: MIT */
/*
 * The words for what another decision would need. Decides nothing; knows the C library only.
 */
#ifndef NEEDS_H
#define NEEDS_H

#include "plan.h"

/* Each writes one clause without a full stop, or "" when there is nothing to do. */
void needs_say_contiguous(const struct plan *plan, char *text, size_t size);
void needs_say_address(const struct plan *plan, char *text, size_t size);
void needs_say_alignment(const struct plan *plan, char *text, size_t size);
void needs_say_mapping(const struct plan *plan, char *text, size_t size);
void needs_say_step(const struct plan *plan, const struct step *step, char *text, size_t size);

/* Would the pool refuse this buffer for lack of room, as far as its numbers tell? */
bool step_is_full(const struct plan *plan, const struct step *step);

/* How much of the pool is free; "" when the kernel does not tell its size. */
void step_say_room(const struct step *step, char *text, size_t size);

#endif
