/* SPDX-License-Identifier: MIT */
/*
 * The allocator "dmabufd": memory of GStreamer that is a dma-buf granted by the daemon.
 *
 * Its properties device, usage and mapping are set when it is made and say what for; its name is
 * the label of its buffers. Each memory outlives the allocator's connection to the daemon.
 */
#ifndef GST_DMABUFD_ALLOCATOR_H
#define GST_DMABUFD_ALLOCATOR_H

#include <gst/allocators/allocators.h>

#include "settings.h"

G_BEGIN_DECLS

#define GST_DMABUFD_ALLOCATOR_NAME "dmabufd"

#define GST_TYPE_DMABUFD_ALLOCATOR (gst_dmabufd_allocator_get_type())
G_DECLARE_FINAL_TYPE(GstDmabufdAllocator, gst_dmabufd_allocator, GST, DMABUFD_ALLOCATOR,
		     GstDmaBufAllocator)

/* For an element, which posts an error when memory is refused later on. */
GstDmabufdAllocator *gst_dmabufd_allocator_new(GstElement *owner, const struct settings *settings);

/* Connect to the daemon and check the settings now, not with the first allocation. */
gboolean gst_dmabufd_allocator_open(GstDmabufdAllocator *self, GError **error);

/* Post *error as the element's and free it; without an element it goes to the log. */
void gst_dmabufd_post(GstElement *element, GError **error);

G_END_DECLS

#endif
