# SPDX-License-Identifier: MIT
"""Every call of the module when one of its allocations or copies fails; nothing is left of it.

Knows the module's contract and what importers do with a buffer; not where in the kernel a failure
is put. Errors that no injection is needed for, a full table and a page that cannot be written, come
last and run on every kernel.
"""

import ctypes
import errno
import gc
import mmap
import os
import resource
import socket
import warnings

import drm
import edu
import faults
import guest
import kmemleak
import poolnode
import pytest
from poolnode import CACHED, CONTIGUOUS, WRITE_COMBINED
from test_module import (DMA_BUF_IOCTL_SYNC, NO_MAP, POOLS, SYNC_END, SYNC_READ_WRITE,
                         next_fd, open_fds, refused)

PAGE = mmap.PAGESIZE
MIB = 1 << 20
LARGE = 2 * MIB
SIZE = 7 * PAGE  # blocks of 4, 2 and 1 pages where they may be mixed
ALLOC_ERRORS = {errno.ENOMEM, errno.ENOSPC, errno.EFAULT}
# What is contiguous anyway need not be asked to be.
ALLOCATIONS = [(pool, mapping, flags) for pool in POOLS for mapping in (CACHED, WRITE_COMBINED)
               for flags in (0, CONTIGUOUS)
               if not (pool in NO_MAP and mapping == CACHED or pool != "system" and flags)]
CONTIGUOUS_POOL = "codec" if "codec" in POOLS else "system"
IMPORTS = [("camera", WRITE_COMBINED, 0), (CONTIGUOUS_POOL, CACHED, CONTIGUOUS),
           ("system", CACHED, 0)]


def name_of(allocation):
    pool, mapping, flags = allocation
    return "-".join((pool, "cached" if mapping == CACHED else "wc",
                     "contiguous" if flags else "any"))


@pytest.fixture(scope="module")
def injection():
    """Faults can be injected; at the end nothing of the module's memory is lost."""
    if reason := faults.missing() or kmemleak.missing():
        pytest.skip(reason)
    kmemleak.forget()
    yield
    own, others = kmemleak.find("dmabuf_pool")
    for text in others:
        warnings.warn("not of this module: " + text)
    assert not own, "\n".join(own)


def state(node):
    """All that a call which failed must leave as it was."""
    used = {name: pool.used for name, pool in node.pools().items()}
    return open_fds(), next_fd(), [info.id for info in node.live()], used


def sweep(node, function, arguments, allowed, undo=lambda outcome: None):
    """Every outcome is a success or an allowed error, and leaves nothing; the set of errors seen."""
    before = state(node)

    def settle(outcome):
        if outcome.error:
            assert outcome.error in allowed, str(outcome)
        else:
            undo(outcome)
        assert state(node) == before, str(outcome)

    outcomes = faults.sweep(function, arguments, settle)
    print(", ".join(map(str, outcomes)))
    assert not outcomes[-1].error, "without an injection it succeeds"
    return {outcome.error for outcome in outcomes} - {0}


def ioctl_sweep(node, fd, request, make, allowed, undo=lambda argument: None):
    """sweep() of one ioctl; make() gives its argument, a Structure or other ctypes memory."""
    kept = []

    def arguments():
        kept[:] = [make()]
        return fd, request, ctypes.addressof(kept[0])

    return sweep(node, faults.libc.ioctl, arguments, allowed, lambda outcome: undo(kept[0]))


@pytest.fixture
def buffer(node):
    made = node.alloc("system", SIZE, CACHED)
    guest.wait_until(lambda: sum(pool.used for pool in node.pools().values()) == made.size,
                     "memory of earlier tests, which no list shows any more, is back in its pool")
    yield made
    os.close(made.fd)
    assert node.live() == [], "whoever imported it has let go"


@pytest.mark.parametrize("allocation", ALLOCATIONS, ids=name_of)
def test_allocation(injection, node, allocation):
    name, mapping, flags = allocation
    pool = node.pools()[name].index

    def undo(args):
        with mmap.mmap(args.fd, SIZE) as data:
            assert data[:] == bytes(SIZE)
            data[:] = b"\xff" * SIZE
        os.close(args.fd)

    errors = ioctl_sweep(node, node.fd, poolnode.ALLOC, lambda: poolnode.Alloc(
        size=SIZE, pool=pool, mapping=mapping, flags=flags), ALLOC_ERRORS, undo)
    assert errors >= {errno.ENOMEM, errno.EFAULT}, "both kinds of injection arrived"
    assert_pool_is_whole(node, name)


def assert_pool_is_whole(node, name):
    """What no list shows: a range that a failed allocation forgot in a region of ours."""
    pool = node.pools()[name]
    if name == "system" or not pool.size:
        return
    node_buffer = node.alloc(name, pool.size)
    os.close(node_buffer.fd)


def free_memory():
    with open("/proc/meminfo", encoding="ascii") as file:
        return next(int(line.split()[1]) << 10 for line in file if line.startswith("MemFree"))


def test_failed_allocation_loses_no_block(injection, node):
    """kmemleak does not see pages: three blocks, of which each failure might forget some.

    What the kernel itself keeps when it does something for the first time is no loss.
    """
    pool, size = node.pools()["system"].index, 9 * MIB

    def loss():
        before = free_memory()
        ioctl_sweep(node, node.fd, poolnode.ALLOC, lambda: poolnode.Alloc(
            size=size, pool=pool, mapping=CACHED), ALLOC_ERRORS, lambda args: os.close(args.fd))
        return before - free_memory()

    assert any(loss() < size for _ in range(4))


def test_charged_allocation(injection, node):
    ours, theirs = socket.socketpair()
    pool = node.pools()["system"].index
    with ours, theirs:
        ioctl_sweep(node, node.fd, poolnode.ALLOC, lambda: poolnode.Alloc(
            size=SIZE, pool=pool, mapping=CACHED, flags=poolnode.CHARGE,
            charge_socket=ours.fileno()), ALLOC_ERRORS, lambda args: os.close(args.fd))


@pytest.mark.parametrize("request_, fields", [
    (poolnode.VERSION, {}), (poolnode.POOL, {"index": 0}),
    (poolnode.DEVICE, {"bus": b"platform", "name": b"vivid.0"}),
    (poolnode.DESCRIBE, {"fd": "buffer"}),
    (poolnode.SYNC, {"id": "buffer", "length": SIZE, "flags": poolnode.SYNC_READ}),
    (poolnode.SYNC_RANGE, {"fd": "buffer", "length": SIZE, "flags": poolnode.SYNC_READ})],
    ids=["version", "pool", "device", "describe", "sync", "sync-range"])
def test_other_ioctls(injection, node, buffer, request_, fields):
    kind = poolnode.KINDS[request_ & 0xff]
    filled = {name: getattr(buffer, name) if value == "buffer" else value
              for name, value in fields.items()}
    right = node.ioctl(request_, kind(**filled))

    def undo(args):
        assert bytes(args) == bytes(right)

    errors = ioctl_sweep(node, node.fd, request_, lambda: kind(**filled), {errno.EFAULT}, undo)
    assert errors == {errno.EFAULT}


def test_list(injection, node):
    held = [node.alloc("system", PAGE) for _ in range(3)]
    records = (poolnode.Buffer * 3)()

    def undo(args):
        assert [record.id for record in records[:args.count]] == [info.id for info in held]

    errors = ioctl_sweep(node, node.fd, poolnode.LIST, lambda: poolnode.List(
        buffers=ctypes.addressof(records), count=3, record_size=ctypes.sizeof(poolnode.Buffer)),
        {errno.EFAULT}, undo)
    assert errors == {errno.EFAULT}
    for info in held:
        os.close(info.fd)


def test_mapping(injection, node, buffer):
    def undo(outcome):
        assert ctypes.string_at(outcome.result, SIZE) == bytes(SIZE)
        faults.libc.munmap(outcome.result, SIZE)

    errors = sweep(node, faults.libc.mmap, lambda: (
        None, SIZE, mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_SHARED, buffer.fd, 0),
        {errno.ENOMEM}, undo)
    assert errors == {errno.ENOMEM}


def touch(n, address):
    """In a process of its own, for a fault that is not served is a signal: 0 when n was reached."""
    pid = os.fork()
    if not pid:
        outcome = faults.call(n, faults.libc.memset, (address, 1, 1))
        os._exit(0 if outcome.injected else 1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_first_touch(injection, node):
    """Of a mapping that has room for a large page, which only a fault can insert."""
    large = node.alloc(CONTIGUOUS_POOL, 2 * LARGE, flags=CONTIGUOUS)
    reserved = faults.libc.mmap(None, 4 * LARGE, 0,
                                mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, 0)
    address = reserved + (large.base - reserved) % LARGE
    assert faults.libc.mmap(address, large.size, mmap.PROT_READ | mmap.PROT_WRITE,
                            mmap.MAP_SHARED | 0x10, large.fd, 0) == address
    before = state(node)
    with faults.armed():
        for n in range(1, faults.MANY):
            ended = touch(n, address + LARGE - 1)
            assert ended in (0, 1), f"the {n}. fault is a signal"
            assert state(node) == before
            if ended:
                break
    faults.libc.munmap(reserved, 4 * LARGE)
    os.close(large.fd)


def test_close(injection, node):
    """The way back needs no memory."""
    pool = node.pools()["system"].index
    before = state(node)

    def settle(outcome):
        assert not outcome.error
        assert state(node) == before

    faults.sweep(faults.libc.close, lambda: (node.alloc(pool, SIZE).fd,), settle)


@pytest.mark.parametrize("flags", [os.O_WRONLY, os.O_RDONLY], ids=["ioctls", "events"])
def test_open(injection, node, daemon_away, flags):
    """Events that a failed open had claimed would be claimed for ever."""
    errors = sweep(node, faults.libc.open, lambda: (poolnode.NODE.encode(), flags | os.O_CLOEXEC),
                   {errno.ENOMEM, errno.ENFILE, errno.EFAULT},
                   lambda outcome: os.close(outcome.result))
    assert errno.ENOMEM in errors


def test_read(injection, node, reader):
    """Two events: each is read once, whatever fails on the way."""
    expected, got = [], bytearray()
    room = ctypes.create_string_buffer(48)

    def two_more():
        for size in (PAGE, SIZE):
            made = node.alloc("system", size)
            expected.append((poolnode.EVENT_RELEASE, made.id, size))
            os.close(made.fd)

    def undo(outcome):
        got.extend(room[:outcome.result])
        if outcome.result < 48:
            got.extend(os.read(reader.fd, 4096))
        two_more()

    two_more()
    errors = sweep(node, faults.libc.read, lambda: (reader.fd, room, 48), {errno.EFAULT}, undo)
    got.extend(os.read(reader.fd, 4096))
    assert errors == {errno.EFAULT}
    assert poolnode.parse_events(bytes(got)) == expected


@pytest.mark.parametrize("end", [0, SYNC_END], ids=["begin", "end"])
def test_cpu_access(injection, node, buffer, end):
    errors = ioctl_sweep(node, buffer.fd, DMA_BUF_IOCTL_SYNC,
                         lambda: ctypes.c_uint64(SYNC_READ_WRITE | end), {errno.EFAULT})
    assert errors == {errno.EFAULT}


@pytest.mark.parametrize("allocation", IMPORTS, ids=name_of)
def test_import_into_a_display(injection, node, allocation):
    """DRM PRIME: attached and mapped by vgem."""
    path = drm.node("vgem") or pytest.skip("the kernel has no vgem")
    pool, mapping, flags = allocation
    imported = node.alloc(pool, SIZE, mapping, flags)
    with drm.Device(path) as display:
        errors = ioctl_sweep(node, display.fd, drm.FD_TO_HANDLE, lambda: drm.Prime(fd=imported.fd),
                             {errno.ENOMEM, errno.EFAULT}, lambda args: display.close(args.handle))
        assert errno.ENOMEM in errors
        os.close(imported.fd)
        assert node.live() == [], "no attachment is left"


@pytest.mark.parametrize("allocation", IMPORTS, ids=name_of)
def test_import_by_a_device(injection, node, engine, allocation):
    """
    Attached and mapped for one transfer. Not tried with V4L2: videobuf2 forgets its reference to a
    buffer when it fails to attach, at an allocation of its own too, and the buffer lives for ever.
    """
    pool, mapping, flags = allocation
    imported = node.alloc(pool, SIZE, mapping, flags, edu.reach())
    errors = ioctl_sweep(node, engine.fd, edu.COPY, lambda: edu.Copy(
        fd=imported.fd, flags=edu.TO_DEVICE, length=PAGE // 2), {errno.ENOMEM, errno.EFAULT})
    assert errno.ENOMEM in errors
    os.close(imported.fd)
    assert node.live() == [], "no attachment is left"


# Without injection: what a program itself can make fail.

REPEATS = 100_000 if guest.LONG else 1_000


@pytest.fixture
def no_trace(node):
    """Neither descriptor nor buffer, and the next descriptor gets the number it would have got."""
    gc.collect()  # what the test before has forgotten is not to be closed meanwhile
    before = state(node)
    yield
    assert state(node) == before


def halves():
    """(address of a page that is written and read, the one behind it only read)."""
    memory = os.memfd_create("argument")
    os.ftruncate(memory, 2 * PAGE)
    address = faults.libc.mmap(None, 2 * PAGE, mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_SHARED,
                               memory, 0)
    os.close(memory)
    assert faults.libc.mprotect(address + PAGE, PAGE,
                                mmap.PROT_READ) == 0
    return address


def test_result_on_a_page_that_is_read_only(node, no_trace):
    """All of it, or from some byte on: whichever field the copy stops at."""
    address = halves()
    pools = [(node.pools()[pool].index, mapping) for pool, mapping, _ in ALLOCATIONS]
    length = ctypes.sizeof(poolnode.Alloc)
    for turn in range(REPEATS):
        pool, mapping = pools[turn % len(pools)]
        args = poolnode.Alloc(size=PAGE, pool=pool, mapping=mapping)
        start = address + PAGE - turn * 8 % length
        faults.libc.mprotect(address + PAGE, PAGE,
                             mmap.PROT_READ | mmap.PROT_WRITE)
        ctypes.memmove(start, ctypes.addressof(args), length)
        faults.libc.mprotect(address + PAGE, PAGE,
                             mmap.PROT_READ)
        assert faults.libc.ioctl(node.fd, poolnode.ALLOC, start) == -1
        assert ctypes.get_errno() == errno.EFAULT
    faults.libc.munmap(address, 2 * PAGE)


@pytest.mark.parametrize("nr", range(len(poolnode.KINDS)))
def test_any_result_on_a_page_that_is_read_only(node, buffer, no_trace, nr):
    kind = poolnode.KINDS[nr]
    fields = {poolnode.Device: {"bus": b"platform", "name": b"vivid.0"},
              poolnode.Alloc: {"size": PAGE, "mapping": WRITE_COMBINED},
              poolnode.Describe: {"fd": buffer.fd}, poolnode.List: {"record_size": PAGE},
              poolnode.Sync: {"id": buffer.id, "length": PAGE, "flags": 1},
              poolnode.SyncRange: {"fd": buffer.fd, "length": PAGE, "flags": 1}}.get(kind, {})
    memory = os.memfd_create("argument")
    os.write(memory, bytes(kind(**fields)))
    address = faults.libc.mmap(None, PAGE, mmap.PROT_READ, mmap.MAP_SHARED, memory, 0)
    os.close(memory)
    request = poolnode.number(nr, ctypes.sizeof(kind))
    assert faults.libc.ioctl(node.fd, request, address) == -1
    assert ctypes.get_errno() == errno.EFAULT
    faults.libc.munmap(address, PAGE)


@pytest.fixture
def full_table():
    """No number is free for another descriptor."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (next_fd(), limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_full_table_of_descriptors(node, no_trace, full_table):
    pools = [(node.pools()[pool].index, mapping) for pool, mapping, _ in ALLOCATIONS]
    for turn in range(REPEATS):
        pool, mapping = pools[turn % len(pools)]
        refused(errno.EMFILE, node.alloc, pool, PAGE, mapping)
    assert node.live() == []
