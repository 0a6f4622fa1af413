/* SPDX-License-Identifier: (GPL-2.0-only WITH Linux-syscall-note) OR MIT */
/*
 * The contract between dmabuf_pool.ko and the service that allocates through it.
 *
 * The module's node, /dev/dmabuf_pool, is for one privileged service. Programs never open it: they
 * hold dma-buf file descriptors, which this interface creates. A second node, /dev/dmabuf_sync, is
 * for everybody, and lets who holds such a descriptor do SYNC_RANGE, and nothing else.
 *
 * Rules of growth
 *  - 64-bit fields are aligned to 8 bytes, padding is explicit, and every size is a multiple of 8:
 *    the layout is the same for 32-bit and 64-bit callers.
 *  - Fields are only added at the end. The size in the ioctl number is negotiated: what an older
 *    caller does not pass reads as zero, what an older module does not know is returned as zero and
 *    must be passed as zero (-E2BIG otherwise). Zero in a new field means what was done before it.
 *  - Padding and unknown flags must be zero (-EINVAL otherwise).
 *  - Numbers are never reused: neither ioctls, nor kinds, mappings, event types or buffer ids.
 *  - A new field, flag or ioctl raises DMABUF_POOL_MINOR. DMABUF_POOL_MAJOR changes when an older
 *    caller would break.
 *
 * An unknown ioctl returns -ENOTTY. All sizes and addresses are in bytes. The ioctls may be called
 * from several threads at once.
 */
#ifndef _UAPI_DMABUFD_DMABUF_POOL_H
#define _UAPI_DMABUFD_DMABUF_POOL_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define DMABUF_POOL_MAJOR 1
#define DMABUF_POOL_MINOR 2

#define DMABUF_POOL_NODE "/dev/dmabuf_pool"
#define DMABUF_POOL_SYNC_NODE "/dev/dmabuf_sync"

/* Bytes, the terminating NUL included. */
#define DMABUF_POOL_NAME_SIZE 32
#define DMABUF_POOL_BUS_SIZE 16
#define DMABUF_POOL_DEVICE_SIZE 64
/* Bytes that belong to the caller of ALLOC and mean nothing to the module. */
#define DMABUF_POOL_TAG_SIZE 256
/* Most pools of one module: pool indices fit a 64-bit mask. */
#define DMABUF_POOL_POOLS_MAX 64

/* Where memory comes from. */
#define DMABUF_POOL_KIND_COHERENT 1 /* a reserved region without a kernel mapping (no-map) */
#define DMABUF_POOL_KIND_CMA 2      /* a contiguous memory allocator area */
#define DMABUF_POOL_KIND_BUDDY 3    /* the page allocator */

/* How the CPU sees a buffer, through mmap() as well as in the kernel. */
#define DMABUF_POOL_MAPPING_CACHED 1
#define DMABUF_POOL_MAPPING_WRITE_COMBINED 2

/**
 * struct dmabuf_pool_version - what the module speaks
 * @major: DMABUF_POOL_MAJOR of the module; a caller of another major must stop.
 * @minor: DMABUF_POOL_MINOR of the module.
 */
struct dmabuf_pool_version {
	__u32 major;
	__u32 minor;
};

/* The pool belongs to no device: memory of the system as a whole. */
#define DMABUF_POOL_SYSTEM (1u << 0)
/* free_block is known. Since 1.1. */
#define DMABUF_POOL_FREE_KNOWN (1u << 1)

/**
 * struct dmabuf_pool_info - one pool
 * @index: in: which pool, from 0; -ENOENT past the last. Indices stay the same until the module is
 *	unloaded.
 * @kind: out: DMABUF_POOL_KIND_*.
 * @name: out: unique among the pools, NUL-terminated.
 * @base: out: lowest physical address; 0 when the pool has no fixed place.
 * @size: out: bytes; 0 when the kernel sets no limit or does not tell it (the default CMA area).
 * @used: out: bytes of live buffers: allocated through this module and not yet released.
 * @max_block: out: largest contiguous block, in bytes, that an empty pool could give; 0 when
 *	unknown.
 * @mappings: out: bit (1 << DMABUF_POOL_MAPPING_*) for each mapping that this pool can give.
 * @flags: out: DMABUF_POOL_SYSTEM, DMABUF_POOL_FREE_KNOWN.
 * @free_block: out: largest contiguous block, in bytes, that is free now, where @flags says that it
 *	is known: in a region that is this module's alone. What is stocked there counts as free: it
 *	makes way for a request that needs it. Since 1.1.
 * @stocked: out: bytes kept ready for coming buffers, and in none now. Since 1.2.
 * @stock_limit: out: bytes that may be, as set by DMABUF_POOL_IOCTL_STOCK. Since 1.2.
 */
struct dmabuf_pool_info {
	__u32 index;
	__u32 kind;
	char name[DMABUF_POOL_NAME_SIZE];
	__u64 base;
	__u64 size;
	__u64 used;
	__u64 max_block;
	__u32 mappings;
	__u32 flags;
	__u64 free_block;
	__u64 stocked;
	__u64 stock_limit;
};

/* The hardware keeps the device's view of memory and the CPU's cache coherent. */
#define DMABUF_POOL_DEVICE_COHERENT (1u << 0)
/* An IOMMU translates for the device: memory need not be contiguous. */
#define DMABUF_POOL_DEVICE_IOMMU (1u << 1)

/**
 * struct dmabuf_pool_device - what the kernel knows of a device that does DMA
 * @bus: in: "platform" or "pci", NUL-terminated; -EOPNOTSUPP for another bus.
 * @name: in: the device's name on that bus, NUL-terminated; -ENODEV when there is none.
 * @dma_mask: out: highest address that the device can reach, by its own mask and by what the buses
 *	before it show of memory; behind an IOMMU that translates, highest that it may be given.
 *	0 when the device has no DMA mask.
 * @bound_pools: out: bit (1 << index) for each pool whose region the device's firmware node names
 *	in "memory-region".
 * @flags: out: DMABUF_POOL_DEVICE_*.
 * @pad: zero.
 * @segment_size: out: longest segment, in bytes, that the device's driver accepts; an import is cut
 *	into such. 65536 where the driver says nothing. Since 1.1.
 * @segment_boundary: out: no segment may cross a multiple of this plus one; behind an IOMMU the
 *	kernel sees to it. Since 1.1.
 */
struct dmabuf_pool_device {
	char bus[DMABUF_POOL_BUS_SIZE];
	char name[DMABUF_POOL_DEVICE_SIZE];
	__u64 dma_mask;
	__u64 bound_pools;
	__u32 flags;
	__u32 pad;
	__u64 segment_size;
	__u64 segment_boundary;
};

/* One block of physical addresses. In ALLOC: no other will do. In a buffer: it is one. */
#define DMABUF_POOL_CONTIGUOUS (1u << 0)
/* In ALLOC: charge the memory cgroup of the process behind charge_socket. Since 1.1. */
#define DMABUF_POOL_CHARGE (1u << 1)

/**
 * struct dmabuf_pool_alloc - allocate a zeroed buffer and export it
 * @size: in: bytes, not zero, rounded up to whole pages; out: the rounded size.
 * @max_address: in: highest physical address allowed; 0 for no limit.
 * @pool: in: index of the pool; no other is tried.
 * @mapping: in: DMABUF_POOL_MAPPING_*.
 * @flags: in: DMABUF_POOL_CONTIGUOUS, DMABUF_POOL_CHARGE; out: DMABUF_POOL_CONTIGUOUS when the
 *	buffer is one block.
 * @fd: in: zero; out: dma-buf, O_RDWR | O_CLOEXEC. The caller owns it.
 * @tag: in: kept with the buffer and returned by DESCRIBE and LIST.
 * @id: in: zero; out: number of the buffer, never 0 and never used again until reboot.
 * @base: in: zero; out: lowest physical address.
 * @end: in: zero; out: one past the highest physical address.
 * @charge_socket: in: with DMABUF_POOL_CHARGE a connected Unix socket, else zero. What the kernel
 *	can charge to a memory cgroup (memory of the page allocator, the records of the buffer) is
 *	charged to that of the process which called connect() or socketpair() for the other end, and
 *	not to the caller's, until the buffer is gone. Since 1.1.
 * @pad: in: zero. Since 1.1.
 *
 * -EINVAL: a field that must be zero is not, an unknown mapping or flag, a size of zero, a
 * @charge_socket of another kind. -EBADF, -ENOTSOCK: @charge_socket is none. -ESRCH: the process
 * behind it is gone. -EDQUOT: its memory cgroup, or one above, is at its limit.
 * -ENOENT: no such pool. -EOPNOTSUPP: the pool cannot give this mapping. -E2BIG: the pool could not
 * give this size when empty. -ENOSPC: the pool is full now. -ERANGE: nothing below @max_address.
 * -ENOMEM: no memory for the kernel's own records. -EMFILE, -ENFILE: no descriptor free.
 * -ENOBUFS: too many release events are unread. -EINTR: a fatal signal came.
 * Nothing stays allocated after an error.
 */
struct dmabuf_pool_alloc {
	__u64 size;
	__u64 max_address;
	__u32 pool;
	__u32 mapping;
	__u32 flags;
	__s32 fd;
	__u8 tag[DMABUF_POOL_TAG_SIZE];
	__u64 id;
	__u64 base;
	__u64 end;
	__s32 charge_socket;
	__u32 pad;
};

/**
 * struct dmabuf_pool_buffer - one live buffer
 * @id: as in ALLOC.
 * @size: bytes, whole pages.
 * @base: lowest physical address.
 * @end: one past the highest physical address; @end - @base is @size when contiguous.
 * @pool: index of the pool that the memory really came from.
 * @mapping: DMABUF_POOL_MAPPING_*.
 * @flags: DMABUF_POOL_CONTIGUOUS or 0.
 * @pad: zero.
 * @tag: as given to ALLOC.
 */
struct dmabuf_pool_buffer {
	__u64 id;
	__u64 size;
	__u64 base;
	__u64 end;
	__u32 pool;
	__u32 mapping;
	__u32 flags;
	__u32 pad;
	__u8 tag[DMABUF_POOL_TAG_SIZE];
};

/**
 * struct dmabuf_pool_describe - describe a buffer by its descriptor
 * @fd: in: a dma-buf. -EBADF: not open; -EINVAL: not a dma-buf of this module.
 * @pad: in: zero.
 * @buffer: out.
 */
struct dmabuf_pool_describe {
	__s32 fd;
	__u32 pad;
	struct dmabuf_pool_buffer buffer;
};

/**
 * struct dmabuf_pool_list - live buffers in the order of their ids, a page at a time
 * @after: in: list buffers whose id is greater; 0 for the first page.
 * @buffers: in: user pointer to @count records of @record_size bytes.
 * @count: in: room for so many records; out: records written, fewer only on the last page.
 * @record_size: in: sizeof(struct dmabuf_pool_buffer) of the caller; at least that of version 1.0.
 *
 * A buffer that lives during all calls is listed once; one that comes or goes meanwhile may be.
 */
struct dmabuf_pool_list {
	__u64 after;
	__u64 buffers;
	__u32 count;
	__u32 record_size;
};

/* The CPU is about to read or write, as with DMA_BUF_SYNC_START. */
#define DMABUF_POOL_SYNC_READ (1u << 0)
#define DMABUF_POOL_SYNC_WRITE (1u << 1)
/* The CPU is done, as with DMA_BUF_SYNC_END. */
#define DMABUF_POOL_SYNC_END (1u << 2)

/**
 * struct dmabuf_pool_sync - begin or end the CPU's access to a part of a buffer
 * @id: in: of a live buffer; -ENOENT when there is none.
 * @offset: in: bytes from the start of the buffer.
 * @length: in: bytes, not zero; -EINVAL when the part reaches past the end of the buffer.
 * @flags: in: DMABUF_POOL_SYNC_READ, _WRITE or both, and DMABUF_POOL_SYNC_END at the
 *	end of the access.
 * @pad: in: zero.
 *
 * What DMA_BUF_IOCTL_SYNC does to a whole buffer, for a part of it; it does not wait for fences. A
 * cache works by lines: what shares the first or the last line with the part is synced with it.
 * Nothing is to be done for a write-combined buffer. Since 1.1.
 */
struct dmabuf_pool_sync {
	__u64 id;
	__u64 offset;
	__u64 length;
	__u32 flags;
	__u32 pad;
};

/**
 * struct dmabuf_pool_sync_range - SYNC for who holds the buffer's descriptor
 * @fd: in: a dma-buf. -EBADF: not open; -EINVAL: not a dma-buf of this module.
 * @flags: in: as in SYNC.
 * @offset: in: as in SYNC.
 * @length: in: as in SYNC.
 *
 * At the beginning of an access it waits, as DMA_BUF_IOCTL_SYNC does, for the devices that have put
 * a fence on the buffer; -EINTR when a signal comes meanwhile. The only ioctl of
 * DMABUF_POOL_SYNC_NODE, which needs to be open for reading or for writing. Since 1.2.
 */
struct dmabuf_pool_sync_range {
	__s32 fd;
	__u32 flags;
	__u64 offset;
	__u64 length;
};

/**
 * struct dmabuf_pool_stock - how much memory a pool keeps ready
 * @pool: in: index of the pool; -ENOENT when there is none.
 * @pad: in: zero.
 * @limit: in: bytes; 0, as it is until the first call, for none. What is stocked beyond it goes
 *	back at once.
 *
 * Memory of a released buffer stays with the module up to this limit, is zeroed in the background
 * and serves the next buffer of the same size and mapping; and after a request more of its kind is
 * taken in advance. Stocked memory is nobody's: it is in no buffer and not in the pool's @used. It
 * goes back to its pool when a request finds nothing else there, and, of a CMA area, when the
 * kernel is short of memory; a driver that shares the area or region with the module cannot have
 * it. The limit stays when the caller closes the node.
 *
 * -EOPNOTSUPP: memory of the page allocator is not stocked: it is charged to a memory cgroup from
 * allocation to release. Since 1.2.
 */
struct dmabuf_pool_stock {
	__u32 pool;
	__u32 pad;
	__u64 limit;
};

#define DMABUF_POOL_IOCTL_BASE 'Y'
#define DMABUF_POOL_IOCTL_VERSION _IOWR(DMABUF_POOL_IOCTL_BASE, 0, struct dmabuf_pool_version)
#define DMABUF_POOL_IOCTL_POOL _IOWR(DMABUF_POOL_IOCTL_BASE, 1, struct dmabuf_pool_info)
#define DMABUF_POOL_IOCTL_DEVICE _IOWR(DMABUF_POOL_IOCTL_BASE, 2, struct dmabuf_pool_device)
#define DMABUF_POOL_IOCTL_ALLOC _IOWR(DMABUF_POOL_IOCTL_BASE, 3, struct dmabuf_pool_alloc)
#define DMABUF_POOL_IOCTL_DESCRIBE _IOWR(DMABUF_POOL_IOCTL_BASE, 4, struct dmabuf_pool_describe)
#define DMABUF_POOL_IOCTL_LIST _IOWR(DMABUF_POOL_IOCTL_BASE, 5, struct dmabuf_pool_list)
#define DMABUF_POOL_IOCTL_SYNC _IOWR(DMABUF_POOL_IOCTL_BASE, 6, struct dmabuf_pool_sync)
#define DMABUF_POOL_IOCTL_STOCK _IOWR(DMABUF_POOL_IOCTL_BASE, 7, struct dmabuf_pool_stock)
#define DMABUF_POOL_IOCTL_SYNC_RANGE _IOWR(DMABUF_POOL_IOCTL_BASE, 8, struct dmabuf_pool_sync_range)

/*
 * Release events
 *
 * Opening the node for reading claims the events: one reader at a time, -EBUSY for a second.
 * Opening it O_WRONLY gives the ioctls alone. From the moment of that open the reader gets one
 * record for each buffer whose last reference anywhere (descriptor, mapping, attachment, message in
 * a socket) is gone. The record is reserved when the buffer is allocated, so none can be lost; what
 * a closing reader leaves unread is forgotten, and the next reader learns the truth from LIST.
 *
 * read() returns whole records only (-EINVAL when the first does not fit), blocks while there is
 * none unless O_NONBLOCK (-EAGAIN), and poll() reports POLLIN. A reader skips a type it does not
 * know by @length.
 */
#define DMABUF_POOL_EVENT_RELEASE 1

/**
 * struct dmabuf_pool_event - start of every record
 * @type: DMABUF_POOL_EVENT_*.
 * @length: bytes of the whole record, a multiple of 8.
 */
struct dmabuf_pool_event {
	__u32 type;
	__u32 length;
};

/**
 * struct dmabuf_pool_event_release - a buffer is gone and its memory is back in its pool
 * @base: DMABUF_POOL_EVENT_RELEASE.
 * @id: the buffer's id.
 * @size: the buffer's size in bytes.
 */
struct dmabuf_pool_event_release {
	struct dmabuf_pool_event base;
	__u64 id;
	__u64 size;
};

#endif
