// SPDX-License-Identifier: GPL-2.0-only
/*
 * edu_dma: the emulator's teaching device as an importer of dma-bufs that does DMA by itself.
 *
 * A test says what to copy; the device moves the bytes, at the addresses that the DMA API gave for
 * it. Knows nothing of who exports the buffers, and never looks at them with the CPU.
 */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/iopoll.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "edu_dma.h"

/* Registers, and where the device's memory lies in its own eyes. */
#define EDU_SOURCE 0x80
#define EDU_DESTINATION 0x88
#define EDU_COUNT 0x90
#define EDU_COMMAND 0x98
#define EDU_COMMAND_RUN BIT(0)
#define EDU_COMMAND_FROM_DEVICE BIT(1)
#define EDU_MEMORY 0x40000

/* A transfer takes a tenth of a second of the emulator's time. */
#define POLL_US 1000
#define TIMEOUT_US (20 * USEC_PER_SEC)

static unsigned int dma_bits = 28;
module_param(dma_bits, uint, 0444);
MODULE_PARM_DESC(dma_bits, "bits of address that the device reaches (default 28)");

static unsigned int max_segment = UINT_MAX;
module_param(max_segment, uint, 0444);
MODULE_PARM_DESC(max_segment, "bytes of the longest segment (default: no limit)");

/* Lives until the device is gone and the last file is closed. */
struct edu {
	struct kref ref;
	struct miscdevice node;
	struct mutex lock;	  /* guards the rest and all that files hold */
	struct pci_dev *pdev;	  /* NULL once the device is gone */
	void __iomem *registers;
	struct list_head clients; /* client.link */
};

/* A dma-buf that the device can reach; all NULL for none. */
struct import {
	struct dma_buf *dmabuf;
	struct dma_buf_attachment *attachment;
	struct sg_table *table;
	enum dma_data_direction direction;
};

/* An open file. */
struct client {
	struct list_head link;
	struct edu *edu;
	struct import held;
};

/* Beyond its mask the device would drop the upper bits of an address without a word. */
static bool is_within(struct sg_table *table, u64 mask)
{
	struct scatterlist *sg;
	int i;

	for_each_sgtable_dma_sg(table, sg, i)
		if (sg_dma_address(sg) + sg_dma_len(sg) - 1 > mask)
			return false;
	return true;
}

static void import_close(struct import *import)
{
	if (!import->dmabuf)
		return;
	dma_buf_unmap_attachment_unlocked(import->attachment, import->table, import->direction);
	dma_buf_detach(import->dmabuf, import->attachment);
	dma_buf_put(import->dmabuf);
	memset(import, 0, sizeof(*import));
}

static int import_open(struct import *import, struct device *dev, int fd,
		       enum dma_data_direction direction)
{
	int ret;

	import->direction = direction;
	import->dmabuf = dma_buf_get(fd);
	if (IS_ERR(import->dmabuf)) {
		ret = PTR_ERR(import->dmabuf);
		goto forget;
	}
	import->attachment = dma_buf_attach(import->dmabuf, dev);
	if (IS_ERR(import->attachment)) {
		ret = PTR_ERR(import->attachment);
		goto put;
	}
	import->table = dma_buf_map_attachment_unlocked(import->attachment, direction);
	if (IS_ERR(import->table)) {
		ret = PTR_ERR(import->table);
		goto detach;
	}
	if (!is_within(import->table, dma_get_mask(dev))) {
		import_close(import);
		return -ERANGE;
	}
	return 0;

detach:
	dma_buf_detach(import->dmabuf, import->attachment);
put:
	dma_buf_put(import->dmabuf);
forget:
	memset(import, 0, sizeof(*import));
	return ret;
}

static void import_describe(struct import *import, struct edu_dma_import *to)
{
	struct scatterlist *sg;
	int i;

	to->segments = 0;
	to->base = 0;
	to->end = 0;
	if (!import->table)
		return;
	to->base = U64_MAX;
	for_each_sgtable_dma_sg(import->table, sg, i) {
		to->segments++;
		to->base = min_t(u64, to->base, sg_dma_address(sg));
		to->end = max_t(u64, to->end, sg_dma_address(sg) + sg_dma_len(sg));
	}
}

/* A device that does not finish must not write to memory that was given back. */
static int wait(struct edu *edu)
{
	u32 command;
	int ret;

	ret = read_poll_timeout(readl, command, !(command & EDU_COMMAND_RUN), POLL_US, TIMEOUT_US,
				false, edu->registers + EDU_COMMAND);
	if (ret)
		pci_clear_master(edu->pdev);
	return ret;
}

static int transfer(struct edu *edu, dma_addr_t buffer, u32 memory, u32 length, bool to_device)
{
	u64 address = EDU_MEMORY + memory;

	writeq(to_device ? buffer : address, edu->registers + EDU_SOURCE);
	writeq(to_device ? address : buffer, edu->registers + EDU_DESTINATION);
	writeq(length, edu->registers + EDU_COUNT);
	writeq(EDU_COMMAND_RUN | (to_device ? 0 : EDU_COMMAND_FROM_DEVICE),
	       edu->registers + EDU_COMMAND);
	return wait(edu);
}

/* One transfer for each segment that the copy touches. */
static int copy(struct edu *edu, struct import *import, struct edu_dma_copy *args)
{
	bool to_device = args->flags & EDU_DMA_TO_DEVICE;
	u64 skip = args->offset;
	struct scatterlist *sg;
	u32 done = 0, length;
	int i, ret;

	for_each_sgtable_dma_sg(import->table, sg, i) {
		if (skip >= sg_dma_len(sg)) {
			skip -= sg_dma_len(sg);
			continue;
		}
		length = min_t(u64, args->length - done, sg_dma_len(sg) - skip);
		ret = transfer(edu, sg_dma_address(sg) + skip, args->memory + done, length,
			       to_device);
		if (ret)
			return ret;
		skip = 0;
		done += length;
		if (done == args->length)
			return 0;
	}
	return -EIO;
}

static bool copy_is_valid(struct import *import, struct edu_dma_copy *args)
{
	u64 size = import->dmabuf->size;

	return args->length && args->offset < size && args->length <= size - args->offset &&
	       args->memory < EDU_DMA_MEMORY_SIZE &&
	       args->length <= EDU_DMA_MEMORY_SIZE - args->memory;
}

static int copy_once(struct edu *edu, struct edu_dma_copy *args)
{
	struct import import = {};
	int ret;

	ret = import_open(&import, &edu->pdev->dev, args->fd,
			  args->flags & EDU_DMA_TO_DEVICE ? DMA_TO_DEVICE : DMA_FROM_DEVICE);
	if (ret)
		return ret;
	ret = copy_is_valid(&import, args) ? copy(edu, &import, args) : -EINVAL;
	import_close(&import);
	return ret;
}

static int ioctl_copy(struct client *client, void __user *user)
{
	struct edu_dma_copy args;

	if (copy_from_user(&args, user, sizeof(args)))
		return -EFAULT;
	if (args.flags & ~EDU_DMA_TO_DEVICE)
		return -EINVAL;
	if (args.fd >= 0)
		return copy_once(client->edu, &args);
	if (!client->held.dmabuf || !copy_is_valid(&client->held, &args))
		return -EINVAL;
	return copy(client->edu, &client->held, &args);
}

static int ioctl_import(struct client *client, void __user *user)
{
	struct edu_dma_import args;
	struct import import = {};
	int ret;

	if (copy_from_user(&args, user, sizeof(args)))
		return -EFAULT;
	if (args.fd >= 0) {
		ret = import_open(&import, &client->edu->pdev->dev, args.fd, DMA_BIDIRECTIONAL);
		if (ret)
			return ret;
	}
	import_describe(&import, &args);
	if (copy_to_user(user, &args, sizeof(args))) {
		import_close(&import);
		return -EFAULT;
	}
	import_close(&client->held);
	client->held = import;
	return 0;
}

static long node_ioctl(struct file *file, unsigned int number, unsigned long argument)
{
	struct client *client = file->private_data;
	void __user *user = (void __user *)argument;
	int ret;

	mutex_lock(&client->edu->lock);
	if (!client->edu->pdev)
		ret = -ENODEV;
	else if (number == EDU_DMA_IOCTL_IMPORT)
		ret = ioctl_import(client, user);
	else if (number == EDU_DMA_IOCTL_COPY)
		ret = ioctl_copy(client, user);
	else
		ret = -ENOTTY;
	mutex_unlock(&client->edu->lock);
	return ret;
}

static void edu_free(struct kref *ref)
{
	kfree(container_of(ref, struct edu, ref));
}

/* The core holds off misc_deregister() meanwhile, so the device is there. */
static int node_open(struct inode *inode, struct file *file)
{
	struct edu *edu = container_of(file->private_data, struct edu, node);
	struct client *client;

	client = kzalloc(sizeof(*client), GFP_KERNEL);
	if (!client)
		return -ENOMEM;
	client->edu = edu;
	kref_get(&edu->ref);
	mutex_lock(&edu->lock);
	list_add(&client->link, &edu->clients);
	mutex_unlock(&edu->lock);
	file->private_data = client;
	return nonseekable_open(inode, file);
}

static int node_release(struct inode *inode, struct file *file)
{
	struct client *client = file->private_data;
	struct edu *edu = client->edu;

	mutex_lock(&edu->lock);
	list_del(&client->link);
	import_close(&client->held);
	mutex_unlock(&edu->lock);
	kref_put(&edu->ref, edu_free);
	kfree(client);
	return 0;
}

static const struct file_operations node_fops = {
	.owner = THIS_MODULE,
	.open = node_open,
	.release = node_release,
	.unlocked_ioctl = node_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static int device_setup(struct edu *edu, struct pci_dev *pdev)
{
	int ret;

	ret = pcim_enable_device(pdev);
	if (ret)
		return ret;
	ret = pci_request_region(pdev, 0, KBUILD_MODNAME);
	if (ret)
		return ret;
	edu->registers = pcim_iomap(pdev, 0, 0);
	if (!edu->registers)
		return -ENOMEM;
	if (!dma_bits || dma_bits > 64)
		return -EINVAL;
	ret = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(dma_bits));
	if (ret)
		return ret;
	dma_set_max_seg_size(&pdev->dev, max_segment);
	pci_set_master(pdev);
	return 0;
}

/* The node has one name: there is one device. */
static unsigned long bound;

static int edu_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct edu *edu;
	int ret;

	if (test_and_set_bit(0, &bound))
		return -EBUSY;
	ret = -ENOMEM;
	edu = kzalloc(sizeof(*edu), GFP_KERNEL);
	if (!edu)
		goto unbind;
	kref_init(&edu->ref);
	mutex_init(&edu->lock);
	INIT_LIST_HEAD(&edu->clients);
	edu->pdev = pdev;
	edu->node.minor = MISC_DYNAMIC_MINOR;
	edu->node.name = "edu_dma";
	edu->node.fops = &node_fops;
	edu->node.mode = 0600;
	edu->node.parent = &pdev->dev;
	ret = device_setup(edu, pdev);
	if (ret)
		goto free;
	pci_set_drvdata(pdev, edu);
	ret = misc_register(&edu->node);
	if (ret)
		goto clear_master;
	return 0;

clear_master:
	pci_clear_master(pdev);
free:
	kfree(edu);
unbind:
	clear_bit(0, &bound);
	return ret;
}

static void edu_remove(struct pci_dev *pdev)
{
	struct edu *edu = pci_get_drvdata(pdev);
	struct client *client;

	misc_deregister(&edu->node);
	mutex_lock(&edu->lock);
	list_for_each_entry(client, &edu->clients, link)
		import_close(&client->held);
	edu->pdev = NULL;
	mutex_unlock(&edu->lock);
	pci_clear_master(pdev);
	kref_put(&edu->ref, edu_free);
	clear_bit(0, &bound);
}

static const struct pci_device_id edu_ids[] = {
	{ PCI_DEVICE(0x1234, 0x11e8) },
	{ }
};
MODULE_DEVICE_TABLE(pci, edu_ids);

static struct pci_driver edu_driver = {
	.name = KBUILD_MODNAME,
	.id_table = edu_ids,
	.probe = edu_probe,
	.remove = edu_remove,
};
module_pci_driver(edu_driver);

MODULE_DESCRIPTION("The emulator's teaching device as an importer of dma-bufs");
MODULE_AUTHOR("The dmabufd authors");
MODULE_LICENSE("GPL");
EDU_IMPORT_DMA_BUF;
