/* SPDX-License-Identifier: MIT */
/*
 * libdmabuf: ask dmabufd for memory that devices can share.
 *
 *	dmabuf_connect() -> dmabuf_request_new() -> dmabuf_request_add_device() ... -> dmabuf_allocate()
 *	-> dmabuf_buffer_get_fd(), dmabuf_buffer_map(), dmabuf_buffer_begin_access() ... -> free
 *
 * Every function that can fail returns 0 or a negative errno and leaves its ret_ parameters alone
 * on failure. Sizes, offsets and addresses are in bytes. Pointers must not be NULL unless the text
 * says so. An object may be used by one thread at a time; different objects by different threads
 * at once, but a request is not changed while another thread allocates with it. Functions block at
 * most for the connection's timeout, dmabuf_allocate() besides for as long as its request may wait.
 *
 * A buffer is a plain dma-buf descriptor: it goes on working after the connection, the daemon and
 * this library are gone, and its memory stays charged to the user who asked until the last
 * reference anywhere is closed.
 */
#ifndef DMABUF_H
#define DMABUF_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A connection to the daemon. It reconnects by itself: a call that finds the daemon restarted
 * fails with -ECONNRESET, having allocated nothing, and the next call connects anew. A request that
 * may wait does so itself, once, for what is left of its time.
 */
struct dmabuf;
/* What is wanted. Can be used for any number of allocations. */
struct dmabuf_request;
/* One buffer: the descriptor and what was granted. */
struct dmabuf_buffer;

/* Where memory came from. */
enum dmabuf_kind {
	DMABUF_KIND_COHERENT = 1, /* a region reserved for a device */
	DMABUF_KIND_CMA = 2,      /* the contiguous memory allocator */
	DMABUF_KIND_BUDDY = 3     /* the page allocator */
};

/* How the CPU sees a buffer. */
enum dmabuf_mapping {
	DMABUF_MAPPING_ANY = 0,           /* in a request only: what suits the devices */
	DMABUF_MAPPING_CACHED = 1,        /* fast to read; bracket CPU access with begin and end */
	DMABUF_MAPPING_WRITE_COMBINED = 2 /* past the cache: fast to write, slow to read */
};

/*
 * Flags of dmabuf_request_set_usage(), or'ed; of the words on reads one at most, and of those on
 * writes. What each decides:
 *
 * CPU_READS_OFTEN: a cached mapping, even if a device is not coherent.
 * CPU_READS_NEVER with CPU_WRITES_OFTEN: a write-combined one, even if all devices are coherent.
 * CPU_WRITES_NEVER: dmabuf_buffer_map() maps for reading only; with CPU_READS_NEVER, not at all.
 * The other words leave the mapping to the devices, as does saying nothing, but see roles.
 *
 * A role is what devices do with the buffer. ENCODE and SCAN_OUT without CAMERA and DECODE mean that
 * the CPU fills it: unless there is a word on the CPU, the mapping is that of CPU_READS_NEVER with
 * CPU_WRITES_OFTEN. In a request that names no device a role stands for one that is not named: any
 * role prefers one block, as that device may have no IOMMU, and ENCODE and DECODE prefer addresses
 * of 32 bits, unless the request has its own.
 */
enum dmabuf_usage {
	DMABUF_USAGE_CONTIGUOUS = 1, /* one physical block, even if no device needs it */
	DMABUF_USAGE_CPU_READS_OFTEN = 2,
	DMABUF_USAGE_CPU_READS_RARELY = 4,
	DMABUF_USAGE_CPU_READS_NEVER = 8,
	DMABUF_USAGE_CPU_WRITES_OFTEN = 16,
	DMABUF_USAGE_CPU_WRITES_RARELY = 32,
	DMABUF_USAGE_CPU_WRITES_NEVER = 64,
	DMABUF_USAGE_CAMERA = 128,
	DMABUF_USAGE_ENCODE = 256,
	DMABUF_USAGE_DECODE = 512,
	DMABUF_USAGE_SCAN_OUT = 1024
};

/* What a request can insist on or prefer; or'ed. */
enum dmabuf_constraint {
	DMABUF_CONSTRAINT_MAPPING = 1,
	DMABUF_CONSTRAINT_ALIGNMENT = 2,
	DMABUF_CONSTRAINT_CONTIGUOUS = 4,
	DMABUF_CONSTRAINT_ADDRESS = 8
};

/* Flags of dmabuf_buffer_begin_access(), or'ed; the values are those of DMA_BUF_SYNC_*. */
enum dmabuf_access {
	DMABUF_ACCESS_READ = 1,
	DMABUF_ACCESS_WRITE = 2,
	DMABUF_ACCESS_READ_WRITE = 3
};

/*
 * Connect to the daemon, at $DMABUFD_SOCKET or /run/dmabufd/dmabufd.sock.
 * On success the caller owns *ret and frees it with dmabuf_disconnect().
 * -ENOENT: no socket: dmabufd is not installed or dmabufd.socket is not started. -ECONNREFUSED:
 * nobody listens. -EACCES: the socket is closed to this user. -EPROTONOSUPPORT: the daemon speaks
 * another major version. -EUSERS: this user has too many connections. -EPROTOTYPE, -ENAMETOOLONG:
 * $DMABUFD_SOCKET is no socket of the daemon. -EPROTO: it answered nonsense. -ETIMEDOUT. -EMFILE.
 * -ENOMEM. Since 0.1.
 */
int dmabuf_connect(struct dmabuf **ret);

/*
 * Close the connection; buffers and requests stay valid. NULL is ignored. Returns NULL. Since 0.1.
 */
struct dmabuf *dmabuf_disconnect(struct dmabuf *conn);

/*
 * Give the daemon at most so many milliseconds to answer in each call; 0 for no limit. 30000 unless
 * set. For memory to come free, see dmabuf_request_set_wait(). Since 0.1.
 */
void dmabuf_set_timeout(struct dmabuf *conn, unsigned int milliseconds);

/*
 * One line for a person: why the last call on this connection failed and what to do about it; ""
 * when none failed yet. Valid until the next call on the connection. With conn NULL: why the last
 * dmabuf_connect() of this thread failed. Since 0.1.
 */
const char *dmabuf_error(const struct dmabuf *conn);

/*
 * Why a call failed. Those up to DMABUF_REFUSED_OTHER are also the index of
 * dmabuf_status_info.refusals.
 */
enum dmabuf_refusal {
	DMABUF_REFUSED_QUOTA = 0,      /* -EDQUOT */
	DMABUF_REFUSED_FULL = 1,       /* -ENOSPC */
	DMABUF_REFUSED_UNSUITABLE = 2, /* -E2BIG, -EOPNOTSUPP */
	DMABUF_REFUSED_ACCESS = 3,     /* -EACCES */
	DMABUF_REFUSED_DEVICE = 4,     /* -ENODEV */
	DMABUF_REFUSED_INVALID = 5,    /* -EINVAL, -EPROTO */
	DMABUF_REFUSED_MODULE = 6,     /* -ENXIO */
	DMABUF_REFUSED_OTHER = 7,
	DMABUF_REFUSED_NO_DAEMON = 8, /* it is away, or was not understood */
	DMABUF_REFUSED_OLD_DAEMON = 9 /* -EOPNOTSUPP: it does not know what was asked for */
};

/*
 * Why a call failed, in numbers. What does not apply, or cannot be told, is 0 or "". It grows at its
 * end.
 */
struct dmabuf_error_info {
	int code; /* what the call returned; 0: none failed yet */
	enum dmabuf_refusal refusal;
	const char *text; /* as dmabuf_error() */
	const char *pool; /* that this is about; of several that are full, the one with most free */
	const char *device;    /* that this is about: bus:name, node, or number */
	uint64_t wanted;       /* bytes in all that the request is for */
	uint64_t available;    /* bytes: what quota leaves, the pool has free, or could ever give */
	uint64_t largest_free; /* bytes: block of the pool that is free */
	uint64_t limit;        /* bytes: of the quota, or the size of the pool */
	int of_buffers;        /* 1: wanted, available and limit are numbers of buffers */
};

/*
 * Why the last call on this connection that failed did, or with conn NULL the last dmabuf_connect()
 * of this thread. Never NULL; valid until the next call on the connection, or of dmabuf_connect(). An
 * older daemon tells no numbers. Since 0.1.
 */
const struct dmabuf_error_info *dmabuf_get_error_info(const struct dmabuf *conn);

/*
 * An empty request for one buffer, nothing else set. The caller owns *ret and frees it with
 * dmabuf_request_free(). -ENOMEM. Since 0.1.
 */
int dmabuf_request_new(struct dmabuf_request **ret);

/* NULL is ignored. Returns NULL. Since 0.1. */
struct dmabuf_request *dmabuf_request_free(struct dmabuf_request *request);

/* Bytes of each buffer, rounded up to whole pages by the daemon. -EINVAL for 0. Since 0.1. */
int dmabuf_request_set_size(struct dmabuf_request *request, uint64_t size);

/*
 * The buffer must suit this device: the path of a character device such as /dev/video0. Call once
 * for each device that shares the buffer, 8 at most. The device is not opened; the caller must have
 * the right to open it when allocating.
 * -ENOENT, -EACCES: from stat(). -ENODEV: not a character device. -E2BIG: too many. Since 0.1.
 */
int dmabuf_request_add_device(struct dmabuf_request *request, const char *path);

/* The same by the number of the character device. -ENODEV: 0. -E2BIG: too many. Since 0.1. */
int dmabuf_request_add_device_number(struct dmabuf_request *request, dev_t number);

/*
 * The same by a descriptor of the device that the caller has open; it is not kept, and not sent to
 * the daemon. -EBADF. -ENODEV: not a character device. -E2BIG: too many. Since 0.1.
 */
int dmabuf_request_add_device_fd(struct dmabuf_request *request, int fd);

/*
 * DMABUF_USAGE_* flags, in the place of those before. -EINVAL for an unknown one, or two words on the
 * same. Since 0.1.
 */
int dmabuf_request_set_usage(struct dmabuf_request *request, unsigned int usage);

/*
 * Insist on a mapping instead of letting the daemon decide. Pools that cannot give it are passed
 * over. -EINVAL for an unknown value. Since 0.1.
 */
int dmabuf_request_set_mapping(struct dmabuf_request *request, enum dmabuf_mapping mapping);

/*
 * The physical address of the first byte is a multiple of so many bytes, a power of two; 0 for any,
 * which is whole pages. More than a page is had by one block only. Pools that cannot promise it for a
 * buffer of this size are passed over: the page allocator promises the size, rounded up to a power of
 * two; CMA the same, up to 1 MiB; a reserved region whole pages. -EINVAL: no power of two. Since 0.1.
 */
int dmabuf_request_set_alignment(struct dmabuf_request *request, uint64_t bytes);

/*
 * No physical address of the buffer needs more than so many bits, if the devices do not ask for fewer;
 * 0 or 64 for any. -EINVAL: more than 64. Since 0.1.
 */
int dmabuf_request_set_address_bits(struct dmabuf_request *request, unsigned int bits);

/*
 * DMABUF_CONSTRAINT_*, in the place of those before: of what this request asks for (the flag
 * CONTIGUOUS, a mapping, an alignment, address bits), that which is preferred only. The rest is
 * required, and never relaxed; nor is what the devices need. What is preferred is given up, rather
 * than the request refused or kept waiting, when no pool suits or those that do are full or over
 * quota: first the mapping, then the alignment, then one block, then the address.
 * dmabuf_buffer_get_relaxed() tells. -EINVAL: an unknown constraint. Since 0.1.
 */
int dmabuf_request_set_preferred(struct dmabuf_request *request, unsigned int constraints);

/*
 * Insist on one pool; it must still suit the devices. The string is copied; NULL or "" for any
 * pool. -ENAMETOOLONG. Since 0.1.
 */
int dmabuf_request_set_pool(struct dmabuf_request *request, const char *pool);

/*
 * A label that dmabufctl shows, up to 31 bytes; the string is copied; NULL for none.
 * -ENAMETOOLONG. Since 0.1.
 */
int dmabuf_request_set_name(struct dmabuf_request *request, const char *name);

/* No limit, for dmabuf_request_set_wait(). */
#define DMABUF_WAIT_FOREVER ((unsigned int)-1)

/*
 * When quota is used up or every suitable pool is full, wait at most so many milliseconds for
 * others to give back before that is an error. Who waits longer is served first; small requests and
 * large ones both get their turn. What could never be given is refused at once. 0, not to wait,
 * unless set. Since 0.1.
 */
void dmabuf_request_set_wait(struct dmabuf_request *request, unsigned int milliseconds);

/*
 * Allocate count buffers, all or none, 14 at most. On success ret[0] to ret[count - 1] are buffers
 * that the caller owns and frees with dmabuf_buffer_free(). Their memory is zeroed.
 *
 * -EINVAL: no size, or a count of 0. -E2BIG: count too large, or a size that no pool could ever
 * give. -ENODEV: a device is gone or does no DMA. -EACCES: the user may not open a device.
 * -EDQUOT: over the quota of the user, a device or a pool. -ENOSPC: every suitable pool is full.
 * -EOPNOTSUPP: no pool suits all that was asked, or the daemon is older than this library and does
 * not know all of it. -ENXIO: the kernel module is not loaded. -EMFILE: no descriptor free here. -ENOTCONN,
 * -ECONNREFUSED, -ECONNRESET, -ETIMEDOUT: the daemon is away. -EPROTO: it answered nonsense.
 * dmabuf_error() tells more. A request that waited in vain fails with -EDQUOT, -ENOSPC or -ENXIO,
 * as it would have without waiting. Since 0.1.
 */
int dmabuf_allocate(struct dmabuf *conn, const struct dmabuf_request *request,
		    struct dmabuf_buffer *ret[], unsigned int count);

/*
 * Would dmabuf_allocate() do it now? Returns what it would return, with its text and its numbers, and
 * allocates nothing; it does not wait. Memory cgroups, and what drivers have of a region that they
 * share, are the kernel's affair: of these, 0 is no promise. -EOPNOTSUPP besides: the daemon is older
 * than this library. Since 0.1.
 */
int dmabuf_can_allocate(struct dmabuf *conn, const struct dmabuf_request *request,
			unsigned int count);

/*
 * Allocate one buffer for each of n requests, all or none, 14 at most: ret[i] is for requests[i]. The
 * same request may stand there more than once. Requests that wait are refused: -EINVAL. Else as
 * dmabuf_allocate(), and -EOPNOTSUPP besides: the daemon is older than this library. Since 0.1.
 */
int dmabuf_allocate_batch(struct dmabuf *conn, const struct dmabuf_request *const requests[],
			  struct dmabuf_buffer *ret[], unsigned int n);

/*
 * Unmap the buffer, close its descriptor and free it. Memory that others still refer to stays.
 * NULL is ignored. Returns NULL. Since 0.1.
 */
struct dmabuf_buffer *dmabuf_buffer_free(struct dmabuf_buffer *buffer);

/* The dma-buf; it stays the buffer's own and is closed by dmabuf_buffer_free(). Since 0.1. */
int dmabuf_buffer_get_fd(const struct dmabuf_buffer *buffer);

/*
 * Give the descriptor to the caller, who closes it. The buffer is unmapped; afterwards only its
 * getters and dmabuf_buffer_free() may be called, and dmabuf_buffer_get_fd() returns -EBADF.
 * -EBADF when taken already. Since 0.1.
 */
int dmabuf_buffer_take_fd(struct dmabuf_buffer *buffer);

/* Bytes, whole pages. Since 0.1. */
uint64_t dmabuf_buffer_get_size(const struct dmabuf_buffer *buffer);
/*
 * The number by which daemon and kernel know the buffer; never used again until reboot. Since 0.1.
 */
uint64_t dmabuf_buffer_get_id(const struct dmabuf_buffer *buffer);
/* Valid until the buffer is freed. Since 0.1. */
const char *dmabuf_buffer_get_pool(const struct dmabuf_buffer *buffer);
enum dmabuf_kind dmabuf_buffer_get_kind(const struct dmabuf_buffer *buffer);
enum dmabuf_mapping dmabuf_buffer_get_mapping(const struct dmabuf_buffer *buffer);
/* 1 when the memory is one physical block, else 0. Since 0.1. */
int dmabuf_buffer_is_contiguous(const struct dmabuf_buffer *buffer);
/*
 * DMABUF_CONSTRAINT_* that were preferred, by the request, by a role or, of the mapping, because the
 * CPU reads often, and given up for this buffer; 0 for none. Since 0.1.
 */
unsigned int dmabuf_buffer_get_relaxed(const struct dmabuf_buffer *buffer);
/*
 * Lowest physical address and one past the highest. -EPERM: this user may not know them. Since 0.1.
 */
int dmabuf_buffer_get_address(const struct dmabuf_buffer *buffer, uint64_t *ret_base,
			      uint64_t *ret_end);

/*
 * Map the whole buffer for reading and writing, or as the usage of its request says. A second call
 * returns the same address. *ret stays valid until dmabuf_buffer_unmap(), _take_fd() or _free().
 * -EBADF: descriptor taken. -EACCES: the request said that the CPU neither reads nor writes. Errors
 * of mmap(). Since 0.1.
 */
int dmabuf_buffer_map(struct dmabuf_buffer *buffer, void **ret);

/* Undo dmabuf_buffer_map(); does nothing when not mapped. Since 0.1. */
void dmabuf_buffer_unmap(struct dmabuf_buffer *buffer);

/*
 * Bracket CPU access through a mapping, so that CPU and devices see each other's writes: begin
 * before the first access, end after the last, with the same DMABUF_ACCESS_* flags. Cheap where
 * the mapping is not cached. The _fd forms work on any dma-buf, whoever made it. -EINVAL: flags.
 * -EBADF: descriptor taken. Errors of DMA_BUF_IOCTL_SYNC. Since 0.1.
 */
int dmabuf_buffer_begin_access(struct dmabuf_buffer *buffer, unsigned int access);
int dmabuf_buffer_end_access(struct dmabuf_buffer *buffer, unsigned int access);
int dmabuf_fd_begin_access(int fd, unsigned int access);
int dmabuf_fd_end_access(int fd, unsigned int access);

/*
 * The same for a part: length bytes from offset on, and what shares their first or last line of the
 * cache. For a buffer of the daemon's that costs what the part costs; any other dma-buf is synced
 * whole, and so are all where /dev/dmabuf_sync cannot be opened. Of a buffer, dmabuf_buffer_get_fd()
 * is the descriptor. -EINVAL: flags, a length of 0, a part that reaches past the end. Errors as
 * above. Since 0.1.
 */
int dmabuf_fd_begin_access_range(int fd, uint64_t offset, uint64_t length, unsigned int access);
int dmabuf_fd_end_access_range(int fd, uint64_t offset, uint64_t length, unsigned int access);

/*
 * What follows lists the state of the daemon. Each function calls fn once for each item, with
 * userdata passed through; a non-zero return of fn ends the listing and is returned. Items and
 * their strings are valid during the call of fn only. Structures grow at their end; the library
 * allocates them.
 */

struct dmabuf_pool_info {
	const char *name;
	enum dmabuf_kind kind;
	unsigned int mappings; /* bit (1 << mapping) for each that the pool can give */
	uint64_t base;      /* physical; 0 when without fixed place, or not for this user to know */
	uint64_t size;      /* 0 when without limit or unknown */
	uint64_t used;      /* allocated through the daemon */
	uint64_t max_block; /* largest contiguous block when empty; 0 when unknown */
	uint64_t stocked;   /* kept ready for coming buffers, in none now and charged to nobody */
	uint64_t stock_limit; /* that may be: Stock= in dmabufd.conf(5) */
};

struct dmabuf_device_info {
	const char *node;   /* /dev/video0 */
	const char *device; /* bus:name of the device that does the DMA */
	const char *pool;   /* the pool bound to it, or NULL */
	uint64_t dma_mask;  /* highest address it reaches */
	uint64_t used;      /* bytes charged to it, of all users */
	uint64_t limit;     /* bytes that may be charged to it; UINT64_MAX for no limit */
	int coherent;       /* hardware keeps CPU caches and device coherent */
	int iommu;          /* an IOMMU translates for it */
	int allowed;        /* this user may allocate for it */
};

struct dmabuf_buffer_info {
	uint64_t id;
	uint64_t size;
	uint64_t base; /* physical, as is end; both 0 when not for this user to know */
	uint64_t end;
	const char *pool;
	const char *name;    /* label; may be "" */
	const char *devices; /* bus:name of each, separated by commas; may be "" */
	enum dmabuf_kind kind;
	enum dmabuf_mapping mapping;
	int contiguous;
	unsigned int uid;     /* who is charged */
	int pid;              /* who asked; may be gone */
	unsigned int relaxed; /* DMABUF_CONSTRAINT_*, as of dmabuf_buffer_get_relaxed() */
};

/* A connection to the daemon. */
struct dmabuf_client_info {
	unsigned int uid;
	int pid;            /* who connected; may be gone, or have passed the connection on */
	uint64_t connected; /* microseconds ago */
	uint64_t buffers;   /* live ones that this process asked for, on whichever connection */
	uint64_t bytes;     /* of these buffers */
	uint64_t requests;  /* of any kind, so far */
	uint64_t refusals;  /* of requests for memory, so far */
	int watches;        /* it is told events */
	int self;           /* it is the connection that asks */
};

/* How many requests for memory took so long, and longer than the bucket before. */
struct dmabuf_duration_bucket {
	uint64_t bound; /* microseconds; UINT64_MAX in the last */
	uint64_t count;
};

/* What a pool gave since the daemon started. */
struct dmabuf_pool_count {
	const char *pool;
	uint64_t buffers;
	uint64_t bytes;
};

struct dmabuf_status_info {
	const char *version;       /* of the daemon */
	unsigned int module_major; /* of the kernel module's interface; 0 without module */
	unsigned int module_minor;
	const char *module_missing; /* why there is no module and what to do; NULL when there is */
	uint64_t uptime;            /* of the daemon, microseconds */
	uint64_t clients;           /* connected now */
	uint64_t watchers;          /* of these, who watch */
	uint64_t buffers;           /* live, of all users */
	uint64_t bytes;
	uint64_t connections;     /* this and what follows: since the daemon started */
	uint64_t requests;        /* of any kind */
	uint64_t reloads;         /* of the configuration */
	uint64_t lost;            /* events that watchers were too slow for */
	const uint64_t *refusals; /* by enum dmabuf_refusal */
	unsigned int n_refusals;
	uint64_t duration; /* microseconds that all requests for memory took together */
	const struct dmabuf_duration_bucket *buckets; /* of these requests; bounds ascend */
	unsigned int n_buckets;
	const struct dmabuf_pool_count *pools;
	unsigned int n_pools;
};

/* What happened. */
enum dmabuf_event_type {
	DMABUF_EVENT_ALLOCATED = 1,
	DMABUF_EVENT_RELEASED = 2, /* the last reference to a buffer is gone */
	DMABUF_EVENT_REFUSED = 3,  /* a request for memory */
	DMABUF_EVENT_CONNECTED = 4,
	DMABUF_EVENT_LEFT = 5,
	DMABUF_EVENT_POOL_APPEARED = 6,
	DMABUF_EVENT_RELOADED = 7, /* the configuration */
	DMABUF_EVENT_LOST = 8,     /* this watcher was too slow for what happened before */
	/* By dmabuf_set_notify() only: */
	DMABUF_EVENT_QUOTA_CHANGED = 32, /* of this user, a device or a pool, by a reload */
	DMABUF_EVENT_ASKED_BACK = 33,    /* others want memory of a pool that this process has of */
	DMABUF_EVENT_RECONNECTED = 34    /* the daemon was away, and is back */
};

/* What an event does not have is 0 or "". */
struct dmabuf_event {
	enum dmabuf_event_type type;
	uint64_t time; /* CLOCK_REALTIME, microseconds */
	/* The buffer's; of LOST: how many events; of QUOTA_CHANGED: buffers that the user may hold. */
	uint64_t number;
	/*
	 * Of the buffer; of each buffer that was refused; of the pool. Of QUOTA_CHANGED: bytes that the
	 * user may hold; of ASKED_BACK: bytes that are wanted.
	 */
	uint64_t size;
	unsigned int uid; /* whose buffer, request or connection */
	int pid;
	int error; /* of REFUSED: negative errno */
	const char *pool;
	const char *name;    /* label of the buffer */
	const char *devices; /* bus:name of each, separated by commas */
	const char *text;    /* of REFUSED: why */
};

/* What would become of a pool, or of the quota. */
enum dmabuf_verdict {
	DMABUF_VERDICT_TRY = 1,       /* it would be tried; of the quota: enough */
	DMABUF_VERDICT_REFUSED = 2,   /* it does not suit */
	DMABUF_VERDICT_FULL = 3,      /* it would be tried in vain now */
	DMABUF_VERDICT_OVER_QUOTA = 4 /* it would suit, but the quota refuses */
};

/* One pool, and whether a request would use it. */
struct dmabuf_explain_step {
	const char *pool;
	enum dmabuf_kind kind; /* 0 for a pool that is named and does not exist */
	int would_try;         /* 1: tried, in this order; 0: passed over */
	const char *why;
	const char *needs; /* what it would take for another verdict; may be "" */
	enum dmabuf_verdict verdict;
};

/* The decision for a request, made without allocating. */
struct dmabuf_explanation {
	int contiguous;
	uint64_t max_address; /* 0 for no limit */
	enum dmabuf_mapping mapping;
	const char *contiguous_why;
	const char *address_why;
	const char *mapping_why;
	const struct dmabuf_explain_step *steps;
	unsigned int n_steps;
	/* What another answer would need; each may be "". */
	const char *contiguous_needs;
	const char *address_needs;
	const char *mapping_needs;
	int over_quota; /* 1: the quota of the user or a device refuses, whatever the pool */
	const char *quota_why;
	const char *quota_needs;
	/* "" without an alignment. */
	const char *alignment_why;
	const char *alignment_needs;
	uint64_t alignment;
};

/* Errors as for dmabuf_allocate(). Since 0.1. */
int dmabuf_list_pools(struct dmabuf *conn,
		      int (*fn)(const struct dmabuf_pool_info *pool, void *userdata),
		      void *userdata);
/* Devices that udev knows and that may do DMA. Since 0.1. */
int dmabuf_list_devices(struct dmabuf *conn,
			int (*fn)(const struct dmabuf_device_info *device, void *userdata),
			void *userdata);
/* Live buffers charged to this user; all live buffers for root. Since 0.1. */
int dmabuf_list_buffers(struct dmabuf *conn,
			int (*fn)(const struct dmabuf_buffer_info *buffer, void *userdata),
			void *userdata);
/*
 * What the daemon knows of a dma-buf, whoever sent it here; fn is called once on success. The
 * descriptor is not sent anywhere. -EBADF: not open. -ENOTTY: no dma-buf. -EXDEV: a dma-buf that is not
 * of dmabufd. -EACCES: charged to another user, and this is not root. -ENOENT: the daemon was started
 * anew since, and DMA_BUF_SET_NAME gave the dma-buf another name. -EOPNOTSUPP: the daemon is older than
 * this library. -ENOSYS: no /proc. Else as for dmabuf_allocate(). Since 0.1.
 */
int dmabuf_fd_get_info(struct dmabuf *conn, int fd,
		       int (*fn)(const struct dmabuf_buffer_info *buffer, void *userdata),
		       void *userdata);
/*
 * Connections of this user; all for root. Errors as above, and -EOPNOTSUPP: the daemon is older than
 * 0.1's protocol 1.1. Since 0.1.
 */
int dmabuf_list_clients(struct dmabuf *conn,
			int (*fn)(const struct dmabuf_client_info *client, void *userdata),
			void *userdata);
/*
 * The numbers of the daemon, of all users; fn is called once on success, with or without a kernel
 * module. Errors as of dmabuf_list_clients(). Since 0.1.
 */
int dmabuf_get_status(struct dmabuf *conn,
		      int (*fn)(const struct dmabuf_status_info *status, void *userdata),
		      void *userdata);
/*
 * Turn the connection into one that is told events as they happen, and can do nothing else any more:
 * every other call on it fails with -EBUSY. A user is told of their own buffers, requests and
 * connections, root of all; pools and reloads are told to everybody. Errors as of
 * dmabuf_list_clients(). Since 0.1.
 */
int dmabuf_watch_start(struct dmabuf *conn);
/*
 * A descriptor to poll() for POLLIN; it stays the connection's. -EBADF: not watching, or not any
 * more. Since 0.1.
 */
int dmabuf_watch_get_fd(const struct dmabuf *conn);
/*
 * Call fn for each event that is there now; waits for none. Who reads too slowly loses events and is
 * told how many, in their place, by DMABUF_EVENT_LOST. 0 when all were seen; a non-zero return of fn
 * ends it and is returned. -EBADF: not watching. -ECONNRESET: the daemon stopped; the connection
 * does not watch any more, and the next call connects anew. -EPROTO. Since 0.1.
 */
int dmabuf_watch_read(struct dmabuf *conn,
		      int (*fn)(const struct dmabuf_event *event, void *userdata), void *userdata);
/*
 * What dmabuf_allocate() would do for one buffer, with reasons, quota included but for memory
 * cgroups; fn is called once on success. Since 0.1.
 */
int dmabuf_explain(struct dmabuf *conn, const struct dmabuf_request *request,
		   int (*fn)(const struct dmabuf_explanation *explanation, void *userdata),
		   void *userdata);

/*
 * What follows does not block: a program with an event loop polls one descriptor and dispatches. It
 * has connections of its own, two at most beside that of the other functions, makes them when they
 * are needed, and makes them anew when the daemon was away.
 */

/* An allocation that was started. Gone when its function is called, or with the connection. */
struct dmabuf_allocation;

/*
 * A descriptor for poll(), epoll, GLib, libuv, sd-event: readable (POLLIN) for as long as
 * dmabuf_dispatch() has something to do, timeouts included. It stays the connection's, and is
 * neither read nor written. -EBUSY: the connection watches. -EMFILE, -ENFILE, -ENOMEM. Since 0.1.
 */
int dmabuf_get_fd(struct dmabuf *conn);

/*
 * Do what can be done now, and call the functions of what came to its end or happened. Nothing else
 * calls them, and none is called twice for the same. They may start and cancel allocations and call
 * what blocks; they must not dispatch nor disconnect this connection. Since 0.1.
 */
void dmabuf_dispatch(struct dmabuf *conn);

/*
 * As dmabuf_allocate(), but the result is told by dmabuf_dispatch(): fn gets 0 and n_buffers
 * buffers, which are the caller's to free, or a negative errno, of which dmabuf_error() tells more
 * during the call. The array is valid during the call only. The request is copied.
 *
 * Any number may be started. The daemon gets one after the other in their order, so one that waits
 * holds up those behind it; use another connection for what shall not wait for it. The time that it
 * may wait and the timeout of the connection begin when its turn comes. While the daemon is away it
 * is tried again until the timeout is over; then all that were started fail.
 *
 * *ret is for dmabuf_allocate_cancel(); ret may be NULL. -EINVAL, -E2BIG: as of dmabuf_allocate().
 * -EBUSY, -EMFILE, -ENFILE, -ENOMEM: as of dmabuf_get_fd(). Other errors are fn's, and those of
 * dmabuf_connect() among them; -ECONNRESET: the daemon stopped each time that it was asked. Since
 * 0.1.
 */
int dmabuf_allocate_start(struct dmabuf *conn, const struct dmabuf_request *request,
			  unsigned int count,
			  void (*fn)(int result, struct dmabuf_buffer *const buffers[],
				     unsigned int n_buffers, void *userdata),
			  void *userdata, struct dmabuf_allocation **ret);

/*
 * Never call its function; what was granted meanwhile is given back. Not for one whose function was
 * called, or is being called. NULL is ignored. Since 0.1.
 */
void dmabuf_allocate_cancel(struct dmabuf_allocation *allocation);

/*
 * From now on dmabuf_dispatch() calls fn for each event: QUOTA_CHANGED, ASKED_BACK, RECONNECTED and
 * LOST; NULL ends it. Events and their strings are valid during the call. Nothing has to be done
 * about an event. Who is asked back may free what it does not need; nobody takes it away, the daemon
 * asks seldom, and not everybody who could help. After RECONNECTED buffers are what they were, while
 * limits may be others. A daemon that is older than 0.1's protocol 1.2 tells nothing, so of it there
 * is RECONNECTED only. -EBUSY, -EMFILE, -ENFILE, -ENOMEM: as of dmabuf_get_fd(). Since 0.1.
 */
int dmabuf_set_notify(struct dmabuf *conn,
		      void (*fn)(const struct dmabuf_event *event, void *userdata), void *userdata);

#ifdef __cplusplus
}
#endif

#endif
