/* SPDX-License-Identifier: MIT */
/*
 * The plugin in running pipelines: all frames in brokered memory, and nothing left of it after a
 * change of state, a change of format, and a refusal at any moment.
 */
#include "gst-fixture.h"

#include "count-fds.h"

#define SMALL "video/x-raw,format=YUY2,width=160,height=120,framerate=30/1"
#define LARGE "video/x-raw,format=YUY2,width=320,height=240,framerate=30/1"
#define PIPELINE                                                                                   \
	"videotestsrc num-buffers=40 ! capsfilter name=filter caps=" SMALL                         \
	" ! dmabufalloc name=memory ! fakesink name=sink sync=false"

struct run {
	GstElement *pipeline;
	GstElement *filter;
	GstPad *sink;
	guint frames;    /* seen so far */
	guint brokered;  /* of them, in memory of the daemon */
	guint change_at; /* frame with which LARGE is asked for; 0 for never */
	gsize size;      /* of the last frame */
	GQueue held;     /* frames that the sink keeps */
	guint hold;      /* so many of them */
};

static GstPadProbeReturn look(GstPad *pad, GstPadProbeInfo *info, gpointer userdata)
{
	struct run *run = userdata;
	GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER(info);

	run->frames++;
	run->brokered += gst_memory_is_type(gst_buffer_peek_memory(buffer, 0), "dmabufd");
	run->size = gst_buffer_get_size(buffer);
	if (run->held.length < run->hold)
		g_queue_push_tail(&run->held, gst_buffer_ref(buffer));
	if (run->frames == run->change_at)
		gst_util_set_object_arg(G_OBJECT(run->filter), "caps", LARGE);
	return GST_PAD_PROBE_OK;
}

static void build(struct run *run)
{
	g_autoptr(GstElement) sink = NULL;

	run->pipeline = gst_parse_launch(PIPELINE, NULL);
	run->filter = gst_bin_get_by_name(GST_BIN(run->pipeline), "filter");
	sink = gst_bin_get_by_name(GST_BIN(run->pipeline), "sink");
	run->sink = gst_element_get_static_pad(sink, "sink");
	gst_pad_add_probe(run->sink, GST_PAD_PROBE_TYPE_BUFFER, look, run, NULL);
}

/* To the end or the first error, which is returned; then back to NULL. */
static GstMessage *play(struct run *run)
{
	g_autoptr(GstBus) bus = gst_element_get_bus(run->pipeline);
	GstMessage *message;

	gst_element_set_state(run->pipeline, GST_STATE_PLAYING);
	message = gst_bus_timed_pop_filtered(bus, 30 * GST_SECOND,
					     GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
	gst_element_set_state(run->pipeline, GST_STATE_NULL);
	return message;
}

static void assert_ended(GstMessage *message)
{
	assert_non_null(message);
	assert_string_equal(GST_MESSAGE_TYPE_NAME(message), "eos");
	gst_message_unref(message);
}

static void drop(struct run *run)
{
	g_queue_clear_full(&run->held, (GDestroyNotify)gst_buffer_unref);
	gst_clear_object(&run->sink);
	gst_clear_object(&run->filter);
	gst_clear_object(&run->pipeline);
}

static void test_every_frame_is_brokered(void **state)
{
	struct run run = {0};

	build(&run);
	assert_ended(play(&run));
	assert_int_equal(run.frames, 40);
	assert_int_equal(run.brokered, 40);
	drop(&run);
}

static void test_nothing_is_left_after_each_of_many_runs(void **state)
{
	struct run run = {0};
	int n_open = 0;

	build(&run);
	for (guint i = 1; i <= 20; i++) {
		assert_ended(play(&run));
		assert_int_equal(run.frames, 40 * i);
		/* From the first run on GStreamer keeps descriptors of its own. */
		n_open = n_open ? n_open : count_fds();
		assert_open(n_open);
	}
	drop(&run);
}

static void test_format_changes_while_playing(void **state)
{
	struct run run = {.change_at = 10};

	build(&run);
	assert_ended(play(&run));
	assert_int_equal(run.frames, 40);
	assert_int_equal(run.brokered, 40);
	assert_int_equal(run.size, 320 * 240 * 2);
	drop(&run);
}

/* Honest until so many buffers are granted. */
static bool refuse_from(int fd, struct wire_frame *request, unsigned int granted)
{
	static unsigned int n;

	return n++ < granted ? fake_honest(fd, request) : fixture_refuse(fd, request);
}

static bool refuse_second(int fd, struct wire_frame *request)
{
	return refuse_from(fd, request, 1);
}

static bool refuse_fifth(int fd, struct wire_frame *request)
{
	return refuse_from(fd, request, 4);
}

static void refused(struct fixture *fixture, fake_handler handler, guint frames)
{
	struct run run = {.hold = 40};
	g_autoptr(GstMessage) message = NULL;

	fake_daemon_on_request(fixture->daemon, handler);
	build(&run);
	message = play(&run);
	assert_refused(message, GST_RESOURCE_ERROR_NO_SPACE_LEFT, FIXTURE_REFUSAL);
	assert_string_equal(GST_MESSAGE_SRC_NAME(message), "memory");
	assert_int_equal(run.brokered, frames);
	drop(&run);
}

static void test_refused_at_once(void **state)
{
	refused(*state, fixture_refuse, 0);
}

static void test_refused_while_the_pool_is_filled(void **state)
{
	refused(*state, refuse_second, 0);
}

static void test_refused_while_playing(void **state)
{
	refused(*state, refuse_fifth, 4);
}

static void test_refused_run_can_be_repeated(void **state)
{
	struct fixture *fixture = *state;
	struct run run = {0};
	g_autoptr(GstMessage) message = NULL;

	fake_daemon_on_request(fixture->daemon, fixture_refuse);
	build(&run);
	message = play(&run);
	assert_refused(message, GST_RESOURCE_ERROR_NO_SPACE_LEFT, FIXTURE_REFUSAL);
	fake_daemon_on_request(fixture->daemon, NULL);
	assert_ended(play(&run));
	assert_int_equal(run.brokered, 40);
	drop(&run);
}

static const struct CMUnitTest tests[] = {
	FIXTURE_TEST(test_every_frame_is_brokered),
	FIXTURE_TEST(test_nothing_is_left_after_each_of_many_runs),
	FIXTURE_TEST(test_format_changes_while_playing),
	FIXTURE_TEST(test_refused_at_once),
	FIXTURE_TEST(test_refused_while_the_pool_is_filled),
	FIXTURE_TEST(test_refused_while_playing),
	FIXTURE_TEST(test_refused_run_can_be_repeated),
};

int main(void)
{
	return cmocka_run_group_tests(tests, fixture_group_setup, fixture_group_teardown);
}
