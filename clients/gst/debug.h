/* SPDX-License-Identifier: MIT */
/*
 * GST_DEBUG=dmabufd:6 shows what the plugin does.
 */
#ifndef GST_DMABUFD_DEBUG_H
#define GST_DMABUFD_DEBUG_H

#include <gst/gst.h>

GST_DEBUG_CATEGORY_EXTERN(gst_dmabufd_debug);
#define GST_CAT_DEFAULT gst_dmabufd_debug

#endif
