/* SPDX-License-Identifier: MIT */
/*
 * Live buffers, summed up by process: who holds how much.
 */
#ifndef CLIENTS_USAGE_H
#define CLIENTS_USAGE_H

#include <dmabuf.h>

struct holder {
	unsigned int uid;
	int pid;
	uint64_t buffers;
	uint64_t bytes;
	char pools[96]; /* names, separated by commas; those that do not fit are left out */
};

/* All zero at first. */
struct usage {
	struct holder *holders; /* owned */
	unsigned int n;
};

/* List the buffers that this user may see, those who hold most first. Errors of the library. */
int usage_read(struct usage *usage, struct dmabuf *conn);

void usage_freep(struct usage *usage);

#endif
