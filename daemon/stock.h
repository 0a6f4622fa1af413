/* SPDX-License-Identifier: MIT */
/*
 * How much memory each pool keeps ready: what the configuration says, told to the kernel module. The
 * memory is the module's; the daemon counts none of it.
 */
#ifndef STOCK_H
#define STOCK_H

struct manager;

/* With each module and each configuration. Failure is logged: requests are served without it. */
void stock_apply(const struct manager *m);

#endif
