/* SPDX-License-Identifier: MIT */
/*
 * From a device's pixels to 24-bit RGB. Pure: bytes in, bytes out.
 */
#ifndef CLIENTS_PIXELS_H
#define CLIENTS_PIXELS_H

#include "video.h"

/* Formats that can be converted, the best first; 0 past the last. */
uint32_t pixels_by_preference(unsigned int index);
bool pixels_are_known(uint32_t pixels);

/* Does a frame of so many bytes in each plane have all of its pixels? The format must be known. */
bool pixels_fit(const struct video_format *format, const size_t used[static VIDEO_MAX_PLANES]);

/* 3 bytes for each pixel go to rgb. The frame must fit; planes are those of memory. */
void pixels_convert(const struct video_format *format,
		    const uint8_t *const planes[static VIDEO_MAX_PLANES], uint8_t *rgb);

#endif
