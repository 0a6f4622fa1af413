/* SPDX-License-Identifier: MIT */
/*
 * Properties to a request of libdmabuf, and its errors to those of GStreamer. Knows neither
 * connections nor memory.
 */
#include <errno.h>

#include "settings.h"

#define LABEL_MAX 31 /* bytes that dmabuf_request_set_name() takes */

enum {
	PROP_DEVICE = 1,
	PROP_USAGE,
	PROP_MAPPING
};

static GType mapping_type(void)
{
	static const GEnumValue values[] = {
		{DMABUF_MAPPING_ANY, "What suits the devices", "any"},
		{DMABUF_MAPPING_CACHED, "Fast for the CPU to read", "cached"},
		{DMABUF_MAPPING_WRITE_COMBINED, "Past the CPU's cache", "write-combined"},
		{0, NULL, NULL},
	};
	static gsize type;

	if (g_once_init_enter(&type))
		g_once_init_leave(&type, g_enum_register_static("GstDmabufdMapping", values));
	return type;
}

static GType usage_type(void)
{
	static const GFlagsValue values[] = {
		{DMABUF_USAGE_CONTIGUOUS, "One physical block, even if no device needs it",
		 "contiguous"},
		{DMABUF_USAGE_CPU_READS_OFTEN, "The CPU reads often: prefer a cached mapping",
		 "cpu-reads-often"},
		{0, NULL, NULL},
	};
	static gsize type;

	if (g_once_init_enter(&type))
		g_once_init_leave(&type, g_flags_register_static("GstDmabufdUsage", values));
	return type;
}

void settings_install(GObjectClass *class, GParamFlags flags)
{
	flags |= G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;
	g_object_class_install_property(
		class, PROP_DEVICE,
		g_param_spec_string("device", "Device",
				    "Nodes of all devices that will share the memory, separated by "
				    "commas, such as /dev/video0,/dev/dri/card0",
				    NULL, flags));
	g_object_class_install_property(class, PROP_USAGE,
					g_param_spec_flags("usage", "Usage",
							   "What else the memory must be good for",
							   usage_type(), 0, flags));
	g_object_class_install_property(
		class, PROP_MAPPING,
		g_param_spec_enum("mapping", "Mapping", "How the CPU sees the memory",
				  mapping_type(), DMABUF_MAPPING_ANY, flags));
	gst_type_mark_as_plugin_api(usage_type(), 0);
	gst_type_mark_as_plugin_api(mapping_type(), 0);
}

void settings_set(struct settings *settings, GObject *object, guint id, const GValue *value,
		  GParamSpec *spec)
{
	GST_OBJECT_LOCK(object);
	switch (id) {
	case PROP_DEVICE:
		g_free(settings->device);
		settings->device = g_value_dup_string(value);
		break;
	case PROP_USAGE:
		settings->usage = g_value_get_flags(value);
		break;
	case PROP_MAPPING:
		settings->mapping = g_value_get_enum(value);
		break;
	default:
		G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
	}
	GST_OBJECT_UNLOCK(object);
}

void settings_get(const struct settings *settings, GObject *object, guint id, GValue *value,
		  GParamSpec *spec)
{
	GST_OBJECT_LOCK(object);
	switch (id) {
	case PROP_DEVICE:
		g_value_set_string(value, settings->device);
		break;
	case PROP_USAGE:
		g_value_set_flags(value, settings->usage);
		break;
	case PROP_MAPPING:
		g_value_set_enum(value, settings->mapping);
		break;
	default:
		G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
	}
	GST_OBJECT_UNLOCK(object);
}

void settings_clear(struct settings *settings)
{
	g_clear_pointer(&settings->device, g_free);
}

static GstResourceError error_code(int r)
{
	switch (r) {
	case -EDQUOT:
	case -ENOSPC:
		return GST_RESOURCE_ERROR_NO_SPACE_LEFT;
	case -EACCES:
		return GST_RESOURCE_ERROR_NOT_AUTHORIZED;
	case -ENOENT:
	case -ENODEV:
		return GST_RESOURCE_ERROR_NOT_FOUND;
	case -EINVAL:
	case -E2BIG:
	case -EOPNOTSUPP:
		return GST_RESOURCE_ERROR_SETTINGS;
	default:
		return GST_RESOURCE_ERROR_FAILED;
	}
}

void settings_error(GError **error, int r, const gchar *text)
{
	g_set_error_literal(error, GST_RESOURCE_ERROR, error_code(r), text);
}

static int add_device(struct dmabuf_request *request, const gchar *path, GError **error)
{
	int r = dmabuf_request_add_device(request, path);
	const gchar *why = r == -ENODEV  ? "not the node of a device"
			   : r == -E2BIG ? "more devices than can share one buffer"
					 : g_strerror(-r);
	g_autofree gchar *text = r < 0 ? g_strdup_printf("%s: %s", path, why) : NULL;

	if (r < 0)
		settings_error(error, r, text);
	return r;
}

static int add_devices(struct dmabuf_request *request, const gchar *device, GError **error)
{
	g_auto(GStrv) paths = g_strsplit(device ? device : "", ",", -1);
	int r = 0;

	for (gchar **path = paths; *path && r == 0; path++)
		if (*g_strstrip(*path))
			r = add_device(request, *path, error);
	return r;
}

/* The name of an element may be longer than a label, and is cut between two characters then. */
static int set_label(struct dmabuf_request *request, const gchar *name)
{
	gchar label[LABEL_MAX + 1];
	const gchar *end;

	g_strlcpy(label, name, sizeof(label));
	g_utf8_validate(label, -1, &end);
	label[end - label] = '\0';
	return dmabuf_request_set_name(request, label);
}

static int fill(struct dmabuf_request *request, const struct settings *settings, const gchar *label,
		GError **error)
{
	int r = dmabuf_request_set_usage(request, settings->usage);

	if (r == 0)
		r = dmabuf_request_set_mapping(request, settings->mapping);
	if (r == 0)
		r = set_label(request, label);
	if (r < 0)
		settings_error(error, r, g_strerror(-r));
	return r < 0 ? r : add_devices(request, settings->device, error);
}

struct dmabuf_request *settings_request(const struct settings *settings, const gchar *label,
					GError **error)
{
	struct dmabuf_request *request = NULL;
	int r = dmabuf_request_new(&request);

	if (r < 0)
		settings_error(error, r, g_strerror(-r));
	else if (fill(request, settings, label, error) < 0)
		request = dmabuf_request_free(request);
	return request;
}
