/* SPDX-License-Identifier: MIT */
/*
 * What is on the screen: a writeback connector writes it into a buffer of dmabufd's own choice for
 * the display, and that becomes a picture.
 */
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <xf86drm.h>

#include "cleanup.h"
#include "picture.h"
#include "show.h"

static void bufferp(struct dmabuf_buffer **buffer)
{
	dmabuf_buffer_free(*buffer);
}

static bool can_write_back(const struct display *display, uint32_t id)
{
	drmModeConnector *connector = drmModeGetConnector(display->fd, id);
	bool can = connector && connector->connector_type == DRM_MODE_CONNECTOR_WRITEBACK &&
		   drmModeConnectorGetPossibleCrtcs(display->fd, connector) &
			   1u << display->crtc_index;

	drmModeFreeConnector(connector);
	return can;
}

static int find_writeback(const struct display *display, uint32_t *ret)
{
	drmModeRes *resources = drmModeGetResources(display->fd);
	uint32_t found = 0;

	for (int i = 0; resources && i < resources->count_connectors && !found; i++)
		if (can_write_back(display, resources->connectors[i]))
			found = resources->connectors[i];
	drmModeFreeResources(resources);
	if (!found) {
		warnx("%s writes back no screenshots", display->node);
		return -EOPNOTSUPP;
	}
	*ret = found;
	return 0;
}

static int allocate(const struct display *display, size_t size, struct dmabuf_buffer **ret)
{
	struct dmabuf_request *request = NULL;
	struct dmabuf *conn = NULL;
	int r = dmabuf_connect(&conn);

	if (r == 0)
		r = dmabuf_request_new(&request);
	if (r == 0)
		r = dmabuf_request_add_device(request, display->node);
	if (r == 0)
		r = dmabuf_request_set_size(request, size);
	if (r == 0)
		r = dmabuf_request_set_usage(request, DMABUF_USAGE_CPU_READS_OFTEN);
	if (r == 0)
		r = dmabuf_allocate(conn, request, ret, 1);
	if (r < 0)
		warnx("no buffer for a screenshot: %s",
		      conn && *dmabuf_error(conn) ? dmabuf_error(conn) : strerror(-r));
	dmabuf_request_free(request);
	dmabuf_disconnect(conn);
	return r;
}

static int add(const struct display *display, drmModeAtomicReq *request, uint32_t connector,
	       const char *name, uint64_t value)
{
	uint32_t property = display_property(display, connector, DRM_MODE_OBJECT_CONNECTOR, name);
	int r = property ? drmModeAtomicAddProperty(request, connector, property, value) : -ENOENT;

	return r < 0 ? r : 0;
}

/* The fence is of the whole picture. */
static int commit(const struct display *display, uint32_t writeback, uint32_t framebuffer,
		  bool beside, int32_t *ret_fence)
{
	drmModeAtomicReq *request = drmModeAtomicAlloc();
	int r = request ? 0 : -ENOMEM;

	if (r == 0 && !beside)
		r = add(display, request, display->connector, "CRTC_ID", 0);
	if (r == 0)
		r = add(display, request, writeback, "CRTC_ID", display->crtc);
	if (r == 0)
		r = add(display, request, writeback, "WRITEBACK_FB_ID", framebuffer);
	if (r == 0)
		r = add(display, request, writeback, "WRITEBACK_OUT_FENCE_PTR",
			(uint64_t)(uintptr_t)ret_fence);
	if (r == 0)
		r = drmModeAtomicCommit(display->fd, request, DRM_MODE_ATOMIC_ALLOW_MODESET, NULL);
	drmModeAtomicFree(request);
	return r;
}

/* Where a CRTC cannot feed the screen and the writeback connector at once, it leaves the screen. */
static int write_back(const struct display *display, uint32_t writeback, uint32_t framebuffer,
		      int32_t *ret_fence)
{
	int r = commit(display, writeback, framebuffer, true, ret_fence);

	if (r == -EINVAL)
		r = commit(display, writeback, framebuffer, false, ret_fence);
	if (r < 0)
		warnx("%s writes back no screenshot: %s", display->node, strerror(-r));
	return r;
}

static int await(const struct display *display, int fence)
{
	struct pollfd p = {.fd = fence, .events = POLLIN};

	if (poll(&p, 1, 10000) == 1)
		return 0;
	warnx("%s never wrote the screenshot", display->node);
	return -ETIMEDOUT;
}

static int save(const struct display *display, struct dmabuf_buffer *buffer, unsigned int stride,
		const char *path)
{
	const struct video_format format = {
		.pixels = V4L2_PIX_FMT_XBGR32, /* the same bytes by V4L2's name */
		.width = display->mode.hdisplay,
		.height = display->mode.vdisplay,
		.n_planes = 1,
		.planes = {{stride, (size_t)stride * display->mode.vdisplay}},
	};
	struct picture_frame frame = {.used = {format.planes[0].size}};
	void *map;
	int r = dmabuf_buffer_map(buffer, &map);

	if (r == 0)
		r = dmabuf_buffer_begin_access(buffer, DMABUF_ACCESS_READ);
	if (r < 0) {
		warnx("cannot read the screenshot: %s", strerror(-r));
		return r;
	}
	frame.planes[0] = map;
	r = picture_write(path, PICTURE_PNG, &format, &frame);
	dmabuf_buffer_end_access(buffer, DMABUF_ACCESS_READ);
	return r;
}

int display_screenshot(const struct display *display, const char *path)
{
	_cleanup_(bufferp) struct dmabuf_buffer *buffer = NULL;
	_cleanup_close_ int32_t fence = -EBADF;
	unsigned int stride = display->mode.hdisplay * 4u;
	uint32_t writeback = 0, framebuffer = 0;
	int r = find_writeback(display, &writeback);

	if (r == 0)
		r = allocate(display, (size_t)stride * display->mode.vdisplay, &buffer);
	if (r == 0)
		r = display_import(display, dmabuf_buffer_get_fd(buffer), stride, &framebuffer);
	if (r == 0)
		r = write_back(display, writeback, framebuffer, &fence);
	if (r == 0)
		r = await(display, fence);
	return r < 0 ? r : save(display, buffer, stride, path);
}
