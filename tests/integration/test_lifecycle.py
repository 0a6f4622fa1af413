# SPDX-License-Identifier: MIT
"""The module comes and goes, and stays while anybody needs it; its pools' devices are nobody's.

Knows what can hold a module and what its parameters mean; not how it is held.
"""

import contextlib
import ctypes
import errno
import mmap
import os
import pathlib
import platform
import select
import shlex
import socket
import threading
import warnings

import drm
import faults
import guest
import kmemleak
import poolnode
import pytest
from faults import libc
from poolnode import CACHED, WRITE_COMBINED
from test_bounds import TABLE
from test_module import NO_MAP, POOLS

PAGE = mmap.PAGESIZE
MODULE = "dmabuf_pool"
ROUNDS = 1_000 if guest.LONG else 21
INIT_MODULE, DELETE_MODULE = {"aarch64": (273, 106), "x86_64": (313, 176)}[platform.machine()]
DEVICES = pathlib.Path("/sys/bus/platform/devices")
DRIVERS = pathlib.Path("/sys/bus/platform/drivers")
# It has no probe function: it takes any device and does nothing with it.
HARMLESS = DRIVERS / "alarmtimer"
LOAD_ERRORS = {errno.ENOMEM, errno.EFAULT, errno.ENODEV, errno.ENOSPC, errno.EINTR}


@pytest.fixture(scope="module", autouse=True)
def no_leak():
    """Where the kernel can tell: all loads and unloads of this file together have lost nothing."""
    if kmemleak.missing():
        yield
        return
    kmemleak.forget()
    yield
    own, others = kmemleak.find(MODULE)
    for text in others:
        warnings.warn("not of this module: " + text)
    assert not own, "\n".join(own)


@pytest.fixture(scope="module")
def module_file(no_leak):
    """(path, the parameters that the system gives it)."""
    words = shlex.split(guest.run("modprobe", "--show-depends", MODULE, check=True).stdout
                        .splitlines()[-1])
    assert words[0] == "insmod"
    return words[1], " ".join(words[2:])


class Loader:
    """insmod and rmmod by system calls: each gives an errno, 0 for success."""

    def __init__(self, path, parameters):
        self.path, self.parameters = path, parameters

    def load(self, parameters=None):
        text = self.parameters if parameters is None else parameters
        with open(self.path, "rb") as file:
            return self._error(libc.syscall(INIT_MODULE, file.fileno(), text.encode(), 0))

    def unload(self):
        return self._error(libc.syscall(DELETE_MODULE, MODULE.encode(), os.O_NONBLOCK))

    @staticmethod
    def _error(result):
        return ctypes.get_errno() if result else 0


@pytest.fixture
def loader(daemon_away, module_file):
    """The module is loaded before the test and after it, and nobody else has it open."""
    made = Loader(*module_file)
    yield made
    made.unload()
    assert made.load() == 0


def pool_devices():
    return sorted(path.name for path in DEVICES.iterdir() if path.name.startswith(MODULE + "."))


# What holds the module. Each holds it for as long as its block lasts.


@contextlib.contextmanager
def open_node():
    with poolnode.Node():
        yield


@contextlib.contextmanager
def live_buffer():
    with poolnode.Node() as node:
        buffer = node.alloc("camera", PAGE)
    yield
    os.close(buffer.fd)


@contextlib.contextmanager
def live_mapping():
    with poolnode.Node() as node:
        buffer = node.alloc("system", 3 * PAGE, CACHED)
    with mmap.mmap(buffer.fd, 3 * PAGE) as data:
        os.close(buffer.fd)
        yield
        assert data[:] == bytes(3 * PAGE)


@contextlib.contextmanager
def message_in_flight():
    ours, theirs = socket.socketpair()
    with poolnode.Node() as node:
        buffer = node.alloc("system", PAGE, CACHED)
    socket.send_fds(ours, [b"x"], [buffer.fd])
    os.close(buffer.fd)
    yield
    ours.close()
    theirs.close()


@contextlib.contextmanager
def attachment():
    path = drm.node("vgem") or pytest.skip("the kernel has no vgem")
    with drm.Device(path) as display:
        with poolnode.Node() as node:
            buffer = node.alloc("system", PAGE, CACHED)
        handle = display.import_fd(buffer.fd)
        os.close(buffer.fd)
        yield
        display.close(handle)


@contextlib.contextmanager
def sleeping(wait):
    """A thread that waits for an event, and gets one at the end."""
    reader = poolnode.Node(os.O_RDWR)
    thread = threading.Thread(target=wait, args=(reader.fd,))
    thread.start()
    stat = pathlib.Path(f"/proc/self/task/{thread.native_id}/stat")
    guest.wait_until(lambda: stat.read_text().split()[2] == "S", "it sleeps")
    yield
    os.close(reader.alloc("system", PAGE, CACHED).fd)
    thread.join(30)
    assert not thread.is_alive()
    os.close(reader.fd)


def blocked_reader():
    return sleeping(lambda fd: os.read(fd, 4096))


def blocked_poll():
    return sleeping(lambda fd: select.select([fd], [], []))


HOLDERS = (open_node, live_buffer, live_mapping, message_in_flight, attachment, blocked_reader,
           blocked_poll)


@pytest.mark.parametrize("hold", HOLDERS, ids=lambda hold: hold.__name__)
def test_unload_waits_for(loader, hold):
    """It is refused, by name; it succeeds as soon as nothing holds the module, again and again."""
    devices = len(pool_devices())
    for turn in range(ROUNDS // len(HOLDERS)):
        with hold():
            if turn == 0:
                done = guest.run("rmmod", MODULE)
                assert done.returncode != 0 and f"Module {MODULE} is in use" in done.stderr
            assert loader.unload() == errno.EWOULDBLOCK
        assert loader.unload() == 0
        assert pool_devices() == [] and not os.path.exists(poolnode.NODE)
        assert loader.load() == 0
        guest.wait_until(lambda: os.path.exists(poolnode.NODE), "the node is there")
    with poolnode.Node() as node:
        assert sorted(node.pools()) == POOLS and len(pool_devices()) == devices


def test_failure_at_any_step_of_loading(loader):
    """Nothing stays of what had come up. Pools that cannot be had are left out."""
    if reason := faults.missing():
        pytest.skip(reason)
    assert loader.unload() == 0
    seen = set()
    with open(loader.path, "rb") as file:
        def settle(outcome):
            seen.add(outcome.error)
            assert outcome.error in LOAD_ERRORS | {0}, str(outcome)
            if not outcome.error:
                assert loader.unload() == 0
            assert pool_devices() == [] and not os.path.exists(poolnode.NODE), str(outcome)
            assert not os.path.exists(f"/sys/module/{MODULE}")

        outcomes = faults.sweep(libc.syscall, lambda: (
            INIT_MODULE, file.fileno(), loader.parameters.encode(), 0), settle,
            step=1 if guest.LONG else 29)
    print(", ".join(map(str, outcomes)))
    assert seen >= {0, errno.ENOMEM}
    assert loader.load() == 0


# The devices of the pools.


def write(path, text):
    """errno of a write to sysfs, 0 for success."""
    try:
        path.write_text(text)
    except OSError as error:
        return error.errno
    return 0


def serve(node):
    """A buffer of each pool with each mapping can be had, used and synced."""
    for name in POOLS:
        for mapping in (CACHED, WRITE_COMBINED):
            if name in NO_MAP and mapping == CACHED:
                continue
            buffer = node.alloc(name, 5 * PAGE, mapping)
            with mmap.mmap(buffer.fd, buffer.size) as data:
                assert data[:] == bytes(buffer.size)
                data[:] = b"\xff" * buffer.size
                node.sync(buffer.id, 0, buffer.size, poolnode.SYNC_READ | poolnode.SYNC_WRITE)
                assert data[:] == b"\xff" * buffer.size
            os.close(buffer.fd)


def test_no_driver_takes_the_devices_of_pools(node):
    devices = pool_devices()
    assert len(devices) == len(POOLS)
    assert not any((DEVICES / name / "driver").exists() for name in devices)
    for bind in DRIVERS.glob("*/bind"):
        assert write(bind, devices[0]) == errno.ENODEV, str(bind)
    assert write(HARMLESS / "unbind", devices[0]) == errno.ENODEV
    serve(node)


def test_pools_serve_under_a_driver_that_was_forced_on_them(node):
    """Root can force any driver on any device. A buffer lives through it, and both ends work."""
    held = [node.alloc(name, PAGE) for name in POOLS]
    views = [mmap.mmap(buffer.fd, PAGE) for buffer in held]
    for at, data in enumerate(views):
        data[:1] = bytes([at + 1])
    for name in pool_devices():
        assert write(DEVICES / name / "driver_override", HARMLESS.name) == 0
        assert write(HARMLESS / "bind", name) == 0
    serve(node)
    for name in pool_devices():
        assert write(HARMLESS / "unbind", name) == 0
        assert write(DEVICES / name / "driver_override", "\n") == 0
    serve(node)
    for at, (buffer, data) in enumerate(zip(held, views)):
        assert data[:1] == bytes([at + 1])
        data.close()
        os.close(buffer.fd)


def test_unload_under_a_driver_that_was_forced_on_a_pool(loader):
    for name in pool_devices():
        assert write(DEVICES / name / "driver_override", HARMLESS.name) == 0
        assert write(HARMLESS / "bind", name) == 0
    assert loader.unload() == 0
    assert pool_devices() == []
    assert loader.load() == 0


# The parameters.

FLAGS = {"0": False, "n": False, "off": False, "1": True, "Y": True, "on": True}
NO_FLAGS = ("", "2", "-1", "x", "99999999999999999999")


@pytest.mark.parametrize("name", ["system", "default_cma"])
def test_flag_parameters(loader, name):
    """The kernel's own way to read a flag; what is switched off is not there."""
    assert loader.unload() == 0
    pool = {"system": "system", "default_cma": "default_cma_region"}[name]
    for value, wanted in FLAGS.items():
        assert loader.load(f"{loader.parameters} {name}={value}") == 0, value
        with poolnode.Node() as node:
            assert (pool in node.pools()) == (wanted and pool in POOLS), value
        assert loader.unload() == 0
    for value in NO_FLAGS:
        assert loader.load(f"{loader.parameters} {name}={value}") == errno.EINVAL, value
    assert loader.load() == 0


def regions(base, room):
    """(text of a region, whether it can be had) for one that is reserved, at all the limits."""
    for size in TABLE:
        yield f"p@{base:#x}+{size}", 0 < size <= room and size % PAGE == 0
    for start in TABLE:
        yield f"p@{start}+{PAGE}", False
        yield f"p@{start}+{2**64 - PAGE}", False
    for text in ("", "p", "@", "p@", "p@1", "p@1+", f"@{base:#x}+4K", f"p@{base:#x}+4K+",
                 f"p@{base:#x}+4Kx", "p@+4K", "p@-4096+4K", f"p@{base:#x}+0x", f"p@{base:#x}+",
                 f"p@{base:#x}+-4K", f"p@{base + 1:#x}+4K", f"p@{base + PAGE - 1:#x}+4K",
                 f"p@{2**64 + base}+4K5", f"{'p' * 32}@{base:#x}+4K", f"p@@{base:#x}+4K"):
        yield text, False
    yield f"p@{base:#x}+4K", True
    yield f"{'p' * 31}@{base + room - PAGE:#x}+4K", True
    yield f"p@{base:#x}+{room:#x}", True


@guest.needs_device_tree
def test_region_parameter(loader):
    """A region that makes no sense is left out, and everything else serves."""
    base, end = guest.region("spare")
    assert loader.unload() == 0
    for text, good in regions(base, end - base):
        assert loader.load(f"default_cma=0 coherent={text}") == 0, text
        with poolnode.Node() as node:
            extra = {name: pool for name, pool in node.pools().items() if name not in POOLS}
            assert bool(extra) == good, text
            for name, pool in extra.items():
                assert base <= pool.base < pool.base + pool.size <= end
                os.close(node.alloc(name, pool.size).fd)
        assert loader.unload() == 0
    assert loader.load("coherent=" + ",".join(["p"] * 9)) == errno.EINVAL, "eight at most"
    assert loader.load() == 0
