/* SPDX-License-Identifier: MIT */
/*
 * From the device's pixels to 24-bit RGB, line by line. Pure: bytes in, bytes out.
 */
#include "capture.h"

typedef void (*line_function)(const struct capture_format *format, const uint8_t *frame,
			      unsigned int y, uint8_t *rgb);

/* Offsets of red, green and blue in a pixel of so many bytes. */
struct packing {
	unsigned int bytes, r, g, b;
};

static void unpack(const struct capture_format *format, const uint8_t *line, uint8_t *rgb,
		   struct packing p)
{
	for (unsigned int x = 0; x < format->width; x++, line += p.bytes, rgb += 3) {
		rgb[0] = line[p.r];
		rgb[1] = line[p.g];
		rgb[2] = line[p.b];
	}
}

static const uint8_t *line_of(const struct capture_format *format, const uint8_t *frame,
			      unsigned int y)
{
	return frame + (size_t)y * format->stride;
}

static void line_rgb24(const struct capture_format *format, const uint8_t *frame, unsigned int y,
		       uint8_t *rgb)
{
	unpack(format, line_of(format, frame, y), rgb, (struct packing){3, 0, 1, 2});
}

static void line_bgr24(const struct capture_format *format, const uint8_t *frame, unsigned int y,
		       uint8_t *rgb)
{
	unpack(format, line_of(format, frame, y), rgb, (struct packing){3, 2, 1, 0});
}

/* In memory: nothing, red, green, blue. */
static void line_xrgb32(const struct capture_format *format, const uint8_t *frame, unsigned int y,
			uint8_t *rgb)
{
	unpack(format, line_of(format, frame, y), rgb, (struct packing){4, 1, 2, 3});
}

/* In memory: blue, green, red, nothing. */
static void line_xbgr32(const struct capture_format *format, const uint8_t *frame, unsigned int y,
			uint8_t *rgb)
{
	unpack(format, line_of(format, frame, y), rgb, (struct packing){4, 2, 1, 0});
}

static void line_grey(const struct capture_format *format, const uint8_t *frame, unsigned int y,
		      uint8_t *rgb)
{
	unpack(format, line_of(format, frame, y), rgb, (struct packing){1, 0, 0, 0});
}

static uint8_t clamp(int value)
{
	return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

/* Limited range, coefficients times 256: BT.601, BT.709. */
static void yuv_to_rgb(bool bt709, int y, int u, int v, uint8_t *rgb)
{
	static const int rv[] = {409, 459}, gu[] = {100, 55}, gv[] = {208, 136}, bu[] = {516, 541};
	int c = 298 * (y - 16) + 128;

	u -= 128;
	v -= 128;
	rgb[0] = clamp((c + rv[bt709] * v) >> 8);
	rgb[1] = clamp((c - gu[bt709] * u - gv[bt709] * v) >> 8);
	rgb[2] = clamp((c + bu[bt709] * u) >> 8);
}

/* Two pixels share their colour: luma at y and y + 2, chroma at u and u + 2 of four bytes. */
static void unpack_422(const struct capture_format *format, const uint8_t *line, uint8_t *rgb,
		       unsigned int y, unsigned int u)
{
	for (unsigned int x = 0; x < format->width; x++, rgb += 3) {
		const uint8_t *pair = line + (size_t)(x / 2) * 4;

		yuv_to_rgb(format->bt709, pair[y + x % 2 * 2], pair[u], pair[u + 2], rgb);
	}
}

static void line_yuyv(const struct capture_format *format, const uint8_t *frame, unsigned int y,
		      uint8_t *rgb)
{
	unpack_422(format, line_of(format, frame, y), rgb, 0, 1);
}

static void line_uyvy(const struct capture_format *format, const uint8_t *frame, unsigned int y,
		      uint8_t *rgb)
{
	unpack_422(format, line_of(format, frame, y), rgb, 1, 0);
}

/* All luma, then chroma of half the lines, U and V by turns. */
static void line_nv12(const struct capture_format *format, const uint8_t *frame, unsigned int y,
		      uint8_t *rgb)
{
	const uint8_t *luma = line_of(format, frame, y);
	const uint8_t *chroma = line_of(format, frame, format->height + y / 2);

	for (unsigned int x = 0; x < format->width; x++, rgb += 3)
		yuv_to_rgb(format->bt709, luma[x], chroma[x / 2 * 2], chroma[x / 2 * 2 + 1], rgb);
}

const uint32_t capture_pixel_formats[] = {
	V4L2_PIX_FMT_RGB24, V4L2_PIX_FMT_YUYV,   V4L2_PIX_FMT_UYVY,
	V4L2_PIX_FMT_BGR24, V4L2_PIX_FMT_XBGR32, V4L2_PIX_FMT_XRGB32,
	V4L2_PIX_FMT_NV12,  V4L2_PIX_FMT_GREY,   0,
};

static const line_function lines[] = {
	line_rgb24,  line_yuyv,   line_uyvy, line_bgr24,
	line_xbgr32, line_xrgb32, line_nv12, line_grey,
};

_Static_assert(sizeof(lines) / sizeof(lines[0]) + 1 ==
		       sizeof(capture_pixel_formats) / sizeof(capture_pixel_formats[0]),
	       "a function for each format");

void capture_pixels_convert(const struct capture_format *format, const uint8_t *frame, uint8_t *rgb)
{
	unsigned int i = 0;

	while (capture_pixel_formats[i] != format->pixels)
		i++;
	for (unsigned int y = 0; y < format->height; y++)
		lines[i](format, frame, y, rgb + (size_t)y * format->width * 3);
}
