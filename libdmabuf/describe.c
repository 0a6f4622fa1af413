/* SPDX-License-Identifier: MIT */
/*
 * Which buffer a descriptor is. The descriptor stays here: the daemon is told by which numbers the
 * kernel knows it.
 */
#include <errno.h>

#include "fdinfo.h"
#include "private.h"

static int fail(struct dmabuf *conn, int error)
{
	switch (error) {
	case -ENOTTY:
		return connection_fail(conn, error, "The descriptor is no dma-buf");
	case -EXDEV:
		return connection_fail(conn, error,
				       "The dma-buf was made by another driver, not by dmabufd");
	case -ENOSYS:
		return connection_fail(conn, error,
				       "There is no /proc, by which a dma-buf is known");
	default:
		return connection_fail_errno(conn, error, "The descriptor cannot be looked at");
	}
}

DMABUF_PUBLIC int dmabuf_fd_get_info(struct dmabuf *conn, int fd,
				     int (*fn)(const struct dmabuf_buffer_info *buffer,
					       void *userdata),
				     void *userdata)
{
	struct wire_frame frame = {0};
	struct dmabuf_buffer_info info;
	struct fdinfo known = {0};
	int r = fdinfo_read(fd, &known);

	if (r < 0)
		return fail(conn, r);
	frame.identity =
		(struct dmabufd_identity){.id = known.id, .inode = known.inode, .size = known.size};
	r = connection_call_plain(conn, DMABUFD_DESCRIBE, &frame, sizeof(frame.identity));
	if (r < 0)
		return r;
	if ((size_t)r != sizeof(frame.buffers[0]) || !buffer_is_valid(&frame.buffers[0]))
		return connection_fail_protocol(conn, "malformed buffer");
	buffer_info_fill(&info, &frame.buffers[0]);
	return fn(&info, userdata);
}
