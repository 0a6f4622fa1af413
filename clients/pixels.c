/* SPDX-License-Identifier: MIT */
/*
 * See pixels.h. A format is a row of a table: where in memory each of a pixel's three samples lies.
 */
#include "pixels.h"

enum model {
	RGB,
	YUV,
	GREY, /* three times the same sample */
};

/* The sample of the pixel in column x and line y is in column x >> h and line y >> v of its plane. */
struct sample {
	uint8_t plane;
	uint8_t offset; /* bytes, of the first in a line */
	uint8_t step;   /* bytes from one to the next */
	uint8_t h, v;
	uint8_t shift, bits; /* of a word of two bytes, little-endian; bits 0: a byte it is */
};

struct layout {
	uint32_t pixels;
	enum model model;
	bool apart; /* each plane has memory of its own; otherwise they follow one another */
	struct sample samples[3];
};

/* The best first: no loss of colour, then the most usual. */
static const struct layout layouts[] = {
	{V4L2_PIX_FMT_RGB24, RGB, false, {{0, 0, 3}, {0, 1, 3}, {0, 2, 3}}},
	{V4L2_PIX_FMT_YUYV, YUV, false, {{0, 0, 2}, {0, 1, 4, 1}, {0, 3, 4, 1}}},
	{V4L2_PIX_FMT_UYVY, YUV, false, {{0, 1, 2}, {0, 0, 4, 1}, {0, 2, 4, 1}}},
	{V4L2_PIX_FMT_BGR24, RGB, false, {{0, 2, 3}, {0, 1, 3}, {0, 0, 3}}},
	{V4L2_PIX_FMT_XBGR32, RGB, false, {{0, 2, 4}, {0, 1, 4}, {0, 0, 4}}},
	{V4L2_PIX_FMT_XRGB32, RGB, false, {{0, 1, 4}, {0, 2, 4}, {0, 3, 4}}},
	{V4L2_PIX_FMT_ABGR32, RGB, false, {{0, 2, 4}, {0, 1, 4}, {0, 0, 4}}},
	{V4L2_PIX_FMT_ARGB32, RGB, false, {{0, 1, 4}, {0, 2, 4}, {0, 3, 4}}},
	{V4L2_PIX_FMT_RGBX32, RGB, false, {{0, 0, 4}, {0, 1, 4}, {0, 2, 4}}},
	{V4L2_PIX_FMT_RGBA32, RGB, false, {{0, 0, 4}, {0, 1, 4}, {0, 2, 4}}},
	{V4L2_PIX_FMT_BGRX32, RGB, false, {{0, 3, 4}, {0, 2, 4}, {0, 1, 4}}},
	{V4L2_PIX_FMT_BGRA32, RGB, false, {{0, 3, 4}, {0, 2, 4}, {0, 1, 4}}},
	{V4L2_PIX_FMT_BGR32, RGB, false, {{0, 2, 4}, {0, 1, 4}, {0, 0, 4}}},
	{V4L2_PIX_FMT_RGB32, RGB, false, {{0, 1, 4}, {0, 2, 4}, {0, 3, 4}}},
	{V4L2_PIX_FMT_NV12, YUV, false, {{0, 0, 1}, {1, 0, 2, 1, 1}, {1, 1, 2, 1, 1}}},
	{V4L2_PIX_FMT_NV21, YUV, false, {{0, 0, 1}, {1, 1, 2, 1, 1}, {1, 0, 2, 1, 1}}},
	{V4L2_PIX_FMT_NV12M, YUV, true, {{0, 0, 1}, {1, 0, 2, 1, 1}, {1, 1, 2, 1, 1}}},
	{V4L2_PIX_FMT_NV21M, YUV, true, {{0, 0, 1}, {1, 1, 2, 1, 1}, {1, 0, 2, 1, 1}}},
	{V4L2_PIX_FMT_NV16, YUV, false, {{0, 0, 1}, {1, 0, 2, 1, 0}, {1, 1, 2, 1, 0}}},
	{V4L2_PIX_FMT_NV61, YUV, false, {{0, 0, 1}, {1, 1, 2, 1, 0}, {1, 0, 2, 1, 0}}},
	{V4L2_PIX_FMT_NV16M, YUV, true, {{0, 0, 1}, {1, 0, 2, 1, 0}, {1, 1, 2, 1, 0}}},
	{V4L2_PIX_FMT_NV61M, YUV, true, {{0, 0, 1}, {1, 1, 2, 1, 0}, {1, 0, 2, 1, 0}}},
	{V4L2_PIX_FMT_NV24, YUV, false, {{0, 0, 1}, {1, 0, 2, 0, 0}, {1, 1, 2, 0, 0}}},
	{V4L2_PIX_FMT_NV42, YUV, false, {{0, 0, 1}, {1, 1, 2, 0, 0}, {1, 0, 2, 0, 0}}},
	{V4L2_PIX_FMT_YUV420, YUV, false, {{0, 0, 1}, {1, 0, 1, 1, 1}, {2, 0, 1, 1, 1}}},
	{V4L2_PIX_FMT_YVU420, YUV, false, {{0, 0, 1}, {2, 0, 1, 1, 1}, {1, 0, 1, 1, 1}}},
	{V4L2_PIX_FMT_YUV420M, YUV, true, {{0, 0, 1}, {1, 0, 1, 1, 1}, {2, 0, 1, 1, 1}}},
	{V4L2_PIX_FMT_YVU420M, YUV, true, {{0, 0, 1}, {2, 0, 1, 1, 1}, {1, 0, 1, 1, 1}}},
	{V4L2_PIX_FMT_YUV422P, YUV, false, {{0, 0, 1}, {1, 0, 1, 1, 0}, {2, 0, 1, 1, 0}}},
	{V4L2_PIX_FMT_YUV422M, YUV, true, {{0, 0, 1}, {1, 0, 1, 1, 0}, {2, 0, 1, 1, 0}}},
	{V4L2_PIX_FMT_YVU422M, YUV, true, {{0, 0, 1}, {2, 0, 1, 1, 0}, {1, 0, 1, 1, 0}}},
	{V4L2_PIX_FMT_YUV444M, YUV, true, {{0, 0, 1}, {1, 0, 1, 0, 0}, {2, 0, 1, 0, 0}}},
	{V4L2_PIX_FMT_YVU444M, YUV, true, {{0, 0, 1}, {2, 0, 1, 0, 0}, {1, 0, 1, 0, 0}}},
	{V4L2_PIX_FMT_YVYU, YUV, false, {{0, 0, 2}, {0, 3, 4, 1}, {0, 1, 4, 1}}},
	{V4L2_PIX_FMT_VYUY, YUV, false, {{0, 1, 2}, {0, 2, 4, 1}, {0, 0, 4, 1}}},
	{V4L2_PIX_FMT_YUV24, YUV, false, {{0, 0, 3}, {0, 1, 3}, {0, 2, 3}}},
	{V4L2_PIX_FMT_YUV32, YUV, false, {{0, 1, 4}, {0, 2, 4}, {0, 3, 4}}},
	{V4L2_PIX_FMT_AYUV32, YUV, false, {{0, 1, 4}, {0, 2, 4}, {0, 3, 4}}},
	{V4L2_PIX_FMT_XYUV32, YUV, false, {{0, 1, 4}, {0, 2, 4}, {0, 3, 4}}},
	{V4L2_PIX_FMT_VUYA32, YUV, false, {{0, 2, 4}, {0, 1, 4}, {0, 0, 4}}},
	{V4L2_PIX_FMT_VUYX32, YUV, false, {{0, 2, 4}, {0, 1, 4}, {0, 0, 4}}},
	{V4L2_PIX_FMT_YUVA32, YUV, false, {{0, 0, 4}, {0, 1, 4}, {0, 2, 4}}},
	{V4L2_PIX_FMT_YUVX32, YUV, false, {{0, 0, 4}, {0, 1, 4}, {0, 2, 4}}},
	{V4L2_PIX_FMT_RGB565,
	 RGB,
	 false,
	 {{0, 0, 2, 0, 0, 11, 5}, {0, 0, 2, 0, 0, 5, 6}, {0, 0, 2, 0, 0, 0, 5}}},
	{V4L2_PIX_FMT_XRGB555,
	 RGB,
	 false,
	 {{0, 0, 2, 0, 0, 10, 5}, {0, 0, 2, 0, 0, 5, 5}, {0, 0, 2, 0, 0, 0, 5}}},
	{V4L2_PIX_FMT_ARGB555,
	 RGB,
	 false,
	 {{0, 0, 2, 0, 0, 10, 5}, {0, 0, 2, 0, 0, 5, 5}, {0, 0, 2, 0, 0, 0, 5}}},
	{V4L2_PIX_FMT_RGB555,
	 RGB,
	 false,
	 {{0, 0, 2, 0, 0, 10, 5}, {0, 0, 2, 0, 0, 5, 5}, {0, 0, 2, 0, 0, 0, 5}}},
	{V4L2_PIX_FMT_XRGB444,
	 RGB,
	 false,
	 {{0, 0, 2, 0, 0, 8, 4}, {0, 0, 2, 0, 0, 4, 4}, {0, 0, 2, 0, 0, 0, 4}}},
	{V4L2_PIX_FMT_ARGB444,
	 RGB,
	 false,
	 {{0, 0, 2, 0, 0, 8, 4}, {0, 0, 2, 0, 0, 4, 4}, {0, 0, 2, 0, 0, 0, 4}}},
	{V4L2_PIX_FMT_RGB444,
	 RGB,
	 false,
	 {{0, 0, 2, 0, 0, 8, 4}, {0, 0, 2, 0, 0, 4, 4}, {0, 0, 2, 0, 0, 0, 4}}},
	{V4L2_PIX_FMT_Y16_BE, GREY, false, {{0, 0, 2}, {0, 0, 2}, {0, 0, 2}}},
	{V4L2_PIX_FMT_Y16, GREY, false, {{0, 1, 2}, {0, 1, 2}, {0, 1, 2}}},
	{V4L2_PIX_FMT_Y14,
	 GREY,
	 false,
	 {{0, 0, 2, 0, 0, 0, 14}, {0, 0, 2, 0, 0, 0, 14}, {0, 0, 2, 0, 0, 0, 14}}},
	{V4L2_PIX_FMT_Y12,
	 GREY,
	 false,
	 {{0, 0, 2, 0, 0, 0, 12}, {0, 0, 2, 0, 0, 0, 12}, {0, 0, 2, 0, 0, 0, 12}}},
	{V4L2_PIX_FMT_Y10,
	 GREY,
	 false,
	 {{0, 0, 2, 0, 0, 0, 10}, {0, 0, 2, 0, 0, 0, 10}, {0, 0, 2, 0, 0, 0, 10}}},
	{V4L2_PIX_FMT_GREY, GREY, false, {{0, 0, 1}, {0, 0, 1}, {0, 0, 1}}},
};

#define N_LAYOUTS (sizeof(layouts) / sizeof(layouts[0]))

static const struct layout *find(uint32_t pixels)
{
	for (size_t i = 0; i < N_LAYOUTS; i++)
		if (layouts[i].pixels == pixels)
			return &layouts[i];
	return NULL;
}

uint32_t pixels_by_preference(unsigned int index)
{
	return index < N_LAYOUTS ? layouts[index].pixels : 0;
}

bool pixels_are_known(uint32_t pixels)
{
	return find(pixels) != NULL;
}

/* A plane of samples: where it begins in which memory, and how long its lines are. */
struct plane {
	unsigned int memory;
	size_t start;
	size_t stride;
};

static const struct sample *sample_of(const struct layout *layout, unsigned int plane)
{
	for (unsigned int i = 0; i < 3; i++)
		if (layout->samples[i].plane == plane)
			return &layout->samples[i];
	return NULL;
}

static size_t rounded_up(size_t value, unsigned int shift)
{
	return (value + (1u << shift) - 1) >> shift;
}

/* V4L2 tells the stride of luma alone when planes share memory; those of chroma follow from it. */
static void place(const struct layout *layout, const struct video_format *format,
		  struct plane planes[static 3])
{
	size_t start = 0;

	for (unsigned int i = 0; i < 3; i++) {
		const struct sample *sample = sample_of(layout, i);
		size_t stride;

		if (!sample)
			return;
		if (layout->apart) {
			planes[i] = (struct plane){i, 0, format->planes[i].stride};
			continue;
		}
		stride = ((size_t)format->planes[0].stride * sample->step /
			  layout->samples[0].step) >>
			 (i ? sample->h : 0);
		planes[i] = (struct plane){0, start, stride};
		start += stride * rounded_up(format->height, sample->v);
	}
}

/* From the start of a plane. */
static size_t offset_of(const struct sample *sample, size_t stride, unsigned int x, unsigned int y)
{
	return (size_t)(y >> sample->v) * stride + (size_t)(x >> sample->h) * sample->step +
	       sample->offset;
}

bool pixels_fit(const struct video_format *format, const size_t used[static VIDEO_MAX_PLANES])
{
	const struct layout *layout = find(format->pixels);
	struct plane planes[3] = {0};

	place(layout, format, planes);
	for (unsigned int i = 0; i < 3; i++) {
		const struct sample *sample = &layout->samples[i];
		const struct plane *plane = &planes[sample->plane];
		size_t last =
			offset_of(sample, plane->stride, format->width - 1, format->height - 1);

		if (plane->memory >= format->n_planes ||
		    plane->start + last + (sample->bits ? 2 : 1) > used[plane->memory])
			return false;
	}
	return true;
}

/* To eight bits: those that are too many are cut, those that lack repeat the highest. */
static uint8_t read_sample(const struct sample *sample, const uint8_t *at)
{
	unsigned int value;

	if (!sample->bits)
		return *at;
	value = (unsigned int)(at[0] | at[1] << 8) >> sample->shift & ((1u << sample->bits) - 1);
	if (sample->bits >= 8)
		return (uint8_t)(value >> (sample->bits - 8));
	value <<= 8 - sample->bits;
	return (uint8_t)(value | value >> sample->bits);
}

static uint8_t clamp(int value)
{
	return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

/* Times 256: of luma, of V to red, of U and V to green, of U to blue. */
struct coefficients {
	int y, rv, gu, gv, bu;
};

/* By full range and BT.709. */
static const struct coefficients coefficients[2][2] = {
	{{298, 409, 100, 208, 516}, {298, 459, 55, 136, 541}},
	{{256, 359, 88, 183, 454}, {256, 403, 48, 120, 475}},
};

static void yuv_to_rgb(const struct video_format *format, const uint8_t yuv[static 3], uint8_t *rgb)
{
	const struct coefficients *k = &coefficients[format->full_range][format->bt709];
	int y = k->y * (yuv[0] - (format->full_range ? 0 : 16)) + 128;
	int u = yuv[1] - 128, v = yuv[2] - 128;

	rgb[0] = clamp((y + k->rv * v) >> 8);
	rgb[1] = clamp((y - k->gu * u - k->gv * v) >> 8);
	rgb[2] = clamp((y + k->bu * u) >> 8);
}

static void convert_line(const struct layout *layout, const struct video_format *format,
			 const struct plane planes[static 3],
			 const uint8_t *const memory[static VIDEO_MAX_PLANES], unsigned int y,
			 uint8_t *rgb)
{
	for (unsigned int x = 0; x < format->width; x++, rgb += 3) {
		uint8_t pixel[3];

		for (unsigned int i = 0; i < 3; i++) {
			const struct sample *sample = &layout->samples[i];
			const struct plane *plane = &planes[sample->plane];

			pixel[i] =
				read_sample(sample, memory[plane->memory] + plane->start +
							    offset_of(sample, plane->stride, x, y));
		}
		if (layout->model == YUV)
			yuv_to_rgb(format, pixel, rgb);
		else
			for (unsigned int i = 0; i < 3; i++)
				rgb[i] = pixel[i];
	}
}

void pixels_convert(const struct video_format *format,
		    const uint8_t *const planes[static VIDEO_MAX_PLANES], uint8_t *rgb)
{
	const struct layout *layout = find(format->pixels);
	struct plane placed[3] = {0};

	place(layout, format, placed);
	for (unsigned int y = 0; y < format->height; y++)
		convert_line(layout, format, placed, planes, y,
			     rgb + (size_t)y * format->width * 3);
}
