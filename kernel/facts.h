/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DBP_FACTS_H
#define DBP_FACTS_H

#include <uapi/dmabuf_pool.h>

/* Fills all but bus and name. Errors as struct dmabuf_pool_device tells them. */
int dbp_facts(struct dmabuf_pool_device *facts);

#endif
