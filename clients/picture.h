/* SPDX-License-Identifier: MIT */
/*
 * A frame as a file: a picture, or its bytes as they are. Knows no device.
 */
#ifndef CLIENTS_PICTURE_H
#define CLIENTS_PICTURE_H

#include "video.h"

enum picture_type {
	PICTURE_PNG,
	PICTURE_PPM,
	PICTURE_RAW, /* the planes one after the other */
};

/* The bytes of a frame's planes, where the CPU can read them. */
struct picture_frame {
	const uint8_t *planes[VIDEO_MAX_PLANES];
	size_t used[VIDEO_MAX_PLANES];
};

/* "png" and so on, which is also how file names end. */
const char *picture_type_name(enum picture_type type);
/* -EINVAL, in silence. */
int picture_type_parse(const char *text, enum picture_type *ret);

/*
 * A file that cannot be written is removed, and why is said on stderr: -EIO, -ENOMEM; -EBADMSG for a
 * frame that has not all of its pixels, -EOPNOTSUPP for pixels that no picture can be made of.
 */
int picture_write(const char *path, enum picture_type type, const struct video_format *format,
		  const struct picture_frame *frame);

#endif
