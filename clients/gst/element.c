/* SPDX-License-Identifier: MIT */
/*
 * Passes every buffer on untouched, and adds to downstream's answer to the ALLOCATION query an
 * allocator and a pool of brokered memory. Downstream's wishes and the metadata that it understands
 * stay as they are. Knows nothing of requests and connections.
 */
#include "element.h"

#include <gst/video/video.h>

#include "debug.h"
#include "pool.h"

/* One to be filled while downstream has the other: so many are had, or refused, at the start. */
#define MIN_BUFFERS 2

struct _GstDmabufAlloc {
	GstBaseTransform parent;
	struct settings settings;
	GstDmabufdAllocator *allocator; /* from start to stop; under the object's lock */
};

G_DEFINE_TYPE(GstDmabufAlloc, gst_dmabuf_alloc, GST_TYPE_BASE_TRANSFORM)

static GstStaticPadTemplate sink_template =
	GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
static GstStaticPadTemplate src_template =
	GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

/* Users of the answer take the first one they find. */
static void answer_allocator(GstQuery *query, GstDmabufdAllocator *allocator)
{
	GstAllocationParams params;

	gst_allocation_params_init(&params);
	if (gst_query_get_n_allocation_params(query) == 0) {
		gst_query_add_allocation_param(query, GST_ALLOCATOR(allocator), &params);
		return;
	}
	gst_query_parse_nth_allocation_param(query, 0, NULL, &params);
	gst_query_set_nth_allocation_param(query, 0, GST_ALLOCATOR(allocator), &params);
}

static void configure(GstBufferPool *pool, GstCaps *caps, guint size, guint min)
{
	GstStructure *config = gst_buffer_pool_get_config(pool);

	gst_buffer_pool_config_set_params(config, caps, size, min, 0);
	gst_buffer_pool_set_config(pool, config);
}

/* Without a limit: how many buffers are in flight only upstream and downstream know together. */
static void answer_pool(GstQuery *query, GstDmabufdAllocator *allocator, GstCaps *caps,
			const GstVideoInfo *info)
{
	g_autoptr(GstBufferPool) pool = gst_dmabufd_pool_new(allocator);
	gboolean has_one = gst_query_get_n_allocation_pools(query) > 0;
	guint size = 0, min = 0;

	if (has_one)
		gst_query_parse_nth_allocation_pool(query, 0, NULL, &size, &min, NULL);
	size = MAX(size, info->size);
	min = MAX(min, MIN_BUFFERS);
	configure(pool, caps, size, min);
	if (has_one)
		gst_query_set_nth_allocation_pool(query, 0, pool, size, min, 0);
	else
		gst_query_add_allocation_pool(query, pool, size, min, 0);
}

static gboolean answer(GstDmabufAlloc *self, GstQuery *query, GstDmabufdAllocator *allocator)
{
	GstVideoInfo info;
	gboolean need_pool;
	GstCaps *caps;

	/* Many sinks have nothing to say, and that is no failure. */
	gst_pad_peer_query(GST_BASE_TRANSFORM_SRC_PAD(self), query);
	gst_query_parse_allocation(query, &caps, &need_pool);
	answer_allocator(query, allocator);
	if (need_pool && caps && gst_video_info_from_caps(&info, caps))
		answer_pool(query, allocator, caps, &info);
	GST_DEBUG_OBJECT(self, "answered %" GST_PTR_FORMAT, query);
	return TRUE;
}

static GstDmabufdAllocator *get_allocator(GstDmabufAlloc *self)
{
	GstDmabufdAllocator *allocator;

	GST_OBJECT_LOCK(self);
	allocator = self->allocator ? gst_object_ref(self->allocator) : NULL;
	GST_OBJECT_UNLOCK(self);
	return allocator;
}

static void set_allocator(GstDmabufAlloc *self, GstDmabufdAllocator *allocator)
{
	g_autoptr(GstDmabufdAllocator) old = NULL;

	GST_OBJECT_LOCK(self);
	old = self->allocator;
	self->allocator = allocator;
	GST_OBJECT_UNLOCK(self);
}

static gboolean query(GstBaseTransform *transform, GstPadDirection direction, GstQuery *query)
{
	GstBaseTransformClass *parent = GST_BASE_TRANSFORM_CLASS(gst_dmabuf_alloc_parent_class);
	GstDmabufAlloc *self = GST_DMABUF_ALLOC(transform);
	g_autoptr(GstDmabufdAllocator) allocator = get_allocator(self);

	if (allocator && direction == GST_PAD_SINK && GST_QUERY_TYPE(query) == GST_QUERY_ALLOCATION)
		return answer(self, query, allocator);
	return parent->query(transform, direction, query);
}

/* What can be known to be wrong is said before the first frame. */
static gboolean start(GstBaseTransform *transform)
{
	GstDmabufAlloc *self = GST_DMABUF_ALLOC(transform);
	g_autoptr(GstDmabufdAllocator) allocator =
		gst_dmabufd_allocator_new(GST_ELEMENT(self), &self->settings);
	g_autoptr(GError) error = NULL;

	if (!gst_dmabufd_allocator_open(allocator, &error)) {
		gst_dmabufd_post(GST_ELEMENT(self), &error);
		return FALSE;
	}
	set_allocator(self, g_steal_pointer(&allocator));
	return TRUE;
}

static gboolean stop(GstBaseTransform *transform)
{
	set_allocator(GST_DMABUF_ALLOC(transform), NULL);
	return TRUE;
}

static void set_property(GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
	settings_set(&GST_DMABUF_ALLOC(object)->settings, object, id, value, spec);
}

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *spec)
{
	settings_get(&GST_DMABUF_ALLOC(object)->settings, object, id, value, spec);
}

static void finalize(GObject *object)
{
	settings_clear(&GST_DMABUF_ALLOC(object)->settings);
	G_OBJECT_CLASS(gst_dmabuf_alloc_parent_class)->finalize(object);
}

static void gst_dmabuf_alloc_class_init(GstDmabufAllocClass *class)
{
	GObjectClass *object_class = G_OBJECT_CLASS(class);
	GstElementClass *element_class = GST_ELEMENT_CLASS(class);
	GstBaseTransformClass *transform_class = GST_BASE_TRANSFORM_CLASS(class);

	object_class->set_property = set_property;
	object_class->get_property = get_property;
	object_class->finalize = finalize;
	settings_install(object_class, GST_PARAM_MUTABLE_READY);
	gst_element_class_add_static_pad_template(element_class, &sink_template);
	gst_element_class_add_static_pad_template(element_class, &src_template);
	gst_element_class_set_static_metadata(
		element_class, "Memory from dmabufd", "Filter/Video",
		"Gives elements upstream memory that devices can share, allocated by dmabufd; its "
		"name is the label of the buffers in dmabufctl",
		"The dmabufd project");
	transform_class->start = start;
	transform_class->stop = stop;
	transform_class->query = query;
}

static void gst_dmabuf_alloc_init(GstDmabufAlloc *self)
{
	gst_base_transform_set_passthrough(GST_BASE_TRANSFORM(self), TRUE);
}
