/* SPDX-License-Identifier: MIT */
/*
 * The four letters by which formats are known. Pure.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "video.h"

#define BIG_ENDIAN_FLAG (UINT32_C(1) << 31)
#define BIG_ENDIAN_TEXT "-BE"

void video_fourcc_format(uint32_t pixels, char text[static VIDEO_FOURCC_SIZE])
{
	for (int i = 0; i < 4; i++) {
		char c = (char)(pixels >> (8 * i) & 0x7f);

		text[i] = (char)(c < ' ' || c > '~' ? '?' : c);
	}
	snprintf(text + 4, VIDEO_FOURCC_SIZE - 4, "%s",
		 pixels & BIG_ENDIAN_FLAG ? BIG_ENDIAN_TEXT : "");
}

int video_fourcc_parse(const char *text, uint32_t *ret)
{
	size_t n = strcspn(text, "-");
	uint32_t pixels = 0;

	if (n == 0 || n > 4 || (text[n] && strcmp(text + n, BIG_ENDIAN_TEXT) != 0))
		return -EINVAL;
	for (size_t i = 0; i < 4; i++) {
		char c = (char)(i < n ? text[i] : ' ');

		if (c < ' ' || c > '~')
			return -EINVAL;
		pixels |= (uint32_t)c << (8 * i);
	}
	*ret = text[n] ? pixels | BIG_ENDIAN_FLAG : pixels;
	return 0;
}
