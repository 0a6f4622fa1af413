# SPDX-License-Identifier: MIT
"""Whose memory cgroup pays for a buffer: that of the process at the other end of a socket.

Asks the module directly, with cgroups and sockets of the test's own.
"""

import contextlib
import errno
import os
import pathlib
import signal
import socket

import guest
import poolnode
import pytest
from guest import refused
from poolnode import CACHED, CHARGE, CONTIGUOUS, WRITE_COMBINED

MIB = 1 << 20
CGROUPS = pathlib.Path("/sys/fs/cgroup")
LIMIT = 32 * MIB
# What the kernel charges ahead of use, records of buffers, and what the client itself gives back.
SLACK = MIB


class Cgroup:
    def __init__(self, name, limit=None):
        self.path = CGROUPS / name
        self.path.mkdir()
        if limit:
            (self.path / "memory.max").write_text(str(limit))

    def usage(self):
        return int((self.path / "memory.current").read_text())

    def kills(self):
        lines = (self.path / "memory.events").read_text().splitlines()
        return int(dict(line.split() for line in lines)["oom_kill"])

    def remove(self):
        guest.wait_until(lambda: not (self.path / "cgroup.procs").read_text(), "it is empty")
        self.path.rmdir()


@contextlib.contextmanager
def client_in(cgroup):
    """A process in @cgroup that connects to a socket of ours; our end of the connection."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind("\0dmabufd-test-charge")
        listener.listen()
        child = os.fork()
        if child == 0:
            (cgroup.path / "cgroup.procs").write_text("0")
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as mine:
                mine.connect("\0dmabufd-test-charge")
                signal.pause()
            os._exit(0)
        try:
            yield listener.accept()[0]
        finally:
            end(child)


def end(child):
    with contextlib.suppress(ProcessLookupError, ChildProcessError):
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


@pytest.fixture
def limited():
    made = Cgroup("dmabufd-test", LIMIT)
    yield made
    made.remove()


@pytest.fixture
def peer(limited):
    with client_in(limited) as connection:
        yield connection


def own_usage():
    path = pathlib.Path("/proc/self/cgroup").read_text().strip().rpartition("::")[2]
    return int((CGROUPS / path.lstrip("/") / "memory.current").read_text())


@pytest.mark.parametrize("mapping", [CACHED, WRITE_COMBINED], ids=["cached", "wc"])
@pytest.mark.parametrize("flags, size", [(0, 17 * MIB), (CONTIGUOUS, 4 * MIB)],
                         ids=["mixed", "contiguous"])
def test_the_client_pays(node, limited, peer, flags, size, mapping):
    before, own = limited.usage(), own_usage()
    buffer = node.alloc("system", size, mapping, flags | CHARGE, charge_socket=peer.fileno())
    assert abs(limited.usage() - before - size) < SLACK
    assert abs(own_usage() - own) < SLACK
    os.close(buffer.fd)
    guest.wait_until(lambda: limited.usage() - before < SLACK, "the charge is given back")


def test_who_allocates_pays_nothing_and_without_the_flag_nobody(node, limited, peer):
    before, own = limited.usage(), own_usage()
    buffer = node.alloc("system", 16 * MIB, CACHED)
    assert abs(limited.usage() - before) < SLACK
    assert abs(own_usage() - own) < SLACK
    os.close(buffer.fd)


@pytest.mark.parametrize("flags, size", [(0, MIB), (CONTIGUOUS, 4 * MIB), (0, 12 * MIB)],
                         ids=["mixed", "contiguous", "large"])
def test_limit_stops_it_and_kills_nobody(node, limited, peer, flags, size):
    held = []
    with pytest.raises(OSError) as caught:
        for _ in range(LIMIT // size + 1):
            held.append(node.alloc("system", size, CACHED, flags | CHARGE,
                                   charge_socket=peer.fileno()))
    assert errno.errorcode[caught.value.errno] == "EDQUOT"
    assert len(held) >= LIMIT // size - 1
    assert limited.usage() <= LIMIT
    assert limited.kills() == 0
    assert len(node.live()) == len(held)
    os.close(node.alloc("system", size, CACHED, flags).fd)
    for buffer in held:
        os.close(buffer.fd)
    guest.wait_until(lambda: limited.usage() < SLACK * 2, "the charges are given back")


def test_limit_is_met_page_by_page_and_kills_nobody(node):
    """To the last page: neither a buffer's record nor its file may run into it."""
    limited = Cgroup("dmabufd-test-pages", 3 * MIB)
    with client_in(limited) as peer:
        held = []
        with pytest.raises(OSError) as caught:
            for _ in range(900):
                held.append(node.alloc("system", 4096, CACHED, CHARGE, charge_socket=peer.fileno()))
        assert errno.errorcode[caught.value.errno] == "EDQUOT"
        assert len(held) > 400
        for _ in range(100):
            with contextlib.suppress(OSError):  # what others gave back meanwhile may serve
                held.append(node.alloc("system", 4096, CACHED, CHARGE,
                                       charge_socket=peer.fileno()))
        assert limited.kills() == 0
        for buffer in held:
            os.close(buffer.fd)
    limited.remove()


def test_limit_of_a_cgroup_above_stops_it(node, limited):
    (limited.path / "cgroup.subtree_control").write_text("+memory")
    below = Cgroup("dmabufd-test/below")
    try:
        with client_in(below) as peer:
            refused(errno.EDQUOT, node.alloc, "system", LIMIT + MIB, CACHED, CHARGE,
                    charge_socket=peer.fileno())
    finally:
        below.remove()


def test_charge_outlives_the_client(node, limited):
    """Whoever holds the descriptor now: the cgroup that it was made for still pays."""
    with client_in(limited) as peer:
        before = limited.usage()
        buffer = node.alloc("system", 8 * MIB, CACHED, CHARGE, charge_socket=peer.fileno())
    assert limited.usage() - before >= 7 * MIB
    os.close(buffer.fd)
    guest.wait_until(lambda: limited.usage() < MIB, "the charge is given back")


def test_client_that_is_gone_cannot_be_charged(node, limited):
    with client_in(limited) as peer:
        pass
    refused(errno.ESRCH, node.alloc, "system", MIB, CACHED, CHARGE, charge_socket=peer.fileno())
    peer.close()


def test_memory_that_cannot_be_charged_is_given_all_the_same(node, limited, peer):
    """CMA and reserved regions are nobody's in the kernel's books; the daemon keeps its own."""
    before = limited.usage()
    for name, pool in node.pools().items():
        if pool.kind != poolnode.BUDDY:
            buffer = node.alloc(name, MIB, WRITE_COMBINED, CHARGE, charge_socket=peer.fileno())
            assert limited.usage() - before < SLACK
            os.close(buffer.fd)


def test_descriptor_that_is_no_connection(node):
    def ask(fd, expected):
        refused(expected, node.alloc, "system", 4096, CACHED, CHARGE, charge_socket=fd)

    ask(-1, errno.EBADF)
    ask(100_000, errno.EBADF)
    ask(node.fd, errno.ENOTSOCK)
    for family, kind in ((socket.AF_INET, socket.SOCK_STREAM), (socket.AF_INET, socket.SOCK_DGRAM),
                         (socket.AF_UNIX, socket.SOCK_STREAM),
                         (socket.AF_NETLINK, socket.SOCK_RAW)):
        with socket.socket(family, kind) as other:
            ask(other.fileno(), errno.EINVAL)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind("\0dmabufd-test-listener")
        listener.listen()
        ask(listener.fileno(), errno.EINVAL)
    assert node.live() == []
