/* SPDX-License-Identifier: MIT */
/*
 * Frames of known colours, in each way that bytes can lie, as 24-bit RGB.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "pixels.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ROOM 256

static const uint8_t red[3] = {255, 0, 0};
static const uint8_t white[3] = {255, 255, 255};

/* Limited range, BT.601: red is 81 90 240, white 235 128 128. */
static const uint8_t yuv_red[3] = {81, 90, 240};
static const uint8_t yuv_white[3] = {235, 128, 128};

struct frame {
	struct video_format format;
	uint8_t bytes[VIDEO_MAX_PLANES][ROOM];
	size_t used[VIDEO_MAX_PLANES];
};

static void convert(const struct frame *frame, uint8_t *rgb)
{
	const uint8_t *planes[VIDEO_MAX_PLANES];

	for (unsigned int i = 0; i < VIDEO_MAX_PLANES; i++)
		planes[i] = frame->bytes[i];
	assert_true(pixels_fit(&frame->format, frame->used));
	pixels_convert(&frame->format, planes, rgb);
}

/* A frame of one plane of memory. */
static struct frame frame_of(uint32_t pixels, unsigned int width, unsigned int height,
			     unsigned int stride, const void *bytes, size_t n)
{
	struct frame frame = {
		.format = {.pixels = pixels, .width = width, .height = height, .n_planes = 1},
		.used = {n},
	};

	assert_true(n <= ROOM);
	frame.format.planes[0].stride = stride;
	memcpy(frame.bytes[0], bytes, n);
	return frame;
}

/* Two pixels beside one another; what follows in the line is not shown. */
static void expect_pair(uint32_t pixels, const void *bytes, size_t n, const uint8_t first[3],
			const uint8_t second[3])
{
	struct frame frame = frame_of(pixels, 2, 1, (unsigned int)n, bytes, n);
	uint8_t rgb[6];

	convert(&frame, rgb);
	assert_memory_equal(rgb, first, 3);
	assert_memory_equal(rgb + 3, second, 3);
}

static void test_bytes_of_rgb(void **state)
{
	static const uint8_t first[3] = {1, 2, 3}, second[3] = {4, 5, 6};

	expect_pair(V4L2_PIX_FMT_RGB24, "\1\2\3\4\5\6", 6, first, second);
	expect_pair(V4L2_PIX_FMT_BGR24, "\3\2\1\6\5\4", 6, first, second);
	expect_pair(V4L2_PIX_FMT_XBGR32, "\3\2\1\x77\6\5\4\x77", 8, first, second);
	expect_pair(V4L2_PIX_FMT_XRGB32, "\x77\1\2\3\x77\4\5\6", 8, first, second);
	expect_pair(V4L2_PIX_FMT_RGBX32, "\1\2\3\x77\4\5\6\x77", 8, first, second);
	expect_pair(V4L2_PIX_FMT_BGRX32, "\x77\3\2\1\x77\6\5\4", 8, first, second);
}

static void test_words_of_rgb(void **state)
{
	static const uint8_t first[3] = {255, 0, 0}, second[3] = {0, 255, 8};

	expect_pair(V4L2_PIX_FMT_RGB565, "\x00\xf8\xe1\x07", 4, first, second);
	expect_pair(V4L2_PIX_FMT_XRGB555, "\x00\xfc\xe1\x03", 4, first, second);
	expect_pair(V4L2_PIX_FMT_XRGB444, "\x00\xff\xf0\x00", 4, first,
		    (const uint8_t[3]){0, 255, 0});
}

static void test_words_of_grey(void **state)
{
	static const uint8_t first[3] = {0x80, 0x80, 0x80}, second[3] = {255, 255, 255};

	expect_pair(V4L2_PIX_FMT_GREY, "\x80\xff", 2, first, second);
	expect_pair(V4L2_PIX_FMT_Y10, "\x03\x02\xff\x03", 4, first, second);
	expect_pair(V4L2_PIX_FMT_Y12, "\x0f\x08\xff\x0f", 4, first, second);
	expect_pair(V4L2_PIX_FMT_Y14, "\x3f\x20\xff\x3f", 4, first, second);
	expect_pair(V4L2_PIX_FMT_Y16, "\x77\x80\x77\xff", 4, first, second);
	expect_pair(V4L2_PIX_FMT_Y16_BE, "\x80\x77\xff\x77", 4, first, second);
}

/* Both pixels have the colour of the first, each its own luma. */
static void test_shared_colour(void **state)
{
	static const uint8_t grey[3] = {130, 130, 130};

	expect_pair(V4L2_PIX_FMT_YUYV, "\xeb\x80\x80\x80", 4, white, grey);
	expect_pair(V4L2_PIX_FMT_UYVY, "\x80\xeb\x80\x80", 4, white, grey);
	expect_pair(V4L2_PIX_FMT_YUYV, "\x51\x5a\x51\xf0", 4, red, red);
	expect_pair(V4L2_PIX_FMT_YVYU, "\x51\xf0\x51\x5a", 4, red, red);
	expect_pair(V4L2_PIX_FMT_UYVY, "\x5a\x51\xf0\x51", 4, red, red);
	expect_pair(V4L2_PIX_FMT_VYUY, "\xf0\x51\x5a\x51", 4, red, red);
}

static void test_three_samples_for_each_pixel(void **state)
{
	expect_pair(V4L2_PIX_FMT_YUV24, "\x51\x5a\xf0\xeb\x80\x80", 6, red, white);
	expect_pair(V4L2_PIX_FMT_AYUV32, "\x77\x51\x5a\xf0\x77\xeb\x80\x80", 8, red, white);
	expect_pair(V4L2_PIX_FMT_VUYA32, "\xf0\x5a\x51\x77\x80\x80\xeb\x77", 8, red, white);
	expect_pair(V4L2_PIX_FMT_YUVX32, "\x51\x5a\xf0\x77\xeb\x80\x80\x77", 8, red, white);
}

/* Where the chroma of a format lies. */
struct chroma {
	uint32_t pixels;
	unsigned int n_planes; /* of memory */
	unsigned int h, v;     /* pixels that share it: 1 or 2 */
	bool by_turns;         /* U and V in one plane */
	bool v_first;
};

static const struct chroma chromas[] = {
	{V4L2_PIX_FMT_NV12, 1, 2, 2, true, false},
	{V4L2_PIX_FMT_NV21, 1, 2, 2, true, true},
	{V4L2_PIX_FMT_NV12M, 2, 2, 2, true, false},
	{V4L2_PIX_FMT_NV21M, 2, 2, 2, true, true},
	{V4L2_PIX_FMT_NV16, 1, 2, 1, true, false},
	{V4L2_PIX_FMT_NV61, 1, 2, 1, true, true},
	{V4L2_PIX_FMT_NV16M, 2, 2, 1, true, false},
	{V4L2_PIX_FMT_NV61M, 2, 2, 1, true, true},
	{V4L2_PIX_FMT_NV24, 1, 1, 1, true, false},
	{V4L2_PIX_FMT_NV42, 1, 1, 1, true, true},
	{V4L2_PIX_FMT_YUV420, 1, 2, 2, false, false},
	{V4L2_PIX_FMT_YVU420, 1, 2, 2, false, true},
	{V4L2_PIX_FMT_YUV420M, 3, 2, 2, false, false},
	{V4L2_PIX_FMT_YVU420M, 3, 2, 2, false, true},
	{V4L2_PIX_FMT_YUV422P, 1, 2, 1, false, false},
	{V4L2_PIX_FMT_YUV422M, 3, 2, 1, false, false},
	{V4L2_PIX_FMT_YVU422M, 3, 2, 1, false, true},
	{V4L2_PIX_FMT_YUV444M, 3, 1, 1, false, false},
	{V4L2_PIX_FMT_YVU444M, 3, 1, 1, false, true},
};

static void fill(uint8_t *line, unsigned int n, uint8_t first, uint8_t second)
{
	for (unsigned int i = 0; i < n; i++)
		line[i] = i % 2 ? second : first;
}

/* A plane of so many lines behind what is in the memory already; the first lines are red. */
static uint8_t *add_lines(struct frame *frame, unsigned int memory, unsigned int stride,
			  unsigned int lines, unsigned int first, unsigned int second)
{
	uint8_t *at = frame->bytes[memory] + frame->used[memory];

	for (unsigned int y = 0; y < lines; y++)
		fill(at + (size_t)y * stride, stride,
		     y < lines / 2 ? yuv_red[first] : yuv_white[first],
		     y < lines / 2 ? yuv_red[second] : yuv_white[second]);
	frame->used[memory] += (size_t)stride * lines;
	frame->format.planes[memory].stride = stride;
	return at;
}

/* Four by four pixels in lines of six: two red lines, two white ones. */
static struct frame draw(const struct chroma *c)
{
	struct frame frame = {
		.format = {.pixels = c->pixels, .width = 4, .height = 4, .n_planes = c->n_planes}};
	unsigned int u = c->v_first ? 2 : 1, v = c->v_first ? 1 : 2, stride = 6 / c->h;
	unsigned int lines = 4 / c->v, last = c->n_planes - 1;

	add_lines(&frame, 0, 6, 4, 0, 0);
	if (c->by_turns) {
		add_lines(&frame, last, stride * 2, lines, u, v);
	} else {
		add_lines(&frame, c->n_planes > 1, stride, lines, u, u);
		add_lines(&frame, last, stride, lines, v, v);
	}
	frame.format.planes[0].stride = 6;
	return frame;
}

static void test_planes(void **state)
{
	uint8_t rgb[4 * 4 * 3];

	for (size_t i = 0; i < COUNT(chromas); i++) {
		struct frame frame = draw(&chromas[i]);

		convert(&frame, rgb);
		for (unsigned int pixel = 0; pixel < 16; pixel++)
			assert_memory_equal(rgb + (size_t)pixel * 3, pixel < 8 ? red : white, 3);
	}
}

/* One byte less than the last sample is in is too few, whichever plane lacks it. */
static void test_frames_that_are_short(void **state)
{
	for (size_t i = 0; i < COUNT(chromas); i++) {
		for (unsigned int p = 0; p < chromas[i].n_planes; p++) {
			struct frame frame = draw(&chromas[i]);

			while (pixels_fit(&frame.format, frame.used))
				frame.used[p]--;
			frame.used[p]++;
			assert_true(pixels_fit(&frame.format, frame.used));
			/* What is behind the last pixel of a line may lack, nothing else. */
			assert_in_range(frame.used[p], draw(&chromas[i]).used[p] - 4,
					draw(&chromas[i]).used[p]);
		}
	}
}

static void test_a_word_is_two_bytes(void **state)
{
	struct frame frame = frame_of(V4L2_PIX_FMT_RGB565, 2, 1, 4, "\0\0\0\0", 4);

	assert_true(pixels_fit(&frame.format, frame.used));
	frame.used[0] = 3;
	assert_false(pixels_fit(&frame.format, frame.used));
}

static void expect_white(bool full_range, bool bt709, uint8_t luma)
{
	uint8_t bytes[3] = {luma, 128, 128}, rgb[3];
	struct frame frame = frame_of(V4L2_PIX_FMT_YUV24, 1, 1, 3, bytes, 3);

	frame.format.full_range = full_range;
	frame.format.bt709 = bt709;
	convert(&frame, rgb);
	assert_memory_equal(rgb, white, 3);
}

static void expect_red(bool full_range, bool bt709, const char *yuv)
{
	struct frame frame = frame_of(V4L2_PIX_FMT_YUV24, 1, 1, 3, yuv, 3);
	uint8_t rgb[3];

	frame.format.full_range = full_range;
	frame.format.bt709 = bt709;
	convert(&frame, rgb);
	assert_in_range(rgb[0], 253, 255);
	assert_in_range(rgb[1], 0, 2);
	assert_in_range(rgb[2], 0, 2);
}

/* By the formulas of BT.601 and BT.709, for a colour that no channel of which is at its end. */
static void expect_colour(bool full_range, bool bt709, const uint8_t expected[3])
{
	struct frame frame = frame_of(V4L2_PIX_FMT_YUV24, 1, 1, 3, "\x64\x6e\x96", 3);
	uint8_t rgb[3];

	frame.format.full_range = full_range;
	frame.format.bt709 = bt709;
	convert(&frame, rgb);
	assert_memory_equal(rgb, expected, 3);
}

static void test_ranges_and_encodings(void **state)
{
	expect_colour(false, false, (const uint8_t[3]){133, 87, 62});
	expect_colour(false, true, (const uint8_t[3]){137, 90, 60});
	expect_colour(true, false, (const uint8_t[3]){131, 90, 68});
	expect_colour(true, true, (const uint8_t[3]){135, 93, 67});
	expect_white(false, false, 235);
	expect_white(false, true, 235);
	expect_white(true, false, 255);
	expect_white(true, true, 255);
	expect_red(false, false, "\x51\x5a\xf0");
	expect_red(false, true, "\x3f\x66\xf0");
	expect_red(true, false, "\x4c\x55\xff");
	expect_red(true, true, "\x36\x63\xff");
}

static void test_list_of_formats(void **state)
{
	unsigned int n = 0;

	assert_true(pixels_by_preference(0) == V4L2_PIX_FMT_RGB24);
	for (uint32_t pixels; (pixels = pixels_by_preference(n)); n++) {
		assert_true(pixels_are_known(pixels));
		for (unsigned int i = 0; i < n; i++)
			assert_true(pixels_by_preference(i) != pixels);
	}
	assert_true(n > 50);
	assert_false(pixels_are_known(V4L2_PIX_FMT_MJPEG));
	assert_false(pixels_are_known(0));
}

static void expect_fourcc(uint32_t pixels, const char *text, const char *shorter)
{
	char written[VIDEO_FOURCC_SIZE];
	uint32_t read = 0;

	video_fourcc_format(pixels, written);
	assert_string_equal(written, text);
	assert_int_equal(video_fourcc_parse(text, &read), 0);
	assert_true(read == pixels);
	assert_int_equal(video_fourcc_parse(shorter, &read), 0);
	assert_true(read == pixels);
}

static void test_four_letters(void **state)
{
	static const char *const wrong[] = {"",       "YUYVV", "-BE",     "Y16-",
					    "Y16-LE", "Y\n",   "YUYV-BE "};
	uint32_t read = 77;

	expect_fourcc(V4L2_PIX_FMT_YUYV, "YUYV", "YUYV");
	expect_fourcc(V4L2_PIX_FMT_Y16, "Y16 ", "Y16");
	expect_fourcc(V4L2_PIX_FMT_Y16_BE, "Y16 -BE", "Y16-BE");
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_int_equal(video_fourcc_parse(wrong[i], &read), -22);
	assert_int_equal(read, 77);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes_of_rgb),
		cmocka_unit_test(test_words_of_rgb),
		cmocka_unit_test(test_words_of_grey),
		cmocka_unit_test(test_shared_colour),
		cmocka_unit_test(test_three_samples_for_each_pixel),
		cmocka_unit_test(test_planes),
		cmocka_unit_test(test_frames_that_are_short),
		cmocka_unit_test(test_a_word_is_two_bytes),
		cmocka_unit_test(test_ranges_and_encodings),
		cmocka_unit_test(test_list_of_formats),
		cmocka_unit_test(test_four_letters),
	};

	return cmocka_run_group_tests_name("pixels", tests, NULL, NULL);
}
