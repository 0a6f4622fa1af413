# SPDX-License-Identifier: MIT
"""libdmabuf from Python by ctypes: another client than the C ones, in the tests' own process."""

import ctypes
import os
from ctypes import POINTER, byref, c_char_p, c_int, c_uint, c_uint64, c_void_p

CACHED, WRITE_COMBINED = 1, 2
CONTIGUOUS, CPU_READS_OFTEN = 1, 2
KINDS = {1: "coherent", 2: "cma", 3: "buddy"}

lib = ctypes.CDLL("libdmabuf.so.0")
lib.dmabuf_connect.argtypes = [POINTER(c_void_p)]
lib.dmabuf_disconnect.argtypes = [c_void_p]
lib.dmabuf_disconnect.restype = c_void_p
lib.dmabuf_error.argtypes = [c_void_p]
lib.dmabuf_error.restype = c_char_p
lib.dmabuf_request_new.argtypes = [POINTER(c_void_p)]
lib.dmabuf_request_free.argtypes = [c_void_p]
lib.dmabuf_request_free.restype = c_void_p
lib.dmabuf_request_set_size.argtypes = [c_void_p, c_uint64]
lib.dmabuf_request_add_device.argtypes = [c_void_p, c_char_p]
lib.dmabuf_request_set_usage.argtypes = [c_void_p, c_uint]
lib.dmabuf_request_set_mapping.argtypes = [c_void_p, c_int]
lib.dmabuf_request_set_pool.argtypes = [c_void_p, c_char_p]
lib.dmabuf_request_set_wait.argtypes = [c_void_p, c_uint]
lib.dmabuf_request_set_wait.restype = None
lib.dmabuf_allocate.argtypes = [c_void_p, c_void_p, POINTER(c_void_p), c_uint]
lib.dmabuf_buffer_take_fd.argtypes = [c_void_p]
lib.dmabuf_buffer_free.argtypes = [c_void_p]
lib.dmabuf_buffer_free.restype = c_void_p
lib.dmabuf_buffer_get_size.argtypes = [c_void_p]
lib.dmabuf_buffer_get_size.restype = c_uint64
lib.dmabuf_buffer_get_id.argtypes = [c_void_p]
lib.dmabuf_buffer_get_id.restype = c_uint64
lib.dmabuf_buffer_get_pool.argtypes = [c_void_p]
lib.dmabuf_buffer_get_pool.restype = c_char_p
lib.dmabuf_buffer_get_kind.argtypes = [c_void_p]
lib.dmabuf_buffer_get_mapping.argtypes = [c_void_p]
lib.dmabuf_buffer_get_address.argtypes = [c_void_p, POINTER(c_uint64), POINTER(c_uint64)]


class Refused(OSError):
    """A call that failed, with the daemon's or the library's own words."""


class Granted:
    """One buffer: what was granted, and its descriptor, which close() gives back."""

    def __init__(self, buffer):
        base, end = c_uint64(), c_uint64()
        self.id = lib.dmabuf_buffer_get_id(buffer)
        self.size = lib.dmabuf_buffer_get_size(buffer)
        self.pool = lib.dmabuf_buffer_get_pool(buffer).decode()
        self.kind = KINDS[lib.dmabuf_buffer_get_kind(buffer)]
        self.mapping = lib.dmabuf_buffer_get_mapping(buffer)
        known = lib.dmabuf_buffer_get_address(buffer, byref(base), byref(end)) == 0
        self.address = (base.value, end.value) if known else None
        self.fd = lib.dmabuf_buffer_take_fd(buffer)
        lib.dmabuf_buffer_free(buffer)

    def close(self):
        os.close(self.fd)


def close_all(buffers):
    for buffer in buffers:
        buffer.close()


class Connection:
    def __init__(self):
        self.handle = c_void_p()
        self._check(lib.dmabuf_connect(byref(self.handle)))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        lib.dmabuf_disconnect(self.handle)

    def _check(self, result):
        if result < 0:
            raise Refused(-result, (lib.dmabuf_error(self.handle) or b"").decode())

    def allocate(self, size, *devices, count=1, usage=0, mapping=0, pool=None, wait=0):
        """A list of Granted; Refused with nothing allocated. wait is in milliseconds."""
        request = c_void_p()
        self._check(lib.dmabuf_request_new(byref(request)))
        try:
            for step in ([lib.dmabuf_request_set_size(request, size)]
                         + [lib.dmabuf_request_add_device(request, device.encode())
                            for device in devices]
                         + [lib.dmabuf_request_set_usage(request, usage),
                            lib.dmabuf_request_set_mapping(request, mapping),
                            lib.dmabuf_request_set_pool(request, pool and pool.encode())]):
                if step < 0:
                    raise Refused(-step, os.strerror(-step))
            lib.dmabuf_request_set_wait(request, wait)
            buffers = (c_void_p * count)()
            self._check(lib.dmabuf_allocate(self.handle, request, buffers, count))
            return [Granted(buffer) for buffer in buffers]
        finally:
            lib.dmabuf_request_free(request)


def exhaust(connection, device, pool, smallest):
    """Take all of a pool, down to pieces of the smallest size; the Granted that hold it."""
    held, size = [], 64 << 20
    while size >= smallest:
        try:
            held += connection.allocate(size, device, pool=pool)
        except Refused:
            size //= 2
    return held
