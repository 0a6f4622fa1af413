/* SPDX-License-Identifier: MIT */
/*
 * New settings for a running daemon: all of them or none. The limits are looked up with each
 * request, so nothing needs to be told but requests that wait, which are tried anew; what is charged
 * already is not looked at.
 */
#include "reload.h"

#include <inttypes.h>
#include <signal.h>
#include <systemd/sd-daemon.h>

#include "log.h"
#include "manager.h"
#include "notify.h"
#include "stock.h"
#include "waiting.h"
#include "watch.h"

static void reload(struct manager *m)
{
	char reason[CONFIG_REASON_SIZE];
	struct settings *settings;
	struct log_record record;

	if (config_load(m->places, m->n_places, &settings, reason) < 0) {
		log_begin(&record, SD_ERR, MESSAGE_CONFIG_REFUSED);
		log_end(&record, "MESSAGE=%s: the configuration that was in force stays", reason);
		return;
	}
	notify_of_settings(m, settings);
	settings_free(m->settings);
	m->settings = settings;
	notices_clear(&m->notices);
	log_begin(&record, SD_INFO, MESSAGE_CONFIG_LOADED);
	log_end(&record, "MESSAGE=configuration reloaded");
	m->counters.reloads++;
	watch_tell_reloaded(m);
	manager_review_settings(m);
	stock_apply(m);
	waiting_retry_all(m);
}

static int on_hangup(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	struct manager *m = userdata;

	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, manager_get_time(m));
	reload(m);
	sd_notify(0, "READY=1");
	return 0;
}

int reload_on_signal(struct manager *m)
{
	return sd_event_add_signal(m->event, NULL, SIGHUP, on_hangup, m);
}
