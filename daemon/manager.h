/* SPDX-License-Identifier: MIT */
/*
 * The daemon as one object: the event loop and everything that hangs off it. Knows in which order
 * things start, and how an event of the kernel becomes a charge given back.
 */
#ifndef MANAGER_H
#define MANAGER_H

#include <libudev.h>
#include <stdbool.h>
#include <sys/queue.h>
#include <systemd/sd-event.h>

#include "config-load.h"
#include "counters.h"
#include "device-cache.h"
#include "ledger.h"
#include "listener.h"
#include "module.h"
#include "notice.h"
#include "passed.h"
#include "queue.h"
#include "quota.h"
#include "rate.h"
#include "user.h"

LIST_HEAD(clients, client);
LIST_HEAD(watchers, client);

struct manager {
	const struct config_place *places; /* of the files that a reload reads */
	size_t n_places;
	struct settings *settings; /* in force */
	sd_event *event;
	struct udev *udev;
	struct device_cache *devices;
	struct module *module; /* NULL while there is none; module_error tells why */
	int module_error;
	sd_event_source *module_source; /* its release events */
	sd_event_source *node_source;   /* the node appears, changes or goes */
	bool node_is_gone;              /* while the module is in use */
	sd_event_source *watchdog;
	struct passed passed; /* what of it was not taken yet */
	struct quota *quota;
	struct ledger *ledger;
	struct queue *queue;         /* of requests that wait */
	sd_event_source *wait_timer; /* NULL while there is nothing to wait for */
	sd_event_source *wait_round; /* off while nobody is to be tried */
	struct clients clients;      /* owns them; the last that came is the first */
	struct users users;          /* that these are of */
	int64_t turns; /* given out: each is the priority of who was served last then */
	struct watchers watchers;
	struct watchers notified; /* programs that are told what concerns them */
	uint64_t asked_back_until
		[POOLS_MAX]; /* memory of this pool is not asked back again before */
	uint64_t last_client;
	uint64_t started; /* CLOCK_MONOTONIC, microseconds */
	struct counters counters;
	struct listener listener;
	struct notices notices; /* told since the last reload */
	struct rate rate;       /* of refusals that are told */
};

/* Takes possession of the settings, also on failure. -ENOMEM; errors of sd-event. */
int manager_new(struct settings *settings, struct manager **ret);

/* NULL is ignored. Returns NULL. */
struct manager *manager_free(struct manager *manager);

/*
 * Find the kernel module, learn from it what is alive, and only then listen. Logs why it failed.
 * Succeeds without a module, which may come later.
 */
int manager_start(struct manager *manager);

/* Handle the release events that are there now, rather than when the loop comes to it. */
int manager_read_events(struct manager *manager);

/* Of the event loop's turn: CLOCK_MONOTONIC, microseconds. */
uint64_t manager_get_time(const struct manager *manager);

/* One line for a person: why there is no module and what to do. */
const char *manager_get_module_text(const struct manager *manager);

/* Tell which settings come to nothing with the pools of the module, if there is one. */
void manager_review_settings(const struct manager *manager);

/* Tell once what of a device's facts is not the kernel's word. */
void manager_log_overrides(struct manager *manager, const struct device *device,
			   const struct facts *facts);

#endif
