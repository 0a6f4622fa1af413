/* SPDX-License-Identifier: MIT */
/*
 * The tag that the kernel keeps: what is packed comes back, and nothing else is believed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

#include "tag.h"

/* Where things lie in version 1; buffers that live over an upgrade depend on it. */
enum {
	AT_VERSION = 0,
	AT_UID = 4,
	AT_PID = 8,
	AT_NAME = 12,
	AT_DEVICES = 44
};

static const struct tag full = {
	.uid = 1000,
	.pid = 4711,
	.name = "preview",
	.n_devices = 2,
	.devices = {"platform:Fixed MDIO bus.0", "pci:0000:00:02.0"},
};

static void assert_tags_equal(const struct tag *a, const struct tag *b)
{
	assert_int_equal(a->uid, b->uid);
	assert_int_equal(a->pid, b->pid);
	assert_string_equal(a->name, b->name);
	assert_int_equal(a->n_devices, b->n_devices);
	for (unsigned int i = 0; i < a->n_devices; i++)
		assert_string_equal(a->devices[i], b->devices[i]);
}

static void round_trips(void **state)
{
	const struct tag empty = {.uid = 0};
	const struct tag edge = {
		.uid = UINT32_MAX, .pid = INT32_MAX, .name = "0123456789012345678901234567890"};
	const struct tag *const tags[] = {&full, &empty, &edge};

	for (size_t i = 0; i < N_ELEMENTS(tags); i++) {
		uint8_t bytes[TAG_SIZE];
		struct tag back;

		memset(bytes, 0xff, sizeof(bytes));
		assert_int_equal(tag_pack(tags[i], bytes), 0);
		assert_int_equal(tag_unpack(bytes, &back), 0);
		assert_tags_equal(tags[i], &back);
	}
}

static void layout(void **state)
{
	uint8_t bytes[TAG_SIZE];

	assert_int_equal(tag_pack(&full, bytes), 0);
	assert_int_equal(bytes[AT_VERSION], 1);
	assert_int_equal(bytes[AT_UID] | bytes[AT_UID + 1] << 8, 1000);
	assert_int_equal(bytes[AT_PID] | bytes[AT_PID + 1] << 8, 4711);
	assert_string_equal((char *)bytes + AT_NAME, "preview");
	assert_string_equal((char *)bytes + AT_DEVICES,
			    "platform:Fixed MDIO bus.0\npci:0000:00:02.0");
	for (size_t i = AT_DEVICES + 42; i < TAG_SIZE; i++)
		assert_int_equal(bytes[i], 0);
}

/* 212 bytes for names, separators and one NUL. */
static void lengths(void **state)
{
	struct tag tag = {.n_devices = 3};
	uint8_t bytes[TAG_SIZE];
	struct tag back;

	for (unsigned int i = 0; i < 3; i++)
		memset(tag.devices[i], 'a' + (int)i, 70);
	tag.devices[2][69] = '\0'; /* 70 + 1 + 70 + 1 + 69 + NUL = 212 */
	assert_int_equal(tag_pack(&tag, bytes), 0);
	assert_int_equal(tag_unpack(bytes, &back), 0);
	assert_tags_equal(&tag, &back);

	memset(bytes, 0x5a, sizeof(bytes));
	tag.devices[2][69] = 'c';
	assert_int_equal(tag_pack(&tag, bytes), -ENAMETOOLONG);
	for (size_t i = 0; i < sizeof(bytes); i++)
		assert_int_equal(bytes[i], 0x5a);
}

static void names_that_would_not_come_back(void **state)
{
	struct tag tag = {.n_devices = 1, .devices = {"platform:a\nb"}};
	uint8_t bytes[TAG_SIZE];

	assert_int_equal(tag_pack(&tag, bytes), -EINVAL);
	tag.devices[0][0] = '\0';
	assert_int_equal(tag_pack(&tag, bytes), -EINVAL);
}

static void refuses(size_t at, const char *patch, size_t size, int error)
{
	struct tag back = {.uid = 77};
	uint8_t bytes[TAG_SIZE];

	assert_int_equal(tag_pack(&full, bytes), 0);
	memcpy(bytes + at, patch, size);
	assert_int_equal(tag_unpack(bytes, &back), error);
	assert_int_equal(back.uid, 77);
	assert_int_equal(back.n_devices, 0);
}

static void broken_tags(void **state)
{
	char ones[TAG_SIZE];
	uint8_t zero[TAG_SIZE] = {0};
	struct tag back;

	memset(ones, 1, sizeof(ones));
	refuses(AT_VERSION, "\2", 1, -EPROTONOSUPPORT);
	refuses(AT_VERSION, ones, TAG_SIZE, -EPROTONOSUPPORT);
	assert_int_equal(tag_unpack(zero, &back), -EPROTONOSUPPORT);
	refuses(AT_NAME, ones, 32, -EBADMSG);                           /* not terminated */
	refuses(AT_NAME + 31, "x", 1, -EBADMSG);                        /* rest not zero */
	refuses(AT_DEVICES, ones, 212, -EBADMSG);                       /* not terminated */
	refuses(TAG_SIZE - 1, "x", 1, -EBADMSG);                        /* rest not zero */
	refuses(AT_DEVICES, "\n", 1, -EBADMSG);                         /* empty first */
	refuses(AT_DEVICES, "a\n\nb", 4, -EBADMSG);                     /* empty in between */
	refuses(AT_DEVICES + 41, "\n", 1, -EBADMSG);                    /* empty last */
	refuses(AT_DEVICES, "a\nb\nc\nd\ne\nf\ng\nh\ni", 17, -EBADMSG); /* nine */
	refuses(AT_DEVICES, ones, 80, -EBADMSG);                        /* one name too long */
}

/* Whatever the bytes, unpacking ends, and what it believes packs to the same bytes. */
static void random_tags(void **state)
{
	static const char alphabet[] = "ab:\n\0\0";
	unsigned int seed = 1, believed = 0;

	for (int round = 0; round < 200000; round++) {
		uint8_t bytes[TAG_SIZE] = {1}, again[TAG_SIZE];
		struct tag tag;
		int n = rand_r(&seed) % 24;

		for (int i = 0; i < n; i++)
			bytes[AT_DEVICES + i] = (uint8_t)alphabet[rand_r(&seed) % 6];
		if (tag_unpack(bytes, &tag) < 0)
			continue;
		believed++;
		assert_int_equal(tag_pack(&tag, again), 0);
		assert_memory_equal(bytes, again, sizeof(bytes));
	}
	assert_true(believed > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trips), cmocka_unit_test(layout),
		cmocka_unit_test(lengths),     cmocka_unit_test(names_that_would_not_come_back),
		cmocka_unit_test(broken_tags), cmocka_unit_test(random_tags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
