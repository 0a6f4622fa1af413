# SPDX-License-Identifier: MIT
"""The kernel module alone, through its node: every pool, every ioctl, every refusal."""

import contextlib
import ctypes
import errno
import fcntl
import mmap
import os
import resource
import select
import struct
import threading

import guest
import poolnode
import pytest
from guest import refused
from poolnode import BUDDY, CACHED, CMA, COHERENT, WRITE_COMBINED

MIB = 1 << 20
PAGE = mmap.PAGESIZE
DMA_BUF_IOCTL_SYNC = 0x40086200
SYNC_READ_WRITE, SYNC_END = 3, 4
KINDS = {"coherent": COHERENT, "cma": CMA, "buddy": BUDDY}
POOLS = list(guest.POOLS)
NO_MAP = [name for name in POOLS if guest.POOLS[name] == "coherent"]
HUGE = [2**31, 2**32 - 1, 2**32, 2**63 - 1, 2**63, 2**64 - PAGE, 2**64 - 1]
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int,
                      ctypes.c_long]
libc.mremap.restype = ctypes.c_void_p
libc.mremap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_int]


@pytest.fixture(params=[(pool, mapping) for pool in POOLS for mapping in (CACHED, WRITE_COMBINED)
                        if not (pool in NO_MAP and mapping == CACHED)],
                ids=lambda p: f"{p[0]}-{'cached' if p[1] == CACHED else 'wc'}")
def kind(request):
    return request.param


def view(buffer, length=None, offset=0):
    return mmap.mmap(buffer.fd, length or buffer.size, offset=offset)


def open_fds():
    return len(os.listdir("/proc/self/fd"))


def next_fd():
    """The number that the next descriptor gets: one that was reserved and forgotten raises it."""
    fd = os.dup(0)
    os.close(fd)
    return fd


def test_version(node):
    version = node.version()
    assert (version.major, version.minor) == (1, 2)


def test_pools_are_those_declared(node):
    pools = node.pools()
    assert sorted(pools) == POOLS
    assert {name: pools[name].kind for name in POOLS} == {
        name: KINDS[kind] for name, kind in guest.POOLS.items()}
    for name in set(POOLS) - {"default_cma_region", "system"}:
        base, end = guest.region(name)
        assert (pools[name].base, pools[name].base + pools[name].size) == (base, end)
    assert {pools[name].mappings for name in NO_MAP} == {1 << WRITE_COMBINED}
    assert pools["system"].max_block == 4 * MIB


@guest.needs_device_tree
def test_device_facts(node):
    pools = node.pools()
    bound, free = (node.device("platform", name) for name in ("camera", "vivid.0"))
    assert bound.bound_pools == 1 << pools["camera"].index
    assert free.bound_pools == 0
    assert bound.dma_mask == free.dma_mask == 2**32 - 1
    assert not bound.flags & poolnode.DEVICE_IOMMU
    assert free.segment_size == 65536
    assert free.segment_boundary in (2**32 - 1, 2**64 - 1)  # the default is the kernel's
    refused(errno.ENODEV, node.device, "platform", "no such device")
    refused(errno.EOPNOTSUPP, node.device, "isa", "camera")


def test_largest_free_block(node):
    """Known where the region is ours alone: holes between buffers do not add up."""
    pools = node.pools()
    assert {name for name in POOLS if pools[name].flags & poolnode.FREE_KNOWN} == {"camera"}
    assert pools["camera"].free_block == 32 * MIB
    held = [node.alloc("camera", 8 * MIB) for _ in range(4)]
    assert node.pools()["camera"].free_block == 0
    for at, left in ((0, 8 * MIB), (2, 8 * MIB), (1, 24 * MIB), (3, 32 * MIB)):
        os.close(held[at].fd)
        guest.wait_until(lambda left=left: node.pools()["camera"].free_block == left, "it is free")


@guest.needs_iommu
def test_device_behind_the_iommu(node):
    """A PCI device that has a driver: the SMMU translates for it, and the bus is coherent."""
    name = next(entry for entry in os.listdir("/sys/bus/pci/devices")
                if os.path.exists(f"/sys/bus/pci/devices/{entry}/driver"))
    device = node.device("pci", name)
    assert device.flags & poolnode.DEVICE_IOMMU
    assert device.flags & poolnode.DEVICE_COHERENT


def test_buffer_is_zeroed_even_after_another_used_it(node, kind):
    pool, mapping = kind
    for _ in range(3):
        buffer = node.alloc(pool, MIB, mapping)
        with view(buffer) as data:
            assert data[:] == bytes(MIB)
            data[:] = b"\xff" * MIB
        os.close(buffer.fd)


def test_buffer_is_described_as_it_was_allocated(node, kind):
    pool, mapping = kind
    buffer = node.alloc(pool, 3 * PAGE + 1, mapping, tag=b"a tag")
    for info in (node.describe(buffer.fd), node.live()[-1]):
        assert (info.id, info.size, info.base, info.end) == (buffer.id, 4 * PAGE, buffer.base,
                                                             buffer.end)
        assert (info.pool, info.mapping) == (node.pools()[pool].index, mapping)
        assert bytes(info.tag).rstrip(b"\0") == b"a tag"
    assert buffer.size == 4 * PAGE == os.lseek(buffer.fd, 0, os.SEEK_END)
    assert node.pools()[pool].used == 4 * PAGE
    os.close(buffer.fd)


def test_memory_lies_in_its_region(node):
    for pool in set(POOLS) - {"system"}:
        place = guest.default_cma() if pool == "default_cma_region" else guest.region(pool)
        for size in (PAGE, MIB, 8 * MIB):
            buffer = node.alloc(pool, size)
            assert place[0] <= buffer.base < buffer.end <= place[1]
            assert buffer.end - buffer.base == size
            os.close(buffer.fd)


@guest.needs_device_tree
def test_full_region_is_no_excuse_for_other_memory(node):
    held = []
    refused(errno.ENOSPC, lambda: [held.append(node.alloc("codec", MIB)) for _ in range(65)])
    place = guest.region("codec")
    assert len(held) > 48
    assert all(place[0] <= buffer.base < place[1] for buffer in held)
    for buffer in held:
        os.close(buffer.fd)


def test_exclusive_region_is_packed_by_pages(node):
    held = [node.alloc("camera", 5 * MIB) for _ in range(6)]
    refused(errno.ENOSPC, node.alloc, "camera", 5 * MIB)
    held.append(node.alloc("camera", 2 * MIB))
    assert node.pools()["camera"].used == 32 * MIB
    for buffer in held:
        os.close(buffer.fd)


@guest.needs_device_tree
def test_shared_region_goes_by_the_kernels_bitmap(node):
    """Which rounds to powers of two: 5 MiB take 8, so two fit 16 MiB, and no page beside them."""
    held = [node.alloc("isp", 5 * MIB) for _ in range(2)]
    assert [buffer.base - guest.region("isp")[0] for buffer in held] == [0, 8 * MIB]
    refused(errno.ENOSPC, node.alloc, "isp", PAGE)
    for buffer in held:
        os.close(buffer.fd)


def test_system_pool_contiguous_up_to_one_block(node):
    buffer = node.alloc("system", 3 * MIB, flags=poolnode.CONTIGUOUS)
    assert buffer.end - buffer.base == 3 * MIB
    assert buffer.flags == poolnode.CONTIGUOUS
    os.close(buffer.fd)
    refused(errno.E2BIG, node.alloc, "system", 4 * MIB + 1, flags=poolnode.CONTIGUOUS)


def test_system_pool_mixed_is_one_mapping_of_many_blocks(node):
    size = 17 * MIB + 5 * PAGE
    buffer = node.alloc("system", size, CACHED)
    assert buffer.flags == 0
    with view(buffer) as data:
        for at in range(0, size, PAGE):
            data[at:at + 8] = at.to_bytes(8, "little")
        with view(buffer, length=2 * MIB, offset=15 * MIB) as part:
            for at in range(0, 2 * MIB, PAGE):
                assert int.from_bytes(part[at:at + 8], "little") == at + 15 * MIB
    os.close(buffer.fd)


def test_address_limit(node):
    base = guest.region("camera")[0]
    refused(errno.ERANGE, node.alloc, "camera", MIB, max_address=base - 1)
    refused(errno.ERANGE, node.alloc, "camera", MIB, max_address=base + PAGE)
    refused(errno.ERANGE, node.alloc, "system", MIB, max_address=PAGE)
    buffer = node.alloc("system", MIB, max_address=2**32 - 1)
    assert buffer.end <= 2**32
    os.close(buffer.fd)


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize("size", [0, *HUGE])
def test_impossible_size(node, pool, size):
    for flags in (0, poolnode.CONTIGUOUS):
        refused(errno.E2BIG if size else errno.EINVAL, node.alloc, pool, size, flags=flags)
    assert node.live() == []


@pytest.mark.parametrize("wrong, expected", [
    ({"pool": 63}, errno.ENOENT), ({"pool": 2**32 - 1}, errno.ENOENT),
    ({"mapping": 0}, errno.EINVAL), ({"mapping": 3}, errno.EINVAL),
    ({"mapping": CACHED, "pool": "camera"}, errno.EOPNOTSUPP),
    ({"flags": 4}, errno.EINVAL), ({"flags": 2**31}, errno.EINVAL), ({"fd": 1}, errno.EINVAL),
    ({"pad": 1}, errno.EINVAL), ({"charge_socket": 1}, errno.EINVAL),
    ({"id": 1}, errno.EINVAL), ({"base": 1}, errno.EINVAL), ({"end": 1}, errno.EINVAL)],
    ids=str)
def test_allocation_with_one_wrong_field(node, wrong, expected):
    fields = {"size": PAGE, "pool": "system", "mapping": CACHED} | wrong
    if isinstance(fields["pool"], str):
        fields["pool"] = node.pools()[fields["pool"]].index
    before = next_fd()
    refused(expected, node.ioctl, poolnode.ALLOC, poolnode.Alloc(**fields))
    assert next_fd() == before
    assert node.live() == []


def test_other_ioctls_with_one_wrong_field(node):
    device = {"bus": b"platform", "name": b"camera"}
    for wrong in ({"dma_mask": 1}, {"bound_pools": 1}, {"flags": 1}, {"pad": 1}, {"bus": b"x" * 16},
                  {"name": b"x" * 64}, {"segment_size": 1}, {"segment_boundary": 1}):
        refused(errno.EINVAL, node.ioctl, poolnode.DEVICE, poolnode.Device(**device | wrong))
    refused(errno.EINVAL, node.ioctl, poolnode.DESCRIBE, poolnode.Describe(fd=0, pad=1))
    refused(errno.EBADF, node.describe, 1000)
    with open("/dev/null", "rb") as other:
        refused(errno.EINVAL, node.describe, other.fileno())
    refused(errno.EINVAL, node.ioctl, poolnode.LIST, poolnode.List(count=1, record_size=8))
    refused(errno.ENOENT, node.ioctl, poolnode.POOL, poolnode.Pool(index=len(POOLS)))


def test_unknown_ioctl(node):
    for request in (poolnode.number(len(poolnode.KINDS), 8), poolnode.number(255, 8), 0x5459,
                    poolnode.VERSION & ~(3 << 30)):
        refused(errno.ENOTTY, fcntl.ioctl, node.fd, request, bytearray(512))


def test_older_and_newer_callers(node):
    older = bytearray(struct.pack("=I", 0))
    fcntl.ioctl(node.fd, poolnode.number(0, 4), older, True)
    assert struct.unpack("=I", older) == (1,)
    newer = bytearray(struct.pack("=IIQ", 0, 0, 0))
    fcntl.ioctl(node.fd, poolnode.number(0, 16), newer, True)
    assert struct.unpack("=IIQ", newer) == (1, 2, 0)
    refused(errno.E2BIG, fcntl.ioctl, node.fd, poolnode.number(0, 16),
            bytearray(struct.pack("=IIQ", 0, 0, 1)))


def test_result_that_cannot_be_written_leaves_nothing(node):
    """The argument is on a page that can only be read."""
    args = poolnode.Alloc(size=PAGE, pool=node.pools()["system"].index, mapping=CACHED)
    memory = os.memfd_create("argument")
    os.write(memory, bytes(args))
    address = libc.mmap(None, PAGE, mmap.PROT_READ, mmap.MAP_SHARED, memory, 0)
    before = open_fds(), next_fd()
    for _ in range(100_000 if guest.LONG else 1_000):
        assert libc.ioctl(node.fd, ctypes.c_ulong(poolnode.ALLOC), ctypes.c_void_p(address)) == -1
        assert ctypes.get_errno() == errno.EFAULT
    assert (open_fds(), next_fd()) == before
    os.close(memory)


def test_full_descriptor_table_leaves_nothing(node):
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    pool = node.pools()["system"].index
    before = open_fds()
    resource.setrlimit(resource.RLIMIT_NOFILE, (os.dup(node.fd) + 1, limits[1]))
    try:
        for _ in range(100_000 if guest.LONG else 1_000):
            refused(errno.EMFILE, node.alloc, pool, PAGE)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    os.close(max(int(fd) for fd in os.listdir("/proc/self/fd")[:-1]))
    assert open_fds() == before
    assert node.live() == []


def test_list_in_pages(node):
    held = [node.alloc("system", PAGE) for _ in range(7)]
    ids = [buffer.id for buffer in held]
    for page in (1, 2, 7, 64):
        assert [info.id for info in node.live(page)] == ids
    assert ids == sorted(set(ids))
    os.close(held.pop(3).fd)
    guest.wait_until(lambda: len(node.live()) == 6, "one is gone")
    for buffer in held:
        os.close(buffer.fd)


def test_mapping_bounds(node, kind):
    buffer = node.alloc(kind[0], 4 * PAGE, kind[1])
    for length, offset in ((5 * PAGE, 0), (PAGE, 4 * PAGE), (2 * PAGE, 3 * PAGE), (PAGE, 2**40)):
        refused(errno.EINVAL, mmap.mmap, buffer.fd, length, offset=offset)
    refused(errno.EINVAL, mmap.mmap, buffer.fd, PAGE, flags=mmap.MAP_PRIVATE)
    address = libc.mmap(None, PAGE, mmap.PROT_READ, mmap.MAP_SHARED, buffer.fd, 0)
    assert libc.mremap(address, PAGE, 2 * PAGE, 1) == ctypes.c_void_p(-1).value
    assert ctypes.get_errno() == errno.EFAULT
    libc.munmap(ctypes.c_void_p(address), ctypes.c_size_t(PAGE))
    os.close(buffer.fd)


def test_cpu_access_calls(node, kind):
    buffer = node.alloc(kind[0], PAGE, kind[1])
    for flags in (SYNC_READ_WRITE, SYNC_READ_WRITE | SYNC_END):
        fcntl.ioctl(buffer.fd, DMA_BUF_IOCTL_SYNC, struct.pack("=Q", flags))
    os.close(buffer.fd)


def test_buffer_outlives_its_descriptor_through_a_mapping(node):
    buffer = node.alloc("camera", PAGE)
    data = view(buffer)
    os.close(buffer.fd)
    data[:4] = b"here"
    assert [info.id for info in node.live()] == [buffer.id]
    assert data[:4] == b"here"
    data.close()


def test_release_is_told(reader):
    refused(errno.EAGAIN, os.read, reader.fd, 4096)
    poll = select.poll()
    poll.register(reader.fd, select.POLLIN)
    buffers = [reader.alloc("system", size) for size in (PAGE, 3 * PAGE)]
    assert poll.poll(0) == []
    for buffer in buffers:
        os.close(buffer.fd)
    assert poll.poll(10_000)
    guest.wait_until(lambda: not reader.live(), "both are gone")
    refused(errno.EINVAL, os.read, reader.fd, 23)
    assert poolnode.parse_events(os.read(reader.fd, 4096)) == [
        (poolnode.EVENT_RELEASE, buffer.id, buffer.size) for buffer in buffers]
    refused(errno.EAGAIN, os.read, reader.fd, 4096)


def test_one_record_at_a_time(reader):
    for _ in range(2):
        os.close(reader.alloc("system", PAGE).fd)
    guest.wait_until(lambda: not reader.live(), "both are gone")
    assert [len(os.read(reader.fd, 47)) for _ in range(2)] == [24, 24]


def test_blocked_reader_wakes(reader):
    os.set_blocking(reader.fd, True)
    seen = []
    thread = threading.Thread(target=lambda: seen.append(os.read(reader.fd, 4096)))
    buffer = reader.alloc("system", PAGE)
    thread.start()
    stat = f"/proc/self/task/{thread.native_id}/stat"
    guest.wait_until(lambda: open(stat).read().split()[2] == "S", "the reader sleeps")
    os.close(buffer.fd)
    thread.join(10)
    assert poolnode.parse_events(seen[0]) == [(poolnode.EVENT_RELEASE, buffer.id, PAGE)]


def test_events_have_one_reader(reader):
    refused(errno.EBUSY, poolnode.Node, os.O_RDONLY)
    with poolnode.Node(os.O_WRONLY) as other:
        assert other.version().major == 1


def test_module_stays_while_a_buffer_lives(daemon_away):
    with poolnode.Node() as node:
        buffer = node.alloc("camera", PAGE)
    done = guest.run("rmmod", "dmabuf_pool")
    assert done.returncode != 0
    assert "in use" in done.stderr
    os.close(buffer.fd)


def test_load_and_unload(daemon_away):
    """Nothing of the module is left behind, and it comes back the same."""
    with poolnode.Node() as node:
        before = list(node.pools())
    for _ in range(1_000 if guest.LONG else 20):
        guest.run("rmmod", "dmabuf_pool", check=True)
        guest.run("modprobe", "dmabuf_pool", check=True)
    with poolnode.Node() as node:
        assert list(node.pools()) == before


def test_coherent_facts_of_the_bus(node):
    """Caches of x86 look at all DMA; here a platform device without a word about it has none."""
    device = node.device("platform", "vivid.0")
    assert bool(device.flags & poolnode.DEVICE_COHERENT) == (not guest.DEVICE_TREE)
    assert device.bound_pools == 0


@guest.needs_device_tree
def test_region_that_the_kernel_uses_is_left_out(daemon_away):
    """Told by name, with what to change; the other pools are there."""
    guest.run("rmmod", "dmabuf_pool", check=True)
    with contextlib.closing(guest.KernelLog()) as log:
        guest.run("modprobe", "dmabuf_pool", check=True)
        text = "".join(log.lines())
    assert "pool plain: /reserved-memory/plain@6c000000 is neither no-map nor reusable" in text
    with poolnode.Node() as node:
        assert set(node.pools()) == set(POOLS)


def test_pools_by_module_parameters(daemon_away):
    """A region declared by hand; nonsense is refused by name and the rest still serves."""
    base, end = guest.region("spare" if guest.DEVICE_TREE else "camera")
    taken = guest.region("camera")[0]
    others = set(POOLS) - {"default_cma_region"} if guest.DEVICE_TREE else {"system"}
    guest.run("rmmod", "dmabuf_pool", check=True)
    log = guest.KernelLog()
    guest.run("modprobe", "dmabuf_pool", "default_cma=0",
              f"coherent=byhand@{base:#x}+{(end - base) >> 20}M,nonsense,ram@0x48000000+1M,"
              f"twice@{taken:#x}+1M,nowhere@{2**40:#x}+1M,{'n' * 32}@{base:#x}+1M", check=True)
    with poolnode.Node() as node:
        assert set(node.pools()) == others | {"byhand"}
        assert node.pools()["byhand"].base == base
        buffer = node.alloc("byhand", MIB)
        assert base <= buffer.base and buffer.end <= end
        os.close(buffer.fd)
    text = "".join(log.lines())
    for reason in ("coherent=nonsense: write NAME@BASE+SIZE", "reserve it with no-map",
                   "another pool has part", "no struct pages",
                   f"coherent={'n' * 32}@{base:#x}+1M: write"):
        assert reason in text, reason
    log.close()
    guest.run("rmmod", "dmabuf_pool", check=True)
