/* SPDX-License-Identifier: MIT */
/*
 * The words for a refusal of the quota.
 */
#include "refusal.h"

#include <inttypes.h>
#include <stdio.h>

#include "text.h"

#define WHO_SIZE (DEVICE_KEY_SIZE + 64)

static void say_who(const struct account_id *id, char who[static WHO_SIZE])
{
	switch (id->kind) {
	case ACCOUNT_USER:
		snprintf(who, WHO_SIZE, "user %u holds", id->uid);
		break;
	case ACCOUNT_DEVICE:
		snprintf(who, WHO_SIZE, "%s has", id->device);
		break;
	case ACCOUNT_USER_DEVICE:
		snprintf(who, WHO_SIZE, "for %s user %u holds", id->device, id->uid);
		break;
	case ACCOUNT_USER_POOL:
		snprintf(who, WHO_SIZE, "in pool %s user %u holds", id->pool, id->uid);
		break;
	default:
		snprintf(who, WHO_SIZE, "pool %s has given", id->pool);
		break;
	}
}

static const char *amount_text(char text[static SIZE_TEXT], const struct refusal *refusal,
			       uint64_t amount)
{
	if (!refusal_is_of_buffers(refusal))
		return size_text(text, amount);
	snprintf(text, SIZE_TEXT, "%" PRIu64, amount);
	return text;
}

/* The key that would have to be another for this claim to pass. */
static void say_key(const struct refusal *refusal, char *text, size_t size)
{
	const struct claim *claim = &refusal->claim;
	const struct limit *limit = refusal->why == BEYOND_BYTES ? &claim->bytes : &claim->buffers;

	if (refusal->why == BEYOND_BYTES || refusal->why == BEYOND_BUFFERS)
		snprintf(text, size, "raise %s= in [%s]", limit->key, limit->section);
	else if (claim->id.kind == ACCOUNT_USER_DEVICE)
		snprintf(text, size, "see FairShare= and User%sMax=",
			 refusal->why == BEYOND_FAIR_BYTES ? "DeviceBytes" : "DeviceBuffers");
	else
		snprintf(text, size, "see FairShare= and UserBytesMax= in [Pool %s]",
			 claim->id.pool);
}

void refusal_say_fact(const struct refusal *refusal, char *text, size_t size)
{
	bool fair = refusal->why == BEYOND_FAIR_BYTES || refusal->why == BEYOND_FAIR_BUFFERS;
	char who[WHO_SIZE], used[SIZE_TEXT], limit[SIZE_TEXT];

	amount_text(limit, refusal, refusal->limit);
	if (refusal->why == BEYOND_KEPT) {
		snprintf(text, size, "%s of it are reserved for other devices", limit);
		return;
	}
	say_who(&refusal->claim.id, who);
	if (refusal->why == BEYOND_AWAITED) {
		snprintf(text, size, "%s %s, and %s more are kept for a request that waits", who,
			 amount_text(used, refusal, refusal->used), limit);
		return;
	}
	snprintf(text, size, "%s %s of %s%s%s", who, amount_text(used, refusal, refusal->used),
		 fair ? "a fair share of " : "", limit,
		 refusal_is_of_buffers(refusal) ? " buffers" : "");
}

void refusal_say_remedy(const struct refusal *refusal, char *text, size_t size)
{
	char key[WHO_SIZE + 64];

	if (refusal->why == BEYOND_KEPT) {
		snprintf(text, size, "see Reserve= in dmabufd.conf");
		return;
	}
	if (refusal->why == BEYOND_AWAITED) {
		snprintf(text, size, "wait as well");
		return;
	}
	say_key(refusal, key, sizeof(key));
	snprintf(text, size, "close buffers, or %s of dmabufd.conf", key);
}

void refusal_say(const struct refusal *refusal, char text[static REFUSAL_TEXT_SIZE])
{
	char fact[REFUSAL_TEXT_SIZE / 2], remedy[REFUSAL_TEXT_SIZE / 2 - 2];

	refusal_say_fact(refusal, fact, sizeof(fact));
	refusal_say_remedy(refusal, remedy, sizeof(remedy));
	snprintf(text, REFUSAL_TEXT_SIZE, "%s: %s", fact, remedy);
}
