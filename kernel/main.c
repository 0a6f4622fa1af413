// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmabuf_pool: memory of reserved regions, CMA and the page allocator as dma-bufs, for the one
 * service that decides who gets what.
 *
 * Start here: the nodes and the order in which the module comes up and goes. declare.c says which
 * pools there are, ioctl.c what can be asked, buffer.c and export.c what a buffer is, event.c how
 * the service learns that one is gone.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>

#include "event.h"
#include "ioctl.h"
#include "pool.h"
#include "stock.h"

static int node_open(struct inode *inode, struct file *file)
{
	stream_open(inode, file);
	return file->f_mode & FMODE_READ ? dbp_event_claim() : 0;
}

static int node_release(struct inode *inode, struct file *file)
{
	if (file->f_mode & FMODE_READ)
		dbp_event_unclaim();
	return 0;
}

static ssize_t node_read(struct file *file, char __user *to, size_t size, loff_t *offset)
{
	return dbp_event_read(file, to, size);
}

static const struct file_operations node_fops = {
	.owner = THIS_MODULE,
	.open = node_open,
	.release = node_release,
	.read = node_read,
	.poll = dbp_event_poll,
	.unlocked_ioctl = dbp_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice node = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "dmabuf_pool",
	.fops = &node_fops,
	.mode = 0600,
};

/* Its own node, so that the service's can stay the service's. */
static const struct file_operations sync_fops = {
	.owner = THIS_MODULE,
	.open = stream_open,
	.unlocked_ioctl = dbp_ioctl_of_holder,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice sync_node = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "dmabuf_sync",
	.fops = &sync_fops,
	.mode = 0666,
};

static int __init dmabuf_pool_init(void)
{
	int ret;

	ret = dbp_declare_pools();
	if (ret)
		return ret;
	ret = dbp_stock_register();
	if (ret)
		goto free_pools;
	ret = misc_register(&sync_node);
	if (ret)
		goto unregister_stock;
	ret = misc_register(&node);
	if (ret)
		goto deregister_sync;
	return 0;

deregister_sync:
	misc_deregister(&sync_node);
unregister_stock:
	dbp_stock_unregister();
free_pools:
	dbp_pools_free();
	return ret;
}

/* No buffer is alive here: each holds a reference to the module. */
static void __exit dmabuf_pool_exit(void)
{
	misc_deregister(&node);
	misc_deregister(&sync_node);
	dbp_stock_unregister();
	dbp_pools_free();
}

module_init(dmabuf_pool_init);
module_exit(dmabuf_pool_exit);

MODULE_DESCRIPTION("Memory pools as dma-bufs for dmabufd");
MODULE_AUTHOR("The dmabufd authors");
MODULE_LICENSE("GPL");
DBP_IMPORT_DMA_BUF;
