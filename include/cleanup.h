/* SPDX-License-Identifier: MIT */
/*
 * Cleanup by scope for user space: declare a variable with _cleanup_*, hand it on with TAKE_*.
 */
#ifndef CLEANUP_H
#define CLEANUP_H

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define TAKE(variable, nothing)                                                                    \
	({                                                                                         \
		__typeof__(variable) taken_ = (variable);                                          \
		(variable) = (nothing);                                                            \
		taken_;                                                                            \
	})
#define TAKE_PTR(pointer) TAKE(pointer, NULL)
#define TAKE_FD(fd) TAKE(fd, -EBADF)

#define _cleanup_(function) __attribute__((cleanup(function)))

static inline void freep(void *pointer)
{
	free(*(void **)pointer);
}

static inline void closep(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}

#define _cleanup_free_ _cleanup_(freep)
#define _cleanup_close_ _cleanup_(closep)

#endif
