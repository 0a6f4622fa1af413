/* SPDX-License-Identifier: MIT */
/*
 * SO_PEERCRED by the linker's --wrap. Groups are this process's own.
 */
#include "fake-peer.h"

#include <assert.h>
#include <sys/socket.h>

#include "client.h"

int __real_getsockopt(int fd, int level, int option, void *value, socklen_t *size);
int __wrap_getsockopt(int fd, int level, int option, void *value, socklen_t *size);

static uid_t connecting;

int __wrap_getsockopt(int fd, int level, int option, void *value, socklen_t *size)
{
	int r = __real_getsockopt(fd, level, option, value, size);

	if (r >= 0 && level == SOL_SOCKET && option == SO_PEERCRED)
		((struct ucred *)value)->uid = connecting;
	return r;
}

int fake_peer_connect(struct manager *manager, unsigned int uid)
{
	struct client *client = NULL;
	int ends[2], r;

	r = socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends);
	assert(r >= 0);
	connecting = uid;
	r = client_new(manager, ends[1], &client);
	assert(r >= 0 && client->peer.uid == uid);
	return ends[0];
}
