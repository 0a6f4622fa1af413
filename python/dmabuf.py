# SPDX-License-Identifier: MIT
"""Memory that devices can share, from dmabufd: libdmabuf for Python.

    with dmabuf.Connection() as connection:
        with connection.allocate(1 << 20, "/dev/video0")[0] as buffer, buffer.map() as memory:
            with buffer.access(dmabuf.Access.WRITE):
                memory[:4] = b"abcd"

A thin layer over the C library: what a call means, its units and its errors are told in
libdmabuf(3) and <dmabuf.h>. A call that fails raises Error, an OSError with the library's words.
Threads: as in C, an object may be used by one thread at a time.
"""

import ctypes
import enum
import os
from ctypes import byref, c_char_p, c_uint64, c_void_p
from types import SimpleNamespace

from _libdmabuf import (BufferInfo, ClientInfo, DeviceInfo, EndFn, EventInfo, Explanation, NotifyFn,
                        PoolInfo, StatusInfo, lib, visitor)

WAIT_FOREVER = 2**32 - 1


class Kind(enum.IntEnum):
    """Where memory came from."""
    COHERENT, CMA, BUDDY = 1, 2, 3

    def __str__(self):
        return self.name.lower()


class Mapping(enum.IntEnum):
    """How the CPU sees a buffer."""
    ANY, CACHED, WRITE_COMBINED = 0, 1, 2


class Usage(enum.IntFlag):
    CONTIGUOUS, CPU_READS_OFTEN, CPU_READS_RARELY, CPU_READS_NEVER = 1, 2, 4, 8
    CPU_WRITES_OFTEN, CPU_WRITES_RARELY, CPU_WRITES_NEVER = 16, 32, 64
    CAMERA, ENCODE, DECODE, SCAN_OUT = 128, 256, 512, 1024


class Constraint(enum.IntFlag):
    """What a request can insist on or prefer."""
    MAPPING, ALIGNMENT, CONTIGUOUS, ADDRESS = 1, 2, 4, 8


class Access(enum.IntFlag):
    READ, WRITE, READ_WRITE = 1, 2, 3


class Refused(enum.IntEnum):
    """Why a call failed; those up to OTHER are the index of refusals in a status."""
    QUOTA, FULL, UNSUITABLE, ACCESS, DEVICE, INVALID, MODULE, OTHER, NO_DAEMON, OLD_DAEMON = range(10)


class Event(enum.IntEnum):
    """What happened: the type of an event."""
    ALLOCATED, RELEASED, REFUSED, CONNECTED, LEFT, POOL_APPEARED, RELOADED, LOST = range(1, 9)
    QUOTA_CHANGED, ASKED_BACK, RECONNECTED = 32, 33, 34


class Verdict(enum.IntEnum):
    TRY, REFUSED, FULL, OVER_QUOTA = 1, 2, 3, 4


_WORDS = {"kind": Kind, "mapping": Mapping, "verdict": Verdict}


class Error(OSError):
    """A call that failed: errno, and in strerror the daemon's or the library's own words."""


def _check(result, words=None):
    if result < 0:
        raise Error(-result, (words or b"").decode() or os.strerror(-result))
    return result


def _plain(info):
    """The same in Python: strings, lists for pointers with their count, words for enumerations."""
    plain = SimpleNamespace()
    for name, kind in info._fields_:
        value = getattr(info, name)
        if kind is c_char_p:
            value = value and value.decode()
        elif hasattr(info, f"n_{name}"):
            value = [item if isinstance(item, int) else _plain(item)
                     for item in value[:getattr(info, f"n_{name}")]]
        elif name in _WORDS:
            value = _WORDS[name](value) if value else None
        elif isinstance(info, EventInfo) and name == "type":
            value = Event(value)
        setattr(plain, name, value)
    return plain


class Request:
    """What is wanted; for any number of allocations."""

    def __init__(self, size, *devices, usage=0, mapping=Mapping.ANY, pool=None, name=None, wait=0,
                 alignment=0, address_bits=0, preferred=0):
        """size is in bytes, wait in milliseconds; devices are nodes such as /dev/video0, what is
        open and has a fileno(), or numbers as in st_rdev."""
        self.handle = c_void_p()
        _check(lib.dmabuf_request_new(byref(self.handle)))
        _check(lib.dmabuf_request_set_size(self.handle, size))
        for device in devices:
            self._add(device)
        _check(lib.dmabuf_request_set_usage(self.handle, usage))
        _check(lib.dmabuf_request_set_mapping(self.handle, mapping))
        _check(lib.dmabuf_request_set_pool(self.handle, pool and pool.encode()))
        _check(lib.dmabuf_request_set_name(self.handle, name and name.encode()))
        lib.dmabuf_request_set_wait(self.handle, wait)
        _check(lib.dmabuf_request_set_alignment(self.handle, alignment))
        _check(lib.dmabuf_request_set_address_bits(self.handle, address_bits))
        _check(lib.dmabuf_request_set_preferred(self.handle, preferred))

    def _add(self, device):
        if isinstance(device, int):
            _check(lib.dmabuf_request_add_device_number(self.handle, device))
        elif hasattr(device, "fileno"):
            _check(lib.dmabuf_request_add_device_fd(self.handle, device.fileno()))
        else:
            _check(lib.dmabuf_request_add_device(self.handle, os.fsencode(device)))

    def __del__(self):
        lib.dmabuf_request_free(self.handle)


class _Bracket:
    """CPU access between two calls."""

    def __init__(self, begin, end, *arguments):
        self.begin, self.end, self.arguments = begin, end, arguments

    def __enter__(self):
        _check(self.begin(*self.arguments))

    def __exit__(self, *_):
        _check(self.end(*self.arguments))


def access(fd, flags):
    """with access(fd, Access.READ): … brackets CPU access to any dma-buf, whoever made it."""
    return _Bracket(lib.dmabuf_fd_begin_access, lib.dmabuf_fd_end_access, fd, flags)


def access_range(fd, offset, length, flags):
    """The same for a part of it."""
    return _Bracket(lib.dmabuf_fd_begin_access_range, lib.dmabuf_fd_end_access_range, fd, offset,
                    length, flags)


class _Mapped:
    """The memory of a buffer, until the end of the with statement."""

    def __init__(self, buffer, address):
        self.buffer = buffer
        self.memory = memoryview((ctypes.c_ubyte * buffer.size).from_address(address)).cast("B")

    def __enter__(self):
        return self.memory

    def __exit__(self, *_):
        self.memory.release()
        lib.dmabuf_buffer_unmap(self.buffer.handle)


class _Closed:
    """Something that was opened, and can be closed: C must not be handed what is gone."""

    _handle = None

    @property
    def handle(self):
        if not self._handle:
            raise ValueError(f"the {type(self).__name__.lower()} is closed")
        return self._handle

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __del__(self):
        self.close()


class Buffer(_Closed):
    """One buffer: what was granted, and its descriptor, which close() gives back."""

    def __init__(self, handle):
        base, end = c_uint64(), c_uint64()
        self._handle = c_void_p(handle)
        self.id = lib.dmabuf_buffer_get_id(self.handle)
        self.size = lib.dmabuf_buffer_get_size(self.handle)
        self.pool = lib.dmabuf_buffer_get_pool(self.handle).decode()
        self.kind = Kind(lib.dmabuf_buffer_get_kind(self.handle))
        self.mapping = Mapping(lib.dmabuf_buffer_get_mapping(self.handle))
        self.contiguous = bool(lib.dmabuf_buffer_is_contiguous(self.handle))
        self.relaxed = Constraint(lib.dmabuf_buffer_get_relaxed(self.handle))
        known = lib.dmabuf_buffer_get_address(self.handle, byref(base), byref(end)) == 0
        self.address = (base.value, end.value) if known else None

    @property
    def fd(self):
        """The dma-buf; it stays the buffer's own."""
        return self.fileno()

    def fileno(self):
        return _check(lib.dmabuf_buffer_get_fd(self.handle))

    def take_fd(self):
        """The descriptor, which is the caller's to close from now on."""
        return _check(lib.dmabuf_buffer_take_fd(self.handle))

    def map(self):
        """with buffer.map() as memory: … has all of it as a writable memoryview."""
        address = c_void_p()
        _check(lib.dmabuf_buffer_map(self.handle, byref(address)))
        return _Mapped(self, address.value)

    def access(self, flags):
        """with buffer.access(Access.WRITE): … brackets what the CPU does."""
        return _Bracket(lib.dmabuf_buffer_begin_access, lib.dmabuf_buffer_end_access,
                        self.handle, flags)

    def close(self):
        self._handle = lib.dmabuf_buffer_free(self._handle)


class Allocation:
    """One that was started and is not at its end."""

    def __init__(self, connection, callback):
        self.connection, self.callback, self.handle = connection, callback, c_void_p()
        self.function = EndFn(self._end)

    def cancel(self):
        """Never call back; does nothing for one that was called back."""
        if self.connection:
            lib.dmabuf_allocate_cancel(self.handle)
            self._leave()

    def _leave(self):
        self.connection.started.discard(self)
        self.connection.ended.append(self)
        self.connection = None

    def _end(self, result, buffers, n_buffers, _):
        connection, granted, error = self.connection, None, None
        self._leave()
        if result < 0:
            error = Error(-result, connection.error())
        else:
            granted = [Buffer(handle) for handle in buffers[:n_buffers]]
        connection.call_back(self.callback, granted, error)


class Connection(_Closed):
    """A connection to the daemon; the with statement closes it."""

    def __init__(self):
        handle = c_void_p()
        self.started = set()  # Allocation
        self.notified = None  # the C function, which must live as long as it may be called
        self.ended = []       # what may be running just now
        self.raised = None    # by a callback, for dispatch() to raise
        _check(lib.dmabuf_connect(byref(handle)), lib.dmabuf_error(None))
        self._handle = handle

    def close(self):
        self._handle = lib.dmabuf_disconnect(self._handle)

    def error(self):
        """Why the last call failed."""
        return lib.dmabuf_error(self.handle).decode()

    def error_info(self):
        """The same in numbers."""
        return _plain(lib.dmabuf_get_error_info(self.handle)[0])

    def set_timeout(self, milliseconds):
        lib.dmabuf_set_timeout(self.handle, milliseconds)

    def allocate(self, request, *devices, count=1, **wanted):
        """A list of so many Buffers, or Error with nothing allocated.

        request is a Request, or a size: then devices and wanted are those of Request().
        """
        request = self._request(request, devices, wanted)
        buffers = (c_void_p * count)()
        self._check(lib.dmabuf_allocate(self.handle, request.handle, buffers, count))
        return [Buffer(handle) for handle in buffers]

    def allocate_batch(self, *requests):
        """A Buffer for each Request, all or none."""
        n = len(requests)
        buffers = (c_void_p * n)()
        handles = (c_void_p * n)(*(request.handle.value for request in requests))
        self._check(lib.dmabuf_allocate_batch(self.handle, handles, buffers, n))
        return [Buffer(handle) for handle in buffers]

    def check(self, request, *devices, count=1, **wanted):
        """Error if allocate() would fail now."""
        request = self._request(request, devices, wanted)
        self._check(lib.dmabuf_can_allocate(self.handle, request.handle, count))

    def info(self, fd):
        """What the daemon knows of a dma-buf."""
        return self._all(lib.dmabuf_fd_get_info, BufferInfo, fd)[0]

    def explain(self, request, *devices, **wanted):
        """What allocate() would do, with steps and reasons."""
        request = self._request(request, devices, wanted)
        return self._all(lib.dmabuf_explain, Explanation, request.handle)[0]

    def pools(self):
        return self._all(lib.dmabuf_list_pools, PoolInfo)

    def devices(self):
        return self._all(lib.dmabuf_list_devices, DeviceInfo)

    def buffers(self):
        return self._all(lib.dmabuf_list_buffers, BufferInfo)

    def clients(self):
        return self._all(lib.dmabuf_list_clients, ClientInfo)

    def status(self):
        return self._all(lib.dmabuf_get_status, StatusInfo)[0]

    def watch_start(self):
        """From now on the connection is told events and does nothing else."""
        self._check(lib.dmabuf_watch_start(self.handle))

    def watch_fileno(self):
        return self._check(lib.dmabuf_watch_get_fd(self.handle))

    def watch_read(self):
        """The events that are there now."""
        return self._all(lib.dmabuf_watch_read, EventInfo)

    def fileno(self):
        """What an event loop polls, readable for as long as dispatch() has something to do."""
        return self._check(lib.dmabuf_get_fd(self.handle))

    def dispatch(self):
        """Call back for what came to its end or happened; raises what a callback raised."""
        lib.dmabuf_dispatch(self.handle)
        self.ended.clear()
        raised, self.raised = self.raised, None
        if raised:
            raise raised

    def start(self, callback, request, *devices, count=1, **wanted):
        """As allocate(); dispatch() calls callback(buffers, error), one of which is None."""
        request = self._request(request, devices, wanted)
        allocation = Allocation(self, callback)
        self._check(lib.dmabuf_allocate_start(self.handle, request.handle, count,
                                              allocation.function, None,
                                              byref(allocation.handle)))
        self.started.add(allocation)
        return allocation

    def set_notify(self, callback):
        """dispatch() calls callback(event) for what concerns this program; None for no more."""
        function = NotifyFn()
        if callback:
            function = NotifyFn(lambda event, _: self.call_back(callback, _plain(event[0])))
        self._check(lib.dmabuf_set_notify(self.handle, function, None))
        self.ended.append(self.notified)
        self.notified = function

    def call_back(self, callback, *arguments):
        """An exception cannot pass through C."""
        try:
            callback(*arguments)
        except BaseException as error:
            self.raised = self.raised or error

    def _check(self, result):
        return _check(result, lib.dmabuf_error(self.handle))

    def _request(self, request, devices, wanted):
        return request if isinstance(request, Request) else Request(request, *devices, **wanted)

    def _all(self, function, info, *arguments):
        items = []

        def see(item, _):
            items.append(_plain(item[0]))
            return 0

        self._check(function(self.handle, *arguments, visitor(info)(see), None))
        return items
