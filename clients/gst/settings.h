/* SPDX-License-Identifier: MIT */
/*
 * What a user of the plugin may ask for: the properties that element and allocator have in common.
 */
#ifndef GST_DMABUFD_SETTINGS_H
#define GST_DMABUFD_SETTINGS_H

#include <dmabuf.h>
#include <gst/gst.h>

G_BEGIN_DECLS

struct settings {
	gchar *device; /* paths, separated by commas; NULL for none */
	guint usage;   /* DMABUF_USAGE_* */
	gint mapping;  /* enum dmabuf_mapping */
};

/* With further flags for each property. No class that installs them has others. */
void settings_install(GObjectClass *class, GParamFlags flags);
void settings_set(struct settings *settings, GObject *object, guint id, const GValue *value,
		  GParamSpec *spec);
void settings_get(const struct settings *settings, GObject *object, guint id, GValue *value,
		  GParamSpec *spec);
void settings_clear(struct settings *settings);

/* A request without a size. On failure NULL, and *error tells which property is wrong. */
struct dmabuf_request *settings_request(const struct settings *settings, const gchar *label,
					GError **error);

/* A GST_RESOURCE_ERROR for a negative errno. */
void settings_error(GError **error, int r, const gchar *text);

G_END_DECLS

#endif
