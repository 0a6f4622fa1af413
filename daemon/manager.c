/* SPDX-License-Identifier: MIT */
/*
 * The daemon as one object: what starts when, the kernel module coming late, and the way up: a
 * release event removes the buffer from the ledger, which gives its charge back. Knows no frame.
 */
#include "manager.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <systemd/sd-daemon.h>

#include "cleanup.h"
#include "client.h"
#include "log.h"
#include "rebuild.h"
#include "reload.h"
#include "review.h"

#define SETTLE_USEC (5 * UINT64_C(1000000))

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
	LIST_INIT(&m->clients);
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
	sd_event_source_disable_unref(m->node_source);
	sd_event_source_disable_unref(m->module_source);
	module_close(m->module);
	/* Buffers outlive the daemon; its books of them do not. */
	ledger_free(m->ledger);
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

	ledger_remove(m->ledger, id);
}

int manager_read_events(struct manager *m)
{
	return module_read_events(m->module, on_release, m);
}

static int on_module(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct manager *m = userdata;
	int r = manager_read_events(m);

	if (r < 0) {
		/* A new start learns the truth from the kernel's list. */
		log_error("cannot read release events: %s", strerror(-r));
		return sd_event_exit(m->event, r);
	}
	return 0;
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

static void module_closep(struct module **module)
{
	module_close(*module);
}

/* Everything or nothing: books that miss a buffer would let too much be allocated. */
static int manager_attach(struct manager *m)
{
	_cleanup_(module_closep) struct module *module = NULL;
	int r = module_open(&module);

	if (r < 0)
		return r;
	r = rebuild(module, m->ledger, m->quota);
	if (r >= 0)
		r = sd_event_add_io(m->event, &m->module_source, module_get_fd(module), EPOLLIN,
				    on_module, m);
	/* Releases first: the request behind them may need the room. */
	if (r >= 0)
		r = sd_event_source_set_priority(m->module_source, SD_EVENT_PRIORITY_IMPORTANT);
	if (r < 0) {
		log_error("cannot take over the live buffers: %s", strerror(-r));
		/* Half-filled books are of no use: leave, and start anew. */
		return -ENOTRECOVERABLE;
	}
	m->module = TAKE_PTR(module);
	log_info("attached to %s: %" PRIu64 " live buffers, %" PRIu64 " bytes",
		 MODULE_NODE_FOLDER "/" MODULE_NODE_NAME, ledger_get_count(m->ledger),
		 ledger_get_bytes(m->ledger));
	sd_notify(0, "STATUS=Ready.");
	manager_review_settings(m);
	return 0;
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
	case -EPROTONOSUPPORT:
		return "the kernel module dmabuf_pool is of another version: install the one that "
		       "belongs to this dmabufd";
	default:
		return "the kernel module dmabuf_pool is not loaded: run modprobe dmabuf_pool, or "
		       "install it (DKMS)";
	}
}

/* Attach, or note why not. Only what another start could repair is an error. */
static int manager_try_attach(struct manager *m)
{
	int r;

	if (m->module)
		return 0;
	r = manager_attach(m);
	switch (r) {
	case -ENOENT:
	case -ENXIO:
	case -ENODEV:
	case -EACCES:
	case -EPERM:
	case -EPROTONOSUPPORT:
		m->module_error = r;
		return 0;
	case -EBUSY:
		log_error("another process listens to /dev/dmabuf_pool");
		return r;
	default:
		if (r < 0)
			log_error("cannot use /dev/dmabuf_pool: %s", strerror(-r));
		return r;
	}
}

static int on_node(sd_event_source *source, const struct inotify_event *event, void *userdata)
{
	struct manager *m = userdata;
	int r;

	if (m->module || !event->len || strcmp(event->name, MODULE_NODE_NAME))
		return 0;
	r = manager_try_attach(m);
	/*
	 * The service manager turns DeviceAllow= into device numbers when it starts the service. A
	 * node that came later is let in by the next start.
	 */
	if (r >= 0 && !m->module && m->module_error == -EPERM) {
		log_info("%s came after the start: starting again to be let in", MODULE_NODE_NAME);
		r = -EPERM;
	}
	return r < 0 ? sd_event_exit(m->event, r) : 0;
}

/* True when there is no device, or udev has set the owner and mode of its node. */
static bool node_is_settled(struct udev *udev)
{
	struct udev_device *device;
	bool settled;

	device = udev_device_new_from_subsystem_sysname(udev, "misc", MODULE_NODE_NAME);
	settled = !device || udev_device_get_is_initialized(device) > 0;
	udev_device_unref(device);
	return settled;
}

/* A service started by the module's arrival comes before udev is done with the node. */
static int manager_attach_first(struct manager *m)
{
	uint64_t now, deadline = 0;
	bool settled;
	int r;

	for (;;) {
		r = sd_event_now(m->event, CLOCK_MONOTONIC, &now);
		if (r < 0)
			return r;
		if (!deadline)
			deadline = now + SETTLE_USEC;
		/* Asked first: what udev does after the answer wakes the loop below. */
		settled = node_is_settled(m->udev);
		r = manager_try_attach(m);
		if (r < 0 || m->module || settled || now >= deadline)
			break;
		r = sd_event_run(m->event, deadline - now);
		if (r < 0)
			return r;
		if (sd_event_get_state(m->event) == SD_EVENT_FINISHED)
			return -ECANCELED;
	}
	if (r >= 0 && !m->module) {
		log_warning("%s", manager_get_module_text(m));
		sd_notifyf(0, "STATUS=Waiting: %s.", manager_get_module_text(m));
	}
	return r;
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

int manager_start(struct manager *m)
{
	int r = check_user_namespace();

	if (r < 0) {
		log_error("this is not the user namespace of the host: run without PrivateUsers=");
		return r;
	}
	r = manager_handle_signals(m);
	if (r >= 0)
		r = sd_event_add_inotify(m->event, &m->node_source, MODULE_NODE_FOLDER,
					 IN_CREATE | IN_MOVED_TO | IN_ATTRIB, on_node, m);
	if (r < 0) {
		log_error("cannot set up the event loop: %s", strerror(-r));
		return r;
	}
	r = manager_attach_first(m);
	if (r < 0)
		return r;
	r = listener_open(&m->listener, m);
	if (r < 0) {
		log_error("cannot listen: %s: start by dmabufd.socket, or by "
			  "systemd-socket-activate --seqpacket",
			  strerror(-r));
		return r;
	}
	return reload_on_signal(m);
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
