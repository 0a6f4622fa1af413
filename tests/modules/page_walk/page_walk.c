// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tells tests which attributes a mapping really has. Knows nothing of pools and buffers.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pgtable.h>
#include <linux/uaccess.h>

#include "page_walk.h"

/* Returns the page frame that the entry names. */
static unsigned long walk(struct mm_struct *mm, struct page_walk *to)
{
	p4d_t *p4d = p4d_offset(pgd_offset(mm, to->address), to->address);
	pud_t *pud;
	pmd_t *pmd;
	pte_t *pte;

	if (p4d_none(*p4d))
		return 0;
	pud = pud_offset(p4d, to->address);
	if (pud_none(*pud))
		return 0;
	pmd = pmd_offset(pud, to->address);
	if (pmd_none(*pmd))
		return 0;
	if (pmd_leaf(*pmd)) {
		to->entry = pmd_val(*pmd);
		to->size = PMD_SIZE;
		return pmd_pfn(*pmd);
	}
	pte = pte_offset_kernel(pmd, to->address);
	to->entry = pte_val(*pte);
	to->size = PAGE_SIZE;
	return pte_pfn(*pte);
}

#ifdef CONFIG_X86
static void walk_alias(unsigned long pfn, struct page_walk *to)
{
	unsigned int level;
	pte_t *pte;

	if (!pfn || !pfn_valid(pfn))
		return;
	pte = lookup_address((unsigned long)pfn_to_kaddr(pfn), &level);
	if (!pte || pte_none(*pte))
		return;
	to->alias = pte_val(*pte);
	to->alias_size = page_level_size(level);
}
#else
static void walk_alias(unsigned long pfn, struct page_walk *to)
{
}
#endif

static long page_walk_ioctl(struct file *file, unsigned int number, unsigned long argument)
{
	void __user *user = (void __user *)argument;
	struct page_walk args;
	unsigned long pfn;

	if (number != PAGE_WALK_IOCTL)
		return -ENOTTY;
	if (copy_from_user(&args, user, sizeof(args)))
		return -EFAULT;
	args = (struct page_walk){ .address = args.address };
	if (args.address >= TASK_SIZE)
		return -EINVAL;
	mmap_read_lock(current->mm);
	pfn = walk(current->mm, &args);
	mmap_read_unlock(current->mm);
	walk_alias(pfn, &args);
	return copy_to_user(user, &args, sizeof(args)) ? -EFAULT : 0;
}

static const struct file_operations page_walk_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = page_walk_ioctl,
};

static struct miscdevice page_walk_node = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "page_walk",
	.fops = &page_walk_fops,
	.mode = 0600,
};
module_misc_device(page_walk_node);

MODULE_DESCRIPTION("Page-table entries for the tests of dmabuf_pool");
MODULE_AUTHOR("The dmabufd authors");
MODULE_LICENSE("GPL");
