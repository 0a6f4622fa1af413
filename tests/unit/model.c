/* SPDX-License-Identifier: MIT */
/*
 * The model: slow and simple on purpose. Each rule is an inequality of sums; where quota.c divides
 * for a fair share, this multiplies.
 */
#include "model.h"

struct pool_rule {
	uint64_t max, user_max, capacity;
	uint64_t reserved; /* for device 0 */
	bool fair;
};

struct rules {
	uint64_t user_bytes, user_buffers, device_bytes, device_buffers;
	uint64_t last_device_bytes, last_user_bytes;
	struct pool_rule pools[MODEL_POOLS];
};

const char *const model_configurations[MODEL_CONFIGURATIONS] = {
	"[Daemon]\nUserBytesMax=5000\nUserBuffersMax=22\n"
	"DeviceBytesMax=24000\nDeviceBuffersMax=100\n"
	"[Device *:d]\nBytesMax=6000\n"
	"[User 4]\nBytesMax=3000\n"
	"[Device a:a]\nReserve=p0 20%\nReserve=p2 900\n"
	"[Pool p0]\nBytesMax=75%\nUserBytesMax=infinity\n"
	"[Pool p1]\nUserBytesMax=1200\n",

	"[Daemon]\nUserBytesMax=3500\nUserBuffersMax=16\n"
	"DeviceBytesMax=9000\nDeviceBuffersMax=40\n"
	"[Device *:d]\nBytesMax=4000\n"
	"[User 4]\nBytesMax=6000\n"
	"[Device a:a]\nReserve=p1 50%\n"
	"[Pool p0]\nBytesMax=3000\n"
	"[Pool p1]\nUserBytesMax=infinity\n"
	"[Pool p2]\nUserBytesMax=25%\n",
};

static const struct rules configurations[MODEL_CONFIGURATIONS] = {
	{5000,
	 22,
	 24000,
	 100,
	 6000,
	 3000,
	 {
		 {4500, INFINITE, 4500, 1200, false},
		 {INFINITE, 1200, 6000, 0, false},
		 {INFINITE, INFINITE, 6000, 900, true},
	 }},
	{3500,
	 16,
	 9000,
	 40,
	 4000,
	 6000,
	 {
		 {3000, INFINITE, 3000, 0, true},
		 {INFINITE, INFINITE, 6000, 3000, false},
		 {INFINITE, 1500, 6000, 0, false},
	 }},
};

const char *const model_devices[MODEL_DEVICES] = {"a:a", "a:b", "a:c", "a:d"};
const struct pool model_pools[MODEL_POOLS] = {
	{.name = "p0", .size = 6000}, {.name = "p1", .size = 6000}, {.name = "p2", .size = 6000}};

static bool row_is(const struct row *row, int uid, int device, int pool)
{
	return row->id && (uid == ANY || row->uid == uid) && (pool == ANY || row->pool == pool) &&
	       (device == ANY || row->devices & 1u << device);
}

uint64_t model_sum(const struct model *model, int uid, int device, int pool)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < MODEL_ROWS; i++)
		if (row_is(&model->rows[i], uid, device, pool))
			sum += model->rows[i].size;
	return sum;
}

uint64_t model_count(const struct model *model, int uid, int device, int pool)
{
	uint64_t n = 0;

	for (unsigned int i = 0; i < MODEL_ROWS; i++)
		n += row_is(&model->rows[i], uid, device, pool);
	return n;
}

uint64_t model_next(const struct model *model, uint64_t after)
{
	uint64_t best = 0;

	for (unsigned int i = 0; i < MODEL_ROWS; i++)
		if (model->rows[i].id > after && (!best || model->rows[i].id < best))
			best = model->rows[i].id;
	return best;
}

/* The users that hold something there, and uid, plus one. */
static uint64_t count_sharers(const struct model *model, int uid, int device, int pool)
{
	uint64_t n = 1;

	for (int u = 0; u < MODEL_USERS; u++)
		n += u == uid || model_count(model, u, device, pool);
	return n;
}

static bool user_allows(const struct model *model, const struct rules *rules, int uid,
			uint64_t size)
{
	return model_sum(model, uid, ANY, ANY) + size <=
		       (uid == 4 ? rules->last_user_bytes : rules->user_bytes) &&
	       model_count(model, uid, ANY, ANY) + 1 <= rules->user_buffers;
}

static bool device_allows(const struct model *model, const struct rules *rules, int uid, int device,
			  uint64_t size)
{
	uint64_t max = device == 3 ? rules->last_device_bytes : rules->device_bytes;
	uint64_t bytes = model_sum(model, ANY, device, ANY);
	uint64_t count = model_count(model, ANY, device, ANY);
	uint64_t own = model_sum(model, uid, device, ANY);
	uint64_t own_count = model_count(model, uid, device, ANY);
	uint64_t n = count_sharers(model, uid, device, ANY);

	return bytes + size <= max && count + 1 <= rules->device_buffers &&
	       n * (own + size) <= max - (bytes - own) &&
	       (!own_count || n * (own_count + 1) <= rules->device_buffers - (count - own_count));
}

static bool pool_allows(const struct model *model, const struct pool_rule *rule, int uid,
			unsigned int devices, int pool, uint64_t size)
{
	uint64_t bytes = model_sum(model, ANY, ANY, pool), own = model_sum(model, uid, ANY, pool);
	uint64_t used = model_sum(model, ANY, 0, pool);
	uint64_t unused = used < rule->reserved ? rule->reserved - used : 0;
	uint64_t left = rule->capacity - (devices & 1 ? 0 : unused);

	if (bytes + size > rule->max || own + size > rule->user_max)
		return false;
	if (!(devices & 1) && unused && bytes + size > left)
		return false;
	if (!rule->fair || (devices & 1 && size <= unused))
		return true;
	return bytes - own <= left &&
	       count_sharers(model, uid, ANY, pool) * (own + size) <= left - (bytes - own);
}

bool model_allows(const struct model *model, int uid, unsigned int devices, int pool, uint64_t size)
{
	const struct rules *rules = &configurations[model->configuration];

	if (!user_allows(model, rules, uid, size))
		return false;
	for (int d = 0; d < MODEL_DEVICES; d++)
		if (devices & 1u << d && !device_allows(model, rules, uid, d, size))
			return false;
	return pool_allows(model, &rules->pools[pool], uid, devices, pool, size);
}

void model_restart(struct model *model)
{
	for (unsigned int i = 0; i < MODEL_ROWS; i++)
		if (model->rows[i].id && model->rows[i].spoiled) {
			model->rows[i].uid = UNKNOWN;
			model->rows[i].devices = 0;
		}
}
