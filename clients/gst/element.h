/* SPDX-License-Identifier: MIT */
/*
 * The element "dmabufalloc": whatever lies upstream of it works in memory from the daemon.
 */
#ifndef GST_DMABUFD_ELEMENT_H
#define GST_DMABUFD_ELEMENT_H

#include <gst/base/gstbasetransform.h>

G_BEGIN_DECLS

#define GST_TYPE_DMABUF_ALLOC (gst_dmabuf_alloc_get_type())
G_DECLARE_FINAL_TYPE(GstDmabufAlloc, gst_dmabuf_alloc, GST, DMABUF_ALLOC, GstBaseTransform)

G_END_DECLS

#endif
