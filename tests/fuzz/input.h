/* SPDX-License-Identifier: MIT */
/*
 * An input taken apart: numbers and runs of bytes from its front; zeros when it is at its end.
 */
#ifndef INPUT_H
#define INPUT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct input {
	const uint8_t *bytes;
	size_t size;
};

static inline const uint8_t *input_take(struct input *input, size_t size, size_t *ret_size)
{
	const uint8_t *bytes = input->bytes;

	*ret_size = size < input->size ? size : input->size;
	input->bytes += *ret_size;
	input->size -= *ret_size;
	return bytes;
}

static inline void input_copy(struct input *input, void *to, size_t size)
{
	size_t n;
	const uint8_t *bytes = input_take(input, size, &n);

	memset(to, 0, size);
	if (n)
		memcpy(to, bytes, n);
}

static inline uint8_t input_take_u8(struct input *input)
{
	uint8_t value;

	input_copy(input, &value, sizeof(value));
	return value;
}

static inline uint16_t input_take_u16(struct input *input)
{
	uint16_t value;

	input_copy(input, &value, sizeof(value));
	return value;
}

#endif
