/* SPDX-License-Identifier: MIT */
/*
 * dmabufd: hands out memory that devices can share. Start reading here, then manager.c.
 */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>

#include "config.h"
#include "log.h"
#include "manager.h"

static const char usage[] = "dmabufd [--config FILE] [--check]\n"
			    "Allocate memory for devices; started by dmabufd.socket.\n"
			    "  --config FILE  read FILE and FILE.d/*.conf\n"
			    "  --check        check the configuration and leave\n";

static const struct option options[] = {
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'v'},
	{"config", required_argument, NULL, 'c'},
	{"check", no_argument, NULL, 'n'},
	{NULL, 0, NULL, 0},
};

static int run(const struct settings *settings)
{
	struct manager *manager = NULL;
	int r = manager_new(settings, &manager);

	if (r >= 0)
		r = manager_start(manager);
	if (r >= 0)
		r = sd_notify(0, "READY=1");
	if (r >= 0)
		r = sd_event_loop(manager->event);
	manager_free(manager);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char *argv[])
{
	const char *config = SYSCONFDIR "/dmabufd/dmabufd.conf";
	char reason[SETTINGS_REASON_SIZE];
	struct settings settings;
	bool check = false;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (c) {
		case 'h':
			return fputs(usage, stdout) < 0;
		case 'v':
			return puts("dmabufd " VERSION) < 0;
		case 'c':
			config = optarg;
			break;
		case 'n':
			check = true;
			break;
		default:
			return fputs(usage, stderr), EXIT_FAILURE;
		}
	if (optind < argc)
		return fputs(usage, stderr), EXIT_FAILURE;
	if (settings_load(config, &settings, reason) < 0) {
		log_error("%s", reason);
		return EXIT_FAILURE;
	}
	return check ? EXIT_SUCCESS : run(&settings);
}
