# SPDX-License-Identifier: MIT
"""The kernel's side, asked directly: include/uapi/dmabuf_pool.h for Python.

Knows the node and its ioctls only; nothing of the daemon. test_module.py holds the sizes here to the
header's.
"""

import contextlib
import ctypes
import errno
import fcntl
import os
import struct
import time
from ctypes import Structure, c_char, c_int32, c_uint8, c_uint32, c_uint64

NODE = "/dev/dmabuf_pool"
SYNC_NODE = "/dev/dmabuf_sync"
COHERENT, CMA, BUDDY = 1, 2, 3
CACHED, WRITE_COMBINED = 1, 2
CONTIGUOUS, CHARGE = 1, 2
SYSTEM, FREE_KNOWN = 1, 2
SYNC_READ, SYNC_WRITE, SYNC_END = 1, 2, 4
DEVICE_COHERENT, DEVICE_IOMMU = 1, 2
EVENT_RELEASE = 1
TAG_SIZE = 256


class Version(Structure):
    _fields_ = [("major", c_uint32), ("minor", c_uint32)]


class Pool(Structure):
    _fields_ = [("index", c_uint32), ("kind", c_uint32), ("name", c_char * 32), ("base", c_uint64),
                ("size", c_uint64), ("used", c_uint64), ("max_block", c_uint64),
                ("mappings", c_uint32), ("flags", c_uint32), ("free_block", c_uint64),
                ("stocked", c_uint64), ("stock_limit", c_uint64)]


class Device(Structure):
    _fields_ = [("bus", c_char * 16), ("name", c_char * 64), ("dma_mask", c_uint64),
                ("bound_pools", c_uint64), ("flags", c_uint32), ("pad", c_uint32),
                ("segment_size", c_uint64), ("segment_boundary", c_uint64)]


class Alloc(Structure):
    _fields_ = [("size", c_uint64), ("max_address", c_uint64), ("pool", c_uint32),
                ("mapping", c_uint32), ("flags", c_uint32), ("fd", c_int32),
                ("tag", c_uint8 * TAG_SIZE), ("id", c_uint64), ("base", c_uint64),
                ("end", c_uint64), ("charge_socket", c_int32), ("pad", c_uint32)]


class Buffer(Structure):
    _fields_ = [("id", c_uint64), ("size", c_uint64), ("base", c_uint64), ("end", c_uint64),
                ("pool", c_uint32), ("mapping", c_uint32), ("flags", c_uint32), ("pad", c_uint32),
                ("tag", c_uint8 * TAG_SIZE)]


class Describe(Structure):
    _fields_ = [("fd", c_int32), ("pad", c_uint32), ("buffer", Buffer)]


class List(Structure):
    _fields_ = [("after", c_uint64), ("buffers", c_uint64), ("count", c_uint32),
                ("record_size", c_uint32)]


class Sync(Structure):
    _fields_ = [("id", c_uint64), ("offset", c_uint64), ("length", c_uint64), ("flags", c_uint32),
                ("pad", c_uint32)]


class Stock(Structure):
    _fields_ = [("pool", c_uint32), ("pad", c_uint32), ("limit", c_uint64)]


class SyncRange(Structure):
    _fields_ = [("fd", c_int32), ("flags", c_uint32), ("offset", c_uint64), ("length", c_uint64)]


def number(nr, size):
    """_IOWR('Y', nr, size)"""
    return 3 << 30 | size << 16 | ord("Y") << 8 | nr


KINDS = (Version, Pool, Device, Alloc, Describe, List, Sync, Stock, SyncRange)
VERSION, POOL, DEVICE, ALLOC, DESCRIBE, LIST, SYNC, STOCK, SYNC_RANGE = (
    number(nr, ctypes.sizeof(kind)) for nr, kind in enumerate(KINDS))


class Node:
    """An open node. Write-only by default: it then leaves the release events to the daemon."""

    def __init__(self, flags=os.O_WRONLY, path=NODE):
        self.fd = os.open(path, flags | os.O_CLOEXEC)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.fd)

    def ioctl(self, request, argument):
        fcntl.ioctl(self.fd, request, argument, True)
        return argument

    def version(self):
        return self.ioctl(VERSION, Version())

    def pools(self):
        """name -> Pool"""
        found = {}
        for index in range(64):
            try:
                pool = self.ioctl(POOL, Pool(index=index))
            except OSError as error:
                assert error.errno == errno.ENOENT
                break
            found[pool.name.decode()] = pool
        return found

    def device(self, bus, name):
        return self.ioctl(DEVICE, Device(bus=bus.encode(), name=name.encode()))

    def alloc(self, pool, size, mapping=WRITE_COMBINED, flags=0, max_address=0, tag=b"",
              charge_socket=0):
        """An Alloc whose fd the caller closes."""
        index = pool if isinstance(pool, int) else self.pools()[pool].index
        args = Alloc(size=size, pool=index, mapping=mapping, flags=flags, max_address=max_address,
                     charge_socket=charge_socket)
        args.tag[:len(tag)] = tag
        return self.ioctl(ALLOC, args)

    def describe(self, fd):
        return self.ioctl(DESCRIBE, Describe(fd=fd)).buffer

    def sync(self, buffer_id, offset, length, flags):
        self.ioctl(SYNC, Sync(id=buffer_id, offset=offset, length=length, flags=flags))

    def sync_range(self, fd, offset, length, flags):
        self.ioctl(SYNC_RANGE, SyncRange(fd=fd, offset=offset, length=length, flags=flags))

    def stock(self, pool, limit):
        self.ioctl(STOCK, Stock(pool=self.pools()[pool].index, limit=limit))

    @contextlib.contextmanager
    def stocked(self, pool, limit):
        """With another limit, from nothing to nothing; then as before."""
        before = self.pools()[pool].stock_limit
        try:
            self.empty(pool)
            self.stock(pool, limit)
            yield
            self.empty(pool)
        finally:
            self.stock(pool, before)

    def empty(self, pool):
        """What a worker has at hand comes back a moment later."""
        self.stock(pool, 0)
        for _ in range(3000):
            if not self.pools()[pool].stocked:
                return
            time.sleep(0.01)
        raise TimeoutError(f"the stock of {pool} is not given back")

    def live(self, page=64):
        """Every live buffer, a page at a time."""
        found, after = [], 0
        while True:
            records = (Buffer * page)()
            args = self.ioctl(LIST, List(after=after, buffers=ctypes.addressof(records), count=page,
                                         record_size=ctypes.sizeof(Buffer)))
            found += [Buffer.from_buffer_copy(record) for record in records[:args.count]]
            if args.count < page:
                return found
            after = found[-1].id


def parse_events(data):
    """Records of read(): (type, id, size)."""
    events = []
    while data:
        kind, length = struct.unpack_from("=II", data)
        events.append((kind, *struct.unpack_from("=QQ", data, 8)))
        data = data[length:]
    return events
