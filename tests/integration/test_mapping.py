# SPDX-License-Identifier: MIT
"""What the processor really does with a buffer: page tables, page sizes, cache lines.

Asks the page tables and the kernel's own functions; takes no attribute for granted.
"""

import contextlib
import ctypes
import errno
import fcntl
import mmap
import os
import platform
import struct

import guest
import page_walk
import poolnode
import pytest
import tracing
from poolnode import CACHED, SYNC_END, SYNC_READ, SYNC_WRITE, WRITE_COMBINED

MIB = 1 << 20
PAGE = mmap.PAGESIZE
LARGE = 2 * MIB
MEMTYPES = "/sys/kernel/debug/x86/pat_memtype_list"
MAP_FIXED = 0x10
DMA_BUF_IOCTL_SYNC = 0x40086200
TO_CPU, TO_DEVICE = "arch_sync_dma_for_cpu", "arch_sync_dma_for_device"
NAMES = {CACHED: page_walk.CACHED, WRITE_COMBINED: page_walk.WRITE_COMBINED}
ARM = platform.machine() == "aarch64"
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int,
                      ctypes.c_long]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]


@pytest.fixture(scope="module")
def walk():
    with page_walk.PageWalk() as opened:
        yield opened


def pools_and_mappings(node):
    """Every pool of this guest with every mapping that it claims."""
    for name, pool in node.pools().items():
        for mapping in (CACHED, WRITE_COMBINED):
            if pool.mappings & 1 << mapping:
                yield name, mapping


@contextlib.contextmanager
def allocated(node, *args, **kwargs):
    buffer = node.alloc(*args, **kwargs)
    try:
        yield buffer
    finally:
        os.close(buffer.fd)


def map_at(address, length, fd, offset=0):
    got = libc.mmap(address, length, mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_SHARED | MAP_FIXED,
                    fd, offset)
    assert got != ctypes.c_void_p(-1).value, os.strerror(ctypes.get_errno())
    return got


@contextlib.contextmanager
def mapped(buffer, aligned=False):
    """The buffer, placed within large pages as its memory is, or not quite so."""
    room = buffer.size + 3 * LARGE
    start = libc.mmap(None, room, 0, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, 0)
    try:
        address = start // LARGE * LARGE + LARGE + buffer.base % LARGE
        yield map_at(address if aligned else address + PAGE, buffer.size, buffer.fd)
    finally:
        libc.munmap(start, room)


def touch(address):
    ctypes.c_ubyte.from_address(address).value = 1


def has_large_pages():
    release = tuple(int(part) for part in platform.release().split(".")[:2])
    return release >= (6, 12)


def test_every_mapping_is_what_it_claims(node, walk):
    """In the program's page table and, where all mappings of a page must agree, in the kernel's."""
    for pool, mapping in pools_and_mappings(node):
        with allocated(node, pool, 5 * PAGE, mapping) as buffer:
            with mapped(buffer) as address:
                for page in range(5):
                    touch(address + page * PAGE)
                    size, kind, alias = walk(address + page * PAGE)
                    assert (size, kind) == (PAGE, NAMES[mapping]), (pool, mapping)
                    assert alias in (None, NAMES[mapping]), (pool, mapping)


@pytest.mark.skipif(ARM, reason="only x86 has one attribute for all mappings of a page")
@pytest.mark.parametrize("flags", [0, poolnode.CONTIGUOUS], ids=["mixed", "contiguous"])
def test_attributes_come_back(node, walk, flags):
    """The same memory, cached again: the kernel's alias of it is write-back once it is free."""
    bases = set()
    for _ in range(20):
        with allocated(node, "system", 4 * MIB, WRITE_COMBINED, flags) as buffer:
            bases.add(buffer.base)
    seen = 0
    for _ in range(20):
        with allocated(node, "system", 4 * MIB, CACHED, flags) as buffer:
            seen += buffer.base in bases
            with mapped(buffer) as address:
                for at in range(0, 4 * MIB, PAGE):
                    assert walk(address + at)[1:] == (page_walk.CACHED, page_walk.CACHED)
    assert seen, "no block came back: the test shows nothing"


@pytest.mark.skipif(ARM, reason="x86 keeps a list of the attributes of reserved memory")
def test_reserved_range_is_listed_as_write_combined(node):
    pool = next(pool for pool in node.pools().values() if pool.kind == poolnode.COHERENT)
    with allocated(node, pool.index, PAGE) as buffer:
        places = f"{buffer.base:#018x}-", f"{pool.base:#018x}-"
        with mapped(buffer), open(MEMTYPES, encoding="ascii") as file:
            lines = [line for line in file if any(place in line for place in places)]
        assert lines and all("write-combining" in line for line in lines), lines


def contiguous_pools(node):
    return [(name, mapping) for name, mapping in pools_and_mappings(node)
            if node.pools()[name].max_block >= 4 * MIB or not node.pools()[name].max_block]


@pytest.mark.skipif(not has_large_pages(), reason="before 6.12 only page by page")
def test_large_pages_where_addresses_agree(node, walk):
    for pool, mapping in contiguous_pools(node):
        with allocated(node, pool, 4 * MIB, mapping, poolnode.CONTIGUOUS) as buffer:
            with mapped(buffer, aligned=True) as address:
                first = -(-address // LARGE) * LARGE
                last = (address + buffer.size) // LARGE * LARGE
                assert first < last
                for at in range(address, address + buffer.size, PAGE):
                    touch(at)
                    size = LARGE if first <= at < last else PAGE
                    assert walk(at)[:2] == (size, NAMES[mapping]), (pool, mapping)
            with mapped(buffer) as address:
                touch(address)


@pytest.mark.skipif(not has_large_pages(), reason="before 6.12 only page by page")
@pytest.mark.parametrize("before", [0, PAGE], ids=["first", "shifted"])
def test_library_places_a_mapping_so_that_pages_are_large(client, walk, before):
    """Wherever in a large page the memory begins."""
    with contextlib.ExitStack() as stack:
        if before:
            stack.enter_context(client.allocate(before, pool=guest.FIRST_POOL)[0])
        buffer = stack.enter_context(client.allocate(6 * MIB, pool=guest.FIRST_POOL)[0])
        memory = stack.enter_context(buffer.map())
        memory[:] = bytes(len(memory))
        address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
        inside = -(-address // LARGE) * LARGE
        assert (address - buffer.address[0]) % LARGE == 0
        assert walk(inside)[0] == walk(inside + LARGE)[0] == LARGE


@pytest.mark.skipif(not has_large_pages(), reason="before 6.12 only page by page")
def test_large_page_that_is_split_keeps_its_data(node, walk):
    """Unmapping a page in the middle splits it; what is left comes back by faults."""
    with allocated(node, "system", 4 * MIB, WRITE_COMBINED, poolnode.CONTIGUOUS) as buffer:
        with mapped(buffer, aligned=True) as address:
            for at in range(0, buffer.size, PAGE):
                ctypes.c_uint32.from_address(address + at).value = at
            hole = -(-address // LARGE) * LARGE + 7 * PAGE
            libc.munmap(hole, PAGE)
            for at in range(0, buffer.size, PAGE):
                if address + at != hole:
                    assert ctypes.c_uint32.from_address(address + at).value == at
                    assert walk(address + at)[1] == page_walk.WRITE_COMBINED
            assert walk(hole)[0] == 0


def synced(calls, function):
    """Physical ranges that a function was called for."""
    return sorted((base, base + size) for name, base, size, _ in calls.seen if name == function)


def needs_arm_probes():
    return pytest.mark.skipif(not ARM or tracing.missing() is not None,
                              reason=tracing.missing() or "caches of x86 look at all DMA")


@needs_arm_probes()
@pytest.mark.parametrize("mapping", [CACHED, WRITE_COMBINED], ids=["cached", "wc"])
@pytest.mark.parametrize("pool", ["system", "codec", "default_cma_region"])
def test_new_memory_leaves_the_cache(node, pool, mapping):
    with tracing.Calls(3, TO_DEVICE) as calls:
        buffer = node.alloc(pool, 3 * PAGE, mapping, poolnode.CONTIGUOUS)
    assert (buffer.base, buffer.end) in synced(calls, TO_DEVICE)
    os.close(buffer.fd)


def sync(fd, flags):
    fcntl.ioctl(fd, DMA_BUF_IOCTL_SYNC, struct.pack("=Q", flags))


@needs_arm_probes()
@pytest.mark.parametrize("flags", [0, poolnode.CONTIGUOUS], ids=["mixed", "contiguous"])
def test_cpu_access_maintains_without_an_importer(node, flags):
    size = 3 * MIB
    with allocated(node, "system", size, CACHED, flags) as buffer:
        with tracing.Calls(3, TO_CPU, TO_DEVICE) as calls:
            sync(buffer.fd, 1)
        begun = synced(calls, TO_CPU)
        with tracing.Calls(3, TO_CPU, TO_DEVICE) as calls:
            sync(buffer.fd, 2 | 4)
        ended = synced(calls, TO_DEVICE)
        assert begun == ended
        assert sum(end - base for base, end in begun) == size
        assert (begun[0][0], begun[-1][1]) == (buffer.base, buffer.end)


@needs_arm_probes()
def test_nothing_to_maintain_for_write_combined(node):
    with allocated(node, "system", PAGE, WRITE_COMBINED) as buffer:
        with tracing.Calls(3, TO_CPU, TO_DEVICE) as calls:
            sync(buffer.fd, 3)
            sync(buffer.fd, 3 | 4)
            node.sync(buffer.id, 0, PAGE, SYNC_READ | SYNC_WRITE)
        assert calls.seen == []


@needs_arm_probes()
@pytest.mark.parametrize("offset, length", [(0, 1), (100, 200), (PAGE - 1, 2), (2 * MIB, MIB)])
def test_a_part_is_synced_alone(node, offset, length):
    with allocated(node, "system", 4 * MIB, CACHED, poolnode.CONTIGUOUS) as buffer:
        part = [(buffer.base + offset, buffer.base + offset + length)]
        with tracing.Calls(3, TO_CPU, TO_DEVICE) as calls:
            node.sync(buffer.id, offset, length, SYNC_READ)
        assert (synced(calls, TO_CPU), synced(calls, TO_DEVICE)) == (part, [])
        with tracing.Calls(3, TO_CPU, TO_DEVICE) as calls:
            node.sync(buffer.id, offset, length, SYNC_WRITE | SYNC_END)
        assert (synced(calls, TO_CPU), synced(calls, TO_DEVICE)) == ([], part)


@needs_arm_probes()
def test_a_part_across_blocks_is_synced_whole(node):
    """3 MiB of blocks of at most 2 MiB: a part of both sides of the border."""
    with allocated(node, "system", 3 * MIB, CACHED) as buffer:
        with tracing.Calls(3, TO_CPU) as calls:
            node.sync(buffer.id, 2 * MIB - 5, 10, SYNC_READ)
        assert sum(end - base for base, end in synced(calls, TO_CPU)) == 10


def parts_beyond(size):
    """(offset, length) of what is no part of a buffer of that size."""
    end = 2**64
    return ((0, 0), (size, 1), (0, size + 1), (1, size), (end - 1, 1), (1, end - 1),
            (end - PAGE, PAGE), (0, end - 1))


def test_sync_that_makes_no_sense_is_refused(node):
    with allocated(node, "system", 4 * PAGE, CACHED) as buffer:
        size = buffer.size
        for offset, length in parts_beyond(size):
            with pytest.raises(OSError) as caught:
                node.sync(buffer.id, offset, length, SYNC_READ)
            assert caught.value.errno == errno.EINVAL
        for flags in (0, SYNC_END, 8, SYNC_READ | 1 << 31):
            with pytest.raises(OSError) as caught:
                node.sync(buffer.id, 0, PAGE, flags)
            assert caught.value.errno == errno.EINVAL
        with pytest.raises(OSError) as caught:
            node.ioctl(poolnode.SYNC, poolnode.Sync(id=buffer.id, length=1, flags=1, pad=1))
        assert caught.value.errno == errno.EINVAL
        node.sync(buffer.id, 0, size, SYNC_READ | SYNC_WRITE)
    guest.wait_until(lambda: not node.live(), "it is gone")
    for number in (buffer.id, 0, 2**64 - 1):
        with pytest.raises(OSError) as caught:
            node.sync(number, 0, 1, SYNC_READ)
        assert caught.value.errno == errno.ENOENT
