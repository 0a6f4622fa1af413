/* SPDX-License-Identifier: MIT */
/*
 * Descriptors that the service manager hands over and keeps.
 */
#include "passed.h"

#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "cleanup.h"

#define NODE_NAME "node"

static void strings_free(char ***strings)
{
	for (char **string = *strings; string && *string; string++)
		free(*string);
	free(*strings);
}

static void keep_first(int *place, int fd)
{
	if (*place < 0)
		*place = fd;
	else
		close(fd);
}

/* By name: what kind of file a descriptor is would not tell whose it is. */
int passed_take(struct passed *ret)
{
	_cleanup_(strings_free) char **names = NULL;
	int n = sd_listen_fds_with_names(1, &names), sockets = 0;

	*ret = (struct passed){.socket = -EBADF, .node = -EBADF};
	for (int i = 0; i < n; i++)
		if (!strcmp(names[i], NODE_NAME)) {
			keep_first(&ret->node, SD_LISTEN_FDS_START + i);
		} else {
			keep_first(&ret->socket, SD_LISTEN_FDS_START + i);
			sockets++;
		}
	if (n < 0)
		return n;
	return sockets == 1 ? 0 : -ENOTCONN;
}

void passed_close(struct passed *passed)
{
	closep(&passed->socket);
	closep(&passed->node);
	*passed = (struct passed){.socket = -EBADF, .node = -EBADF};
}

int passed_keep_node(int fd)
{
	/* Unpolled: each release event would wake the manager, too. */
	int r = sd_pid_notify_with_fds(0, 0, "FDSTORE=1\nFDNAME=" NODE_NAME "\nFDPOLL=0", &fd, 1);

	return r < 0 ? r : 0;
}

void passed_forget_node(void)
{
	sd_notify(0, "FDSTOREREMOVE=1\nFDNAME=" NODE_NAME);
}
