/* SPDX-License-Identifier: MIT */
/*
 * Configuration files of any content: refused with a file, a line and a reason, or accepted; then
 * no line of it is too long and no value is beyond what its key accepts, the same text is accepted
 * again, and every question that a request asks of it has an answer.
 */
#include <assert.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "target.h"

#include "claims.h"
#include "cleanup.h"
#include "config-load.h"
#include "keys.h"
#include "override.h"
#include "review.h"
#include "values.h"

static const struct pool pools[] = {{.name = "camera", .kind = KIND_COHERENT, .size = 8 << 20},
				    {.name = "area", .kind = KIND_CMA, .size = 16 << 20},
				    {.name = "system", .kind = KIND_BUDDY}};
#define LINE_LENGTH_MAX 198
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

/* What the last word of each kind of value may be, in numbers of its own. */
static bool is_in_range(const struct key *key, const struct setting *setting)
{
	const uint64_t value = setting->value;

	if (setting->percent)
		return (key->parse == value_parse_share || key->parse == value_parse_reserve) &&
		       value <= 100;
	if (key->parse == value_parse_boolean)
		return value <= 1;
	if (key->parse == value_parse_bits)
		return value >= 12 && value <= 64;
	if (key->parse == value_parse_connections)
		return value >= 1 && value <= 65536;
	if (key->parse == value_parse_group)
		return value < UINT32_MAX;
	if (key->parse == value_parse_count)
		return value == INFINITE || value <= UINT32_MAX;
	return value == INFINITE || value <= INT64_MAX;
}

static void check_section(const struct section *section)
{
	const struct reserve *reserve;

	for (enum key_id key = 0; key < N_KEYS; key++) {
		if (!section->values[key].order)
			continue;
		assert(keys[key].section == section->kind);
		assert(is_in_range(&keys[key], &section->values[key]));
	}
	TAILQ_FOREACH(reserve, &section->reserves, link)
	assert(is_in_range(&keys[DEVICE_RESERVE], &reserve->setting));
}

static void check_values(const struct settings *settings)
{
	const struct section *section;

	check_section(settings->daemon);
	TAILQ_FOREACH(section, &settings->sections, link)
	check_section(section);
}

/* Behind a NUL inih sees nothing of a line. */
static void check_lines(const uint8_t *bytes, size_t size)
{
	size_t length = 0;

	if (memchr(bytes, 0, size))
		return;
	for (size_t i = 0; i < size; i++) {
		length = bytes[i] == '\n' ? 0 : length + 1;
		assert(length <= LINE_LENGTH_MAX);
	}
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
	check_lines(bytes, size);
	check_values(settings);
	ask(settings);
	return 0;
}
