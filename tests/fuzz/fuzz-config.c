/* SPDX-License-Identifier: MIT */
/*
 * Configuration files of any content: refused with a file, a line and a reason, or accepted; then
 * the same text is accepted again, and every question that a request asks of it has an answer.
 */
#include <assert.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "target.h"

#include "claims.h"
#include "cleanup.h"
#include "config-load.h"
#include "override.h"
#include "review.h"

static const struct pool pools[] = {{.name = "camera", .kind = KIND_COHERENT, .size = 8 << 20},
				    {.name = "area", .kind = KIND_CMA, .size = 16 << 20},
				    {.name = "system", .kind = KIND_BUDDY}};
#define N_POOLS (sizeof(pools) / sizeof(pools[0]))

static void ignore(const char *text)
{
}

static int load(char *path, struct settings **ret)
{
	const struct config_files files = {1, &path};
	char reason[CONFIG_REASON_SIZE] = "", start[64];
	int r = config_load_files(&files, ret, reason);

	snprintf(start, sizeof(start), "%s:", path);
	assert(r >= 0 || !strncmp(reason, start, strlen(start)));
	return r;
}

static void ask(const struct settings *settings)
{
	const struct peer peer = {.uid = 1000, .gid = 1000};
	const struct payer payer = {&peer, 2, {"platform:camera", "pci:x"}, {"/dev/video0", ""}};
	struct claim claims[CLAIMS_MAX];
	struct quota *quota = NULL;
	unsigned int n;
	int r = quota_new(&quota);

	assert(r >= 0);
	review(settings, pools, N_POOLS, ignore);
	override_from_settings(settings, payer.devices[0], payer.nodes[0]);
	n = limit_of_connections(settings, &peer).max >= 1;
	assert(n == 1);
	n = claims_of_payer(settings, &payer, claims);
	assert(n == 5);
	for (size_t i = 0; i < N_POOLS; i++) {
		n = claims_on_pool(settings, &payer, &pools[i], 4096, quota, claims);
		assert(n == 4);
		for (unsigned int j = 0; j < n; j++)
			assert(!claims[j].kept || !j);
	}
	quota_free(quota);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	_cleanup_close_ int fd = memfd_create("configuration", MFD_CLOEXEC);
	_cleanup_(settings_freep) struct settings *settings = NULL, *again = NULL;
	char path[64];
	int r;

	assert(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (load(path, &settings) < 0)
		return 0;
	r = load(path, &again);
	assert(r >= 0);
	ask(settings);
	return 0;
}
