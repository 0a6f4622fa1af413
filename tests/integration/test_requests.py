# SPDX-License-Identifier: MIT
"""What a request says beyond its devices, with the real module: constraints that are required and
preferred, asking whether, several at once, and which buffer a descriptor is.

The daemon's side without a kernel is in tests/unit/test-requests.c.
"""

import contextlib
import ctypes
import errno
import fcntl
import os
from ctypes import POINTER, byref, c_int, c_uint64, c_void_p

import dmabuf
import guest
import pytest
from dmabuf import Connection, lib

CACHED, WRITE_COMBINED = dmabuf.Mapping.CACHED, dmabuf.Mapping.WRITE_COMBINED
KIB, MIB = 1 << 10, 1 << 20
MAPPING, ALIGNMENT, CONTIGUOUS, ADDRESS = 1, 2, 4, 8
READS_OFTEN, SCAN_OUT = 2, 1024
DMA_BUF_SET_NAME = 0x40086201

Visitor = ctypes.CFUNCTYPE(c_int, POINTER(dmabuf.BufferInfo), c_void_p)


@contextlib.contextmanager
def request(*devices, **wanted):
    """A request for these devices, opened by descriptors of our own."""
    made = c_void_p()
    assert lib.dmabuf_request_new(byref(made)) == 0
    for device in devices:
        fd = os.open(device, os.O_RDWR)
        assert lib.dmabuf_request_add_device_fd(made, fd) == 0
        os.close(fd)
    for name, value in wanted.items():
        assert getattr(lib, f"dmabuf_request_set_{name}")(made, value) == 0
    yield made
    lib.dmabuf_request_free(made)


def text(client):
    return lib.dmabuf_error(client.handle).decode()


@contextlib.contextmanager
def granted(client, *devices, **wanted):
    buffer = c_void_p()
    with request(*devices, **wanted) as made:
        assert lib.dmabuf_can_allocate(client.handle, made, 1) == 0, text(client)
        assert lib.dmabuf_allocate(client.handle, made, byref(buffer), 1) == 0, text(client)
    yield buffer
    lib.dmabuf_buffer_free(buffer)


def refusal_of(client, *devices, **wanted):
    """The errno, after both calls said the same."""
    buffer = c_void_p()
    with request(*devices, **wanted) as made:
        error = lib.dmabuf_can_allocate(client.handle, made, 1)
        words = text(client)
        assert lib.dmabuf_allocate(client.handle, made, byref(buffer), 1) == error, text(client)
    assert text(client) == words
    return -error


def describe(client, fd):
    """(result, what the callback saw)"""
    seen = []

    def visit(info, _):
        found = info.contents
        seen.append((found.id, found.size, found.pool, found.name, found.mapping))
        return 0

    return lib.dmabuf_fd_get_info(client.handle, fd, Visitor(visit), None), *seen


def address(buffer):
    base, end = c_uint64(), c_uint64()
    assert lib.dmabuf_buffer_get_address(buffer, byref(base), byref(end)) == 0
    return base.value, end.value


def test_alignment_and_address_hold(client, free_camera):
    for size in (64 * KIB, MIB):
        with granted(client, free_camera, size=size, alignment=size, address_bits=32) as buffer:
            base, end = address(buffer)
            assert base % size == 0 and end <= 1 << 32
            assert lib.dmabuf_buffer_get_relaxed(buffer) == 0
    assert refusal_of(client, free_camera, size=64 * KIB, alignment=64 * MIB) == errno.EOPNOTSUPP
    assert "aligns a buffer of this size to" in text(client)
    with granted(client, free_camera, size=64 * KIB, alignment=64 * MIB,
                 preferred=ALIGNMENT) as buffer:
        assert lib.dmabuf_buffer_get_relaxed(buffer) == ALIGNMENT


def test_mapping_is_required_or_preferred(client, bound_camera):
    wanted = {"size": MIB, "pool": b"camera", "mapping": CACHED}
    assert refusal_of(client, bound_camera, **wanted) == errno.EOPNOTSUPP
    with granted(client, bound_camera, preferred=MAPPING, **wanted) as buffer:
        assert lib.dmabuf_buffer_get_mapping(buffer) == WRITE_COMBINED
        assert lib.dmabuf_buffer_get_relaxed(buffer) == MAPPING
    with granted(client, bound_camera, size=MIB, pool=b"camera", usage=READS_OFTEN) as buffer:
        assert lib.dmabuf_buffer_get_relaxed(buffer) == MAPPING


def test_role_without_device_is_one_block_if_there_is_one(client):
    with granted(client, size=MIB, usage=SCAN_OUT) as buffer:
        assert lib.dmabuf_buffer_is_contiguous(buffer)
        assert lib.dmabuf_buffer_get_mapping(buffer) == WRITE_COMBINED
        assert lib.dmabuf_buffer_get_relaxed(buffer) == 0
    with granted(client, size=16 * MIB, usage=SCAN_OUT, pool=b"system") as buffer:
        assert lib.dmabuf_buffer_get_relaxed(buffer) == CONTIGUOUS


def test_numbers_of_a_refusal(client, bound_camera):
    with guest.configured("[Daemon]\nUserBytesMax=1M\n"):
        with Connection() as again:
            assert refusal_of(again, bound_camera, size=3 * MIB) == errno.EDQUOT
            info = lib.dmabuf_get_error_info(again.handle).contents
            assert (info.code, info.refusal) == (-errno.EDQUOT, 0)
            assert (info.wanted, info.available, info.limit) == (3 * MIB, MIB, MIB)


def test_batch(client, free_camera):
    buffers = (c_void_p * 2)()
    with request(free_camera, size=MIB) as large, request(free_camera, size=4096) as small, \
            request(free_camera, size=1 << 50) as huge:
        wanted = (c_void_p * 2)(large, small)
        assert lib.dmabuf_allocate_batch(client.handle, wanted, buffers, 2) == 0, text(client)
        assert [lib.dmabuf_buffer_get_size(buffer) for buffer in buffers] == [MIB, 4096]
        for buffer in buffers:
            lib.dmabuf_buffer_free(buffer)
        wanted = (c_void_p * 2)(large, huge)
        assert lib.dmabuf_allocate_batch(client.handle, wanted, buffers, 2) < 0
        assert text(client).startswith("request 2 of 2: ")


def test_which_buffer_a_descriptor_is(client, free_camera):
    with granted(client, free_camera, size=8192, name=b"preview") as buffer:
        number = lib.dmabuf_buffer_get_id(buffer)
        fd = lib.dmabuf_buffer_get_fd(buffer)
        assert os.readlink(f"/proc/self/fd/{fd}").startswith(f"/dmabuf:{number} preview")
        known = (0, (number, 8192, lib.dmabuf_buffer_get_pool(buffer), b"preview",
                     lib.dmabuf_buffer_get_mapping(buffer)))
        assert describe(client, fd) == known
        # By its inode, for as long as the daemon lives that made it.
        fcntl.ioctl(fd, DMA_BUF_SET_NAME, ctypes.create_string_buffer(b"mine"))
        assert describe(client, fd) == known
        guest.systemctl("restart", "dmabufd.service")
        with Connection() as again:
            assert describe(again, fd) == (-errno.ENOENT,)
            fcntl.ioctl(fd, DMA_BUF_SET_NAME, ctypes.create_string_buffer(b"%d" % number))
            assert describe(again, fd) == known


def test_descriptors_of_others(client):
    with open("/dev/null") as null:
        assert describe(client, null.fileno()) == (-errno.ENOTTY,)
    assert describe(client, -1) == (-errno.EBADF,)


@pytest.mark.parametrize("arguments, code", [
    (["--align", "64K", "--address-bits", "32", "--check"], 0),
    (["--align", "64M", "--check"], 1),
    (["--align", "64M", "--prefer", "align", "--usage", "reads-often", "--check"], 0),
    (["--align", "3"], 2), (["--prefer", "size"], 2), (["--usage", "reads-often,never"], 2),
], ids=lambda value: " ".join(value) if isinstance(value, list) else f"exit {value}")
def test_ctl(free_camera, arguments, code):
    assert guest.run("dmabufctl", "alloc", free_camera, "-s", "64K", *arguments).returncode == code
