/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DBP_IOCTL_H
#define DBP_IOCTL_H

struct file;

long dbp_ioctl(struct file *file, unsigned int command, unsigned long argument);
long dbp_ioctl_of_holder(struct file *file, unsigned int command, unsigned long argument);

#endif
