/* SPDX-License-Identifier: MIT */
/*
 * The allocator by itself: what a program gets that allocates, copies and maps.
 */
#include "gst-fixture.h"

#include <gst/allocators/allocators.h>
#include <string.h>
#include <sys/stat.h>

#include "count-fds.h"

/* A new one each time, for each connects by itself. */
static GstAllocator *make(const char *name)
{
	GstAllocator *allocator =
		g_object_new(g_type_from_name("GstDmabufdAllocator"), "name", name, "device",
			     "/dev/null,/dev/zero", "usage", 3, "mapping", 2, NULL);

	return gst_object_ref_sink(allocator);
}

static void assert_holds(GstMemory *memory, GstMapFlags flags, int byte)
{
	GstMapInfo map;

	assert_true(gst_memory_map(memory, &map, flags));
	if (flags & GST_MAP_READ)
		assert_int_equal(map.data[map.size - 1], byte);
	else
		memset(map.data, byte, map.size);
	gst_memory_unmap(memory, &map);
}

static void test_memory_is_a_dmabuf(void **state)
{
	g_autoptr(GstAllocator) allocator = make("camera");
	g_autoptr(GstMemory) memory = gst_allocator_alloc(allocator, 5000, NULL);
	gsize offset, maxsize;
	struct stat st;

	assert_non_null(memory);
	assert_true(gst_is_dmabuf_memory(memory));
	assert_true(gst_memory_is_type(memory, "dmabufd"));
	assert_int_equal(gst_memory_get_sizes(memory, &offset, &maxsize), 5000);
	assert_int_equal(offset, 0);
	assert_int_equal(maxsize, 8192);
	assert_int_equal(fstat(gst_dmabuf_memory_get_fd(memory), &st), 0);
}

/* The fake daemon's buffers have this name. */
static bool is_mapped(void)
{
	g_autofree gchar *maps = NULL;

	assert_true(g_file_get_contents("/proc/self/maps", &maps, NULL, NULL));
	return strstr(maps, "/memfd:fake");
}

static void test_mapping_is_kept_and_can_change(void **state)
{
	g_autoptr(GstAllocator) allocator = make("camera");
	GstMemory *memory = gst_allocator_alloc(allocator, 5000, NULL);

	assert_holds(memory, GST_MAP_READ, 0);
	assert_true(is_mapped());
	assert_holds(memory, GST_MAP_WRITE, 0x5a);
	assert_holds(memory, GST_MAP_READ, 0x5a);
	gst_memory_unref(memory);
	assert_false(is_mapped());
}

static void test_padding_is_allocated(void **state)
{
	g_autoptr(GstAllocator) allocator = make("camera");
	GstAllocationParams params = {.align = 4095, .padding = 4096};
	g_autoptr(GstMemory) memory = gst_allocator_alloc(allocator, 4096, &params);
	gsize maxsize;

	assert_int_equal(gst_memory_get_sizes(memory, NULL, &maxsize), 4096);
	assert_int_equal(maxsize, 8192);
}

static void test_what_cannot_be_imported_is_refused(void **state)
{
	g_autoptr(GstAllocator) allocator = make("camera");
	GstAllocationParams prefix = {.prefix = 16}, align = {.align = 8191};

	assert_null(gst_allocator_alloc(allocator, 4096, &prefix));
	assert_null(gst_allocator_alloc(allocator, 4096, &align));
	assert_null(gst_allocator_alloc(allocator, 0, NULL));
}

static void test_copy_is_brokered_too(void **state)
{
	g_autoptr(GstAllocator) allocator = make("camera");
	g_autoptr(GstMemory) memory = gst_allocator_alloc(allocator, 5000, NULL);
	g_autoptr(GstMemory) copy = NULL;

	assert_holds(memory, GST_MAP_WRITE, 0x5a);
	copy = gst_memory_copy(memory, 0, -1);
	assert_true(gst_memory_is_type(copy, "dmabufd"));
	assert_int_not_equal(gst_dmabuf_memory_get_fd(copy), gst_dmabuf_memory_get_fd(memory));
	assert_holds(copy, GST_MAP_READ, 0x5a);
}

static void test_memory_outlives_the_allocator(void **state)
{
	GstAllocator *allocator = make("camera");
	GstMemory *memory = gst_allocator_alloc(allocator, 5000, NULL);
	int n_open = count_fds();

	gst_object_unref(allocator);
	assert_holds(memory, GST_MAP_WRITE, 1);
	gst_memory_unref(memory);
	/* The buffer's and the connection's. */
	assert_int_equal(count_fds(), n_open - 2);
}

static bool hang_up_once(int fd, struct wire_frame *request)
{
	static unsigned int n;

	return n++ > 0 && fake_honest(fd, request);
}

static void test_restart_of_the_daemon_is_not_noticed(void **state)
{
	struct fixture *fixture = *state;
	g_autoptr(GstAllocator) allocator = make("camera");
	g_autoptr(GstMemory) memory = NULL;

	fake_daemon_on_request(fixture->daemon, hang_up_once);
	memory = gst_allocator_alloc(allocator, 5000, NULL);
	assert_non_null(memory);
	assert_int_equal(fake_daemon_connections(fixture->daemon), 2);
}

static void test_is_found_by_its_name(void **state)
{
	struct fixture *fixture = *state;
	GstAllocator *allocator = gst_allocator_find("dmabufd");

	assert_non_null(allocator);
	assert_int_equal(fake_daemon_connections(fixture->daemon), 0);
	gst_object_unref(allocator);
}

static const struct CMUnitTest tests[] = {
	FIXTURE_TEST(test_memory_is_a_dmabuf),
	FIXTURE_TEST(test_mapping_is_kept_and_can_change),
	FIXTURE_TEST(test_padding_is_allocated),
	FIXTURE_TEST(test_what_cannot_be_imported_is_refused),
	FIXTURE_TEST(test_copy_is_brokered_too),
	FIXTURE_TEST(test_memory_outlives_the_allocator),
	FIXTURE_TEST(test_restart_of_the_daemon_is_not_noticed),
	FIXTURE_TEST(test_is_found_by_its_name),
};

int main(void)
{
	return cmocka_run_group_tests(tests, fixture_group_setup, fixture_group_teardown);
}
