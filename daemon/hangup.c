/* SPDX-License-Identifier: MIT */
/*
 * dmabufd --reload. The daemon's loop handles a signal before it takes a connection, so a
 * connection that is made after the signal, and was taken, was taken after the reload.
 */
#include "hangup.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "cleanup.h"
#include "dmabufd-protocol.h"

static int get_main_pid(pid_t *ret)
{
	const char *text = getenv("MAINPID");
	char *end;
	long pid;

	if (!text)
		return -EINVAL;
	errno = 0;
	pid = strtol(text, &end, 10);
	if (errno || *end || end == text || pid <= 1 || pid != (pid_t)pid)
		return -EINVAL;
	*ret = (pid_t)pid;
	return 0;
}

/* A client that leaves without a word: the daemon closes its end when it comes to it. */
static int wait_for_turn(int fd)
{
	char byte;

	if (shutdown(fd, SHUT_WR) < 0 ||
	    (recv(fd, &byte, sizeof(byte), 0) < 0 && errno != ECONNRESET))
		return -errno;
	return 0;
}

static int visit(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	_cleanup_close_ int fd = -EBADF;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return wait_for_turn(fd);
}

int hang_up(void)
{
	const char *path = getenv("DMABUFD_SOCKET");
	pid_t pid;
	int r = get_main_pid(&pid);

	if (r < 0)
		return r;
	if (kill(pid, SIGHUP) < 0)
		return -errno;
	return visit(path && *path ? path : DMABUFD_SOCKET_PATH);
}
