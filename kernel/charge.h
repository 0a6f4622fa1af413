/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whose memory cgroup pays. The service allocates for others, and memory that the kernel can charge
 * is theirs. Knows no pool and no buffer.
 */
#ifndef DBP_CHARGE_H
#define DBP_CHARGE_H

#include <linux/types.h>

struct mem_cgroup;

struct mem_cgroup *dbp_charge_target(int socket_fd);
struct mem_cgroup *dbp_charge_root(struct mem_cgroup *memcg);
bool dbp_charge_is_refused(size_t size);

#endif
