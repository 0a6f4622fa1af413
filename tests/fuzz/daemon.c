/* SPDX-License-Identifier: MIT */
/*
 * As manager_start() does it, without signals, inotify and the passed socket, which are the
 * process's and not an input's.
 */
#include "daemon.h"

#include <assert.h>
#include <stddef.h>

#include "rebuild.h"

static const struct {
	enum key_id key;
	const char *value;
} limits[] = {
	{DAEMON_USER_BYTES_MAX, "6M"},
	{DAEMON_USER_BUFFERS_MAX, "20"},
	{DAEMON_DEVICE_BYTES_MAX, "12M"},
};

static struct settings *make_settings(void)
{
	struct settings *settings = NULL;
	int r = settings_new(&settings);

	for (size_t i = 0; r >= 0 && i < sizeof(limits) / sizeof(limits[0]); i++)
		r = settings_assign(settings, settings->daemon, limits[i].key, limits[i].value);
	assert(r >= 0);
	return settings;
}

int daemon_start(struct manager **ret)
{
	struct module *module = NULL;
	int r = manager_new(make_settings(), ret);

	assert(r >= 0);
	r = module_open(&module);
	if (r >= 0)
		r = rebuild(module, (*ret)->ledger, (*ret)->quota);
	(*ret)->module = module;
	return r;
}

void daemon_run(struct manager *manager)
{
	int r;

	do
		r = sd_event_run(manager->event, 0);
	while (r > 0);
	assert(r == 0);
}

void daemon_check_books(const struct manager *manager)
{
	uint64_t bytes = 0, count = 0, last = 0;

	for (const struct buffer *b = ledger_next(manager->ledger, 0); b;
	     b = ledger_next(manager->ledger, b->id)) {
		assert(b->id > last);
		last = b->id;
		bytes += b->size;
		count++;
	}
	assert(bytes == ledger_get_bytes(manager->ledger));
	assert(count == ledger_get_count(manager->ledger));
}
