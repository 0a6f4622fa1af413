# SPDX-License-Identifier: MIT
"""Sizes, offsets, numbers and addresses at and beyond every limit, in each field of each call.

Knows the module's contract, and of the board only that all its memory lies below 4 GiB; not how the
module computes.
"""

import ctypes
import errno
import mmap
import os

import poolnode
import pytest
from faults import libc
from poolnode import CACHED, CONTIGUOUS, WRITE_COMBINED
from test_module import POOLS, next_fd

PAGE = mmap.PAGESIZE
LARGE = 2 << 20
READ, WRITE, EXEC = mmap.PROT_READ, mmap.PROT_WRITE, mmap.PROT_EXEC
SHARED = mmap.MAP_SHARED
TABLE = [0, 1, 4095, 4096, 4097, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**32 + 1, 2**63 - 1, 2**63,
         2**64 - 4096, 2**64 - 1]
TABLE_32 = [value for value in TABLE if value < 2**32]
FAILED = ctypes.c_void_p(-1).value


def error_of(result):
    """errno of a C call, 0 where it did not fail."""
    return ctypes.get_errno() if result in (-1, FAILED) else 0


def attempt(node, request, argument):
    """errno of an ioctl, 0 where it did not fail."""
    try:
        node.ioctl(request, argument)
    except OSError as error:
        return error.errno
    return 0


def signed(value):
    return ctypes.c_int32(value).value


# What mmap accepts.


@pytest.mark.parametrize("pool", POOLS)
def test_mapping_inside_or_refused(node, pool):
    """Offsets around the end, and the whole table for length and offset."""
    buffer = node.alloc(pool, 4 * PAGE, WRITE_COMBINED)
    near = [pages * PAGE for pages in range(6)]
    for length in (*near, *TABLE):
        for offset in (*near, *TABLE):
            mapped = libc.mmap(None, length, READ, SHARED, buffer.fd, ctypes.c_long(offset).value)
            inside = 0 < length and offset + length <= buffer.size and offset % PAGE == 0
            assert (not error_of(mapped)) == inside, f"{length} bytes at {offset}"
            if inside:
                libc.munmap(mapped, length)
    os.close(buffer.fd)


@pytest.mark.parametrize("pool", POOLS)
def test_kinds_of_mapping(node, pool):
    """Private ones are refused; others give the buffer or an error."""
    buffer = node.alloc(pool, 2 * PAGE, WRITE_COMBINED)
    for prot in (READ, READ | WRITE, 0):
        mapped = libc.mmap(None, PAGE, prot, mmap.MAP_PRIVATE, buffer.fd, 0)
        assert error_of(mapped) == errno.EINVAL
    for prot, flags in ((READ | EXEC, 0), (READ | WRITE | EXEC, 0), (READ | WRITE, 0x8000),
                        (READ | WRITE, 0x2000), (READ | WRITE, 0x40000)):
        mapped = libc.mmap(None, 2 * PAGE, prot, SHARED | flags, buffer.fd, 0)
        if not error_of(mapped):
            assert ctypes.string_at(mapped, 2 * PAGE) == bytes(2 * PAGE)
            libc.munmap(mapped, 2 * PAGE)
    os.close(buffer.fd)


# What the ioctls accept, field by field.


def allocate(node, **fields):
    """errno of an ALLOC, 0 where it did not fail; the buffer is what was asked for, and is gone."""
    args = poolnode.Alloc(**{"size": PAGE, "mapping": WRITE_COMBINED} | fields)
    size, before = args.size, next_fd()
    error = attempt(node, poolnode.ALLOC, args)
    if not error:
        assert args.size == -(-size // PAGE) * PAGE == os.lseek(args.fd, 0, os.SEEK_END)
        assert args.end - args.base >= args.size
        os.close(args.fd)
    assert next_fd() == before
    return error


@pytest.mark.parametrize("pool", POOLS)
def test_size(node, pool):
    info = node.pools()[pool]
    for flags in (0, CONTIGUOUS):
        for size in (*TABLE, LARGE - 1, LARGE, LARGE + 1):
            expected = 0 if 0 < size <= 2 * LARGE else errno.E2BIG if size else errno.EINVAL
            assert allocate(node, pool=info.index, size=size, flags=flags) == expected, size
    assert node.live() == []


@pytest.mark.parametrize("pool", POOLS)
def test_size_at_the_pools_own_limits(node, pool):
    info = node.pools()[pool]
    for limit in {info.max_block, info.size} - {0}:
        for size in (limit - PAGE, limit - 1, limit):
            assert allocate(node, pool=info.index, size=size, flags=CONTIGUOUS) in (
                0, errno.ENOSPC), size
        assert allocate(node, pool=info.index, size=limit + 1, flags=CONTIGUOUS) == errno.E2BIG


@pytest.mark.parametrize("pool", POOLS)
def test_address_limit_is_kept_or_refused(node, pool):
    info = node.pools()[pool]
    for limit in (*TABLE, info.base, info.base + PAGE - 1, info.base + info.size):
        args = poolnode.Alloc(size=PAGE, pool=info.index, mapping=WRITE_COMBINED, max_address=limit)
        error = attempt(node, poolnode.ALLOC, args)
        assert error in (0, errno.ERANGE, errno.ENOSPC), limit
        if error:
            assert limit and limit < 2**32
        else:
            assert not limit or args.end - 1 <= limit
            os.close(args.fd)


def test_other_fields_of_alloc(node):
    system = node.pools()["system"].index
    for value in TABLE_32:
        assert allocate(node, pool=value) == (0 if value < len(POOLS) else errno.ENOENT)
        assert allocate(node, pool=system, mapping=value) == (
            0 if value in (CACHED, WRITE_COMBINED) else errno.EINVAL)
        assert allocate(node, pool=system, flags=value) == (
            0 if value in (0, CONTIGUOUS) else errno.EINVAL)
        zero_only = 0 if value == 0 else errno.EINVAL
        assert allocate(node, pool=system, pad=value) == zero_only
        for field in ("fd", "charge_socket"):
            assert allocate(node, pool=system, **{field: signed(value)}) == zero_only, field
        assert allocate(node, pool=system, flags=poolnode.CHARGE, charge_socket=signed(value)) in (
            errno.EBADF, errno.ENOTSOCK)
    for value in TABLE:
        for field in ("id", "base", "end"):
            assert allocate(node, pool=system, **{field: value}) == (errno.EINVAL if value else 0)
    assert node.live() == []


def test_fields_of_pool(node):
    for value in TABLE_32:
        assert attempt(node, poolnode.POOL, poolnode.Pool(index=value)) == (
            0 if value < len(POOLS) else errno.ENOENT)
    right = bytes(node.ioctl(poolnode.POOL, poolnode.Pool(index=1)))
    garbage = poolnode.Pool.from_buffer_copy(b"\xff" * ctypes.sizeof(poolnode.Pool))
    garbage.index = 1
    assert bytes(node.ioctl(poolnode.POOL, garbage)) == right
    garbage = poolnode.Version(major=2**32 - 1, minor=2**32 - 1)
    assert bytes(node.ioctl(poolnode.VERSION, garbage)) == bytes(node.version())


def test_fields_of_device(node):
    right = bytes(node.device("platform", "vivid.0"))
    for name, kind in poolnode.Device._fields_[2:]:
        for value in TABLE_32 if kind is ctypes.c_uint32 else TABLE:
            args = poolnode.Device(bus=b"platform", name=b"vivid.0", **{name: value})
            error = attempt(node, poolnode.DEVICE, args)
            if value == 0 or name.startswith("segment"):
                assert error in (0, errno.EINVAL) and (error or bytes(args) == right)
            else:
                assert error == errno.EINVAL, name
    for name in (b"", b"x", b"camera/..", b"%s%n", b"\xff" * 63):
        assert attempt(node, poolnode.DEVICE, poolnode.Device(
            bus=b"platform", name=name)) == errno.ENODEV
    for bus in (b"", b"x", b"platforms", b"\xff" * 15):
        assert attempt(node, poolnode.DEVICE, poolnode.Device(
            bus=bus, name=b"vivid.0")) == errno.EOPNOTSUPP


def test_fields_of_describe(node):
    for value in TABLE_32[3:]:
        assert attempt(node, poolnode.DESCRIBE, poolnode.Describe(
            fd=signed(value))) == errno.EBADF, value
    for value in TABLE_32[1:]:
        assert attempt(node, poolnode.DESCRIBE, poolnode.Describe(pad=value)) == errno.EINVAL
    assert attempt(node, poolnode.DESCRIBE, poolnode.Describe(fd=0)) == errno.EINVAL
    assert attempt(node, poolnode.DESCRIBE, poolnode.Describe(fd=node.fd)) == errno.EINVAL


def test_fields_of_list(node):
    held = [node.alloc("system", PAGE) for _ in range(3)]
    known = ctypes.sizeof(poolnode.Buffer)
    memory = mmap.mmap(-1, 4 * PAGE)
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))

    def listed(**fields):
        args = poolnode.List(**{"buffers": start, "count": 3, "record_size": known} | fields)
        return attempt(node, poolnode.LIST, args) or -args.count

    for value in TABLE:
        assert listed(after=value) == (-3 if value < held[0].id else 0), value
        assert listed(buffers=value) == errno.EFAULT, value
        assert listed(buffers=value, count=0) == 0
    for value in TABLE_32:
        assert listed(count=value) == -min(value, 3)
        assert listed(record_size=value) == (-3 if known <= value <= PAGE else errno.EINVAL), value
    assert listed(record_size=known - 1) == errno.EINVAL
    assert listed(record_size=known + 1) == -3
    for buffer in held:
        os.close(buffer.fd)


def test_fields_of_sync(node):
    buffer = node.alloc("system", 2 * PAGE, CACHED)

    def synced(**fields):
        return attempt(node, poolnode.SYNC, poolnode.Sync(
            **{"id": buffer.id, "length": PAGE, "flags": poolnode.SYNC_READ} | fields))

    edges = [1, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE - 1, 2 * PAGE, 2 * PAGE + 1]
    for value in TABLE:
        assert synced(id=value) == (0 if value == buffer.id else errno.ENOENT), value
        for other in (*edges, *TABLE):
            inside = 0 < other and value + other <= buffer.size
            assert synced(offset=value, length=other) == (0 if inside else errno.EINVAL)
    for value in (*TABLE_32, *range(9)):
        assert synced(flags=value) == (0 if value in (1, 2, 3, 5, 6, 7) else errno.EINVAL), value
        assert synced(pad=value) == (errno.EINVAL if value else 0)
    os.close(buffer.fd)


@pytest.mark.parametrize("nr", range(len(poolnode.KINDS)))
def test_size_in_the_number(node, nr):
    """Of an older caller, a newer one, and one that passes what nobody knows yet."""
    kind = poolnode.KINDS[nr]
    known = ctypes.sizeof(kind)
    memory = (ctypes.c_uint8 * (16384 + 8))()
    for size in (0, 1, 4, known - 8, known - 1, known, known + 1, known + 8, 4096, 8191, 16383):
        for last in (0, 1):
            memory[:] = b"\xa5" * len(memory)
            memory[:size] = bytes(size)
            if size > known:
                memory[size - 1] = last
            error = error_of(libc.ioctl(node.fd, poolnode.number(nr, size),
                                        ctypes.addressof(memory)))
            assert (error == errno.E2BIG) == bool(size > known and last), size
            assert bytes(memory[size:]) == b"\xa5" * (len(memory) - size), "no byte past the size"
            assert not size > known or last or not any(memory[known:size])
    assert node.live() == []


def test_unknown_numbers(node):
    memory = ctypes.create_string_buffer(512)
    known = len(poolnode.KINDS)
    numbers = [poolnode.number(nr, 8) for nr in range(known, 256)]
    for nr in range(known):
        request = poolnode.number(nr, 8)
        numbers += [request & ~(3 << 30) | direction << 30 for direction in range(3)]
        numbers += [request ^ 1 << bit for bit in range(8, 16)]
    for request in numbers:
        assert error_of(libc.ioctl(node.fd, request, ctypes.addressof(memory))) == errno.ENOTTY
    assert memory.raw == bytes(512)


@pytest.mark.parametrize("nr", range(len(poolnode.KINDS)))
def test_address_of_the_argument(node, nr):
    request = poolnode.number(nr, ctypes.sizeof(poolnode.KINDS[nr]))
    for address in (*TABLE, 2**48 - PAGE, 2**52, 2**64 - 2**48, 2**55 | PAGE):
        assert error_of(libc.ioctl(node.fd, request, address)) == errno.EFAULT, address


def test_room_for_events(node, reader):
    """Whatever room is given, a record is written whole or not at all, and none is lost."""
    os.close(node.alloc("system", PAGE).fd)
    memory = ctypes.create_string_buffer(PAGE)
    for size in (*TABLE, 8, 23, 24, 25, 47):
        got = libc.read(reader.fd, memory, size)
        if error_of(got):
            assert ctypes.get_errno() in (errno.EINVAL, errno.EFAULT)
            assert size < 24 or size > 2**32
        else:
            assert got == 24 and size >= 24
            os.close(node.alloc("system", PAGE).fd)
    assert len(os.read(reader.fd, PAGE)) == 24
