/* SPDX-License-Identifier: MIT */
/*
 * By what a dma-buf is known once it left: the inode, which the kernel never gives twice, and a name
 * that starts with the number of the buffer. The name is there for people too, in /proc and debugfs,
 * and whoever holds the dma-buf can change it; but it outlives this daemon, and the inode of a buffer
 * that was found at start is not known.
 */
#include "identity.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/dma-buf.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "client.h"
#include "list.h"
#include "manager.h"
#include "reply.h"

void identity_give(struct buffer *buffer, int fd)
{
	char name[DMA_BUF_NAME_LEN];
	struct stat st;
	int n;

	if (fstat(fd, &st) >= 0)
		buffer->inode = st.st_ino;
	/* A long label is cut. */
	n = snprintf(name, sizeof(name), "%" PRIu64 "%s%s", buffer->id, buffer->name[0] ? " " : "",
		     buffer->name);
	/* Without a name it is still known by its inode. */
	if (n > 0)
		ioctl(fd, DMA_BUF_SET_NAME, name);
}

static bool is_it(const struct buffer *buffer, const struct dmabufd_identity *identity)
{
	return buffer->size == identity->size &&
	       (!buffer->inode || buffer->inode == identity->inode);
}

/* By its number at once; who was given another name is looked for. */
static const struct buffer *find(const struct ledger *ledger,
				 const struct dmabufd_identity *identity)
{
	const struct buffer *buffer = ledger_get(ledger, identity->id);

	if (buffer && is_it(buffer, identity))
		return buffer;
	for (buffer = ledger_next(ledger, 0); buffer; buffer = ledger_next(ledger, buffer->id))
		if (buffer->inode && is_it(buffer, identity))
			return buffer;
	return NULL;
}

int handle_describe(struct client *client, const struct wire_frame *request, struct reply *reply)
{
	struct manager *m = client->manager;
	const struct buffer *buffer;
	const struct pool *pools;
	unsigned int n_pools;

	if (!m->module)
		return reply_fail(reply, -ENXIO, "%s", manager_get_module_text(m));
	buffer = find(m->ledger, &request->identity);
	if (!buffer)
		return reply_fail(reply, -ENOENT,
				  "dmabufd was started anew since it made this dma-buf, which was "
				  "given another name: it cannot tell which one it is");
	if (!buffer_is_visible(client, buffer))
		return reply_fail(
			reply, -EACCES,
			"the dma-buf is charged to another user, and nothing of it is told");
	pools = module_get_pools(m->module, &n_pools);
	reply_set_body(reply, sizeof(reply->frame.buffers[0]));
	buffer_fill(&reply->frame.buffers[0], buffer, pools, n_pools, client);
	return 0;
}
