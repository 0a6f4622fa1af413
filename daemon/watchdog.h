/* SPDX-License-Identifier: MIT */
/*
 * Signs of life for the service manager. Knows the event loop only.
 */
#ifndef WATCHDOG_H
#define WATCHDOG_H

#include <systemd/sd-event.h>

/*
 * Feed the watchdog from now on, if the service manager set one: then *ret is its source, which the
 * caller releases; otherwise NULL. Errors of sd-event.
 */
int watchdog_start(sd_event *event, sd_event_source **ret);

#endif
