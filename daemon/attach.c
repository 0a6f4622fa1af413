/* SPDX-License-Identifier: MIT */
/*
 * The kernel module comes and goes. While the daemon has the node open the module stays, so all
 * that can go then is the node: that is told, and the daemon serves on with its descriptor.
 */
#include "attach.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/inotify.h>

#include "cleanup.h"
#include "clock.h"
#include "log.h"
#include "manager.h"
#include "rebuild.h"
#include "stock.h"
#include "waiting.h"
#include "watch.h"

#define NODE MODULE_NODE_FOLDER "/" MODULE_NODE_NAME
#define SETTLE_USEC (5 * UINT64_C(1000000))

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

static void module_closep(struct module **module)
{
	module_close(*module);
}

/*
 * The descriptor of the daemon before: no other process could come between, and what was released
 * meanwhile can be read from it. A fresh one is given to the service manager for the daemon after.
 */
static int open_module(struct manager *m, struct module **ret)
{
	int r;

	if (m->passed.node >= 0) {
		r = module_adopt(TAKE_FD(m->passed.node), ret);
		if (r >= 0)
			return 0;
		log_warning("the descriptor that was kept is not that of " NODE ": %s",
			    strerror(-r));
		passed_forget_node();
	}
	r = module_open(ret);
	if (r < 0)
		return r;
	r = passed_keep_node(module_get_fd(*ret));
	if (r < 0)
		log_warning("the service manager does not keep " NODE ": %s", strerror(-r));
	return 0;
}

static int take_over(struct manager *m, const struct module *module)
{
	int r = rebuild(module, m->ledger, m->quota);

	if (r >= 0)
		r = sd_event_add_io(m->event, &m->module_source, module_get_fd(module), EPOLLIN,
				    on_module, m);
	/* Releases first: the request behind them may need the room. */
	if (r >= 0)
		r = sd_event_source_set_priority(m->module_source, SD_EVENT_PRIORITY_IMPORTANT);
	return r;
}

static void log_ready(const struct manager *m, uint64_t usec)
{
	struct log_record record;

	log_begin(&record, SD_INFO, MESSAGE_MODULE_READY);
	log_field(&record, "DMABUFD_BUFFERS=%" PRIu64, ledger_get_count(m->ledger));
	log_field(&record, "DMABUFD_BYTES=%" PRIu64, ledger_get_bytes(m->ledger));
	log_field(&record, "DMABUFD_USEC=%" PRIu64, usec);
	log_end(&record,
		"MESSAGE=attached to " NODE ": %" PRIu64 " live buffers, %" PRIu64
		" bytes, rebuilt in %" PRIu64 " us",
		ledger_get_count(m->ledger), ledger_get_bytes(m->ledger), usec);
}

/* Everything or nothing: books that miss a buffer would let too much be allocated. */
static int attach(struct manager *m)
{
	_cleanup_(module_closep) struct module *module = NULL;
	int r = open_module(m, &module);
	uint64_t start = clock_now(CLOCK_MONOTONIC);

	if (r < 0)
		return r;
	r = take_over(m, module);
	if (r < 0) {
		log_error("cannot take over the live buffers: %s", strerror(-r));
		passed_forget_node();
		/* Half-filled books are of no use: leave, and start anew. */
		return -ENOTRECOVERABLE;
	}
	m->module = TAKE_PTR(module);
	log_ready(m, clock_now(CLOCK_MONOTONIC) - start);
	sd_notify(0, "STATUS=Ready.");
	manager_review_settings(m);
	stock_apply(m);
	watch_tell_pools(m);
	waiting_retry_all(m);
	return 0;
}

/* Attach, or note why not. Only what another start could repair is an error. */
static int try_attach(struct manager *m)
{
	int r;

	if (m->module)
		return 0;
	r = attach(m);
	switch (r) {
	case -ENOENT:
	case -ENXIO:
	case -ENODEV:
	case -ENOTTY:
	case -EACCES:
	case -EPERM:
	case -EPROTONOSUPPORT:
		m->module_error = r;
		return 0;
	case -EBUSY:
		log_error("another process listens to " NODE);
		return r;
	default:
		if (r < 0)
			log_error("cannot use " NODE ": %s", strerror(-r));
		return r;
	}
}

/* The node of a module that is in use: what happens to it matters to the next daemon only. */
static void on_node_of_module(struct manager *m)
{
	struct log_record record;
	bool there = module_is_at_node(m->module);

	if (there == !m->node_is_gone)
		return;
	m->node_is_gone = !there;
	log_begin(&record, there ? SD_INFO : SD_WARNING,
		  there ? MESSAGE_NODE_BACK : MESSAGE_NODE_GONE);
	if (there)
		log_end(&record, "MESSAGE=" NODE " leads to the kernel module again");
	else
		log_end(&record, "MESSAGE=" NODE " is gone or is something else now: dmabufd goes "
				 "on with the descriptor that it has");
}

static int on_node(sd_event_source *source, const struct inotify_event *event, void *userdata)
{
	struct manager *m = userdata;
	int r;

	if (!event->len || strcmp(event->name, MODULE_NODE_NAME))
		return 0;
	if (m->module) {
		on_node_of_module(m);
		return 0;
	}
	r = try_attach(m);
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

int attach_watch(struct manager *m)
{
	return sd_event_add_inotify(m->event, &m->node_source, MODULE_NODE_FOLDER,
				    IN_CREATE | IN_DELETE | IN_MOVE | IN_ATTRIB, on_node, m);
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

static void log_missing(const struct manager *m)
{
	struct log_record record;

	log_begin(&record, SD_WARNING, MESSAGE_MODULE_MISSING);
	log_field(&record, "ERRNO=%d", -m->module_error);
	log_end(&record, "MESSAGE=%s", manager_get_module_text(m));
	sd_notifyf(0, "STATUS=Waiting: %s.", manager_get_module_text(m));
}

/* A service started by the module's arrival comes before udev is done with the node. */
int attach_first(struct manager *m)
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
		r = try_attach(m);
		if (r < 0 || m->module || settled || now >= deadline)
			break;
		r = sd_event_run(m->event, deadline - now);
		if (r < 0)
			return r;
		if (sd_event_get_state(m->event) == SD_EVENT_FINISHED)
			return -ECANCELED;
	}
	if (r >= 0 && !m->module)
		log_missing(m);
	/* It may have gone while no daemon was there to be told. */
	if (r >= 0 && m->module)
		on_node_of_module(m);
	return r;
}
