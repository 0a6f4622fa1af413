/* SPDX-License-Identifier: MIT */
/*
 * The whole terminal for one picture that is drawn again and again: alternate screen, keys without
 * Enter, signals as events. Knows nothing of what is drawn.
 */
#ifndef CLIENTS_SCREEN_H
#define CLIENTS_SCREEN_H

#include <termios.h>

enum screen_event {
	SCREEN_TIMEOUT,
	SCREEN_RESIZED,
	SCREEN_LEAVE, /* q, or a signal to end, or the terminal is gone */
	SCREEN_FAILED,
};

struct screen {
	struct termios before;
	int signals; /* descriptor */
};

/* Take the terminal on standard input and output. Errors of tcgetattr() and signalfd(). */
int screen_enter(struct screen *screen);

/* Give it back as it was. */
void screen_leave(struct screen *screen);

/* Show as much of the text as there is room for. */
void screen_draw(const char *text);

/* The next event, at most so many milliseconds away. */
enum screen_event screen_wait(const struct screen *screen, int milliseconds);

#endif
