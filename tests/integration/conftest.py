# SPDX-License-Identifier: MIT
"""The guest before and after each test: real module, real daemon, two real cameras; nothing left."""

import os

import dmabuf
import edu
import guest
import poolnode
import pytest


@pytest.fixture(scope="session", autouse=True)
def system():
    guest.prepare()


@pytest.fixture(scope="session")
def bound_camera(system):
    """A camera whose device-tree node names the no-map region."""
    if not guest.DEVICE_TREE:
        pytest.skip("no device tree, so no camera with a region of its own")
    return guest.video_nodes("camera")[0]


@pytest.fixture(scope="session")
def free_camera(system):
    """A camera without a region of its own."""
    return guest.video_nodes("vivid.0")[0]


@pytest.fixture(scope="session")
def codec(system):
    """A device bound to the reusable region."""
    if not guest.DEVICE_TREE:
        pytest.skip("no device tree, so no reusable region")
    return guest.video_nodes("codec")[0]


@pytest.fixture
def node():
    with poolnode.Node() as opened:
        yield opened


@pytest.fixture
def daemon_away():
    """Nobody but the test has the node open; afterwards module and socket are there again."""
    guest.stop_daemon("dmabufd.socket")
    yield
    guest.run("modprobe", "dmabuf_pool", check=True)
    guest.run("udevadm", "settle", check=True)
    guest.systemctl("start", "dmabufd.socket")


@pytest.fixture
def reader(daemon_away):
    """The node with its events, which the daemon otherwise holds."""
    opened = poolnode.Node(os.O_RDWR | os.O_NONBLOCK)
    yield opened
    os.close(opened.fd)


@pytest.fixture(scope="module")
def dma_driver(system):
    if not edu.address():
        pytest.skip("no DMA device of the emulator here (-device edu)")
    edu.load()
    yield
    edu.unload()


@pytest.fixture
def engine(dma_driver):
    with edu.Engine() as opened:
        yield opened


@pytest.fixture
def client():
    with dmabuf.Connection() as connection:
        yield connection


def close_forgotten():
    """Descriptors of buffers that a failed test left: the tests after it are not to fail as well."""
    found = [int(fd) for fd in os.listdir("/proc/self/fd") if is_buffer(f"/proc/self/fd/{fd}")]
    for fd in found:
        os.close(fd)
    return found


def is_buffer(path):
    try:
        return os.readlink(path).startswith("/dmabuf:")
    except FileNotFoundError:
        return False


def assert_nothing_left():
    with poolnode.Node() as opened:
        guest.wait_until(lambda: not opened.live(), "every buffer is released")
        # Nobody finds a buffer any more a moment before its memory is back.
        guest.wait_until(lambda: not any(pool.used for pool in opened.pools().values()),
                         "no bytes of any pool are in use")
    guest.wait_until(lambda: not guest.ctl("buffers")["buffers"], "the daemon knows no buffer")
    charged = {device["device"]: device["used"]
               for device in guest.ctl("devices")["devices"] if device["used"]}
    assert not charged, f"charges outlive their buffers: {charged}"


@pytest.fixture(autouse=True)
def clean_guest(system):
    """After each test no buffer lives, the daemon agrees with the kernel, and its log is quiet."""
    log = guest.KernelLog()
    yield
    forgotten = close_forgotten()
    try:
        assert_nothing_left()
        assert not forgotten, f"the test left descriptors of buffers open: {forgotten}"
        assert log.trouble() == []
    finally:
        log.close()
