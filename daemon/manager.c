/* SPDX-License-Identifier: MIT */
/*
 * The daemon as one object: what starts when, and the way up: a release event removes the buffer
 * from the ledger, which gives its charge back. Knows no frame.
 */
#include "manager.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "attach.h"
#include "cleanup.h"
#include "client.h"
#include "clock.h"
#include "log.h"
#include "reload.h"
#include "review.h"
#include "waiting.h"
#include "watch.h"
#include "watchdog.h"

static void manager_freep(struct manager **manager)
{
	manager_free(*manager);
}

int manager_new(struct settings *settings, struct manager **ret)
{
	_cleanup_(manager_freep) struct manager *m = calloc(1, sizeof(*m));
	int r;

	if (!m) {
		settings_free(settings);
		return -ENOMEM;
	}
	m->settings = settings;
	m->module_error = -ENOENT;
	m->passed = (struct passed){.socket = -EBADF, .node = -EBADF};
	LIST_INIT(&m->clients);
	LIST_INIT(&m->users);
	LIST_INIT(&m->watchers);
	LIST_INIT(&m->notified);
	m->started = clock_now(CLOCK_MONOTONIC);
	listener_init(&m->listener);
	m->udev = udev_new();
	if (!m->udev)
		return -ENOMEM;
	r = device_cache_new(m->udev, &m->devices);
	if (r >= 0)
		r = quota_new(&m->quota);
	if (r >= 0)
		r = ledger_new(&m->ledger);
	if (r >= 0)
		r = queue_new(&m->queue);
	if (r >= 0)
		r = sd_event_new(&m->event);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(m);
	return 0;
}

struct manager *manager_free(struct manager *m)
{
	if (!m)
		return NULL;
	while (!LIST_EMPTY(&m->clients))
		client_free(LIST_FIRST(&m->clients));
	listener_close(&m->listener);
	passed_close(&m->passed);
	sd_event_source_disable_unref(m->watchdog);
	sd_event_source_disable_unref(m->node_source);
	sd_event_source_disable_unref(m->module_source);
	sd_event_source_disable_unref(m->wait_timer);
	sd_event_source_disable_unref(m->wait_round);
	module_close(m->module);
	/* Buffers outlive the daemon; its books of them do not. */
	ledger_free(m->ledger);
	queue_free(m->queue);
	quota_free(m->quota);
	sd_event_unref(m->event);
	device_cache_free(m->devices);
	udev_unref(m->udev);
	settings_free(m->settings);
	notices_clear(&m->notices);
	free(m);
	return NULL;
}

/* The way up ends here. A buffer that was never in the ledger is no news. */
static void on_release(uint64_t id, void *userdata)
{
	struct manager *m = userdata;
	const struct buffer *buffer = ledger_get(m->ledger, id);

	if (!buffer)
		return;
	if (!buffer->withdrawn) {
		queue_touch(m->queue, &buffer->charge);
		queue_touch(m->queue, &buffer->pool_charge);
	}
	watch_tell_buffer(m, DMABUFD_EVENT_RELEASED, buffer);
	ledger_remove(m->ledger, id);
}

int manager_read_events(struct manager *m)
{
	int r = module_read_events(m->module, on_release, m);

	waiting_arrange(m);
	return r;
}

uint64_t manager_get_time(const struct manager *m)
{
	uint64_t now = 0;

	sd_event_now(m->event, CLOCK_MONOTONIC, &now);
	return now;
}

static void tell(const char *text)
{
	log_warning("%s", text);
}

void manager_review_settings(const struct manager *m)
{
	unsigned int n_pools;
	const struct pool *pools;

	if (!m->module)
		return;
	pools = module_get_pools(m->module, &n_pools);
	review(m->settings, pools, n_pools, tell);
}

const char *manager_get_module_text(const struct manager *m)
{
	switch (m->module_error) {
	case -EACCES:
		return "dmabufd may not open /dev/dmabuf_pool: install its udev rule, "
		       "70-dmabufd.rules";
	case -EPERM:
		return "dmabufd may not open /dev/dmabuf_pool: list it in DeviceAllow= of "
		       "dmabufd.service";
	case -ENOTTY:
		return "/dev/dmabuf_pool is not the kernel module's node: remove it, and load "
		       "dmabuf_pool again";
	case -EPROTONOSUPPORT:
		return "the kernel module dmabuf_pool is of another version: install the one that "
		       "belongs to this dmabufd";
	default:
		return "the kernel module dmabuf_pool is not loaded: run modprobe dmabuf_pool, or "
		       "install it (DKMS)";
	}
}

/* In another user namespace the kernel would name strangers as peers, and they would be charged. */
static int check_user_namespace(void)
{
	FILE *file = fopen("/proc/self/uid_map", "re");
	unsigned int inside = 0, outside = 0, length = 0;
	int n;

	if (!file)
		return -errno;
	n = fscanf(file, "%u %u %u", &inside, &outside, &length);
	fclose(file);
	return n == 3 && inside == 0 && outside == 0 && length == UINT32_MAX ? 0 : -EUCLEAN;
}

static int manager_handle_signals(struct manager *m)
{
	sigset_t mask;
	int r;

	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGHUP); /* waits until there is something to reload */
	if (sigprocmask(SIG_BLOCK, &mask, NULL) < 0)
		return -errno;
	/* Without a handler, sd-event leaves the loop. */
	r = sd_event_add_signal(m->event, NULL, SIGTERM, NULL, NULL);
	if (r >= 0)
		r = sd_event_add_signal(m->event, NULL, SIGINT, NULL, NULL);
	return r;
}

static int manager_listen(struct manager *m)
{
	int r = listener_open(&m->listener, TAKE_FD(m->passed.socket), m);

	if (r < 0)
		log_error("cannot listen: %s: start by dmabufd.socket, or by "
			  "systemd-socket-activate --seqpacket",
			  strerror(-r));
	return r;
}

int manager_start(struct manager *m)
{
	int r = check_user_namespace();

	if (r < 0) {
		log_error("this is not the user namespace of the host: run without PrivateUsers=");
		return r;
	}
	r = manager_handle_signals(m);
	if (r >= 0)
		r = attach_watch(m);
	if (r < 0) {
		log_error("cannot set up the event loop: %s", strerror(-r));
		return r;
	}
	/* Without a socket this fails below, where it is told. */
	passed_take(&m->passed);
	r = attach_first(m);
	if (r >= 0)
		r = manager_listen(m);
	if (r >= 0)
		r = reload_on_signal(m);
	return r < 0 ? r : watchdog_start(m->event, &m->watchdog);
}

void manager_log_overrides(struct manager *m, const struct device *device,
			   const struct facts *facts)
{
	char text[384], what[192];
	unsigned int n_pools;
	const struct pool *pools = module_get_pools(m->module, &n_pools);

	if (device->bad) {
		snprintf(text, sizeof(text), "udev property %s of %s makes no sense: ignored",
			 device->bad, device->node);
		if (notices_add(&m->notices, text))
			log_warning("%s", text);
	}
	if (!override_say(facts, pools, n_pools, what, sizeof(what)))
		return;
	snprintf(text, sizeof(text), "%s is overridden: %s%s", facts->key, what,
		 facts->missing[0] ? "; there is no such pool" : "");
	if (notices_add(&m->notices, text))
		log_line(SD_NOTICE, "%s", text);
}
