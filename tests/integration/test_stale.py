# SPDX-License-Identifier: MIT
"""No program sees what is not its own: data of those before it, beside it or behind its buffer.

Knows the module's contract and what Linux says of shared mappings; not how the module maps. Touches
that may fail are made by a process of their own, and the way it ends is the result.
"""

import contextlib
import ctypes
import errno
import faulthandler
import fcntl
import mmap
import os
import pathlib
import random
import signal
import socket
import struct

import guest
import pytest
from faults import libc
from poolnode import CACHED, CONTIGUOUS, WRITE_COMBINED
from test_module import DMA_BUF_IOCTL_SYNC, POOLS, SYNC_END, SYNC_READ_WRITE, kind, view

PAGE = mmap.PAGESIZE
MIB = 1 << 20
LARGE = 2 * MIB
READ, WRITE = mmap.PROT_READ, mmap.PROT_WRITE
SHARED, FIXED, RESERVE = mmap.MAP_SHARED, 0x10, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
MAYMOVE, MOVE_FIXED, DONTUNMAP = 1, 2, 4
DONTNEED, DONTFORK, HUGEPAGE, NOHUGEPAGE = 4, 10, 14, 15
ADVICE = [advice for advice in range(26) if advice != DONTFORK]
TAIL = 3 * PAGE
SIZE = 2 * LARGE + MIB + TAIL
KINDS = {pool: mapping for pool, mapping in (
    ("camera", WRITE_COMBINED), ("codec", CACHED), ("default_cma_region", WRITE_COMBINED),
    ("system", CACHED)) if pool in POOLS}


def failed(result):
    return result in (-1, ctypes.c_void_p(-1).value)


# What a process of its own sees.


def in_child(look):
    """The exit status of look(), or minus the signal that ended it."""
    pid = os.fork()
    if not pid:
        faulthandler.disable()
        status = 255
        try:
            status = look()
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def is_hole(address, write=False):
    """A touch of this byte is a signal, and no data is seen."""
    def touch():
        if write:
            ctypes.memset(address, 0, 1)
        else:
            ctypes.string_at(address, 1)
        return 0

    return in_child(touch) in (-signal.SIGSEGV, -signal.SIGBUS)


WORDS = PAGE // 8  # of 8 bytes, in a page
STAMP = 0xda7a << 32


def stamp(address, first, pages):
    """A mark at the start and at the end of each page."""
    words = (ctypes.c_uint64 * (pages * WORDS)).from_address(address)
    for at in range(pages):
        words[at * WORDS] = words[at * WORDS + WORDS - 1] = STAMP | first + at


def shows(address, pages):
    """In the process itself: at @address lie these pages of the buffer, whole, in this order."""
    words = memoryview(ctypes.string_at(address, len(pages) * PAGE)).cast("Q")
    expected = [STAMP | page for page in pages]
    return words[::WORDS].tolist() == words[WORDS - 1::WORDS].tolist() == expected


def holds(address, pages):
    """As shows() would say, were it sure that nothing of it is a signal."""
    return in_child(lambda: 0 if shows(address, pages) else 1) == 0


# Mappings in a range that is otherwise empty.


class Window:
    """Reserved addresses around a mapping: what nobody maps into them is a hole."""

    def __init__(self, length, base, shift=0):
        """.address lies within a large page where @base does, or @shift bytes further."""
        self.length = length + 4 * LARGE
        self.start = libc.mmap(None, self.length, 0, RESERVE, -1, 0)
        first = self.start + LARGE
        self.address = first + (base + shift - first) % LARGE

    def map(self, fd, length, offset=0, at=0, prot=READ | WRITE):
        mapped = libc.mmap(self.address + at, length, prot, SHARED | FIXED, fd, offset)
        assert mapped == self.address + at, errno.errorcode[ctypes.get_errno()]
        return mapped

    def close(self):
        libc.munmap(self.start, self.length)


@pytest.fixture(params=[(pool, shift) for pool in KINDS for shift in (0, PAGE)
                        if guest.LONG or pool == "camera" or not shift],
                ids=lambda p: f"{p[0]}-{'shifted' if p[1] else 'aligned'}")
def placed(request, node):
    """(window, buffer, pages): a stamped buffer; its address is to its place as large pages need
    it, or is not. A neighbour full of 0xee lies behind it, where the pool puts one there."""
    pool, shift = request.param
    before = node.alloc(pool, TAIL, KINDS[pool])
    buffer = node.alloc(pool, SIZE, KINDS[pool])
    behind = node.alloc(pool, MIB, KINDS[pool])
    with mmap.mmap(behind.fd, MIB) as data:
        data[:] = b"\xee" * MIB
    base = buffer.base if buffer.flags & CONTIGUOUS else 0
    window = Window(SIZE, base, shift)
    stamp(window.map(buffer.fd, SIZE), 0, SIZE // PAGE)
    yield window, buffer, list(range(SIZE // PAGE))
    window.close()
    for made in (before, buffer, behind):
        os.close(made.fd)


def middle_of_a_large_page(address):
    return -address % LARGE + LARGE // 2


def test_one_page_past_either_end(placed):
    window, _, pages = placed
    assert holds(window.address, pages)
    assert is_hole(window.address - 1)
    assert is_hole(window.address + SIZE)
    assert is_hole(window.address + SIZE, write=True)


def test_hole_in_a_large_page(placed):
    window, _, pages = placed
    at = middle_of_a_large_page(window.address)
    for first, count in ((at // PAGE, 1), (at // PAGE + 3, 2)):
        assert libc.munmap(window.address + first * PAGE, count * PAGE) == 0
        assert is_hole(window.address + first * PAGE)
        assert is_hole(window.address + (first + count) * PAGE - 1)
    first = at // PAGE
    assert holds(window.address, pages[:first])
    assert holds(window.address + (first + 1) * PAGE, pages[first + 1:first + 3])
    assert holds(window.address + (first + 5) * PAGE, pages[first + 5:])


def test_protection_of_a_part(placed):
    window, _, pages = placed
    at = window.address + middle_of_a_large_page(window.address)
    assert libc.mprotect(at, PAGE, READ) == 0
    assert is_hole(at, write=True)
    assert holds(window.address, pages)
    assert libc.mprotect(at, 2 * PAGE, 0) == 0
    assert is_hole(at) and is_hole(at + 2 * PAGE - 1)
    assert not is_hole(at - 1, write=False) and not is_hole(at + 2 * PAGE, write=False)
    assert libc.mprotect(window.address, SIZE, READ | WRITE) == 0
    assert holds(window.address, pages)


def test_remap(placed):
    """It shrinks and moves, to where large pages fit as to where they do not; it never grows."""
    window, buffer, pages = placed
    for old in (SIZE, PAGE, 0):
        assert failed(libc.mremap(window.address + SIZE - old, old, old + PAGE, MAYMOVE, None))
    assert is_hole(window.address + SIZE)
    assert failed(libc.mremap(window.address, SIZE, SIZE, MAYMOVE | DONTUNMAP, None))
    assert holds(window.address, pages)
    half = middle_of_a_large_page(window.address)
    assert not failed(libc.mremap(window.address, SIZE, SIZE - TAIL, 0, None))
    assert is_hole(window.address + SIZE - TAIL)
    for shift in (PAGE, LARGE // 2, 0):
        other = Window(SIZE, window.address, shift)
        length = SIZE - TAIL - half
        assert libc.mremap(window.address + half, length, length, MAYMOVE | MOVE_FIXED,
                           other.address) == other.address
        assert holds(window.address, pages[:half // PAGE])
        assert is_hole(window.address + half)
        assert holds(other.address, pages[half // PAGE:-TAIL // PAGE])
        assert is_hole(other.address + length)
        libc.munmap(other.address, length)
        window.map(buffer.fd, length, half, half)
        other.close()


def test_processes_share_it(placed):
    """A child sees the same pages and its parent what the child writes, whoever touched first."""
    window, buffer, pages = placed
    fresh = Window(SIZE, window.address)
    fresh.map(buffer.fd, SIZE)
    assert holds(fresh.address, pages)
    assert in_child(lambda: stamp(fresh.address, 7, SIZE // PAGE) or 0) == 0
    assert holds(window.address, range(7, 7 + SIZE // PAGE))
    assert holds(fresh.address, range(7, 7 + SIZE // PAGE))
    fresh.close()


def test_advice(placed):
    """Refused or without effect; a page kept from children is a hole in a child alone."""
    window, _, pages = placed
    at = window.address + middle_of_a_large_page(window.address)
    page = (at - window.address) // PAGE
    for advice in ADVICE:
        for start, length in ((window.address, SIZE), (at, PAGE)):
            libc.madvise(start, length, advice)
        assert holds(at - PAGE, pages[page - 1:page + 2]), f"after advice {advice}"
    assert holds(window.address, pages)
    assert libc.madvise(at, PAGE, DONTFORK) == 0
    assert is_hole(at)
    assert shows(at, [page])


def test_other_ways_to_read_it(placed):
    """A splice and what debuggers do: refused, or the right data."""
    window, _, pages = placed
    reads, writes = os.pipe()
    piece = (ctypes.c_size_t * 2)(window.address, PAGE)
    first, last = ((STAMP | page).to_bytes(8, "little") for page in (0, pages[-1]))
    if libc.vmsplice(writes, piece, 1, 0) > 0:
        assert os.read(reads, PAGE)[:8] == first
    with open("/proc/self/mem", "rb", buffering=0) as memory:
        for address, right in ((window.address, first), (window.address + SIZE - 8, last),
                               (window.address + SIZE, bytes(8)), (window.address - 8, bytes(8))):
            with contextlib.suppress(OSError):
                assert os.pread(memory.fileno(), 8, address) == right
    assert holds(window.address, pages)
    os.close(reads)
    os.close(writes)


class Model:
    """What each page of a window should hold: (page of the buffer, protection), or nothing."""

    def __init__(self, window, buffer, pages, seed):
        self.window, self.buffer, self.random = window, buffer, random.Random(seed)
        self.have = {at: (page, READ | WRITE) for at, page in enumerate(pages)}

    def span(self):
        """A range of pages of the window, with a weakness for large pages and their edges."""
        total = SIZE // PAGE
        edge = (-self.window.address % LARGE) // PAGE
        first = self.random.choice([self.random.randrange(total), edge, edge + LARGE // PAGE - 1])
        count = self.random.choice([1, 2, LARGE // PAGE, self.random.randrange(1, total)])
        return first, min(count, total - first)

    def step(self):
        getattr(self, self.random.choice(["unmap", "protect", "map", "move", "advise"]))()

    def address(self, page):
        return self.window.address + page * PAGE

    def unmap(self):
        """The range stays reserved: nothing else of this process comes to lie there."""
        first, count = self.span()
        libc.mmap(self.address(first), count * PAGE, 0, RESERVE | FIXED, -1, 0)
        for at in range(first, first + count):
            self.have.pop(at, None)

    def protect(self):
        first, count = self.span()
        prot = self.random.choice([0, READ, READ | WRITE])
        if all(at in self.have for at in range(first, first + count)):
            assert libc.mprotect(self.address(first), count * PAGE, prot) == 0
            for at in range(first, first + count):
                self.have[at] = (self.have[at][0], prot)

    def map(self):
        first, count = self.span()
        page = self.random.randrange(SIZE // PAGE - count + 1)
        self.window.map(self.buffer.fd, count * PAGE, page * PAGE, first * PAGE)
        for at in range(count):
            self.have[first + at] = (page + at, READ | WRITE)

    def move(self):
        """Within one mapping only; the kernel says which ranges are."""
        first, count = self.span()
        target = self.random.randrange(SIZE // PAGE - count + 1)
        if abs(target - first) < count:
            return
        moved = libc.mremap(self.address(first), count * PAGE, count * PAGE, MAYMOVE | MOVE_FIXED,
                            self.address(target))
        if failed(moved):
            self.forget(target, count)
            return
        for at in range(count):
            self.have.pop(target + at, None)
            if first + at in self.have:
                self.have[target + at] = self.have.pop(first + at)
        libc.mmap(self.address(first), count * PAGE, 0, RESERVE | FIXED, -1, 0)

    def forget(self, first, count):
        """A move that fails may have unmapped its target."""
        libc.mmap(self.address(first), count * PAGE, 0, RESERVE | FIXED, -1, 0)
        for at in range(first, first + count):
            self.have.pop(at, None)

    def advise(self):
        first, count = self.span()
        libc.madvise(self.address(first), count * PAGE,
                     self.random.choice([DONTNEED, HUGEPAGE, NOHUGEPAGE, 8, 20, 21, 22, 23]))

    def check(self):
        def look():
            return 0 if all(shows(self.address(at), [page])
                            for at, (page, prot) in self.have.items() if prot & READ) else 1

        assert in_child(look) == 0
        holes = [at for at in range(-1, SIZE // PAGE + 1)
                 if not self.have.get(at, (0, 0))[1] & READ]
        for at in {*self.random.sample(holes, min(2, len(holes))), SIZE // PAGE}:
            assert is_hole(self.address(at)), f"page {at} is a hole"


def test_any_order_of_operations(placed):
    for seed in range(50 if guest.LONG else 1):
        model = Model(*placed, seed)
        for step in range(30):
            model.step()
            if step % 5 == 4:
                model.check()
        window, buffer, _ = placed
        window.map(buffer.fd, SIZE)


# Data of those before it.

FIRST_USER, SECOND_USER = 1234, 1235
PATTERN = b"\xff"


def as_user(user, look):
    """True when look() is, in a process that has given up all privilege."""
    def drop_and_look():
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
        return 0 if look() else 1

    return in_child(drop_and_look) == 0


def each(buffers, do):
    """do(mapped bytes) for each; False as soon as one is."""
    for buffer in buffers:
        with view(buffer) as data:
            if not do(data):
                return False
    return True


def fill(data):
    data[:] = PATTERN * len(data)
    return True


def is_zero(data):
    return data[:] == bytes(len(data))


def let_go_by_close(buffers):
    assert as_user(FIRST_USER, lambda: each(buffers, fill))
    for buffer in buffers:
        os.close(buffer.fd)


def let_go_by_death(buffers):
    """The last holder is killed while it has all of them mapped."""
    ready, tell = os.pipe()
    pid = os.fork()
    if not pid:
        held = [view(buffer) for buffer in buffers]
        as_user(FIRST_USER, lambda: all(fill(data) for data in held))
        os.write(tell, b"x")
        signal.pause()
    os.read(ready, 1)
    for buffer in buffers:
        os.close(buffer.fd)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(ready)
    os.close(tell)


def let_go_in_flight(buffers):
    """The last reference is a message that nobody received."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        assert as_user(FIRST_USER, lambda: each(buffers, fill))
        for buffer in buffers:
            socket.send_fds(ours, [b"x"], [buffer.fd])
            os.close(buffer.fd)


@pytest.mark.parametrize("let_go", [let_go_by_close, let_go_by_death, let_go_in_flight],
                         ids=["close", "death", "in-flight"])
def test_memory_of_another_user_comes_back_zeroed(node, kind, let_go):
    """Whole, in parts, and as a part of something larger."""
    pool, mapping = kind
    number = 32 if guest.LONG else 8
    small, large = (PAGE, number), (MIB, min(number, (node.pools()[pool].size or 64 * MIB) // MIB))
    for sizes in ((small, small), (large, large), (large, small), (small, large)):
        (size, count), (then_size, then_count) = sizes
        let_go([node.alloc(pool, size, mapping) for _ in range(count)])
        guest.wait_until(lambda: not node.live(), "the first user's are gone")
        again = [node.alloc(pool, then_size, mapping) for _ in range(then_count)]
        assert as_user(SECOND_USER, lambda: each(again, is_zero))
        for buffer in again:
            os.close(buffer.fd)


class Copier:
    """vim2m: a driver that copies what the kernel's own mapping of an imported buffer shows."""

    FORMAT, REQUEST, QUERY, QUEUE, DEQUEUE = (0xc0d05605, 0xc0145608, 0xc0585609, 0xc058560f,
                                              0xc0585611)
    START, STOP = 0x40045612, 0x40045613
    SOURCE, TARGET, MMAP, DMABUF = 2, 1, 1, 4
    WIDTH, HEIGHT = 640, 480
    SIZE = WIDTH * HEIGHT * 2

    def __init__(self):
        names = pathlib.Path("/sys/class/video4linux").glob("video*/name")
        node, = [path.parent.name for path in names if path.read_text().startswith("vim2m")]
        self.fd = os.open(f"/dev/{node}", os.O_RDWR | os.O_CLOEXEC)

    def _call(self, request, form, *values, size):
        args = bytearray(struct.pack("=" + form, *values).ljust(size, b"\0"))
        fcntl.ioctl(self.fd, request, args, True)
        return args

    def _each(self, request):
        for kind in (self.SOURCE, self.TARGET):
            self._call(request, "I", kind, size=4)

    def _have(self, count):
        for kind, memory in ((self.SOURCE, self.DMABUF), (self.TARGET, self.MMAP)):
            self._call(self.REQUEST, "III", count, kind, memory, size=20)

    def read(self, fd):
        """What the driver sees of the first SIZE bytes of a dma-buf."""
        for kind in (self.SOURCE, self.TARGET):
            self._call(self.FORMAT, "IIII4sI", kind, 0, self.WIDTH, self.HEIGHT, b"RGBP", 1,
                       size=208)
        self._have(1)
        target = self._call(self.QUERY, "II52xI", 0, self.TARGET, self.MMAP, size=88)
        offset, length = struct.unpack_from("=I4xI", target, 64)
        with mmap.mmap(self.fd, length, offset=offset) as seen:
            seen[:] = b"\xaa" * length
            self._call(self.QUEUE, "II52xI", 0, self.TARGET, self.MMAP, size=88)
            self._call(self.QUEUE, "IIIII40xIi4xI", 0, self.SOURCE, self.SIZE, 0, 1, self.DMABUF,
                       fd, self.SIZE, size=88)
            self._each(self.START)
            self._call(self.DEQUEUE, "II52xI", 0, self.TARGET, self.MMAP, size=88)
            data = seen[:self.SIZE]
        self._each(self.STOP)
        self._have(0)
        return data


def test_kernel_mapping_shows_no_stale_data(node, kind):
    if guest.run("modprobe", "vim2m").returncode:
        pytest.skip("the kernel has no vim2m, which reads by a kernel mapping")
    guest.run("udevadm", "settle", check=True)
    pool, mapping = kind
    copier = Copier()
    for _ in range(3):
        buffer = node.alloc(pool, copier.SIZE, mapping)
        assert is_zero(copier.read(buffer.fd))
        with view(buffer) as data:
            fill(data)
        fcntl.ioctl(buffer.fd, DMA_BUF_IOCTL_SYNC, struct.pack("=Q", SYNC_READ_WRITE | SYNC_END))
        assert copier.read(buffer.fd) == PATTERN * copier.SIZE
        os.close(buffer.fd)
    os.close(copier.fd)
