# SPDX-License-Identifier: MIT
"""Drivers that nobody here wrote, and one that does DMA by itself, on buffers of every kind.

Goes by facts (which pools there are, whether an IOMMU translates, which modules the kernel has) and
never by the name of a guest; what a test cannot find, it names as it is skipped.
"""

import contextlib
import errno
import fcntl
import mmap
import os
import pathlib
import random
import struct

import dmabuf
import drm
import edu
import guest
import poolnode
import pytest
from guest import refused
from held import close_all
from poolnode import BUDDY, CACHED, CMA, COHERENT, CONTIGUOUS, WRITE_COMBINED

MIB = 1 << 20
PAGE = mmap.PAGESIZE
BLOCK = 4 * MIB  # longest of the page allocator: at each multiple of it a mixed buffer has a border
MIXED = 2 * BLOCK + MIB + 3 * PAGE
DMA_BUF_IOCTL_SYNC = 0x40086200
READ, WRITE, END = 1, 2, 4
FRAMES = 60
KINDS = {COHERENT: "coherent", CMA: "cma", BUDDY: "buddy"}
MAPPINGS = {CACHED: "cached", WRITE_COMBINED: "write-combined"}
SHAPES = {CONTIGUOUS: "block", 0: "mixed"}
# Every kind of pool with every mapping; from the page allocator one block and several.
MEMORY = [(COHERENT, WRITE_COMBINED, CONTIGUOUS),
          *((kind, mapping, CONTIGUOUS) for kind in (CMA, BUDDY) for mapping in MAPPINGS),
          *((BUDDY, mapping, 0) for mapping in MAPPINGS)]


class Memory:
    """One way to get memory: the pools that can, with which mapping, in one block or several."""

    def __init__(self, node, kind, mapping, flags):
        self.node, self.kind, self.mapping, self.flags = node, kind, mapping, flags
        self.size = MIB if flags else MIXED
        self.pools = [name for name, pool in node.pools().items()
                      if pool.kind == kind and pool.mappings >> mapping & 1]
        if not self.pools:
            pytest.skip(f"no {KINDS[kind]} pool here gives {MAPPINGS[mapping]} memory")

    def within(self, limit):
        """The pools that have memory below the limit, where there is one."""
        bases = {name: pool.base for name, pool in self.node.pools().items()}
        found = [name for name in self.pools if not limit or bases[name] <= limit]
        return found or pytest.skip(f"no {KINDS[self.kind]} pool here lies below {limit:#x}")

    def alloc(self, pool, max_address=0):
        return allocated(self.node, pool, self.size, self.mapping, self.flags, max_address)


def named(parameter):
    kind, mapping, flags = parameter
    return f"{KINDS[kind]}-{MAPPINGS[mapping]}-{SHAPES[flags]}"


@pytest.fixture(params=MEMORY, ids=named)
def memory(request, node):
    return Memory(node, *request.param)


@contextlib.contextmanager
def allocated(node, pool, size, mapping, flags=0, max_address=0):
    buffer = node.alloc(pool, size, mapping, flags, max_address)
    try:
        yield buffer
    finally:
        os.close(buffer.fd)


def sync(buffer, flags):
    fcntl.ioctl(buffer.fd, DMA_BUF_IOCTL_SYNC, struct.pack("=Q", flags))


@contextlib.contextmanager
def cpu(buffer, flags=READ | WRITE):
    """The buffer's memory, between the calls that begin and end an access."""
    with mmap.mmap(buffer.fd, buffer.size) as data:
        sync(buffer, flags)
        try:
            yield data
        finally:
            sync(buffer, flags | END)


def assert_begins(memory, expected):
    for at in range(0, len(expected), PAGE):
        end = min(at + PAGE, len(expected))
        same = memory[at:end] == expected[at:end]
        assert same, f"the page at {at:#x} is not as it should be"


def is_gone(node, buffer):
    return all(info.id != buffer.id for info in node.live())


def scattered(node, stack, size, mapping, max_address=0):
    """A buffer whose blocks do not happen to lie side by side."""
    size = -(-size // PAGE) * PAGE
    for _ in range(16):
        buffer = stack.enter_context(allocated(node, "system", size, mapping, 0, max_address))
        if buffer.end - buffer.base != size:
            assert not node.describe(buffer.fd).flags & CONTIGUOUS
            return buffer
    return pytest.fail("the page allocator gave nothing but neighbours")


def places(size):
    """(from, to, length): first and last bytes, odd lengths, and across every border there is."""
    borders = range(BLOCK, size, BLOCK) if size > BLOCK else [PAGE]
    return [(0, size - 1, 1), (size - 1003, 1, 1003), (5, size - edu.MEMORY_SIZE, edu.MEMORY_SIZE),
            *((border - 1000, border + 3 * PAGE - 3001, 3001) for border in borders),
            *((border + 3 * PAGE - 7, border - 2002, 2003) for border in borders)]


def exchange(engine, buffer, fd=-1):
    """The device copies parts of the buffer to others, and nothing else in it changes."""
    expected = bytearray(random.randbytes(buffer.size))
    with cpu(buffer) as data:
        data[:] = expected
    for source, target, length in places(buffer.size):
        engine.read(source, length, fd=fd)
        engine.write(target, length, fd=fd)
        expected[target:target + length] = expected[source:source + length]
    with cpu(buffer, READ) as data:
        assert_begins(data, expected)


def test_facts_of_the_device(node, engine):
    facts = node.device("pci", edu.address())
    assert facts.dma_mask == (1 << edu.bits()) - 1
    assert bool(facts.flags & poolnode.DEVICE_IOMMU) == edu.has_iommu()
    assert facts.flags & poolnode.DEVICE_COHERENT
    assert (facts.segment_size, facts.segment_boundary) == (2**32 - 1, 2**32 - 1)


def test_device_reads_and_writes(engine, memory):
    """To the device the memory is one piece by the IOMMU's grace; else it is where it is."""
    for pool in memory.within(edu.reach()):
        with memory.alloc(pool, edu.reach()) as buffer:
            seen = engine.hold(buffer.fd)
            if edu.has_iommu():
                assert (seen.segments, seen.end - seen.base) == (1, buffer.size)
            else:
                assert (seen.base, seen.end) == (buffer.base, buffer.end)
                assert (seen.segments == 1) == bool(buffer.flags & CONTIGUOUS)
            exchange(engine, buffer)
            engine.let_go()
            exchange(engine, buffer, buffer.fd)  # attached for each copy, not while the CPU looks


@pytest.mark.parametrize("mapping", MAPPINGS, ids=MAPPINGS.get)
def test_memory_in_pieces_needs_the_iommu(node, engine, mapping):
    """What lies in many places is one to the device, below what it could address by itself."""
    if not edu.has_iommu():
        pytest.skip("no IOMMU here")
    with contextlib.ExitStack() as stack:
        buffer = scattered(node, stack, MIXED, mapping)
        seen = engine.hold(buffer.fd)
        assert (seen.segments, seen.end - seen.base) == (1, buffer.size)
        assert seen.end <= 1 << edu.NARROW <= edu.lowest_ram() <= buffer.base
        exchange(engine, buffer)
        engine.let_go()


def test_segments_are_as_long_as_the_driver_says(node, dma_driver):
    edu.unload()
    edu.load(max_segment=65536)
    try:
        assert node.device("pci", edu.address()).segment_size == 65536
        with edu.Engine() as engine, allocated(node, "system", MIB, CACHED, CONTIGUOUS,
                                               edu.reach()) as buffer:
            assert engine.hold(buffer.fd).segments == MIB // 65536
            exchange(engine, buffer)
            engine.let_go()
    finally:
        edu.unload()
        edu.load()


def test_next_user_reads_nothing_of_the_last(node, engine, memory):
    """What a device wrote is zero when the memory comes back, for the CPU and for the device."""
    if memory.kind == BUDDY and memory.flags:
        memory.size = PAGE  # the one size that the page allocator hands out again at once
    for pool in memory.within(edu.reach()):
        with own_memory_again(node, pool):
            came_back = any(passes_on_nothing(node, engine, memory, pool) for _ in range(16))
        assert came_back, f"{pool} never gave the same memory again, so nothing was shown"


def own_memory_again(node, pool):
    """A stock gives other memory while it clears what came last."""
    return (contextlib.nullcontext() if guest.POOLS[pool] == "buddy" else node.stocked(pool, 0))


def passes_on_nothing(node, engine, memory, pool):
    """Two users, one after the other; whether the second got memory of the first."""
    with memory.alloc(pool, edu.reach()) as first:
        with cpu(first) as data:
            data[:PAGE] = b"\xff" * PAGE
        engine.read(0, 4095, fd=first.fd)
        spots = (0, first.size // 2 * (first.size > PAGE), first.size - 4095)
        for spot in spots:
            engine.write(spot, 4095, fd=first.fd)
    guest.wait_until(lambda: is_gone(node, first), "the first buffer is gone")
    with memory.alloc(pool, edu.reach()) as second:
        with cpu(second) as data:
            assert_begins(data, bytes(second.size))
        for spot in spots:
            assert seen_by_device(node, engine, second, spot, 4095) == bytes(4095)
    return second.base < first.end and first.base < second.end


def seen_by_device(node, engine, buffer, offset, length):
    """What the device reads, brought to the CPU through another buffer."""
    with allocated(node, "system", PAGE, CACHED, CONTIGUOUS, edu.reach()) as witness:
        engine.read(offset, length, fd=buffer.fd)
        engine.write(0, length, fd=witness.fd)
        with cpu(witness, READ) as data:
            return data[:length]


@pytest.fixture
def above(node):
    """Of a mapping, a buffer above an address; there is none such where an IOMMU translates."""
    with contextlib.ExitStack() as stack:
        def find(mapping, limit):
            for name, pool in node.pools().items() if limit else ():
                if pool.mappings >> mapping & 1:
                    args = node, name, 48 * PAGE, mapping, CONTIGUOUS
                    if (buffer := stack.enter_context(allocated(*args))).base > limit:
                        return buffer
            return pytest.skip(f"no {MAPPINGS[mapping]} memory lies above {limit:#x}" if limit else
                               "an IOMMU brings the device everywhere")
        yield find


@pytest.mark.parametrize("mapping", MAPPINGS, ids=MAPPINGS.get)
def test_memory_out_of_reach_is_refused(engine, above, mapping):
    """Copies, one for each importer, would destroy what another wrote."""
    refused(errno.ERANGE, engine.hold, above(mapping, edu.reach()).fd)


@pytest.fixture(params=["vgem", "vkms"])
def display(request):
    path = drm.node(request.param) or pytest.skip(f"this kernel has no {request.param}")
    with drm.Device(path) as opened:
        yield opened


def test_drm_shows_the_same_memory(node, display, memory):
    """And gives the same buffer back."""
    for pool in memory.pools:
        with memory.alloc(pool) as buffer:
            handle, shown = display.import_and_map(buffer.fd, buffer.size)
            with shown, mmap.mmap(buffer.fd, buffer.size) as own:
                for one, other in ((own, shown), (shown, own)):
                    content = random.randbytes(buffer.size)
                    one[:] = content
                    assert_begins(other, content)
            exported = display.export(handle)
            assert node.describe(exported).id == buffer.id
            os.close(exported)
            display.close(handle)


def test_drm_handle_keeps_buffer_and_charge(node, display):
    path = os.readlink(f"/proc/self/fd/{display.fd}")
    with dmabuf.Connection() as client:
        buffer, = client.allocate(MIB, path)
    handle = display.import_fd(buffer.fd)
    buffer.close()
    assert [entry["id"] for entry in guest.ctl("buffers")["buffers"]] == [buffer.id]
    assert charged(path) == MIB
    display.close(handle)
    guest.wait_until(lambda: charged(path) == 0, "the handle's charge is back")
    assert is_gone(node, buffer)


def charged(path):
    return next(device["used"] for device in guest.ctl("devices")["devices"]
                if device["node"] == path)


class Capture:
    """The part of V4L2 that captures into dma-bufs."""

    REQBUFS, QBUF, DQBUF, STREAMON = 0xC0145608, 0xC058560F, 0xC0585611, 0x40045612
    CAPTURE, DMABUF = 1, 4
    BUFFER = struct.Struct("=3I44x2Ii20x")  # index, type, bytes used; sequence, memory, descriptor

    def __init__(self, path, count):
        self.fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        wanted = struct.pack("=5I", count, self.CAPTURE, self.DMABUF, 0, 0)
        fcntl.ioctl(self.fd, self.REQBUFS, wanted)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.fd)

    def start(self):
        fcntl.ioctl(self.fd, self.STREAMON, struct.pack("=I", self.CAPTURE))

    def queue(self, index, fd):
        fcntl.ioctl(self.fd, self.QBUF,
                    self.BUFFER.pack(index, self.CAPTURE, 0, 0, self.DMABUF, fd))

    def dequeue(self):
        """(index, bytes used)"""
        wanted = self.BUFFER.pack(0, self.CAPTURE, 0, 0, self.DMABUF, 0)
        return self.BUFFER.unpack(fcntl.ioctl(self.fd, self.DQBUF, wanted))[0:3:2]


ALLOCATORS = {"contiguous": "1", "vmalloc": "0"}
CAMERA_REACH = 2**32 - 1
NARROW = "narrow-bus:narrow"


@pytest.fixture(params=ALLOCATORS)
def camera(request):
    """A camera whose importer wants one block, or maps the memory for the CPU."""
    loaded = pathlib.Path("/sys/module/vivid/parameters/allocators").read_text().strip().split(",")
    nodes = dict(zip(loaded[:2], guest.video_nodes("vivid.0")))
    wanted = ALLOCATORS[request.param]
    return nodes.get(wanted) or pytest.skip(f"no camera with allocators={wanted}, only {loaded}")


@pytest.fixture
def picture(camera, tmp_path):
    return own_picture(camera, tmp_path)


def own_picture(camera, folder):
    """What the camera's own buffers hold: without its clock, all pictures are alike."""
    file = folder / "own"
    guest.run("v4l2-ctl", "-d", camera, "-v", "width=320,height=180,pixelformat=RGB3", "-p", "60",
              "-c", "osd_text_mode=2", "--stream-mmap", "--stream-count=1", f"--stream-to={file}",
              check=True)
    return file.read_bytes()


def capture(camera, buffers, picture, frames):
    """Each frame goes into memory that held something else."""
    with Capture(camera, len(buffers)) as stream:
        for index, buffer in enumerate(buffers):
            spoil(buffer)
            stream.queue(index, buffer.fd)
        stream.start()
        for _ in range(frames):
            index, used = stream.dequeue()
            with cpu(buffers[index], READ) as data:
                assert used == len(picture)
                assert_begins(data, picture)
            spoil(buffers[index])
            stream.queue(index, buffers[index].fd)


def spoil(buffer):
    with cpu(buffer, WRITE) as data:
        data[:] = b"\xa5" * buffer.size


@pytest.mark.parametrize("camera, memory", [(mode, each) for mode in ALLOCATORS for each in MEMORY
                                            if each[2] or mode == "vmalloc"], indirect=True,
                         ids=lambda part: part if isinstance(part, str) else named(part))
def test_camera_captures(camera, picture, memory):
    """Sixty frames into memory that a camera of this mode must take; in pieces it is of four."""
    memory.size = len(picture)
    for pool in memory.pools:
        with contextlib.ExitStack() as stack:
            buffers = [stack.enter_context(memory.alloc(pool, CAMERA_REACH)) for _ in range(3)]
            capture(camera, buffers, picture, FRAMES)


@pytest.mark.parametrize("mapping", MAPPINGS, ids=MAPPINGS.get)
@pytest.mark.parametrize("camera, takes", [("contiguous", False), ("vmalloc", True)],
                         indirect=["camera"])
def test_camera_and_memory_in_pieces(node, camera, takes, picture, mapping):
    with contextlib.ExitStack() as stack:
        buffer = scattered(node, stack, len(picture), mapping, CAMERA_REACH)
        if takes:
            capture(camera, [buffer], picture, FRAMES)
        else:
            with Capture(camera, 1) as stream:
                refused(errno.EFAULT, stream.queue, 0, buffer.fd)


@pytest.mark.parametrize("camera", ["contiguous"], indirect=True)
def test_camera_refuses_memory_out_of_reach(camera, picture, above):
    """And does not keep the buffer for that."""
    assert (buffer := above(WRITE_COMBINED, CAMERA_REACH)).size >= len(picture)
    with Capture(camera, 1) as stream, pytest.raises(OSError):
        stream.queue(0, buffer.fd)


@pytest.fixture
def high(camera, picture):
    """A buffer of the daemon for no device, which lies above what 32 bits can say."""
    if edu.highest_ram() <= CAMERA_REACH + 1:
        pytest.skip("no memory above 4 GiB here")
    with dmabuf.Connection() as client:
        buffer, = client.allocate(len(picture), usage=dmabuf.Usage.CONTIGUOUS, pool="system")
    yield buffer
    buffer.close()


@pytest.mark.parametrize("camera", ["contiguous"], indirect=True)
@pytest.mark.parametrize("pool", [None, "system"])
def test_daemon_heeds_what_a_named_device_reaches(camera, picture, high, pool):
    """A device of 32 bits cannot have what was asked for without naming it."""
    assert high.address[0] > CAMERA_REACH
    with Capture(camera, 1) as stream, pytest.raises(OSError):
        stream.queue(0, high.fd)
    decision = {row["question"]: row["answer"]
                for row in guest.ctl("explain", camera, "--size", len(picture))["decision"]}
    assert decision["highest address"] == hex(CAMERA_REACH)
    with dmabuf.Connection() as client:
        low = client.allocate(len(picture), camera, count=3, pool=pool)
    assert all(buffer.address[1] <= CAMERA_REACH + 1 for buffer in low)
    capture(camera, low, picture, FRAMES)
    close_all(low)


@pytest.mark.parametrize("camera", ["contiguous"], indirect=True)
def test_the_narrowest_of_several_devices_counts(camera, picture, high):
    with dmabuf.Connection() as client:
        low = client.allocate(len(picture), drm.node("vgem"), camera, pool="system")
    assert low[0].address[1] <= CAMERA_REACH + 1 < high.address[0]
    close_all(low)


@pytest.fixture
def narrow_bus():
    """(highest address that it brings its devices to, a camera on it); its addresses begin at 0."""
    if not guest.DEVICE_TREE:
        pytest.skip("no device tree, so no bus that shows only part of the memory")
    window = pathlib.Path("/proc/device-tree/narrow-bus/dma-ranges").read_bytes()
    bus, memory, size = struct.unpack(">IQI", window)
    assert bus != memory
    return memory + size - 1, guest.video_nodes(NARROW)[0]


def test_bus_limits_what_its_devices_reach(node, narrow_bus, above, tmp_path):
    """So the daemon gives memory that they reach, and the module refuses other."""
    highest, camera = narrow_bus
    assert node.device("platform", NARROW).dma_mask == highest
    picture = own_picture(camera, tmp_path)
    with dmabuf.Connection() as client:
        granted = client.allocate(len(picture), camera, count=2)
    for buffer in granted:
        assert node.describe(buffer.fd).end - 1 <= highest
    capture(camera, granted, picture, FRAMES)
    for mapping in MAPPINGS:
        with Capture(camera, 1) as stream, pytest.raises(OSError):
            stream.queue(0, above(mapping, highest).fd)
    for buffer in granted:
        buffer.close()


def test_all_importers_at_once(node, engine, camera, picture):
    """A camera captures, a device copies, a display shows: all in one buffer."""
    with allocated(node, "system", MIB, CACHED, CONTIGUOUS,
                   edu.reach() or CAMERA_REACH) as buffer, \
            Capture(camera, 1) as stream, drm.Device(drm.node("vgem")) as display:
        engine.hold(buffer.fd)
        with display.import_and_map(buffer.fd, buffer.size)[1] as shown:
            stream.queue(0, buffer.fd)
            stream.start()
            stream.dequeue()
            engine.read(1001, 3003)
            engine.write(MIB // 2, 3003)
            sync(buffer, READ)
            assert_begins(shown, picture)
            assert shown[MIB // 2:MIB // 2 + 3003] == picture[1001:4004]
            sync(buffer, READ | END)
        engine.let_go()
