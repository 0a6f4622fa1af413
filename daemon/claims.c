/* SPDX-License-Identifier: MIT */
/*
 * From settings to claims. Pure: knows neither sockets nor the kernel interface.
 */
#include "claims.h"

#include <string.h>

#include "keys.h"
#include "match.h"

static const struct limit no_limit = {.max = INFINITE};

static struct limit limit_from(const struct section *section, const struct setting *setting,
			       enum key_id key)
{
	return (struct limit){
		.max = setting->value, .section = section->name, .key = keys[key].name};
}

/* What was found, or else the key of [Daemon]. */
static struct limit limit_or_daemon(const struct found *found, enum key_id key,
				    const struct settings *settings, enum key_id fallback)
{
	if (found->section)
		return limit_from(found->section, found->setting, key);
	return limit_from(settings->daemon, settings_get(settings, fallback), fallback);
}

static struct limit limit_of_user(const struct settings *settings, const struct peer *peer,
				  enum key_id key, enum key_id fallback)
{
	const struct found found = match_user(settings, peer, key);

	return limit_or_daemon(&found, key, settings, fallback);
}

struct limit limit_of_connections(const struct settings *settings, const struct peer *peer)
{
	return limit_of_user(settings, peer, USER_CONNECTIONS_MAX, DAEMON_USER_CONNECTIONS_MAX);
}

struct limit limit_of_waiters(const struct settings *settings, const struct peer *peer)
{
	return limit_of_user(settings, peer, USER_WAITERS_MAX, DAEMON_USER_WAITERS_MAX);
}

struct limit limit_of_all_waiters(const struct settings *settings)
{
	return limit_from(settings->daemon, settings_get(settings, DAEMON_WAITERS_MAX),
			  DAEMON_WAITERS_MAX);
}

struct limit limit_of_device(const struct settings *settings, const char *device, const char *node)
{
	const struct found found = match_device(settings, device, node, DEVICE_BYTES_MAX);

	return limit_or_daemon(&found, DEVICE_BYTES_MAX, settings, DAEMON_DEVICE_BYTES_MAX);
}

/* Who says what a user may hold of a thing has decided; else FairShare= holds. */
static bool is_fair(const struct settings *settings, bool decided)
{
	return !decided && settings_get(settings, DAEMON_FAIR_SHARE)->value;
}

static void claim_for_device(const struct settings *settings, const char *device, const char *node,
			     struct claim *claim)
{
	const struct found buffers = match_device(settings, device, node, DEVICE_BUFFERS_MAX);

	claim->bytes = limit_of_device(settings, device, node);
	claim->buffers =
		limit_or_daemon(&buffers, DEVICE_BUFFERS_MAX, settings, DAEMON_DEVICE_BUFFERS_MAX);
	claim->capacity = claim->bytes.max;
}

static void claim_for_user_on_device(const struct settings *settings, const char *device,
				     const char *node, struct claim *claim)
{
	const struct found bytes = match_device(settings, device, node, DEVICE_USER_BYTES_MAX);

	claim->bytes = limit_or_daemon(&bytes, DEVICE_USER_BYTES_MAX, settings,
				       DAEMON_USER_DEVICE_BYTES_MAX);
	claim->bytes.fair = is_fair(
		settings,
		bytes.section || settings_get(settings, DAEMON_USER_DEVICE_BYTES_MAX)->order);
	claim->buffers =
		limit_from(settings->daemon, settings_get(settings, DAEMON_USER_DEVICE_BUFFERS_MAX),
			   DAEMON_USER_DEVICE_BUFFERS_MAX);
	claim->buffers.fair =
		is_fair(settings, settings_get(settings, DAEMON_USER_DEVICE_BUFFERS_MAX)->order);
}

/* A claim without limits. */
static struct claim *claim_add(struct claim claims[], unsigned int *n, struct account_id id)
{
	claims[*n] = (struct claim){
		.id = id, .bytes = no_limit, .buffers = no_limit, .capacity = INFINITE};
	return &claims[(*n)++];
}

static bool payer_has_named(const struct payer *payer, unsigned int before, const char *device)
{
	for (unsigned int i = 0; i < before; i++)
		if (!strcmp(payer->devices[i], device))
			return true;
	return false;
}

static void claim_device(const struct settings *settings, const struct payer *payer, unsigned int i,
			 struct claim claims[], unsigned int *n)
{
	const char *device = payer->devices[i], *node = payer->nodes[i];
	struct claim *claim;

	claim = claim_add(claims, n, (struct account_id){ACCOUNT_DEVICE, 0, device, ""});
	if (settings)
		claim_for_device(settings, device, node, claim);
	if (!payer->peer)
		return;
	claim = claim_add(claims, n,
			  (struct account_id){ACCOUNT_USER_DEVICE, payer->peer->uid, device, ""});
	if (settings)
		claim_for_user_on_device(settings, device, node, claim);
}

unsigned int claims_of_payer(const struct settings *settings, const struct payer *payer,
			     struct claim ret[static CLAIMS_MAX])
{
	struct account_id id = {.kind = payer->peer ? ACCOUNT_USER : ACCOUNT_UNKNOWN,
				.uid = payer->peer ? payer->peer->uid : 0,
				.device = "",
				.pool = ""};
	unsigned int n = 0;
	struct claim *claim = claim_add(ret, &n, id);

	if (settings && payer->peer) {
		claim->bytes =
			limit_of_user(settings, payer->peer, USER_BYTES_MAX, DAEMON_USER_BYTES_MAX);
		claim->buffers = limit_of_user(settings, payer->peer, USER_BUFFERS_MAX,
					       DAEMON_USER_BUFFERS_MAX);
	}
	for (unsigned int i = 0; i < payer->n_devices; i++)
		if (!payer_has_named(payer, i, payer->devices[i]))
			claim_device(settings, payer, i, ret, &n);
	return n;
}

static uint64_t percent_of(uint64_t percent, uint64_t whole)
{
	return whole / 100 * percent + whole % 100 * percent / 100;
}

uint64_t pool_get_whole(const struct settings *settings, const struct pool *pool)
{
	const struct found max = match_pool(settings, pool->name, POOL_BYTES_MAX);

	if (pool->size)
		return pool->size;
	return max.section && !max.setting->percent ? max.setting->value : INFINITE;
}

/* INFINITE: per cent of something that is not known. */
static uint64_t resolve(const struct setting *setting, uint64_t whole)
{
	if (!setting->percent)
		return setting->value;
	return whole == INFINITE ? INFINITE : percent_of(setting->value, whole);
}

static struct limit limit_of_pool(const struct settings *settings, const struct pool *pool,
				  enum key_id key)
{
	const struct found found = match_pool(settings, pool->name, key);
	struct limit limit = no_limit;

	if (!found.section)
		return limit;
	limit = limit_from(found.section, found.setting, key);
	limit.max = resolve(found.setting, pool_get_whole(settings, pool));
	return limit;
}

uint64_t pool_get_capacity(const struct settings *settings, const struct pool *pool)
{
	uint64_t max = limit_of_pool(settings, pool, POOL_BYTES_MAX).max;

	return pool->size && pool->size < max ? pool->size : max;
}

uint64_t pool_get_stock(const struct settings *settings, const struct pool *pool)
{
	const struct found found = match_pool(settings, pool->name, POOL_STOCK);
	uint64_t whole = pool_get_whole(settings, pool);

	if (!found.section || pool->kind == KIND_BUDDY)
		return 0;
	if (found.setting->percent && whole == INFINITE)
		return 0;
	return resolve(found.setting, whole);
}

uint64_t reserve_get_bytes(const struct settings *settings, const struct reserve *reserve,
			   const struct pool *pool)
{
	uint64_t bytes = resolve(&reserve->setting, pool_get_whole(settings, pool));

	return bytes == INFINITE ? 0 : bytes;
}

/* What of a reservation its device does not use yet. */
static uint64_t reserve_get_unused(const struct settings *settings, const struct section *section,
				   const struct pool *pool, const struct quota *quota)
{
	const struct account_id id = {ACCOUNT_DEVICE_POOL, 0, section->match, pool->name};
	const struct reserve *reserve;
	uint64_t size = 0, used = quota_get_bytes(quota, &id);

	TAILQ_FOREACH(reserve, &section->reserves, link)
	if (!strcmp(reserve->setting.text, pool->name))
		size = reserve_get_bytes(settings, reserve, pool);
	return size > used ? size - used : 0;
}

/* Returns what is kept for devices that are not the payer's; *ret_own is the most for one of its. */
static uint64_t sum_reserves(const struct settings *settings, const struct payer *payer,
			     const struct pool *pool, const struct quota *quota, uint64_t *ret_own)
{
	const struct section *section;
	uint64_t kept = 0;

	*ret_own = 0;
	TAILQ_FOREACH(section, &settings->sections, link)
	{
		uint64_t unused;

		if (TAILQ_EMPTY(&section->reserves))
			continue;
		unused = reserve_get_unused(settings, section, pool, quota);
		if (!payer_has_named(payer, payer->n_devices, section->match))
			kept = kept + unused < kept ? INFINITE : kept + unused;
		else if (unused > *ret_own)
			*ret_own = unused;
	}
	return kept;
}

unsigned int claims_on_pool(const struct settings *settings, const struct payer *payer,
			    const struct pool *pool, uint64_t bytes, const struct quota *quota,
			    struct claim ret[static CLAIMS_MAX])
{
	uint64_t own = 0;
	unsigned int n = 0;
	struct claim *claim;

	claim = claim_add(ret, &n, (struct account_id){ACCOUNT_POOL, 0, "", pool->name});
	if (settings) {
		claim->bytes = limit_of_pool(settings, pool, POOL_BYTES_MAX);
		claim->capacity = pool_get_capacity(settings, pool);
		claim->kept = sum_reserves(settings, payer, pool, quota, &own);
	}
	if (payer->peer) {
		claim = claim_add(
			ret, &n,
			(struct account_id){ACCOUNT_USER_POOL, payer->peer->uid, "", pool->name});
		if (settings)
			claim->bytes = limit_of_pool(settings, pool, POOL_USER_BYTES_MAX);
		/* What is reserved for a device is not shared out: it is there to be used. */
		claim->bytes.fair = settings && bytes > own && is_fair(settings, claim->bytes.key);
	}
	for (unsigned int i = 0; i < payer->n_devices; i++)
		if (!payer_has_named(payer, i, payer->devices[i]))
			claim_add(ret, &n,
				  (struct account_id){ACCOUNT_DEVICE_POOL, 0, payer->devices[i],
						      pool->name});
	return n;
}
