/* SPDX-License-Identifier: MIT */
/*
 * Sessions with the daemon: several users connect, send frames of every kind, read or do not, keep
 * or close what they got, leave, and see the daemon start anew. All of the daemon is real but the
 * kernel and the devices. After each step its books are the kernel's; at the end nothing is left.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "target.h"

#include "../unit/count-fds.h"
#include "daemon.h"
#include "fake-kernel.h"
#include "fake-peer.h"
#include "input.h"
#include "wire.h"

enum {
	CLIENTS = 4,
	KEPT_MAX = 96
};

enum action {
	CONNECT,
	SEND_BYTES,
	SEND_FRAME,
	SEND_ALLOC,
	SEND_WITH_FDS,
	READ,
	LEAVE,
	CLOSE_KEPT,
	FAIL_ALLOC,
	RESTART,
	N_ACTIONS
};

static struct {
	struct manager *manager;
	int ends[CLIENTS]; /* the clients' */
	unsigned int n_kept;
	int kept[KEPT_MAX]; /* descriptors that were received */
} s;

static void leave(unsigned int i)
{
	if (s.ends[i] >= 0)
		close(s.ends[i]);
	s.ends[i] = -EBADF;
}

static void do_connect(unsigned int i, struct input *input)
{
	static const uid_t uids[] = {0, 1000, 1001, 1002};

	leave(i);
	s.ends[i] = fake_peer_connect(s.manager, uids[input_take_u8(input) % 4]);
}

/* The daemon may have hung up: what is sent then is lost. */
static void send_bytes(unsigned int i, const void *bytes, size_t size, unsigned int n_fds)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(20 * sizeof(int))];
	} control = {.header = {CMSG_LEN(n_fds * sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
	struct iovec part = {.iov_base = (void *)bytes, .iov_len = size};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	if (n_fds) {
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
	}
	for (unsigned int n = 0; n < n_fds; n++)
		((int *)CMSG_DATA(&control.header))[n] = STDIN_FILENO;
	sendmsg(s.ends[i], &message, MSG_NOSIGNAL);
}

static void do_send_bytes(unsigned int i, struct input *input, unsigned int n_fds)
{
	size_t size;
	const uint8_t *bytes = input_take(input, input_take_u16(input) % 5000, &size);

	send_bytes(i, bytes, size, n_fds);
}

static void send_frame(unsigned int i, uint16_t opcode, struct wire_frame *frame, size_t body)
{
	frame->header = (struct dmabufd_header){
		.length = (uint32_t)(sizeof(frame->header) + body), .opcode = opcode, .serial = 7};
	send_bytes(i, frame, frame->header.length, 0);
}

/* With a sound header, for what is behind it. */
static void do_send_frame(unsigned int i, struct input *input)
{
	static const struct {
		uint16_t opcode;
		size_t body;
	} kinds[] = {
		{0, 0},
		{DMABUFD_HELLO, sizeof(struct dmabufd_hello)},
		{DMABUFD_ALLOC, sizeof(struct dmabufd_request)},
		{DMABUFD_EXPLAIN, sizeof(struct dmabufd_request)},
		{DMABUFD_POOLS, sizeof(struct dmabufd_cursor)},
		{DMABUFD_DEVICES, sizeof(struct dmabufd_cursor)},
		{DMABUFD_BUFFERS, sizeof(struct dmabufd_cursor)},
		{DMABUFD_STATUS, 0},
		{DMABUFD_CLIENTS, sizeof(struct dmabufd_cursor)},
		{DMABUFD_WATCH, 0},
		{DMABUFD_REASONS, sizeof(struct dmabufd_question)},
		{DMABUFD_CHECK, sizeof(struct dmabufd_request)},
		{DMABUFD_BATCH, sizeof(struct dmabufd_batch)},
		{DMABUFD_DESCRIBE, sizeof(struct dmabufd_identity)},
		{DMABUFD_NOTIFY, 0},
	};
	struct wire_frame frame;
	size_t kind = input_take_u8(input) % (sizeof(kinds) / sizeof(kinds[0]));

	input_copy(input, frame.body, kinds[kind].body);
	send_frame(i, kinds[kind].opcode, &frame, kinds[kind].body);
}

/* A request that has a chance, from few bytes. */
static void do_send_alloc(unsigned int i, struct input *input)
{
	static const char *const pools[] = {"", "", "camera", "area", "system", "nowhere"};
	static const uint64_t minors[] = {3, 5, 7, 8, 9, 1, 99};
	struct wire_frame frame = {.request = {0}};
	struct dmabufd_request *request = &frame.request;

	request->size = UINT64_C(4096) * input_take_u16(input) / 16;
	request->count = 1 + input_take_u8(input) % DMABUFD_BUFFERS_MAX;
	request->flags = input_take_u16(input) % (2 * (DMABUFD_FLAGS + 1));
	request->mapping = input_take_u8(input) % 3;
	request->n_devices = input_take_u8(input) % (DMABUFD_DEVICES_MAX + 1);
	for (unsigned int d = 0; d < request->n_devices; d++)
		request->devices[d] = UINT64_C(1) << 32 | minors[input_take_u8(input) % 7];
	wire_string_set(request->pool, sizeof(request->pool), pools[input_take_u8(input) % 6]);
	request->alignment = UINT64_C(2048) << input_take_u8(input) % 16;
	request->address_bits = input_take_u8(input) % 66;
	request->preferred = input_take_u8(input) % (2 * (DMABUFD_CONSTRAINTS + 1));
	send_frame(i, DMABUFD_ALLOC, &frame, sizeof(frame.request));
}

static void keep(const int fds[], unsigned int n_fds)
{
	for (unsigned int n = 0; n < n_fds; n++)
		if (s.n_kept < KEPT_MAX)
			s.kept[s.n_kept++] = fds[n];
		else
			close(fds[n]);
}

/* Whatever was asked, what comes back is whole, and an error has a text. */
static void do_read(unsigned int i)
{
	int fds[DMABUFD_BUFFERS_MAX], r;
	unsigned int n_fds;
	struct wire_frame frame;
	char more;

	r = wire_receive(s.ends[i], &frame, fds, &n_fds);
	assert(r >= 0 || r == -EAGAIN || r == -ECONNRESET || r == -EBADF);
	if (r <= 0)
		return;
	/* One reply at most is ever unread, and events only by who asked for them. */
	assert(frame.header.opcode == DMABUFD_WATCH || frame.header.opcode == DMABUFD_NOTIFY ||
	       recv(s.ends[i], &more, sizeof(more), MSG_PEEK) <= 0);
	assert(frame.header.status <= 0);
	if (frame.header.status < 0) {
		/* With a cause, if HELLO said that the client knows of it. */
		assert((size_t)r == sizeof(frame.header) + sizeof(frame.error) ||
		       (size_t)r ==
			       sizeof(frame.header) + sizeof(frame.error) + sizeof(frame.cause));
		assert(WIRE_STRING_IS_VALID(frame.error.text) && frame.error.text[0]);
		assert(!n_fds);
	} else if (frame.header.opcode == DMABUFD_ALLOC || frame.header.opcode == DMABUFD_BATCH) {
		assert((size_t)r == sizeof(frame.header) + n_fds * sizeof(frame.buffers[0]));
	} else {
		assert(!n_fds);
	}
	keep(fds, n_fds);
}

static void do_close_kept(struct input *input)
{
	unsigned int n = input_take_u8(input);

	if (!s.n_kept)
		return;
	n %= s.n_kept;
	close(s.kept[n]);
	s.kept[n] = s.kept[--s.n_kept];
}

static void do_fail_alloc(struct input *input)
{
	static const int errors[] = {0,       -ENOSPC,  -E2BIG,  -ERANGE, -EOPNOTSUPP,
				     -ENOMEM, -ENOBUFS, -EMFILE, -EDQUOT, -ESRCH,
				     -EINVAL, -EPROTO,  -EIO,    -EACCES, -ENXIO};

	fake_kernel_fail_alloc(errors[input_take_u8(input) % (sizeof(errors) / sizeof(*errors))]);
}

static void do_restart(void)
{
	int r;

	manager_free(s.manager);
	r = daemon_start(&s.manager);
	assert(r >= 0);
	for (unsigned int i = 0; i < CLIENTS; i++)
		leave(i);
}

static void act(struct input *input)
{
	unsigned int byte = input_take_u8(input), i = byte / N_ACTIONS % CLIENTS;

	switch ((enum action)(byte % N_ACTIONS)) {
	case CONNECT:
		return do_connect(i, input);
	case SEND_BYTES:
		return do_send_bytes(i, input, 0);
	case SEND_FRAME:
		return do_send_frame(i, input);
	case SEND_ALLOC:
		return do_send_alloc(i, input);
	case SEND_WITH_FDS:
		return do_send_bytes(i, input, 1 + input_take_u8(input) % 20);
	case READ:
		return do_read(i);
	case LEAVE:
		return leave(i);
	case CLOSE_KEPT:
		return do_close_kept(input);
	case FAIL_ALLOC:
		return do_fail_alloc(input);
	case RESTART:
	case N_ACTIONS:
		return do_restart();
	}
}

/* Requests, then the releases that came of them. */
static void settle(void)
{
	int r;

	daemon_run(s.manager);
	fake_kernel_release();
	r = manager_read_events(s.manager);
	assert(r >= 0);
	daemon_check_books(s.manager);
	assert(ledger_get_bytes(s.manager->ledger) == fake_kernel_get_bytes());
	assert(ledger_get_count(s.manager->ledger) == fake_kernel_get_count());
}

static void finish(void)
{
	for (unsigned int i = 0; i < CLIENTS; i++)
		leave(i);
	while (s.n_kept)
		close(s.kept[--s.n_kept]);
	settle();
	assert(LIST_EMPTY(&s.manager->clients) && LIST_EMPTY(&s.manager->users));
	assert(!fake_kernel_get_count());
	manager_free(s.manager);
	fake_kernel_stop();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input input = {bytes, size};
	int r, before = count_fds();

	for (unsigned int i = 0; i < CLIENTS; i++)
		s.ends[i] = -EBADF;
	fake_kernel_start();
	r = daemon_start(&s.manager);
	assert(r >= 0);
	while (input.size) {
		act(&input);
		settle();
	}
	finish();
	assert(count_fds() == before);
	return 0;
}
