/* SPDX-License-Identifier: MIT */
/*
 * What is left when all is done: pictures in a folder, and the report for a person or a program.
 */
#include <err.h>
#include <errno.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "capture.h"
#include "cleanup.h"
#include "granted.h"
#include "text.h"

static int write_png(const char *path, const struct capture_format *format, const uint8_t *rgb)
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

static int keep_path(struct capture_result *result, char *path)
{
	char **pictures = reallocarray(result->pictures, result->n_pictures + 1, sizeof(char *));

	if (!pictures) {
		warn("cannot keep the name of a picture");
		return -ENOMEM;
	}
	result->pictures = pictures;
	result->pictures[result->n_pictures++] = path;
	return 0;
}

int capture_write_picture(const struct capture_options *options,
			  const struct capture_format *format, const void *frame,
			  unsigned int number, struct capture_result *result)
{
	_cleanup_free_ uint8_t *rgb = reallocarray(NULL, format->height, (size_t)format->width * 3);
	_cleanup_free_ char *path = NULL;
	int r;

	if (!rgb ||
	    asprintf(&path, "%s/%s-%03u.png", options->folder, options->prefix, number) < 0) {
		warn("cannot make a picture");
		return -ENOMEM;
	}
	capture_pixels_convert(format, frame, rgb);
	r = write_png(path, format, rgb);
	if (r == 0)
		r = keep_path(result, path);
	if (r == 0)
		TAKE_PTR(path);
	return r;
}

void capture_result_free(struct capture_result *result)
{
	for (unsigned int i = 0; i < result->n_pictures; i++)
		free(result->pictures[i]);
	free(result->pictures);
}

/* "RGB3": the code's four letters. */
static void format_name(uint32_t pixels, char name[static 5])
{
	for (int i = 0; i < 4; i++)
		name[i] = (char)(pixels >> (8 * i) & 0x7f);
	name[4] = '\0';
}

static void json_member(const char *name, const char *value)
{
	printf("   \"%s\": ", name);
	json_string(stdout, value);
	printf(",\n");
}

static int report_json(const struct capture_device *device, const struct capture_result *result,
		       struct table *buffers)
{
	char name[5];
	int r;

	format_name(device->format.pixels, name);
	printf("{\n");
	json_member("node", device->node);
	json_member("driver", device->driver);
	json_member("card", device->card);
	json_member("format", name);
	printf("   \"width\": %u,\n   \"height\": %u,\n", device->format.width,
	       device->format.height);
	printf("   \"frames\": %u,\n   \"dropped\": %u,\n", result->frames, result->dropped);
	json_member("memory", device->memory == V4L2_MEMORY_MMAP ? "mmap" : "dmabuf");
	r = table_print_member(buffers);
	printf(",\n   \"pictures\": [");
	for (unsigned int i = 0; i < result->n_pictures; i++) {
		printf("%s\n      ", i ? "," : "");
		json_string(stdout, result->pictures[i]);
	}
	printf("\n   ]\n}\n");
	return r;
}

static int report_text(const struct capture_device *device, const struct capture_result *result,
		       struct table *buffers)
{
	char name[5];
	int r;

	format_name(device->format.pixels, name);
	printf("%s: %s (%s), %s %ux%u, %u frames, %u dropped, memory: %s\n\n", device->node,
	       device->card, device->driver, name, device->format.width, device->format.height,
	       result->frames, result->dropped,
	       device->memory == V4L2_MEMORY_MMAP ? "mmap" : "dmabuf");
	r = tables_print(&buffers, 1);
	printf("\n");
	for (unsigned int i = 0; i < result->n_pictures; i++)
		printf("%s\n", result->pictures[i]);
	return r;
}

int capture_report(const struct capture_device *device, const struct capture_options *options,
		   const struct capture_result *result)
{
	_cleanup_(table_freep) struct table *buffers = NULL;
	struct table_options table = {.json = options->json};
	int r = granted_table_new(&buffers, &table);

	if (r < 0)
		return r;
	for (unsigned int i = 0; i < device->n_buffers; i++) {
		if (device->buffers[i].granted)
			granted_table_add(buffers, device->buffers[i].granted);
		else
			granted_table_add_foreign(buffers, device->buffers[i].size);
	}
	r = options->json ? report_json(device, result, buffers)
			  : report_text(device, result, buffers);
	if (r < 0 || fflush(stdout) != 0) {
		warn("cannot write the report");
		return -EIO;
	}
	return 0;
}
