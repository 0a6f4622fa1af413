/* SPDX-License-Identifier: MIT */
/*
 * How much memory each pool keeps ready.
 */
#include "stock.h"

#include <errno.h>
#include <string.h>

#include "claims.h"
#include "log.h"
#include "manager.h"

static int set(const struct manager *m, unsigned int index, const struct pool *pool)
{
	uint64_t limit = pool_get_stock(m->settings, pool);
	int r = module_set_stock(m->module, index, limit);

	/* Nobody asked for it: what an older module cannot do is not missed. */
	return limit ? r : 0;
}

void stock_apply(const struct manager *m)
{
	const struct pool *pools;
	unsigned int n;

	if (!m->module)
		return;
	pools = module_get_pools(m->module, &n);
	for (unsigned int i = 0; i < n; i++) {
		int r = set(m, i, &pools[i]);

		if (r < 0)
			log_warning("pool %s keeps no memory ready: %s", pools[i].name,
				    r == -ENOTTY ? "the kernel module is older than 1.2"
						 : strerror(-r));
	}
}
