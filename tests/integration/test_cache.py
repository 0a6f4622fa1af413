# SPDX-License-Identifier: MIT
"""CPU access cleans and invalidates every line of a buffer, whoever imports it: seen by kernel probes.

Goes by what the kernel calls, not by what memory holds: the emulator has no cache.
"""

import platform

import drm
import edu
import poolnode
import pytest
import tracing
from poolnode import CACHED
from test_importers import END, MIB, MIXED, READ, SHAPES, WRITE, allocated, sync

TO_CPU, TO_DEVICE = "arch_sync_dma_for_cpu", "arch_sync_dma_for_device"
DMA_TO_DEVICE = 1


def covered(calls, function, buffer):
    """Bytes of the buffer that a function was called for, each counted once."""
    total = last = 0
    for name, start, size, direction in sorted(calls.seen, key=lambda call: call[1]):
        # Of what a device only reads, nothing is dropped.
        if name == function and (name == TO_DEVICE or direction != DMA_TO_DEVICE):
            start, end = max(start, buffer.base, last), min(start + size, buffer.end)
            total += max(0, end - start)
            last = max(last, end)
    return total


def assert_maintained(buffer):
    for begin in (READ, READ | WRITE):
        with tracing.Calls(3, TO_CPU) as calls:
            sync(buffer, begin)
        assert covered(calls, TO_CPU, buffer) == buffer.size
        sync(buffer, begin | END)
    sync(buffer, WRITE)
    with tracing.Calls(3, TO_DEVICE) as calls:
        sync(buffer, WRITE | END)
    assert covered(calls, TO_DEVICE, buffer) == buffer.size


@pytest.mark.skipif(platform.machine() != "aarch64" or tracing.missing() is not None,
                    reason=tracing.missing() or "caches of x86 look at all DMA")
@pytest.mark.parametrize("coherent_too", [False, True])
@pytest.mark.parametrize("flags", SHAPES, ids=SHAPES.get)
def test_cpu_access_maintains_the_cache(node, engine, coherent_too, flags):
    """For two importers that need it, beside one that does not, and when all of them have left."""
    path = drm.node("vgem")
    assert node.device("pci", edu.address()).flags & poolnode.DEVICE_COHERENT
    assert not node.device("platform", "vgem").flags & poolnode.DEVICE_COHERENT
    size = MIB if flags else MIXED
    with allocated(node, "system", size, CACHED, flags, edu.reach()) as buffer:
        if coherent_too:
            engine.hold(buffer.fd)
        with drm.Device(path) as first, drm.Device(path) as second:
            for importer in (first, second):
                importer.import_fd(buffer.fd)
            if coherent_too:  # it was there first, and is there last
                engine.hold(buffer.fd)
            assert_maintained(buffer)
        assert_maintained(buffer)
        engine.let_go()
        assert_maintained(buffer)
