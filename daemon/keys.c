/* SPDX-License-Identifier: MIT */
/*
 * The table of sections and keys.
 */
#include "keys.h"

#include <string.h>

#include "values.h"

const char *const section_names[] = {
	[SECTION_DAEMON] = "Daemon",
	[SECTION_POOL] = "Pool",
	[SECTION_DEVICE] = "Device",
	[SECTION_USER] = "User",
};

#define BYTES                                                                                      \
	value_parse_bytes, "a number of bytes, with K, M, G or T behind it if wanted, or infinity"
#define SHARE                                                                                      \
	value_parse_share, "a number of bytes, with K, M, G or T behind it if wanted, per cent "   \
			   "like 50%, or infinity"
#define COUNT value_parse_count, "a number up to 4294967295, or infinity"
#define CONNECTIONS value_parse_connections, "a number from 1 to 65536"
#define BOOLEAN value_parse_boolean, "yes or no"
#define GROUP value_parse_group, "the name or number of a group that exists"
#define POOL value_parse_pool, "the name of a pool"
#define BITS value_parse_bits, "a number from 12 to 64"
#define RESERVE value_parse_reserve, "the name of a pool, and a number of bytes or per cent of it"

const struct key keys[N_KEYS] = {
	[DAEMON_USER_BYTES_MAX] = {SECTION_DAEMON, "UserBytesMax", BYTES, "512M"},
	[DAEMON_USER_BUFFERS_MAX] = {SECTION_DAEMON, "UserBuffersMax", COUNT, "8192"},
	[DAEMON_USER_CONNECTIONS_MAX] = {SECTION_DAEMON, "UserConnectionsMax", CONNECTIONS, "64"},
	[DAEMON_WAITERS_MAX] = {SECTION_DAEMON, "WaitersMax", COUNT, "256"},
	[DAEMON_USER_WAITERS_MAX] = {SECTION_DAEMON, "UserWaitersMax", COUNT, "16"},
	[DAEMON_DEVICE_BYTES_MAX] = {SECTION_DAEMON, "DeviceBytesMax", BYTES, "512M"},
	[DAEMON_DEVICE_BUFFERS_MAX] = {SECTION_DAEMON, "DeviceBuffersMax", COUNT, "16384"},
	[DAEMON_USER_DEVICE_BYTES_MAX] = {SECTION_DAEMON, "UserDeviceBytesMax", BYTES, "infinity"},
	[DAEMON_USER_DEVICE_BUFFERS_MAX] = {SECTION_DAEMON, "UserDeviceBuffersMax", COUNT,
					    "infinity"},
	[DAEMON_FAIR_SHARE] = {SECTION_DAEMON, "FairShare", BOOLEAN, "yes"},
	[DAEMON_ALLOCATE_GROUP] = {SECTION_DAEMON, "AllocateGroup", GROUP, ""},
	[DAEMON_ADDRESS_GROUP] = {SECTION_DAEMON, "AddressGroup", GROUP, ""},
	[POOL_BYTES_MAX] = {SECTION_POOL, "BytesMax", SHARE, ""},
	[POOL_USER_BYTES_MAX] = {SECTION_POOL, "UserBytesMax", SHARE, ""},
	[POOL_STOCK] = {SECTION_POOL, "Stock", SHARE, ""},
	[DEVICE_BYTES_MAX] = {SECTION_DEVICE, "BytesMax", BYTES, ""},
	[DEVICE_BUFFERS_MAX] = {SECTION_DEVICE, "BuffersMax", COUNT, ""},
	[DEVICE_USER_BYTES_MAX] = {SECTION_DEVICE, "UserBytesMax", BYTES, ""},
	[DEVICE_POOL] = {SECTION_DEVICE, "Pool", POOL, ""},
	[DEVICE_COHERENT] = {SECTION_DEVICE, "Coherent", BOOLEAN, ""},
	[DEVICE_IOMMU] = {SECTION_DEVICE, "IOMMU", BOOLEAN, ""},
	[DEVICE_ADDRESS_BITS] = {SECTION_DEVICE, "AddressBits", BITS, ""},
	[DEVICE_RESERVE] = {SECTION_DEVICE, "Reserve", RESERVE, ""},
	[USER_BYTES_MAX] = {SECTION_USER, "BytesMax", BYTES, ""},
	[USER_BUFFERS_MAX] = {SECTION_USER, "BuffersMax", COUNT, ""},
	[USER_CONNECTIONS_MAX] = {SECTION_USER, "ConnectionsMax", CONNECTIONS, ""},
	[USER_WAITERS_MAX] = {SECTION_USER, "WaitersMax", COUNT, ""},
};

enum key_id key_find(enum section_kind section, const char *name)
{
	enum key_id id = 0;

	while (id < N_KEYS && (keys[id].section != section || strcmp(keys[id].name, name) != 0))
		id++;
	return id;
}
