/* SPDX-License-Identifier: MIT */
/*
 * What the library's files share: the objects behind dmabuf.h, and one call over the wire. Not
 * installed.
 */
#ifndef DMABUF_PRIVATE_H
#define DMABUF_PRIVATE_H

#include "dmabuf.h"
#include "wire.h"

#define DMABUF_PUBLIC __attribute__((visibility("default")))

struct async;

/* Why a call failed. */
struct failure {
	int code;
	uint32_t refusal;
	char text[DMABUFD_TEXT_SIZE];
	struct dmabufd_cause cause;    /* .refusal is not used */
	struct dmabuf_error_info info; /* points to the rest, made when asked for */
};

struct dmabuf {
	int fd;          /* negative: the next call connects */
	int set;         /* epoll's, that fd is in and waits in, never elsewhere; negative: none */
	bool watches;    /* fd is told events and asks nothing any more */
	uint32_t serial; /* of the last request on fd */
	uint32_t minor;  /* of the daemon at fd */
	unsigned int timeout;
	unsigned int wait;      /* milliseconds that the daemon may take besides, in this call */
	struct failure failure; /* of the last call that failed */
	struct async *async;    /* what does not block; NULL until it is used */
};

struct dmabuf_request {
	struct dmabufd_request wire; /* count is filled by the call */
	unsigned int wait;           /* milliseconds, as the program said */
};

struct dmabuf_buffer {
	int fd;         /* negative: taken */
	void *map;      /* NULL: not mapped */
	uint32_t usage; /* DMABUF_USAGE_* of the request */
	struct dmabufd_buffer wire;
};

/* NULL is ignored. Returns NULL. */
struct async *async_free(struct async *async);

/* Connect if there is no connection. -ENOTCONN stands for -ENOENT; the text is set. */
int connection_open(struct dmabuf *conn);

/*
 * Bytes of a request for this daemon, which is connected: one of an older minor takes no more than
 * it knows.
 */
size_t request_get_size(const struct dmabuf *conn);

/* Connect if there is no connection, to a daemon that knows all that the request asks for. */
int request_open(struct dmabuf *conn, const struct dmabuf_request *request);

/* What an allocation is refused for before it is sent: by anybody, and by this daemon. */
int request_check(struct dmabuf *conn, const struct dmabuf_request *request, unsigned int count);
int request_check_daemon(struct dmabuf *conn, const struct dmabuf_request *request);

/* The reply to a request for count buffers, which it makes. Takes all fds, even when it fails. */
int request_finish(struct dmabuf *conn, const struct dmabuf_request *request, unsigned int count,
		   const struct wire_frame *frame, size_t body, const int fds[], unsigned int n_fds,
		   struct dmabuf_buffer *ret[]);

/* What is waited for is not there. No error that a daemon can answer with is this one. */
#define CONNECTION_NOT_YET (-4096)

/*
 * The two halves of a connection that never waits: connect and say HELLO; see whether the answer is
 * there, or CONNECTION_NOT_YET.
 */
int connection_start(struct dmabuf *conn);
int connection_finish(struct dmabuf *conn);

/* The two halves of a call. The second fails with CONNECTION_NOT_YET when the reply is not there. */
int connection_send(struct dmabuf *conn, enum dmabufd_opcode opcode, struct wire_frame *frame,
		    size_t body);
int connection_take(struct dmabuf *conn, enum dmabufd_opcode opcode, struct wire_frame *frame,
		    int ret_fds[static DMABUFD_BUFFERS_MAX], unsigned int *ret_n_fds);

/* The next call connects anew. */
void connection_drop(struct dmabuf *conn);

/* CLOCK_MONOTONIC. */
int64_t clock_milliseconds(void);

/*
 * Send frame, whose body has so many bytes, and receive its reply into the same frame, with n_fds
 * descriptors that are then the caller's. Returns the bytes of the reply's body. Whatever goes
 * wrong, the text is set, and the connection is dropped when the two ends may be out of step.
 * The daemon may take so many milliseconds besides the timeout, DMABUF_WAIT_FOREVER for any time.
 */
int connection_call(struct dmabuf *conn, enum dmabufd_opcode opcode, struct wire_frame *frame,
		    size_t body, unsigned int wait, int ret_fds[static DMABUFD_BUFFERS_MAX],
		    unsigned int *ret_n_fds);

/* The same for a reply that comes at once and has no descriptors. */
int connection_call_plain(struct dmabuf *conn, enum dmabufd_opcode opcode, struct wire_frame *frame,
			  size_t body);

/*
 * The next event on a connection that sent WATCH or NOTIFY last: the bytes of its body, or -EAGAIN
 * when there is none now. Other errors as of a call.
 */
int connection_receive(struct dmabuf *conn, enum dmabufd_opcode opcode, struct wire_frame *frame);

/* The same, with what it says looked at; and as the program is told, with strings of the frame. */
int event_take(struct dmabuf *conn, enum dmabufd_opcode opcode, struct wire_frame *frame);
void event_fill(struct dmabuf_event *ret, const struct wire_frame *frame);

/* Keep the text for dmabuf_error() and return error. */
__attribute__((format(printf, 3, 4))) int connection_fail(struct dmabuf *conn, int error,
							  const char *format, ...);

/* The same with the words for an error: "what: strerror", of an open connection, of a new one. */
int connection_fail_errno(struct dmabuf *conn, int error, const char *what);
int connection_fail_transport(struct dmabuf *conn, int error);
int connection_fail_connect(struct dmabuf *conn, int error, const char *path);

/* The daemon lacks what was asked for, which the text tells. Returns -EOPNOTSUPP. */
int connection_fail_old(struct dmabuf *conn, const char *text);

/* What dmabuf_error(NULL) and the like return in this thread. */
void connect_failure_set(const struct failure *failure);
void connect_failure_set_out_of_memory(void);

/* The daemon answered nonsense: drop the connection. Returns -EPROTO. */
int connection_fail_protocol(struct dmabuf *conn, const char *what);

/* Takes fd. NULL when there is no memory; fd is then still the caller's. */
struct dmabuf_buffer *buffer_new(const struct dmabufd_buffer *wire, uint32_t usage, int fd);

/* What the daemon says of a buffer keeps to the protocol. */
bool buffer_is_valid(const struct dmabufd_buffer *wire);

/* Strings are borrowed from the buffer. */
void buffer_info_fill(struct dmabuf_buffer_info *info, const struct dmabufd_buffer *buffer);

static inline bool kind_is_valid(uint32_t kind)
{
	return kind >= DMABUF_KIND_COHERENT && kind <= DMABUF_KIND_BUDDY;
}

#endif
