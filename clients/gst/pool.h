/* SPDX-License-Identifier: MIT */
/*
 * A pool of video buffers whose memory always comes from the daemon.
 */
#ifndef GST_DMABUFD_POOL_H
#define GST_DMABUFD_POOL_H

#include <gst/video/gstvideopool.h>

#include "allocator.h"

G_BEGIN_DECLS

#define GST_TYPE_DMABUFD_POOL (gst_dmabufd_pool_get_type())
G_DECLARE_FINAL_TYPE(GstDmabufdPool, gst_dmabufd_pool, GST, DMABUFD_POOL, GstVideoBufferPool)

GstBufferPool *gst_dmabufd_pool_new(GstDmabufdAllocator *allocator);

G_END_DECLS

#endif
