/* SPDX-License-Identifier: MIT */
/*
 * The answer to one request while it is made: a frame and the descriptors that go with it.
 */
#ifndef REPLY_H
#define REPLY_H

#include "wire.h"

/* Not initialized as a whole, it is large: reply_init(). */
struct reply {
	struct wire_frame frame;
	size_t length; /* of the frame */
	unsigned int n_fds;
	int fds[DMABUFD_BUFFERS_MAX]; /* owned */
};

void reply_init(struct reply *reply);

/* The same for the answer to a request with this header. */
void reply_begin(struct reply *reply, const struct dmabufd_header *request);

/* Close the descriptors that were not taken. */
void reply_close_fds(struct reply *reply);

/* Reserve so many bytes behind the header, zeroed. */
void reply_set_body(struct reply *reply, size_t size);

/*
 * Make it an error with one line of text, and a cause of which only the kind is set. Returns the
 * error, for the caller to return.
 */
__attribute__((format(printf, 3, 4))) int reply_fail(struct reply *reply, int error,
						     const char *format, ...);

/* A client before minor 2 takes an error without its cause. */
void reply_shorten_error(struct reply *reply);

/* Put words in front of the text of an error. */
__attribute__((format(printf, 2, 3))) void reply_prefix(struct reply *reply, const char *format,
							...);

#endif
