/* SPDX-License-Identifier: MIT */
/*
 * A kernel that says anything: pools, answers to LIST, and what read() of the node returns are the
 * input's. The daemon believes the numbers, and must neither crash, spin nor lose count of what it
 * was told.
 */
#include <assert.h>
#include <stdbool.h>

#include "target.h"

#include "../unit/count-fds.h"
#include "daemon.h"
#include "fake-kernel.h"
#include "input.h"
#include "review.h"

/* In front of each part of the input. */
enum part {
	POOL,
	LIST,
	READ,
	N_PARTS
};

static void ignore(const char *text)
{
}

/* Pools and lists are there before the daemon asks; what is read comes after. */
static void tell(struct input input, bool reads)
{
	while (input.size) {
		enum part part = input_take_u8(&input) % N_PARTS;
		unsigned int count = part == LIST ? input_take_u16(&input) : 0;
		size_t size = input_take_u16(&input);
		const uint8_t *bytes = input_take(&input, size % 24000, &size);

		if (part == POOL && !reads)
			fake_kernel_add_pool(bytes, size);
		else if (part == LIST && !reads)
			fake_kernel_add_list(count, bytes, size);
		else if (part == READ && reads)
			fake_kernel_add_read(bytes, size);
	}
}

static void check_pools(const struct manager *manager)
{
	unsigned int n;
	const struct pool *pools = module_get_pools(manager->module, &n);

	assert(n <= POOLS_MAX);
	for (unsigned int i = 0; i < n; i++)
		assert(strnlen(pools[i].name, POOL_NAME_SIZE) < POOL_NAME_SIZE);
	review(manager->settings, pools, n, ignore);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const struct input input = {bytes, size};
	struct manager *manager = NULL;
	int before = count_fds();

	fake_kernel_start();
	tell(input, false);
	if (daemon_start(&manager) >= 0) {
		uint64_t count = ledger_get_count(manager->ledger);

		check_pools(manager);
		tell(input, true);
		manager_read_events(manager);
		assert(ledger_get_count(manager->ledger) <= count);
	}
	daemon_check_books(manager);
	manager_free(manager);
	fake_kernel_stop();
	assert(count_fds() == before);
	return 0;
}
