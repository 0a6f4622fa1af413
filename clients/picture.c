/* SPDX-License-Identifier: MIT */
/*
 * See picture.h.
 */
#include "picture.h"

#include <err.h>
#include <errno.h>
#include <png.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "pixels.h"

static const char *const names[] = {
	[PICTURE_PNG] = "png",
	[PICTURE_PPM] = "ppm",
	[PICTURE_RAW] = "raw",
};

const char *picture_type_name(enum picture_type type)
{
	return names[type];
}

int picture_type_parse(const char *text, enum picture_type *ret)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(text, names[i]) == 0) {
			*ret = (enum picture_type)i;
			return 0;
		}
	}
	return -EINVAL;
}

static int write_png(const char *path, const struct video_format *format, const uint8_t *rgb)
{
	png_image image = {.version = PNG_IMAGE_VERSION,
			   .width = format->width,
			   .height = format->height,
			   .format = PNG_FORMAT_RGB,
			   .flags = PNG_IMAGE_FLAG_FAST};

	if (png_image_write_to_file(&image, path, 0, rgb, 0, NULL))
		return 0;
	warnx("cannot write %s: %s", path, image.message);
	unlink(path);
	return -EIO;
}

/* Writes to it may fail as late as here. */
static int close_file(FILE *file, const char *path)
{
	bool failed = ferror(file);

	if (fclose(file) == 0 && !failed)
		return 0;
	warn("cannot write %s", path);
	unlink(path);
	return -EIO;
}

static FILE *open_file(const char *path)
{
	FILE *file = fopen(path, "we");

	if (!file)
		warn("cannot write %s", path);
	return file;
}

static int write_ppm(const char *path, const struct video_format *format, const uint8_t *rgb)
{
	FILE *file = open_file(path);

	if (!file)
		return -EIO;
	fprintf(file, "P6\n%u %u\n255\n", format->width, format->height);
	fwrite(rgb, 3, (size_t)format->width * format->height, file);
	return close_file(file, path);
}

static int write_raw(const char *path, const struct video_format *format,
		     const struct picture_frame *frame)
{
	FILE *file = open_file(path);

	if (!file)
		return -EIO;
	for (unsigned int i = 0; i < format->n_planes; i++)
		fwrite(frame->planes[i], 1, frame->used[i], file);
	return close_file(file, path);
}

static int convert(const char *path, const struct video_format *format,
		   const struct picture_frame *frame, uint8_t **ret)
{
	char name[VIDEO_FOURCC_SIZE];

	if (!pixels_are_known(format->pixels)) {
		video_fourcc_format(format->pixels, name);
		warnx("no picture can be made of %s; a raw file can", name);
		return -EOPNOTSUPP;
	}
	if (!pixels_fit(format, frame->used)) {
		warnx("cannot write %s: the device gave a part of the frame only", path);
		return -EBADMSG;
	}
	*ret = reallocarray(NULL, format->height, (size_t)format->width * 3);
	if (!*ret) {
		warn("cannot make a picture");
		return -ENOMEM;
	}
	pixels_convert(format, frame->planes, *ret);
	return 0;
}

int picture_write(const char *path, enum picture_type type, const struct video_format *format,
		  const struct picture_frame *frame)
{
	_cleanup_free_ uint8_t *rgb = NULL;
	int r;

	if (type == PICTURE_RAW)
		return write_raw(path, format, frame);
	r = convert(path, format, frame, &rgb);
	if (r < 0)
		return r;
	return type == PICTURE_PNG ? write_png(path, format, rgb) : write_ppm(path, format, rgb);
}
