/* SPDX-License-Identifier: MIT */
/*
 * See gst-fixture.h. Knows no element.
 */
#include "gst-fixture.h"

#include <errno.h>

#include "count-fds.h"

static void load(const char *path)
{
	g_autoptr(GError) error = NULL;
	GstPlugin *plugin = gst_plugin_load_file(path, &error);

	if (!plugin)
		fail_msg("%s: %s", path, error->message);
	gst_object_unref(plugin);
}

static void load_of_gstreamer(const char *name)
{
	g_autofree gchar *path = g_strdup_printf("%s/libgst%s.so", g_getenv("GST_PLUGINS"), name);

	load(path);
}

int fixture_group_setup(void **state)
{
	gst_init(NULL, NULL);
	load_of_gstreamer("coreelements");
	load_of_gstreamer("videotestsrc");
	load(g_getenv("GST_PLUGIN_UNDER_TEST"));
	return 0;
}

int fixture_group_teardown(void **state)
{
	gst_deinit();
	return 0;
}

int fixture_setup(void **state)
{
	static struct fixture fixture;

	fixture = (struct fixture){.n_open = count_fds()};
	fixture.daemon = fake_daemon_start();
	*state = &fixture;
	return 0;
}

void assert_open(int n)
{
	gint64 end = g_get_monotonic_time() + 10 * G_TIME_SPAN_SECOND;

	while (count_fds() != n && g_get_monotonic_time() < end)
		g_usleep(1000);
	assert_int_equal(count_fds(), n);
}

int fixture_teardown(void **state)
{
	struct fixture *fixture = *state;

	fixture->daemon = fake_daemon_stop(fixture->daemon);
	fake_daemon_remove_socket();
	assert_open(fixture->n_open);
	return 0;
}

bool fixture_tell(int fd, struct wire_frame *request)
{
	g_autofree gchar *text = g_strdup_printf(
		"%" G_GUINT64_FORMAT " bytes, %u devices, flags %u, mapping %u, name %s.",
		request->request.size, request->request.n_devices, request->request.flags,
		request->request.mapping, request->request.name);

	return fake_reply_error(fd, request, -EOPNOTSUPP, text);
}

bool fixture_refuse(int fd, struct wire_frame *request)
{
	return fake_reply_error(fd, request, -EDQUOT, FIXTURE_REFUSAL);
}

void assert_refused(GstMessage *message, GstResourceError code, const char *words)
{
	g_autoptr(GError) error = NULL;

	assert_non_null(message);
	assert_int_equal(GST_MESSAGE_TYPE(message), GST_MESSAGE_ERROR);
	gst_message_parse_error(message, &error, NULL);
	if (!strstr(error->message, words))
		fail_msg("\"%s\" does not have \"%s\"", error->message, words);
	assert_true(g_error_matches(error, GST_RESOURCE_ERROR, code));
}
