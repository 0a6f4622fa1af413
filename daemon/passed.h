/* SPDX-License-Identifier: MIT */
/*
 * What the service manager hands over and keeps: the listening socket, and the descriptor of the
 * kernel module's node, which outlives the daemon in the manager's store. No dma-buf ever goes
 * there: it would stay alive, and charged, for as long. Knows what is which, not what it is for.
 */
#ifndef PASSED_H
#define PASSED_H

/* Owned; -EBADF for what was not passed. */
struct passed {
	int socket;
	int node;
};

/* To be called once. -ENOTCONN: no socket, or several. */
int passed_take(struct passed *ret);

void passed_close(struct passed *passed);

/* The next start of the service is handed a copy of it. 0 also where there is no service manager. */
int passed_keep_node(int fd);

/* The one that is kept is of no use. */
void passed_forget_node(void);

#endif
