/* SPDX-License-Identifier: MIT */
/*
 * One frame with its descriptors over a SOCK_SEQPACKET socket: the only place that sends or
 * receives on the socket between library and daemon, linked into both. It knows lengths, counts of
 * descriptors and how strings end; it knows neither opcodes nor who may ask for what.
 */
#ifndef WIRE_H
#define WIRE_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dmabufd-protocol.h"

#define WIRE_BODY_MAX (DMABUFD_FRAME_MAX - sizeof(struct dmabufd_header))

/* As many items as one frame holds. */
#define WIRE_STEPS_MAX                                                                             \
	((WIRE_BODY_MAX - sizeof(struct dmabufd_explain)) / sizeof(struct dmabufd_step))
#define WIRE_PAGE_MAX(type) ((WIRE_BODY_MAX - sizeof(struct dmabufd_page)) / sizeof(type))
#define WIRE_POOLS_MAX WIRE_PAGE_MAX(struct dmabufd_pool)
#define WIRE_DEVICES_MAX WIRE_PAGE_MAX(struct dmabufd_device)
#define WIRE_LISTED_MAX WIRE_PAGE_MAX(struct dmabufd_buffer)
#define WIRE_CLIENTS_MAX WIRE_PAGE_MAX(struct dmabufd_client)
#define WIRE_REASONS_MAX WIRE_PAGE_MAX(struct dmabufd_reason)
#define WIRE_POOL_COUNTS_MAX                                                                       \
	((WIRE_BODY_MAX - sizeof(struct dmabufd_status)) / sizeof(struct dmabufd_pool_count))

/* Room for any frame. What of the body is valid follows from header.opcode, .status, .length. */
struct wire_frame {
	struct dmabufd_header header;
	union {
		uint64_t body[WIRE_BODY_MAX / sizeof(uint64_t)];
		struct dmabufd_hello hello;
		struct {
			struct dmabufd_error error;
			struct dmabufd_cause cause;
		};
		struct dmabufd_request request;
		struct dmabufd_cursor cursor;
		struct dmabufd_question question;
		struct dmabufd_batch batch;
		struct dmabufd_identity identity;
		struct dmabufd_buffer buffers[DMABUFD_BUFFERS_MAX]; /* ALLOC */
		struct {
			struct dmabufd_explain explain;
			struct dmabufd_step steps[WIRE_STEPS_MAX];
		};
		struct {
			struct dmabufd_page page;
			union {
				struct dmabufd_pool pools[WIRE_POOLS_MAX];
				struct dmabufd_device devices[WIRE_DEVICES_MAX];
				struct dmabufd_buffer listed[WIRE_LISTED_MAX]; /* BUFFERS */
				struct dmabufd_client clients[WIRE_CLIENTS_MAX];
				struct dmabufd_reason reasons[WIRE_REASONS_MAX];
			};
		};
		struct {
			struct dmabufd_status status;
			struct dmabufd_pool_count pool_counts[WIRE_POOL_COUNTS_MAX];
		};
		struct {
			struct dmabufd_event event;
			struct dmabufd_error event_error; /* REFUSED */
		};
	};
};

/* Every layout is a member of the union: one that did not fit would make the frame larger. */
static_assert(sizeof(struct wire_frame) == DMABUFD_FRAME_MAX, "a frame layout does not fit");
static_assert(offsetof(struct wire_frame, body) == sizeof(struct dmabufd_header), "hole in frame");

/*
 * Send the first length bytes of frame, with copies of n_fds descriptors, which stay the caller's.
 * Fills header.length and header.n_fds. Blocks or not as the socket does. -EMSGSIZE: a length or
 * count that no frame has; errors of sendmsg(), -EPIPE when the peer is gone (no signal is raised).
 */
int wire_send(int fd, struct wire_frame *frame, size_t length, const int fds[], unsigned int n_fds);

/*
 * Receive one frame and its descriptors, which are the caller's to close, all O_CLOEXEC. Returns
 * the frame's length, 0 when the peer is gone. Fails without leaving a descriptor open: -EXFULL
 * when this process had no room for them all; -EPROTO when the length or the number of descriptors
 * is not what the header says; errors of recvmsg(). On failure the content of frame is undefined.
 */
int wire_receive(int fd, struct wire_frame *frame, int ret_fds[static DMABUFD_BUFFERS_MAX],
		 unsigned int *ret_n_fds);

/*
 * Receive one frame from a peer that may send no descriptors; none is ever opened here. Returns as
 * wire_receive(), and -EPROTO when descriptors came or are announced. The socket must not have
 * SO_PASSCRED, whose messages could not be told from descriptors.
 */
int wire_receive_plain(int fd, struct wire_frame *frame);

/*
 * Make the body as long as this side knows it, whatever minor version sent it: zeros behind a
 * shorter one, and of a longer one only zeros may be lost. -EOPNOTSUPP: something else would be.
 */
int wire_fit(struct wire_frame *frame, size_t body);

/* Close the descriptors that came with a frame, or one's own copies after sending them. */
void wire_close_fds(const int fds[], unsigned int n_fds);

/* NUL-terminated within size bytes, and zero after that. */
bool wire_string_is_valid(const char *string, size_t size);
#define WIRE_STRING_IS_VALID(array) wire_string_is_valid(array, sizeof(array))

/* Copy a string and fill up with zeros; NULL is "". -ENAMETOOLONG leaves the field as it was. */
int wire_string_set(char *field, size_t size, const char *string);
#define WIRE_STRING_SET(array, string) wire_string_set(array, sizeof(array), string)

#endif
