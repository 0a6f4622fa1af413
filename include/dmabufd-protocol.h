/* SPDX-License-Identifier: MIT */
/*
 * The wire between libdmabuf and dmabufd. Private to this project, not installed; docs/protocol.md
 * tells it in prose.
 *
 * SOCK_SEQPACKET: one frame is one request or one reply. A client sends a request, reads its
 * reply, then may send the next; one that sends before it has read is disconnected. Descriptors
 * flow from the daemon to the client only. Integers are in the machine's byte order; strings are
 * NUL-terminated and their rest is zero; padding, unknown flags and everything else that is
 * reserved must be zero. A frame that breaks a rule is answered by -EPROTO and the connection is
 * closed.
 *
 * Within a major, a structure of a request may grow at its end, with a new minor. The daemon takes
 * one that is shorter than its own, down to the size of minor 0, as if zeros followed, and one that
 * is longer if only zeros follow what it knows; else it answers -EOPNOTSUPP and goes on. A client
 * sends a daemon of an older minor no more than that minor has. A structure of a reply has the size
 * of the lower of the two minors in HELLO.
 */
#ifndef DMABUFD_PROTOCOL_H
#define DMABUFD_PROTOCOL_H

#include <stdint.h>

/* Limits first: bytes, and numbers of things in one frame. */
#define DMABUFD_FRAME_MAX 4096
#define DMABUFD_NAME_SIZE 32
#define DMABUFD_NODE_SIZE 64
#define DMABUFD_DEVICE_SIZE 128
#define DMABUFD_WHY_SIZE 160
#define DMABUFD_TEXT_SIZE 1024
#define DMABUFD_DEVICES_MAX 8
#define DMABUFD_BUFFERS_MAX 14 /* buffers in one request, and descriptors in one reply */

/* Where the daemon listens; $DMABUFD_SOCKET in its place for tests. */
#define DMABUFD_SOCKET_PATH "/run/dmabufd/dmabufd.sock"

#define DMABUFD_PROTOCOL_MAJOR 1
#define DMABUFD_PROTOCOL_MINOR 2

/* A reply has the opcode of its request. */
enum dmabufd_opcode {
	DMABUFD_HELLO = 1,   /* first on a connection: dmabufd_hello both ways */
	DMABUFD_ALLOC = 2,   /* dmabufd_request -> dmabufd_buffer[count], one descriptor each */
	DMABUFD_EXPLAIN = 3, /* dmabufd_request -> dmabufd_explain, dmabufd_step[] */
	DMABUFD_POOLS = 4,   /* dmabufd_cursor -> dmabufd_page, dmabufd_pool[] */
	DMABUFD_DEVICES = 5, /* dmabufd_cursor -> dmabufd_page, dmabufd_device[] */
	DMABUFD_BUFFERS = 6, /* dmabufd_cursor -> dmabufd_page, dmabufd_buffer[] */

	/* Since minor 1. */
	DMABUFD_STATUS = 7,   /* nothing -> dmabufd_status, dmabufd_pool_count[] */
	DMABUFD_CLIENTS = 8,  /* dmabufd_cursor -> dmabufd_page, dmabufd_client[] */
	DMABUFD_WATCH = 9,    /* nothing -> nothing, then dmabufd_event after dmabufd_event */
	DMABUFD_REASONS = 10, /* dmabufd_question -> dmabufd_page, dmabufd_reason[] */

	/* Since minor 2. */
	DMABUFD_CHECK = 11,    /* dmabufd_request -> nothing, or the error that ALLOC would give */
	DMABUFD_BATCH = 12,    /* dmabufd_batch -> dmabufd_buffer[], one descriptor each */
	DMABUFD_DESCRIBE = 13, /* dmabufd_identity -> dmabufd_buffer */
	DMABUFD_NOTIFY = 32,   /* nothing -> nothing, then dmabufd_event after dmabufd_event */
};

struct dmabufd_header {
	uint32_t length; /* bytes of the whole frame, this header included */
	uint16_t opcode;
	uint16_t n_fds;  /* descriptors that come with the frame; 0 in a request */
	uint32_t serial; /* chosen by the client, repeated in the reply */
	int32_t status;  /* 0, or negative errno in a reply: then dmabufd_error, dmabufd_cause */
};

struct dmabufd_hello {
	uint32_t major; /* another major than the daemon's: -EPROTONOSUPPORT */
	uint32_t minor; /* the reply has the daemon's */
};

struct dmabufd_error {
	char text[DMABUFD_TEXT_SIZE]; /* one line for a person: what happened and what to do */
};

/* What a request was refused for; an index of dmabufd_status.refusals. */
enum dmabufd_refusal {
	DMABUFD_REFUSED_QUOTA = 0,      /* of the user, a device, a pool, the memory cgroup */
	DMABUFD_REFUSED_FULL = 1,       /* every suitable pool is full */
	DMABUFD_REFUSED_UNSUITABLE = 2, /* no pool could ever give it */
	DMABUFD_REFUSED_ACCESS = 3,     /* the user may not use the device */
	DMABUFD_REFUSED_DEVICE = 4,     /* no such device, or it does no DMA */
	DMABUFD_REFUSED_INVALID = 5,    /* the request makes no sense */
	DMABUFD_REFUSED_MODULE = 6,     /* no kernel module */
	DMABUFD_REFUSED_OTHER = 7,
	DMABUFD_REFUSALS = 8,
};

#define DMABUFD_CAUSE_OF_BUFFERS (1u << 0) /* the numbers are of buffers, not of bytes */

/*
 * Why, in numbers: behind dmabufd_error in a reply to a client of minor 2. What does not apply or
 * cannot be told is 0 or empty.
 */
struct dmabufd_cause {
	uint32_t refusal; /* enum dmabufd_refusal */
	uint32_t flags;
	uint64_t wanted;    /* of quota or a pool, by all buffers of the request */
	uint64_t available; /* of it: what quota leaves, what a pool has free or could ever give */
	uint64_t largest_free;          /* block of the pool */
	uint64_t limit;                 /* of the quota; the size of the pool */
	char pool[DMABUFD_NAME_SIZE];   /* that this is about: of several, that with most of it */
	char device[DMABUFD_NODE_SIZE]; /* that this is about: bus:name, node or number */
};

/* dmabufd_request.flags */
#define DMABUFD_CONTIGUOUS (1u << 0)      /* one physical block, whatever the devices need */
#define DMABUFD_CPU_READS_OFTEN (1u << 1) /* worth a cached mapping with explicit sync */
/* Since minor 2; of the words on reads one at most, and of those on writes. */
#define DMABUFD_CPU_READS_RARELY (1u << 2)
#define DMABUFD_CPU_READS_NEVER (1u << 3)
#define DMABUFD_CPU_WRITES_OFTEN (1u << 4)
#define DMABUFD_CPU_WRITES_RARELY (1u << 5)
#define DMABUFD_CPU_WRITES_NEVER (1u << 6)
/* What the devices do with it, of which none may be named. */
#define DMABUFD_CAMERA (1u << 7)
#define DMABUFD_ENCODE (1u << 8)
#define DMABUFD_DECODE (1u << 9)
#define DMABUFD_SCAN_OUT (1u << 10)
#define DMABUFD_FLAGS ((1u << 11) - 1)

/* dmabufd_request.preferred and dmabufd_buffer.relaxed, in the order in which they are relaxed */
#define DMABUFD_CONSTRAINT_MAPPING (1u << 0)
#define DMABUFD_CONSTRAINT_ALIGNMENT (1u << 1)
#define DMABUFD_CONSTRAINT_CONTIGUOUS (1u << 2)
#define DMABUFD_CONSTRAINT_ADDRESS (1u << 3)
#define DMABUFD_CONSTRAINTS ((1u << 4) - 1)

/* How the CPU sees a buffer; the values are those of the kernel interface. */
enum dmabufd_mapping {
	DMABUFD_MAPPING_ANY = 0, /* in a request: the daemon decides */
	DMABUFD_MAPPING_CACHED = 1,
	DMABUFD_MAPPING_WRITE_COMBINED = 2,
};

struct dmabufd_request {
	uint64_t size;  /* bytes of each buffer */
	uint32_t count; /* buffers wanted, all or none; 1 to DMABUFD_BUFFERS_MAX */
	uint32_t flags;
	uint32_t mapping;
	uint32_t n_devices;
	uint64_t devices[DMABUFD_DEVICES_MAX]; /* character devices: major << 32 | minor */
	char pool[DMABUFD_NAME_SIZE];          /* only this pool; empty for any */
	char name[DMABUFD_NAME_SIZE];          /* label for people; may be empty */
	/* Since minor 1. Of ALLOC, 0 in BATCH, and ignored by others: */
	uint64_t wait; /* microseconds to wait for room or quota; all ones for no limit */
	/* Since minor 2. */
	uint64_t alignment;    /* of the first physical address: a power of two, 0 for any */
	uint32_t address_bits; /* no physical address needs more, 64 at most; 0 for no limit */
	uint32_t preferred;    /* DMABUFD_CONSTRAINT_* that are relaxed rather than refused */
};

#define DMABUFD_REQUEST_SIZE_0 152 /* bytes of dmabufd_request in minor 0 */
#define DMABUFD_REQUEST_SIZE_1 160 /* and in minor 1 */
#define DMABUFD_WAIT_FOREVER UINT64_MAX

/* Several requests, met all or none; they do not wait, and have 14 buffers at most in all. */
struct dmabufd_batch {
	uint32_t n_requests;
	uint32_t request_size; /* bytes of each: of dmabufd_request in the minor of who sends */
	struct dmabufd_request requests[DMABUFD_BUFFERS_MAX]; /* as many are sent as there are */
};

/* dmabufd_buffer.flags */
#define DMABUFD_BUFFER_CONTIGUOUS (1u << 0)

struct dmabufd_buffer {
	uint64_t id;
	uint64_t size; /* whole pages */
	uint64_t base; /* physical; base and end are 0 for who may not know them */
	uint64_t end;
	uint32_t kind; /* DMABUF_POOL_KIND_* */
	uint32_t mapping;
	uint32_t flags;
	uint32_t uid;     /* who is charged */
	uint32_t pid;     /* who asked; may be gone */
	uint32_t relaxed; /* DMABUFD_CONSTRAINT_*; 0 before minor 2 */
	char pool[DMABUFD_NAME_SIZE];
	char name[DMABUFD_NAME_SIZE];
	char devices[DMABUFD_DEVICE_SIZE]; /* bus:name of each, separated by commas */
};

/* What a client knows of a dma-buf, without which it could not ask for it. */
struct dmabufd_identity {
	uint64_t id; /* as the name of the dma-buf starts; 0 when it does not */
	uint64_t inode;
	uint64_t size;
};

struct dmabufd_explain {
	uint64_t max_address; /* 0 for no limit */
	uint32_t contiguous;
	uint32_t mapping;
	char contiguous_why[DMABUFD_WHY_SIZE];
	char address_why[DMABUFD_WHY_SIZE];
	char mapping_why[DMABUFD_WHY_SIZE];
	uint32_t n_steps;
	uint32_t pad;
};

/* dmabufd_step.verdict */
enum dmabufd_verdict {
	DMABUFD_WOULD_TRY = 1,
	DMABUFD_REFUSED = 2,
};

struct dmabufd_step {
	char pool[DMABUFD_NAME_SIZE];
	uint32_t kind;
	uint32_t verdict;
	char why[DMABUFD_WHY_SIZE];
};

struct dmabufd_cursor {
	uint64_t after; /* 0 for the first page, then dmabufd_page.next */
};

struct dmabufd_page {
	uint64_t next; /* cursor of the next page; 0 when this is the last */
	uint32_t count;
	uint32_t pad;
};

struct dmabufd_pool {
	char name[DMABUFD_NAME_SIZE];
	uint32_t kind;
	uint32_t mappings; /* bit (1 << mapping) for each that the pool can give */
	uint64_t base;     /* 0 when the pool has no fixed place, or for who may not know it */
	uint64_t size;     /* 0 when without limit or unknown */
	uint64_t used;
	uint64_t max_block; /* largest contiguous block when empty; 0 when unknown */
	/* Since minor 2: */
	uint64_t stocked;     /* kept ready for coming buffers; part of no other number */
	uint64_t stock_limit; /* that may be */
};

#define DMABUFD_POOL_SIZE_0 72 /* bytes of dmabufd_pool before minor 2 */

/* dmabufd_device.flags */
#define DMABUFD_DEVICE_COHERENT (1u << 0)
#define DMABUFD_DEVICE_IOMMU (1u << 1)
#define DMABUFD_DEVICE_ALLOWED (1u << 2) /* this client may allocate for it */

struct dmabufd_device {
	char node[DMABUFD_NODE_SIZE];   /* /dev/video0 */
	char device[DMABUFD_NODE_SIZE]; /* bus:name of the device that does the DMA */
	char pool[DMABUFD_NAME_SIZE];   /* bound pool; empty when none */
	uint64_t devnum;                /* major << 32 | minor */
	uint64_t dma_mask;
	uint64_t used;  /* bytes charged to the device, of all users */
	uint64_t limit; /* bytes that may be charged to it; all ones for no limit */
	uint32_t flags;
	uint32_t pad;
};

/* Requests for memory that took at most so long, and longer than those of the bucket before. */
struct dmabufd_bucket {
	uint64_t usec; /* all ones: any longer */
	uint64_t count;
};

#define DMABUFD_BUCKETS 16

struct dmabufd_status {
	char version[DMABUFD_NAME_SIZE]; /* of the daemon */
	uint32_t module_major;           /* of the kernel module's interface; 0: no module */
	uint32_t module_minor;
	uint64_t uptime; /* microseconds since the daemon started */
	/* Now. */
	uint64_t clients;
	uint64_t watchers; /* those of the clients that watch */
	uint64_t buffers;
	uint64_t bytes;
	/* Since the start. */
	uint64_t connections;
	uint64_t requests; /* frames of every opcode */
	uint64_t reloads;  /* of the configuration */
	uint64_t lost;     /* events that watchers were too slow for */
	uint64_t refusals[DMABUFD_REFUSALS];
	uint64_t usec; /* that the requests in the buckets took in all */
	struct dmabufd_bucket buckets[DMABUFD_BUCKETS];
	uint32_t n_pools;
	uint32_t pad;
	char missing[DMABUFD_WHY_SIZE]; /* why there is no kernel module; empty when there is */
};

/* What a pool gave since the start. */
struct dmabufd_pool_count {
	char name[DMABUFD_NAME_SIZE];
	uint64_t buffers;
	uint64_t bytes;
};

/* dmabufd_client.flags */
#define DMABUFD_CLIENT_WATCHES (1u << 0)
#define DMABUFD_CLIENT_ASKS (1u << 1) /* this is who asks */

struct dmabufd_client {
	uint32_t pid;
	uint32_t uid;
	uint64_t connected; /* microseconds ago */
	uint64_t buffers;   /* live ones that the process asked for, on whichever connection */
	uint64_t bytes;
	uint64_t requests;
	uint64_t refusals; /* of requests for memory */
	uint32_t flags;
	uint32_t pad;
};

/* dmabufd_event.type */
enum dmabufd_event_type {
	DMABUFD_EVENT_ALLOCATED = 1,
	DMABUFD_EVENT_RELEASED = 2,
	DMABUFD_EVENT_REFUSED = 3, /* dmabufd_error follows */
	DMABUFD_EVENT_CONNECTED = 4,
	DMABUFD_EVENT_LEFT = 5,
	DMABUFD_EVENT_POOL_APPEARED = 6,
	DMABUFD_EVENT_RELOADED = 7, /* the configuration */
	DMABUFD_EVENT_LOST = 8,     /* number: events between the one before and this one */

	/* Since minor 2, and to who sent NOTIFY only. 34 is the library's own. */
	DMABUFD_EVENT_QUOTA_CHANGED = 32, /* by a reload; number, size: what the user may hold */
	DMABUFD_EVENT_ASKED_BACK = 33,    /* size: what others want of the pool */
};

/* One frame, with the opcode and serial of the WATCH or NOTIFY. What an event does not have is 0 or empty. */
struct dmabufd_event {
	uint32_t type;
	int32_t error;   /* REFUSED: negative errno */
	uint64_t time;   /* CLOCK_REALTIME, in microseconds */
	uint64_t number; /* of the buffer, or of events lost */
	uint64_t size;   /* of the buffer, or of each buffer that was refused; of the pool */
	uint32_t uid;    /* whose buffer or connection it is */
	uint32_t pid;
	char pool[DMABUFD_NAME_SIZE];
	char name[DMABUFD_NAME_SIZE];
	char devices[DMABUFD_DEVICE_SIZE];
};

/* dmabufd_reason.about */
enum dmabufd_about {
	DMABUFD_ABOUT_CONTIGUOUS = 1,
	DMABUFD_ABOUT_ADDRESS = 2,
	DMABUFD_ABOUT_MAPPING = 3,
	DMABUFD_ABOUT_QUOTA = 4, /* of the user and the devices, whatever the pool */
	DMABUFD_ABOUT_POOL = 5,
	DMABUFD_ABOUT_ALIGNMENT = 6, /* when one was asked for; since minor 2 */
};

/* What is asked of REASONS: those behind the cursor, for what ALLOC would be sent. */
struct dmabufd_question {
	struct dmabufd_cursor cursor;
	struct dmabufd_request request;
};

#define DMABUFD_REASON_SIZE 352

/* dmabufd_reason.verdict, besides dmabufd_verdict: of a pool that would be tried */
#define DMABUFD_FULL 3       /* now, and so in vain */
#define DMABUFD_OVER_QUOTA 4 /* and so passed over; of ABOUT_QUOTA: refused whatever the pool */

struct dmabufd_reason {
	uint32_t about;
	uint32_t verdict; /* of a pool or the quota; else 0 */
	uint32_t kind;    /* of a pool; else 0 */
	uint32_t pad;
	char pool[DMABUFD_NAME_SIZE];
	char why[DMABUFD_REASON_SIZE];
	char needs[DMABUFD_REASON_SIZE]; /* what another answer would need; may be empty */
};

#endif
