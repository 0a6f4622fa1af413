/* SPDX-License-Identifier: MIT */
/*
 * See video-options.h.
 */
#include "video-options.h"

#include <err.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "text.h"
#include "video.h"

int option_number(const char *argument, unsigned int max, unsigned int *ret)
{
	if (number_parse(argument, max, ret) == 0)
		return 0;
	warnx("\"%s\" is no number from 1 to %u", argument, max);
	return -EINVAL;
}

int option_dimensions(const char *argument, unsigned int *ret_width, unsigned int *ret_height)
{
	char width[16] = "";
	const char *height = strchr(argument, 'x');

	if (height && (size_t)(height - argument) < sizeof(width))
		memcpy(width, argument, (size_t)(height - argument));
	if (height && number_parse(width, USHRT_MAX, ret_width) == 0 &&
	    number_parse(height + 1, USHRT_MAX, ret_height) == 0)
		return 0;
	warnx("\"%s\" is no size such as 640x480", argument);
	return -EINVAL;
}

int option_pixels(const char *argument, uint32_t *ret)
{
	if (video_fourcc_parse(argument, ret) == 0)
		return 0;
	warnx("\"%s\" is no format such as YUYV", argument);
	return -EINVAL;
}
