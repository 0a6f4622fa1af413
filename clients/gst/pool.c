/* SPDX-License-Identifier: MIT */
/*
 * GstVideoBufferPool knows strides, alignment and GstVideoMeta, and allocates when it is activated;
 * this one sees to it that nobody who configures it takes the memory from elsewhere, and that none
 * stays behind when the activation fails. Knows nothing of the daemon.
 */
#include "pool.h"

struct _GstDmabufdPool {
	GstVideoBufferPool parent;
	GstAllocator *allocator;
};

G_DEFINE_TYPE(GstDmabufdPool, gst_dmabufd_pool, GST_TYPE_VIDEO_BUFFER_POOL)

/* Elements that know no allocator but their own, or none, configure a pool with that. */
static gboolean set_config(GstBufferPool *pool, GstStructure *config)
{
	GstBufferPoolClass *parent = GST_BUFFER_POOL_CLASS(gst_dmabufd_pool_parent_class);
	GstAllocationParams params;

	if (!gst_buffer_pool_config_get_allocator(config, NULL, &params))
		gst_allocation_params_init(&params);
	gst_buffer_pool_config_set_allocator(config, GST_DMABUFD_POOL(pool)->allocator, &params);
	return parent->set_config(pool, config);
}

/* What was allocated before one was refused: the base class would forget it. */
static gboolean start(GstBufferPool *pool)
{
	GstBufferPoolClass *parent = GST_BUFFER_POOL_CLASS(gst_dmabufd_pool_parent_class);

	if (parent->start(pool))
		return TRUE;
	parent->stop(pool);
	return FALSE;
}

static void finalize(GObject *object)
{
	gst_object_unref(GST_DMABUFD_POOL(object)->allocator);
	G_OBJECT_CLASS(gst_dmabufd_pool_parent_class)->finalize(object);
}

static void gst_dmabufd_pool_class_init(GstDmabufdPoolClass *class)
{
	G_OBJECT_CLASS(class)->finalize = finalize;
	GST_BUFFER_POOL_CLASS(class)->set_config = set_config;
	GST_BUFFER_POOL_CLASS(class)->start = start;
}

static void gst_dmabufd_pool_init(GstDmabufdPool *self)
{
}

GstBufferPool *gst_dmabufd_pool_new(GstDmabufdAllocator *allocator)
{
	GstDmabufdPool *self = g_object_new(GST_TYPE_DMABUFD_POOL, NULL);

	self->allocator = gst_object_ref(GST_ALLOCATOR(allocator));
	gst_object_ref_sink(self);
	return GST_BUFFER_POOL(self);
}
