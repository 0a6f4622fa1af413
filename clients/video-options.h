/* SPDX-License-Identifier: MIT */
/*
 * Arguments of the programs for video. Each function says on stderr what it does not understand, and
 * returns -EINVAL.
 */
#ifndef CLIENTS_VIDEO_OPTIONS_H
#define CLIENTS_VIDEO_OPTIONS_H

#include <stdint.h>

/* From 1 to max. */
int option_number(const char *argument, unsigned int max, unsigned int *ret);
/* 640x480 */
int option_dimensions(const char *argument, unsigned int *ret_width, unsigned int *ret_height);
/* YUYV */
int option_pixels(const char *argument, uint32_t *ret);

#endif
