# SPDX-License-Identifier: MIT
"""A part of a buffer, synced by who holds its descriptor and has no other right."""

import errno
import mmap
import os
import pathlib
import stat
import threading

import dmabuf
import drm
import guest
import poolnode
import pytest
from poolnode import CACHED, SYNC_END, SYNC_NODE, SYNC_READ, SYNC_WRITE, WRITE_COMBINED
from test_importers import sync
from test_mapping import (MIB, TO_CPU, TO_DEVICE, allocated, needs_arm_probes, parts_beyond,
                          synced)
from tracing import Calls

PAGE = mmap.PAGESIZE


@pytest.fixture
def holder(system):
    """The node that is open to all, as a program opens it."""
    with poolnode.Node(os.O_RDONLY, SYNC_NODE) as opened:
        yield opened


def test_everybody_may_open_the_node_and_do_one_thing(node, holder):
    assert stat.S_IMODE(os.stat(SYNC_NODE).st_mode) == 0o666
    assert guest.run("cat", SYNC_NODE, user=guest.NOBODY).stderr.endswith("Invalid argument\n")
    for request, kind in ((poolnode.VERSION, poolnode.Version), (poolnode.ALLOC, poolnode.Alloc),
                          (poolnode.DESCRIBE, poolnode.Describe), (poolnode.LIST, poolnode.List),
                          (poolnode.SYNC, poolnode.Sync), (poolnode.STOCK, poolnode.Stock)):
        guest.refused(errno.ENOTTY, holder.ioctl, request, kind())
    with allocated(node, "system", PAGE, CACHED) as buffer:
        holder.sync_range(buffer.fd, 0, PAGE, SYNC_READ)
        node.sync_range(buffer.fd, 0, PAGE, SYNC_READ | SYNC_END)


def test_node_does_not_outstay_its_call(node):
    """Else whoever once synced a part would hold the module."""
    before = os.listdir("/proc/self/fd")
    with allocated(node, "system", PAGE, CACHED) as buffer, \
            dmabuf.access_range(buffer.fd, 0, 1, dmabuf.Access.READ):
        pass
    assert os.listdir("/proc/self/fd") == before


@needs_arm_probes()
@pytest.mark.parametrize("offset, length", [(0, 1), (100, 200), (PAGE - 1, 2), (2 * MIB, MIB)])
def test_library_syncs_the_part_alone(node, offset, length):
    with allocated(node, "system", 4 * MIB, CACHED, poolnode.CONTIGUOUS) as buffer:
        part = [(buffer.base + offset, buffer.base + offset + length)]
        access = dmabuf.access_range(buffer.fd, offset, length, dmabuf.Access.READ_WRITE)
        with Calls(3, TO_CPU, TO_DEVICE) as calls:
            access.__enter__()
        assert (synced(calls, TO_CPU), synced(calls, TO_DEVICE)) == (part, [])
        with Calls(3, TO_CPU, TO_DEVICE) as calls:
            access.__exit__()
        assert (synced(calls, TO_CPU), synced(calls, TO_DEVICE)) == ([], part)


@needs_arm_probes()
def test_nothing_is_done_for_write_combined(node, holder):
    with allocated(node, "system", PAGE, WRITE_COMBINED) as buffer:
        with Calls(3, TO_CPU, TO_DEVICE) as calls:
            holder.sync_range(buffer.fd, 0, PAGE, SYNC_READ | SYNC_WRITE)
        assert calls.seen == []


@needs_arm_probes()
def test_library_syncs_all_where_the_node_cannot_be_opened(node):
    with allocated(node, "system", MIB, CACHED, poolnode.CONTIGUOUS) as buffer:
        os.rename(SYNC_NODE, f"{SYNC_NODE}.away")
        try:
            with Calls(3, TO_CPU) as calls:
                dmabuf.access_range(buffer.fd, PAGE, 1, dmabuf.Access.READ).__enter__()
        finally:
            os.rename(f"{SYNC_NODE}.away", SYNC_NODE)
        assert synced(calls, TO_CPU) == [(buffer.base, buffer.end)]


def test_what_makes_no_sense_is_refused(node, holder):
    with allocated(node, "system", 4 * PAGE, CACHED) as buffer:
        size = buffer.size
        for offset, length in parts_beyond(size):
            guest.refused(errno.EINVAL, holder.sync_range, buffer.fd, offset, length, SYNC_READ)
            guest.refused(errno.EINVAL, dmabuf.access_range(
                buffer.fd, offset, length, dmabuf.Access.READ).__enter__)
        for flags in (0, SYNC_END, 8, SYNC_READ | 1 << 31):
            guest.refused(errno.EINVAL, holder.sync_range, buffer.fd, 0, PAGE, flags)
        holder.sync_range(buffer.fd, 0, size, SYNC_READ | SYNC_WRITE)
    for fd in (-1, 2**31 - 1, buffer.fd):
        guest.refused(errno.EBADF, holder.sync_range, fd, 0, 1, SYNC_READ)
    guest.refused(errno.EINVAL, holder.sync_range, holder.fd, 0, 1, SYNC_READ)


@pytest.mark.skipif(drm.node("vgem") is None, reason="no vgem")
def test_dma_buf_of_another_exporter(holder):
    """Not the module's to sync; the library asks its exporter, for all of it."""
    with drm.Device(drm.node("vgem")) as device:
        fd = device.export(device.create(PAGE))
        try:
            guest.refused(errno.EINVAL, holder.sync_range, fd, 0, 1, SYNC_READ)
            with dmabuf.access_range(fd, 1, PAGE - 1, dmabuf.Access.READ):
                pass
            guest.refused(errno.EINVAL, dmabuf.access_range(
                fd, 1, PAGE, dmabuf.Access.READ).__enter__)
        finally:
            os.close(fd)


def wait_in_kernel_for_a_fence():
    """Until the first thread sleeps there."""
    where = pathlib.Path(f"/proc/self/task/{os.getpid()}/wchan")
    guest.wait_until(lambda: "dma_fence" in where.read_text(), "somebody waits for a fence")


@needs_arm_probes()
@pytest.mark.skipif(drm.node("vgem") is None, reason="no vgem")
@pytest.mark.parametrize("begin", [
    lambda holder, buffer: holder.sync_range(buffer.fd, 0, PAGE, SYNC_READ),
    lambda holder, buffer: sync(buffer, SYNC_READ)], ids=["part", "whole"])
def test_cache_is_invalidated_after_the_devices_are_done(node, holder, begin):
    before = []

    def end_of_writing(device, fence, calls):
        wait_in_kernel_for_a_fence()
        before.append(calls.so_far())
        device.signal(fence)

    with drm.Device(drm.node("vgem")) as device, \
            allocated(node, "system", PAGE, CACHED) as buffer:
        fence = device.attach_fence(device.import_fd(buffer.fd), write=True)
        with Calls(3, TO_CPU) as calls:
            thread = threading.Thread(target=end_of_writing, args=(device, fence, calls))
            thread.start()
            begin(holder, buffer)
            thread.join()
    assert before == [[]]
    assert (buffer.base, buffer.end) in synced(calls, TO_CPU)
