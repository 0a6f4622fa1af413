/* SPDX-License-Identifier: MIT */
/*
 * Signs of life for the service manager: a timer that waits for its turn among the clients. A loop
 * that hangs in a request, or spins on what goes before clients, never comes to it.
 * sd_event_set_watchdog() would tell of a spinning loop that it is well.
 */
#include "watchdog.h"

#include <systemd/sd-daemon.h>

/* Half the time is left for one request that takes long; it may be this much of that half late. */
#define LATE(period) ((period) / 8)

static int on_turn(sd_event_source *source, uint64_t usec, void *userdata)
{
	uint64_t period;
	int r = sd_watchdog_enabled(0, &period);

	if (r <= 0)
		return r;
	sd_notify(0, "WATCHDOG=1");
	r = sd_event_source_set_time_relative(source, period / 2);
	return r < 0 ? r : sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

int watchdog_start(sd_event *event, sd_event_source **ret)
{
	uint64_t period;
	int r = sd_watchdog_enabled(0, &period);

	*ret = NULL;
	if (r <= 0)
		return r;
	r = sd_event_add_time_relative(event, ret, CLOCK_MONOTONIC, period / 2, LATE(period),
				       on_turn, NULL);
	return r < 0 ? r : sd_event_source_set_priority(*ret, SD_EVENT_PRIORITY_NORMAL);
}
