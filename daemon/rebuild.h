/* SPDX-License-Identifier: MIT */
/*
 * The books of a daemon that starts anew: what the kernel lists as alive, with the tags on it.
 */
#ifndef REBUILD_H
#define REBUILD_H

#include "ledger.h"
#include "module.h"

/*
 * Enter each live buffer into the ledger and charge it, whatever the limits say. One whose tag
 * cannot be read is charged to the unknown account, which is logged. -ENOMEM, -EOVERFLOW, errors of
 * the kernel's LIST; the ledger may then be filled in part.
 */
int rebuild(const struct module *module, struct ledger *ledger, struct quota *quota);

#endif
