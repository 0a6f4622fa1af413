/* SPDX-License-Identifier: MIT */
/*
 * The plugin "dmabufd" of GStreamer: an element, and an allocator for programs that bring their own.
 */
#include <gst/gst.h>

#include "allocator.h"
#include "config.h"
#include "debug.h"
#include "element.h"

GST_DEBUG_CATEGORY(gst_dmabufd_debug);

static gboolean init(GstPlugin *plugin)
{
	GST_DEBUG_CATEGORY_INIT(gst_dmabufd_debug, "dmabufd", 0, "memory from dmabufd");
	/* For no device in particular; it connects when somebody allocates. */
	gst_allocator_register(GST_DMABUFD_ALLOCATOR_NAME,
			       gst_object_ref_sink(g_object_new(GST_TYPE_DMABUFD_ALLOCATOR, NULL)));
	return gst_element_register(plugin, "dmabufalloc", GST_RANK_NONE, GST_TYPE_DMABUF_ALLOC);
}

#define PACKAGE "dmabufd"
GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, dmabufd,
		  "Memory that cameras, codecs and displays can share, from dmabufd", init, VERSION,
		  "MIT/X11", "dmabufd", "Unknown package origin")
