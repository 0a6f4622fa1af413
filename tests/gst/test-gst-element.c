/* SPDX-License-Identifier: MIT */
/*
 * The element by itself: what it tells of itself, what it answers, and what it says is wrong.
 */
#include "gst-fixture.h"

#include <gst/allocators/allocators.h>
#include <gst/video/video.h>

#include "count-fds.h"

#define CAPS "video/x-raw,format=YUY2,width=320,height=240,framerate=30/1"
#define FRAME (320 * 240 * 2)

static GstHarness *started(const char *caps)
{
	GstHarness *h = gst_harness_new_parse("dmabufalloc name=camera");

	gst_harness_set_src_caps_str(h, caps);
	return h;
}

static GstQuery *ask(GstHarness *h, const char *caps, gboolean need_pool)
{
	g_autoptr(GstCaps) parsed = gst_caps_from_string(caps);
	GstQuery *query = gst_query_new_allocation(parsed, need_pool);

	assert_true(gst_pad_peer_query(h->srcpad, query));
	return query;
}

static GstBufferPool *pool_of(GstQuery *query, guint *size, guint *min, guint *max)
{
	GstBufferPool *pool;

	assert_int_equal(gst_query_get_n_allocation_pools(query), 1);
	gst_query_parse_nth_allocation_pool(query, 0, &pool, size, min, max);
	return pool;
}

static void assert_brokered(GstBuffer *buffer, gsize size)
{
	assert_int_equal(gst_buffer_n_memory(buffer), 1);
	assert_true(gst_memory_is_type(gst_buffer_peek_memory(buffer, 0), "dmabufd"));
	assert_int_equal(gst_buffer_get_size(buffer), size);
}

static void test_answers_with_allocator_and_pool(void **state)
{
	GstHarness *h = started(CAPS);
	g_autoptr(GstQuery) query = ask(h, CAPS, TRUE);
	g_autoptr(GstAllocator) allocator = NULL;
	g_autoptr(GstBufferPool) pool = NULL;
	guint size, min, max;

	assert_int_equal(gst_query_get_n_allocation_params(query), 1);
	gst_query_parse_nth_allocation_param(query, 0, &allocator, NULL);
	assert_string_equal(G_OBJECT_TYPE_NAME(allocator), "GstDmabufdAllocator");
	assert_string_equal(GST_OBJECT_NAME(allocator), "camera");
	pool = pool_of(query, &size, &min, &max);
	assert_string_equal(G_OBJECT_TYPE_NAME(pool), "GstDmabufdPool");
	assert_int_equal(size, FRAME);
	assert_int_equal(min, 2);
	assert_int_equal(max, 0);
	gst_harness_teardown(h);
}

static void test_no_pool_unless_wanted_and_video(void **state)
{
	GstHarness *h = started(CAPS);
	g_autoptr(GstQuery) unwanted = ask(h, CAPS, FALSE);
	g_autoptr(GstQuery) sound = ask(h, "audio/x-raw,format=S16LE,rate=8000,channels=1", TRUE);

	assert_int_equal(gst_query_get_n_allocation_pools(unwanted), 0);
	assert_int_equal(gst_query_get_n_allocation_params(unwanted), 1);
	assert_int_equal(gst_query_get_n_allocation_pools(sound), 0);
	assert_int_equal(gst_query_get_n_allocation_params(sound), 1);
	gst_harness_teardown(h);
}

/* Downstream wants alignment, metadata, six buffers, and all of them larger. */
static gboolean demand(GstPad *pad, GstObject *parent, GstQuery *query)
{
	GstAllocationParams params = {.align = 63, .padding = 100};
	g_autoptr(GstBufferPool) pool = gst_video_buffer_pool_new();

	if (GST_QUERY_TYPE(query) != GST_QUERY_ALLOCATION)
		return gst_pad_query_default(pad, parent, query);
	gst_query_add_allocation_param(query, NULL, &params);
	gst_query_add_allocation_pool(query, pool, FRAME + 1000, 6, 8);
	gst_query_add_allocation_meta(query, GST_VIDEO_META_API_TYPE, NULL);
	return TRUE;
}

static void test_wishes_of_downstream_stay(void **state)
{
	GstHarness *h = started(CAPS);
	g_autoptr(GstQuery) query = NULL;
	g_autoptr(GstBufferPool) pool = NULL;
	GstAllocationParams params;
	guint size, min, max;

	gst_pad_set_query_function(h->sinkpad, demand);
	query = ask(h, CAPS, TRUE);
	pool = pool_of(query, &size, &min, &max);
	assert_string_equal(G_OBJECT_TYPE_NAME(pool), "GstDmabufdPool");
	assert_int_equal(size, FRAME + 1000);
	assert_int_equal(min, 6);
	assert_int_equal(max, 0);
	gst_query_parse_nth_allocation_param(query, 0, NULL, &params);
	assert_int_equal(params.align, 63);
	assert_int_equal(params.padding, 100);
	assert_true(gst_query_find_allocation_meta(query, GST_VIDEO_META_API_TYPE, NULL));
	gst_harness_teardown(h);
}

static void test_metadata_is_not_promised_for_downstream(void **state)
{
	GstHarness *h = started(CAPS);
	g_autoptr(GstQuery) query = ask(h, CAPS, TRUE);

	assert_false(gst_query_find_allocation_meta(query, GST_VIDEO_META_API_TYPE, NULL));
	gst_harness_teardown(h);
}

/* As a driver with lines of whole 256 bytes needs them: 640 come to 768. */
static void align_lines(GstStructure *config, const char *text)
{
	g_autoptr(GstCaps) caps = gst_caps_from_string(text);
	GstVideoAlignment align;

	gst_video_alignment_reset(&align);
	align.stride_align[0] = 255;
	gst_buffer_pool_config_set_params(config, caps, FRAME, 2, 0);
	/* Of an element that knows of no other allocator. */
	gst_buffer_pool_config_set_allocator(config, NULL, NULL);
	gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_VIDEO_META);
	gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_VIDEO_ALIGNMENT);
	gst_buffer_pool_config_set_video_alignment(config, &align);
}

static void test_pool_gives_the_stride_that_is_needed(void **state)
{
	GstHarness *h = started(CAPS);
	g_autoptr(GstQuery) query = ask(h, CAPS, TRUE);
	g_autoptr(GstBufferPool) pool = pool_of(query, NULL, NULL, NULL);
	GstStructure *config = gst_buffer_pool_get_config(pool);
	g_autoptr(GstBuffer) buffer = NULL;
	int n_open = count_fds();

	align_lines(config, CAPS);
	assert_true(gst_buffer_pool_set_config(pool, config));
	assert_true(gst_buffer_pool_set_active(pool, TRUE));
	/* Two buffers at least, with the activation. */
	assert_int_equal(count_fds(), n_open + 2);
	assert_int_equal(gst_buffer_pool_acquire_buffer(pool, &buffer, NULL), GST_FLOW_OK);
	assert_brokered(buffer, 768 * 240);
	assert_int_equal(gst_buffer_get_video_meta(buffer)->stride[0], 768);
	gst_clear_buffer(&buffer);
	assert_true(gst_buffer_pool_set_active(pool, FALSE));
	assert_int_equal(count_fds(), n_open);
	gst_harness_teardown(h);
}

static void test_buffers_pass_untouched(void **state)
{
	GstHarness *h = started(CAPS);
	GstBuffer *buffer = gst_buffer_new_allocate(NULL, FRAME, NULL);
	GstBuffer *second = gst_buffer_ref(buffer);

	assert_int_equal(gst_harness_push(h, buffer), GST_FLOW_OK);
	assert_ptr_equal(gst_harness_pull(h), buffer);
	gst_buffer_unref(buffer);
	gst_buffer_unref(second);
	gst_harness_teardown(h);
}

static GstMessage *fails_to_start(const char *description)
{
	g_autoptr(GstElement) element = gst_parse_launch(description, NULL);
	g_autoptr(GstBus) bus = gst_bus_new();
	GstMessage *message;

	gst_element_set_bus(element, bus);
	assert_int_equal(gst_element_set_state(element, GST_STATE_PAUSED),
			 GST_STATE_CHANGE_FAILURE);
	message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR);
	gst_element_set_state(element, GST_STATE_NULL);
	gst_element_set_bus(element, NULL);
	return message;
}

static void test_wrong_devices_are_named_at_once(void **state)
{
	g_autoptr(GstMessage) absent = fails_to_start("dmabufalloc device=/dev/null,/dev/absent");
	g_autoptr(GstMessage) folder = fails_to_start("dmabufalloc device=/dev");

	assert_refused(absent, GST_RESOURCE_ERROR_NOT_FOUND, "/dev/absent: No such file");
	assert_refused(folder, GST_RESOURCE_ERROR_NOT_FOUND, "/dev: not the node of a device");
}

static void test_absent_daemon_is_named_at_once(void **state)
{
	struct fixture *fixture = *state;
	g_autoptr(GstMessage) message = NULL;

	fixture->daemon = fake_daemon_stop(fixture->daemon);
	fake_daemon_remove_socket();
	message = fails_to_start("dmabufalloc");
	assert_refused(message, GST_RESOURCE_ERROR_NOT_FOUND, "is dmabufd installed?");
}

/* Through the answer of the query, as an element upstream allocates. */
static GstMessage *asks(const char *description)
{
	g_autoptr(GstElement) element = gst_parse_launch(description, NULL);
	g_autoptr(GstBus) bus = gst_bus_new();
	GstHarness *h = gst_harness_new_with_element(element, "sink", "src");
	g_autoptr(GstQuery) query = NULL;
	g_autoptr(GstAllocator) allocator = NULL;
	GstMessage *message;

	gst_element_set_bus(element, bus);
	gst_harness_set_src_caps_str(h, CAPS);
	query = ask(h, CAPS, TRUE);
	gst_query_parse_nth_allocation_param(query, 0, &allocator, NULL);
	assert_null(gst_allocator_alloc(allocator, 5000, NULL));
	message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR);
	gst_harness_teardown(h);
	gst_element_set_bus(element, NULL);
	return message;
}

static void test_daemon_is_asked_what_the_properties_say(void **state)
{
	struct fixture *fixture = *state;
	g_autoptr(GstMessage) set = NULL, unset = NULL;

	fake_daemon_on_request(fixture->daemon, fixture_tell);
	set = asks("dmabufalloc name=cam device=/dev/null,/dev/zero mapping=write-combined "
		   "usage=contiguous+cpu-reads-often");
	assert_refused(set, GST_RESOURCE_ERROR_SETTINGS,
		       "5000 bytes, 2 devices, flags 3, mapping 2, name cam.");
	unset = asks("dmabufalloc name=long-names-are-cut-not-refused\303\244\303\266");
	assert_refused(unset, GST_RESOURCE_ERROR_SETTINGS,
		       "5000 bytes, 0 devices, flags 0, mapping 0, "
		       "name long-names-are-cut-not-refused.");
}

static void test_properties_are_described(void **state)
{
	static const char *const names[] = {"device", "usage", "mapping"};
	g_autoptr(GstElement) element = gst_element_factory_make("dmabufalloc", NULL);

	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		GParamSpec *spec =
			g_object_class_find_property(G_OBJECT_GET_CLASS(element), names[i]);

		assert_non_null(spec);
		assert_true(spec->flags & GST_PARAM_MUTABLE_READY);
		assert_true(strlen(g_param_spec_get_blurb(spec)) > 20);
	}
}

static const struct CMUnitTest tests[] = {
	FIXTURE_TEST(test_answers_with_allocator_and_pool),
	FIXTURE_TEST(test_no_pool_unless_wanted_and_video),
	FIXTURE_TEST(test_wishes_of_downstream_stay),
	FIXTURE_TEST(test_metadata_is_not_promised_for_downstream),
	FIXTURE_TEST(test_pool_gives_the_stride_that_is_needed),
	FIXTURE_TEST(test_buffers_pass_untouched),
	FIXTURE_TEST(test_wrong_devices_are_named_at_once),
	FIXTURE_TEST(test_absent_daemon_is_named_at_once),
	FIXTURE_TEST(test_daemon_is_asked_what_the_properties_say),
	FIXTURE_TEST(test_properties_are_described),
};

int main(void)
{
	return cmocka_run_group_tests(tests, fixture_group_setup, fixture_group_teardown);
}
