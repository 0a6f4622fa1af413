/* SPDX-License-Identifier: MIT */
/*
 * Asks the daemon for one buffer at a time and hands its descriptor to GStreamer. Mapping, and the
 * begin and end of CPU access around it, are the base class's. Knows neither caps nor pools.
 */
#include "allocator.h"

#include <errno.h>
#include <unistd.h>

#include "debug.h"

struct _GstDmabufdAllocator {
	GstDmaBufAllocator parent;
	struct settings settings;
	GWeakRef owner; /* the element that answers for it, if there is one */
	GMutex lock;    /* over what follows: any thread may allocate */
	struct dmabuf *conn;
	struct dmabuf_request *request;
};

G_DEFINE_TYPE(GstDmabufdAllocator, gst_dmabufd_allocator, GST_TYPE_DMABUF_ALLOCATOR)

static gboolean open_locked(GstDmabufdAllocator *self, GError **error)
{
	int r;

	if (!self->request)
		self->request = settings_request(&self->settings, GST_OBJECT_NAME(self), error);
	if (!self->request)
		return FALSE;
	r = self->conn ? 0 : dmabuf_connect(&self->conn);
	if (r < 0)
		settings_error(error, r, dmabuf_error(NULL));
	return r == 0;
}

gboolean gst_dmabufd_allocator_open(GstDmabufdAllocator *self, GError **error)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->lock);

	return open_locked(self, error);
}

static int allocate(GstDmabufdAllocator *self, struct dmabuf_buffer **ret)
{
	int r = dmabuf_allocate(self->conn, self->request, ret, 1);

	/* The daemon was restarted since; nothing was allocated, and the next call connects anew. */
	return r == -ECONNRESET ? dmabuf_allocate(self->conn, self->request, ret, 1) : r;
}

static struct dmabuf_buffer *grant(GstDmabufdAllocator *self, gsize size, GError **error)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->lock);
	struct dmabuf_buffer *buffer = NULL;
	int r;

	if (!open_locked(self, error))
		return NULL;
	r = dmabuf_request_set_size(self->request, size);
	if (r < 0)
		settings_error(error, r, "no memory of no size");
	else if ((r = allocate(self, &buffer)) < 0)
		settings_error(error, r, dmabuf_error(self->conn));
	return buffer;
}

/* What importers cannot do: they take a buffer from its start, and memory begins with a page. */
static gboolean can_align(const GstAllocationParams *params, GError **error)
{
	if (params->prefix != 0)
		settings_error(error, -EINVAL,
			       "devices import a buffer whole, so without a prefix");
	else if (params->align >= (gsize)sysconf(_SC_PAGESIZE))
		settings_error(error, -EINVAL, "memory is aligned to pages, not to more");
	else
		return TRUE;
	return FALSE;
}

static GstMemory *wrap(GstDmabufdAllocator *self, struct dmabuf_buffer *buffer, gsize size)
{
	gsize granted = dmabuf_buffer_get_size(buffer);
	int fd = dmabuf_buffer_take_fd(buffer);
	/* Kept mapped: to make the page tables anew for each frame costs more than most uses. */
	GstMemory *memory = gst_dmabuf_allocator_alloc_with_flags(GST_ALLOCATOR(self), fd, granted,
								  GST_FD_MEMORY_FLAG_KEEP_MAPPED);

	GST_DEBUG_OBJECT(self, "buffer %" G_GUINT64_FORMAT ": %" G_GSIZE_FORMAT " bytes of pool %s",
			 dmabuf_buffer_get_id(buffer), granted, dmabuf_buffer_get_pool(buffer));
	dmabuf_buffer_free(buffer);
	if (memory)
		gst_memory_resize(memory, 0, size);
	else
		close(fd);
	return memory;
}

void gst_dmabufd_post(GstElement *element, GError **error)
{
	g_autoptr(GError) taken = g_steal_pointer(error);

	GST_WARNING_OBJECT(element, "%s", taken->message);
	if (element)
		gst_element_message_full(element, GST_MESSAGE_ERROR, taken->domain, taken->code,
					 g_strdup(taken->message), NULL, __FILE__, GST_FUNCTION,
					 __LINE__);
}

static GstMemory *alloc(GstAllocator *allocator, gsize size, GstAllocationParams *params)
{
	GstDmabufdAllocator *self = GST_DMABUFD_ALLOCATOR(allocator);
	g_autoptr(GError) error = NULL;
	struct dmabuf_buffer *buffer = NULL;

	if (can_align(params, &error))
		buffer = grant(self, size + params->padding, &error);
	if (!buffer) {
		g_autoptr(GstElement) owner = g_weak_ref_get(&self->owner);

		gst_dmabufd_post(owner, &error);
		return NULL;
	}
	return wrap(self, buffer, size);
}

static void set_property(GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
	settings_set(&GST_DMABUFD_ALLOCATOR(object)->settings, object, id, value, spec);
}

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *spec)
{
	settings_get(&GST_DMABUFD_ALLOCATOR(object)->settings, object, id, value, spec);
}

static void finalize(GObject *object)
{
	GstDmabufdAllocator *self = GST_DMABUFD_ALLOCATOR(object);

	dmabuf_request_free(self->request);
	dmabuf_disconnect(self->conn);
	settings_clear(&self->settings);
	g_weak_ref_clear(&self->owner);
	g_mutex_clear(&self->lock);
	G_OBJECT_CLASS(gst_dmabufd_allocator_parent_class)->finalize(object);
}

static void gst_dmabufd_allocator_class_init(GstDmabufdAllocatorClass *class)
{
	GObjectClass *object_class = G_OBJECT_CLASS(class);

	object_class->set_property = set_property;
	object_class->get_property = get_property;
	object_class->finalize = finalize;
	settings_install(object_class, G_PARAM_CONSTRUCT_ONLY);
	GST_ALLOCATOR_CLASS(class)->alloc = alloc;
}

static void gst_dmabufd_allocator_init(GstDmabufdAllocator *self)
{
	g_mutex_init(&self->lock);
	g_weak_ref_init(&self->owner, NULL);
	GST_ALLOCATOR(self)->mem_type = GST_DMABUFD_ALLOCATOR_NAME;
	/* Unlike the base class it needs no descriptor given, so everybody's plain alloc() works. */
	GST_OBJECT_FLAG_UNSET(self, GST_ALLOCATOR_FLAG_CUSTOM_ALLOC);
}

GstDmabufdAllocator *gst_dmabufd_allocator_new(GstElement *owner, const struct settings *settings)
{
	GstDmabufdAllocator *self = g_object_new(
		GST_TYPE_DMABUFD_ALLOCATOR, "name", GST_OBJECT_NAME(owner), "device",
		settings->device, "usage", settings->usage, "mapping", settings->mapping, NULL);

	gst_object_ref_sink(self);
	g_weak_ref_set(&self->owner, owner);
	return self;
}
