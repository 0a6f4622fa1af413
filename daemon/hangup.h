/* SPDX-License-Identifier: MIT */
/*
 * dmabufd --reload: how the service manager tells a running daemon to reload, and learns that it
 * has. Knows the signal and the socket; nothing of what is reloaded.
 */
#ifndef HANGUP_H
#define HANGUP_H

/*
 * Send SIGHUP to the process that $MAINPID names and return when it was handled. -EINVAL: there is
 * no such number. Errors of kill(), socket(), connect() and recv().
 */
int hang_up(void);

#endif
