/* SPDX-License-Identifier: MIT */
/*
 * A display by DRM's atomic interface: one connector, one CRTC, its primary plane. Knows no camera.
 */
#include <drm_fourcc.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <xf86drm.h>

#include "cleanup.h"
#include "show.h"

static void resources_freep(drmModeRes **resources)
{
	drmModeFreeResources(*resources);
}

static void planes_freep(drmModePlaneRes **planes)
{
	drmModeFreePlaneResources(*planes);
}

static void plane_freep(drmModePlane **plane)
{
	drmModeFreePlane(*plane);
}

static void connector_freep(drmModeConnector **connector)
{
	drmModeFreeConnector(*connector);
}

static void properties_freep(drmModeObjectProperties **properties)
{
	drmModeFreeObjectProperties(*properties);
}

static void atomic_freep(drmModeAtomicReq **request)
{
	drmModeAtomicFree(*request);
}

int display_open(struct display *display, const char *node)
{
	int r;

	display->node = node;
	display->fd = open(node, O_RDWR | O_CLOEXEC);
	if (display->fd < 0) {
		r = -errno;
		warn("%s", node);
		return r;
	}
	if (drmSetClientCap(display->fd, DRM_CLIENT_CAP_ATOMIC, 1) < 0) {
		warnx("%s is no display that can be set atomically", node);
		return -ENODEV;
	}
	/* Without, there are no screenshots. */
	drmSetClientCap(display->fd, DRM_CLIENT_CAP_WRITEBACK_CONNECTORS, 1);
	return 0;
}

void display_close(struct display *display)
{
	if (display->fd >= 0)
		close(display->fd);
	display->fd = -EBADF;
}

/* A property's number; its value goes to *ret_value unless that is NULL. */
static uint32_t find_property(const struct display *display, uint32_t object, uint32_t type,
			      const char *name, uint64_t *ret_value)
{
	_cleanup_(properties_freep) drmModeObjectProperties *all =
		drmModeObjectGetProperties(display->fd, object, type);
	uint32_t found = 0;

	for (uint32_t i = 0; all && i < all->count_props && !found; i++) {
		drmModePropertyRes *property = drmModeGetProperty(display->fd, all->props[i]);

		if (property && strcmp(property->name, name) == 0) {
			found = property->prop_id;
			if (ret_value)
				*ret_value = all->prop_values[i];
		}
		drmModeFreeProperty(property);
	}
	return found;
}

uint32_t display_property(const struct display *display, uint32_t object, uint32_t type,
			  const char *name)
{
	return find_property(display, object, type, name, NULL);
}

static bool has_mode(const drmModeConnector *connector, unsigned int width, unsigned int height,
		     drmModeModeInfo *ret)
{
	if (connector->connection != DRM_MODE_CONNECTED ||
	    connector->connector_type == DRM_MODE_CONNECTOR_WRITEBACK)
		return false;
	for (int i = 0; i < connector->count_modes; i++) {
		if (connector->modes[i].hdisplay == width &&
		    connector->modes[i].vdisplay == height) {
			*ret = connector->modes[i];
			return true;
		}
	}
	return false;
}

static bool choose_connector(struct display *display, const drmModeRes *resources, uint32_t id,
			     unsigned int width, unsigned int height)
{
	_cleanup_(connector_freep) drmModeConnector *connector =
		drmModeGetConnector(display->fd, id);
	uint32_t crtcs;

	if (!connector || !has_mode(connector, width, height, &display->mode))
		return false;
	crtcs = drmModeConnectorGetPossibleCrtcs(display->fd, connector);
	if (!crtcs)
		return false;
	display->connector = id;
	display->crtc_index = (unsigned int)__builtin_ctz(crtcs);
	display->crtc = resources->crtcs[display->crtc_index];
	return true;
}

static bool is_primary(const struct display *display, uint32_t id)
{
	_cleanup_(plane_freep) drmModePlane *plane = drmModeGetPlane(display->fd, id);
	uint64_t type = DRM_PLANE_TYPE_OVERLAY;

	if (!plane || !(plane->possible_crtcs & 1u << display->crtc_index))
		return false;
	find_property(display, id, DRM_MODE_OBJECT_PLANE, "type", &type);
	return type == DRM_PLANE_TYPE_PRIMARY;
}

static bool choose_plane(struct display *display)
{
	_cleanup_(planes_freep) drmModePlaneRes *planes = drmModeGetPlaneResources(display->fd);

	for (uint32_t i = 0; planes && i < planes->count_planes && !display->plane; i++)
		if (is_primary(display, planes->planes[i]))
			display->plane = planes->planes[i];
	return display->plane;
}

int display_choose(struct display *display, unsigned int width, unsigned int height)
{
	_cleanup_(resources_freep) drmModeRes *resources = drmModeGetResources(display->fd);

	for (int i = 0; resources && i < resources->count_connectors && !display->connector; i++)
		choose_connector(display, resources, resources->connectors[i], width, height);
	if (!display->connector) {
		warnx("%s has no screen of %ux%u", display->node, width, height);
		return -EOPNOTSUPP;
	}
	if (!choose_plane(display)) {
		warnx("%s has no plane for its screen", display->node);
		return -EOPNOTSUPP;
	}
	return 0;
}

int display_import(const struct display *display, int dmabuf, unsigned int stride, uint32_t *ret)
{
	uint32_t handles[4] = {0}, pitches[4] = {stride}, offsets[4] = {0};
	int r = drmPrimeFDToHandle(display->fd, dmabuf, &handles[0]);

	if (r < 0) {
		r = -errno;
		warn("%s cannot use the buffer", display->node);
		return r;
	}
	r = drmModeAddFB2(display->fd, display->mode.hdisplay, display->mode.vdisplay,
			  DRM_FORMAT_XRGB8888, handles, pitches, offsets, ret, 0);
	if (r < 0)
		warnx("%s cannot show the buffer: %s", display->node, strerror(-r));
	return r;
}

struct setting {
	uint32_t object;
	uint32_t type;
	const char *name;
	uint64_t value;
};

static int add_settings(const struct display *display, drmModeAtomicReq *request,
			const struct setting settings[], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct setting *s = &settings[i];
		uint32_t property = display_property(display, s->object, s->type, s->name);

		if (!property ||
		    drmModeAtomicAddProperty(request, s->object, property, s->value) < 0) {
			warnx("%s: cannot set %s", display->node, s->name);
			return -EOPNOTSUPP;
		}
	}
	return 0;
}

static int commit(const struct display *display, const struct setting settings[], size_t n,
		  uint32_t flags)
{
	_cleanup_(atomic_freep) drmModeAtomicReq *request = drmModeAtomicAlloc();
	int r = request ? add_settings(display, request, settings, n) : -ENOMEM;

	if (r < 0)
		return r;
	r = drmModeAtomicCommit(display->fd, request, flags, NULL);
	if (r < 0)
		warnx("%s does not show the frame: %s", display->node, strerror(-r));
	return r;
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

int display_start(const struct display *display, uint32_t framebuffer)
{
	uint32_t mode = 0, width = display->mode.hdisplay, height = display->mode.vdisplay;
	int r = drmModeCreatePropertyBlob(display->fd, &display->mode, sizeof(display->mode),
					  &mode);
	const struct setting settings[] = {
		{display->connector, DRM_MODE_OBJECT_CONNECTOR, "CRTC_ID", display->crtc},
		{display->crtc, DRM_MODE_OBJECT_CRTC, "MODE_ID", mode},
		{display->crtc, DRM_MODE_OBJECT_CRTC, "ACTIVE", 1},
		{display->plane, DRM_MODE_OBJECT_PLANE, "FB_ID", framebuffer},
		{display->plane, DRM_MODE_OBJECT_PLANE, "CRTC_ID", display->crtc},
		{display->plane, DRM_MODE_OBJECT_PLANE, "SRC_X", 0},
		{display->plane, DRM_MODE_OBJECT_PLANE, "SRC_Y", 0},
		{display->plane, DRM_MODE_OBJECT_PLANE, "SRC_W", (uint64_t)width << 16},
		{display->plane, DRM_MODE_OBJECT_PLANE, "SRC_H", (uint64_t)height << 16},
		{display->plane, DRM_MODE_OBJECT_PLANE, "CRTC_X", 0},
		{display->plane, DRM_MODE_OBJECT_PLANE, "CRTC_Y", 0},
		{display->plane, DRM_MODE_OBJECT_PLANE, "CRTC_W", width},
		{display->plane, DRM_MODE_OBJECT_PLANE, "CRTC_H", height},
	};

	if (r < 0) {
		warnx("%s: cannot set the mode: %s", display->node, strerror(-r));
		return r;
	}
	return commit(display, settings, COUNT(settings), DRM_MODE_ATOMIC_ALLOW_MODESET);
}

int display_flip(const struct display *display, uint32_t framebuffer)
{
	const struct setting setting = {display->plane, DRM_MODE_OBJECT_PLANE, "FB_ID",
					framebuffer};

	return commit(display, &setting, 1, DRM_MODE_ATOMIC_NONBLOCK | DRM_MODE_PAGE_FLIP_EVENT);
}

static void ignore_flip(int fd, unsigned int sequence, unsigned int sec, unsigned int usec,
			unsigned int crtc, void *userdata)
{
}

int display_flipped(const struct display *display)
{
	drmEventContext context = {.version = 3, .page_flip_handler2 = ignore_flip};

	if (drmHandleEvent(display->fd, &context) == 0)
		return 0;
	warnx("%s: cannot read what happened", display->node);
	return -EIO;
}
