/* SPDX-License-Identifier: MIT */
/*
 * The whole terminal for one picture, see screen.h. Sequences are those that every terminal of the
 * last decades has.
 */
#include "screen.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define ENTER "\033[?1049h\033[?25l\033[?7l" /* alternate screen, no cursor, no line breaks */
#define LEAVE "\033[?7h\033[?25h\033[?1049l"
#define HOME "\033[H"
#define CLEAR_LINE "\033[K"
#define CLEAR_BELOW "\033[J"

static int open_signals(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGWINCH);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	return signalfd(-1, &signals, SFD_CLOEXEC);
}

int screen_enter(struct screen *screen)
{
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, &screen->before) < 0)
		return -errno;
	screen->signals = open_signals();
	if (screen->signals < 0)
		return -errno;
	raw = screen->before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw);
	fputs(ENTER, stdout);
	fflush(stdout);
	return 0;
}

void screen_leave(struct screen *screen)
{
	fputs(LEAVE, stdout);
	fflush(stdout);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &screen->before);
	close(screen->signals);
}

static unsigned int screen_height(void)
{
	struct winsize size;

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || !size.ws_row ? 24 : size.ws_row;
}

void screen_draw(const char *text)
{
	unsigned int height = screen_height();

	fputs(HOME, stdout);
	for (unsigned int line = 0; *text && line < height; line++) {
		size_t length = strcspn(text, "\n");

		printf("%s%.*s" CLEAR_LINE, line ? "\r\n" : "", (int)length, text);
		text += length + (text[length] == '\n');
	}
	fputs(CLEAR_BELOW, stdout);
	fflush(stdout);
}

static enum screen_event read_signal(const struct screen *screen)
{
	struct signalfd_siginfo info;

	if (read(screen->signals, &info, sizeof(info)) != sizeof(info))
		return SCREEN_FAILED;
	return info.ssi_signo == SIGWINCH ? SCREEN_RESIZED : SCREEN_LEAVE;
}

/* Any other key draws at once. */
static enum screen_event read_key(void)
{
	char key;

	if (read(STDIN_FILENO, &key, 1) != 1 || key == 'q' || key == 'Q')
		return SCREEN_LEAVE;
	return SCREEN_TIMEOUT;
}

enum screen_event screen_wait(const struct screen *screen, int milliseconds)
{
	struct pollfd fds[] = {{.fd = screen->signals, .events = POLLIN},
			       {.fd = STDIN_FILENO, .events = POLLIN}};
	int n = poll(fds, 2, milliseconds);

	if (n < 0)
		return errno == EINTR ? SCREEN_TIMEOUT : SCREEN_FAILED;
	if (fds[0].revents)
		return read_signal(screen);
	return fds[1].revents ? read_key() : SCREEN_TIMEOUT;
}
