/* SPDX-License-Identifier: MIT */
/*
 * dmabufd: hands out memory that devices can share. Start reading here, then manager.c.
 */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "cleanup.h"
#include "config.h"
#include "hangup.h"
#include "log.h"
#include "manager.h"

static const char usage[] = "dmabufd [--config FILE]\n"
			    "dmabufd --check [FILE…]\n"
			    "dmabufd --reload\n"
			    "Allocate memory for devices; started by dmabufd.socket.\n"
			    "  --config FILE  read FILE and FILE.d/*.conf, and nothing else\n"
			    "  --check        check the configuration, or just these files, and "
			    "leave\n"
			    "  --reload       have the daemon $MAINPID reload, and wait until it "
			    "has\n";

static const struct option options[] = {
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'v'},
	{"config", required_argument, NULL, 'c'},
	{"check", no_argument, NULL, 'n'},
	{"reload", no_argument, NULL, 'r'}, /* for ExecReload= */
	{NULL, 0, NULL, 0},
};

/* The administrator's files, those of this boot, those of packages. */
static const struct config_place standard_places[] = {
	{SYSCONFDIR "/dmabufd/dmabufd.conf", SYSCONFDIR "/dmabufd/dmabufd.conf.d"},
	{"/run/dmabufd/dmabufd.conf", "/run/dmabufd/dmabufd.conf.d"},
	{VENDORDIR "/dmabufd/dmabufd.conf", VENDORDIR "/dmabufd/dmabufd.conf.d"},
};

/* What the command line asks for. */
struct command {
	const struct config_place *places;
	size_t n_places;
	bool check;
	bool reload;
	struct config_files files; /* to check instead; borrowed from argv */
};

static int run(const struct command *command, struct settings *settings)
{
	struct manager *manager = NULL;
	int r = manager_new(settings, &manager);

	if (r >= 0) {
		manager->places = command->places;
		manager->n_places = command->n_places;
		r = manager_start(manager);
	}
	if (r >= 0)
		r = sd_notify(0, "READY=1");
	if (r >= 0)
		r = sd_event_loop(manager->event);
	manager_free(manager);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* To a person, and so without the journal's priority. */
static int check(const struct command *command)
{
	_cleanup_(settings_freep) struct settings *settings = NULL;
	char reason[CONFIG_REASON_SIZE];
	int r;

	if (command->files.n)
		r = config_load_files(&command->files, &settings, reason);
	else
		r = config_load(command->places, command->n_places, &settings, reason);
	if (r < 0)
		fprintf(stderr, "%s\n", reason);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int reload_daemon(void)
{
	int r = hang_up();

	if (r < 0)
		fprintf(stderr, "cannot have the daemon reload: %s\n", strerror(-r));
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int carry_out(const struct command *command)
{
	char reason[CONFIG_REASON_SIZE];
	struct settings *settings;

	if (command->check)
		return check(command);
	if (command->reload)
		return reload_daemon();
	if (config_load(command->places, command->n_places, &settings, reason) < 0) {
		log_error("%s", reason);
		return EXIT_FAILURE;
	}
	return run(command, settings);
}

int main(int argc, char *argv[])
{
	_cleanup_free_ char *drop_ins = NULL;
	struct config_place place;
	struct command command = {standard_places,
				  sizeof(standard_places) / sizeof(standard_places[0])};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (c) {
		case 'h':
			return fputs(usage, stdout) < 0;
		case 'v':
			return puts("dmabufd " VERSION) < 0;
		case 'c':
			free(TAKE_PTR(drop_ins));
			if (asprintf(&drop_ins, "%s.d", optarg) < 0)
				return EXIT_FAILURE;
			place = (struct config_place){optarg, drop_ins};
			command.places = &place;
			command.n_places = 1;
			break;
		case 'n':
			command.check = true;
			break;
		case 'r':
			command.reload = true;
			break;
		default:
			return fputs(usage, stderr), EXIT_FAILURE;
		}
	command.files = (struct config_files){(size_t)(argc - optind), argv + optind};
	if (command.files.n && !command.check)
		return fputs(usage, stderr), EXIT_FAILURE;
	return carry_out(&command);
}
