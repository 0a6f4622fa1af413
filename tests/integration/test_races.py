# SPDX-License-Identifier: MIT
"""Processes that share a table of descriptors, each doing to the others what it can.

Knows the module's contract; not its locks. All of them guess numbers, so that what one has half made
another closes, duplicates, maps, imports, sends or describes. What must hold: no error that the
contract does not know, and one release is told of each buffer that was granted.
"""

import ctypes
import errno
import fcntl
import json
import mmap
import os
import platform
import random
import resource
import select
import signal
import socket
import struct
import time

import drm
import guest
import poolnode
import pytest
from faults import libc
from poolnode import CACHED, CONTIGUOUS, WRITE_COMBINED
from test_module import DMA_BUF_IOCTL_SYNC, NO_MAP, POOLS

PAGE = mmap.PAGESIZE
SECONDS = 60 if guest.LONG else 5
KILLS = 200 if guest.LONG else 3
TEAMS = 2 if guest.LONG else 1
# Lower numbers are the racers' own. The guesses are few, so that they often hit.
FIRST_GUESS, GUESSES = 160, 24
JOBS = ("allocate", "allocate", "scribble", "close", "duplicate", "describe", "list_pages", "sync",
        "sync_held", "sync_whole", "map", "attach", "send")
CLONE = {"aarch64": 220, "x86_64": 56}[platform.machine()]
CLONE_FILES = 0x400


class Racer:
    """One process: its job, again and again, until a failure or the end."""

    def __init__(self, team, job, seed):
        self.team, self.job = team, job
        self.random = random.Random(seed)  # so that a failure can be looked for again
        self.node = poolnode.Node()
        self.result = os.memfd_create(job)
        # Shared memory: the argument of an ALLOC, for another process to scribble on.
        self.memory = mmap.mmap(-1, PAGE)
        self.args = poolnode.Alloc.from_buffer(self.memory)
        self.granted, self.turns, self.failure = [], 0, None

    def run(self):
        try:
            while not self.team.deadline[0]:
                time.sleep(0.001)
            while time.monotonic() < self.team.deadline[0]:
                getattr(self, self.job)()
                self.turns += 1
        except BaseException as failure:  # whatever it is, the test is told
            self.failure = f"{self.job}: {failure!r}"
        os.write(self.result, json.dumps([self.granted, self.turns, self.failure]).encode())

    def report(self):
        """(ids that were granted, turns, what failed)"""
        return json.loads(os.pread(self.result, 1 << 24, 0))

    def guess(self):
        return FIRST_GUESS + self.random.randrange(GUESSES)

    def attempt(self, allowed, call, *arguments):
        """Its result; None where it failed as it may. No number that is guessed need be open."""
        try:
            return call(*arguments)
        except OSError as error:
            assert error.errno in allowed | {errno.EBADF}, f"{call}: {error}"
            return None

    def allocate(self):
        args = self.args
        args.pool, args.mapping = self.random.choice(self.team.kinds)
        args.fd = args.id = args.base = args.end = 0
        if libc.ioctl(self.node.fd, poolnode.ALLOC, ctypes.addressof(args)) == 0:
            self.granted.append(args.id)
            self.team.last_id[0] = args.id
            if self.random.random() < 0.5:
                self.attempt(set(), os.close, args.fd)
        else:
            assert ctypes.get_errno() in {
                errno.EMFILE, errno.ENOSPC, errno.EINVAL, errno.E2BIG, errno.ERANGE}

    def scribble(self):
        """On an argument that the module may be reading."""
        args = self.random.choice(self.team.racers).args
        args.size = self.random.choice([0, 1, PAGE, 5 * PAGE, 64 * PAGE, 2**62, 2**64 - 1])
        args.flags = self.random.choice([0, CONTIGUOUS, CONTIGUOUS, 2**31])
        args.max_address = self.random.choice([0, 0, 1, 2**32 - 1])
        args.size = self.random.choice([PAGE, 64 * PAGE])
        args.flags = 0

    def close(self):
        self.attempt(set(), os.close, self.guess())

    def duplicate(self):
        if self.random.random() < 0.5:
            self.attempt({errno.EMFILE}, fcntl.fcntl, self.guess(), fcntl.F_DUPFD_CLOEXEC,
                         FIRST_GUESS)
        else:
            self.attempt({errno.EBUSY}, os.dup2, self.guess(), self.guess())

    def describe(self):
        info = self.attempt({errno.EINVAL}, self.node.describe, self.guess())
        assert info is None or self.is_sane(info)

    def is_sane(self, info):
        return (info.id and info.size and info.size % PAGE == 0
                and info.end - info.base >= info.size
                and (info.pool, info.mapping) in self.team.kinds)

    def list_pages(self):
        found = self.node.live(self.random.choice([1, 3, 64]))
        assert all(self.is_sane(info) for info in found)
        assert [info.id for info in found] == sorted({info.id for info in found})

    def sync(self):
        self.attempt({errno.ENOENT, errno.EINVAL}, self.node.sync,
                     max(1, self.team.last_id[0] - self.random.randrange(4)),
                     self.random.choice([0, PAGE]), PAGE, self.random.choice([1, 2, 3, 5, 6, 7]))

    def sync_held(self):
        self.attempt({errno.EINVAL}, self.node.sync_range, self.guess(),
                     self.random.choice([0, PAGE]), PAGE, self.random.choice([1, 2, 3, 5, 6, 7]))

    def sync_whole(self):
        flags = self.random.choice([1, 2, 3, 5, 6, 7])
        self.attempt({errno.ENOTTY}, fcntl.ioctl, self.guess(), DMA_BUF_IOCTL_SYNC,
                     struct.pack("=Q", flags))

    def map(self):
        """A mapping keeps what it shows, whatever becomes of the descriptor."""
        address = libc.mmap(None, PAGE, mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_SHARED,
                            self.guess(), 0)
        if address != ctypes.c_void_p(-1).value:
            ctypes.memset(address, 0xff, PAGE)
            libc.munmap(address, PAGE)
        else:
            assert ctypes.get_errno() in {errno.EBADF, errno.ENODEV, errno.EACCES}

    def attach(self):
        handle = self.attempt({errno.EINVAL, errno.ENOTTY}, self.team.display.import_fd,
                              self.guess())
        if handle is not None:
            self.attempt({errno.EINVAL}, self.team.display.close, handle)

    def send(self):
        """To oneself; for a while only the messages have some of the buffers."""
        self.attempt({errno.EAGAIN, errno.ETOOMANYREFS}, socket.send_fds, self.team.ours, [b"x"],
                     [self.guess()])
        if self.random.random() < 0.7:
            self.attempt({errno.EAGAIN}, socket.recv_fds, self.team.theirs, 1, 1)


class Team:
    """Racers with one table of descriptors, and what else they have in common."""

    def __init__(self, node, display, seed, seconds):
        pools = node.pools()
        self.kinds = [(pools[name].index, mapping) for name in POOLS
                      for mapping in (CACHED, WRITE_COMBINED)
                      if not (name in NO_MAP and mapping == CACHED)]
        self.last_id = (ctypes.c_uint64 * 1).from_buffer(mmap.mmap(-1, PAGE))
        self.deadline = (ctypes.c_double * 1).from_buffer(mmap.mmap(-1, PAGE))
        self.display = drm.Device(display)
        self.ours, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for end in (self.ours, self.theirs):
            end.setblocking(False)
        self.racers = [Racer(self, job, seed * 100 + at) for at, job in enumerate(JOBS)]
        self.pid = os.fork()
        if not self.pid:
            try:
                self.lead(seconds)
            finally:
                os._exit(0)

    def lead(self, seconds):
        """In a process group of its own, with a table of its own, which is full up to the guesses."""
        os.setpgid(0, 0)
        while os.dup(0) < FIRST_GUESS - 1:
            pass
        resource.setrlimit(resource.RLIMIT_NOFILE, (FIRST_GUESS + GUESSES,) * 2)
        for racer in self.racers:
            if libc.syscall(CLONE, CLONE_FILES | signal.SIGCHLD, 0, 0, 0, 0) == 0:
                racer.run()
                os._exit(0)
        self.deadline[0] = time.monotonic() + seconds
        for _ in self.racers:
            os.wait()

    def ended(self):
        return os.waitpid(self.pid, os.WNOHANG)[0] != 0

    def close(self):
        for racer in self.racers:
            os.close(racer.result)
            os.close(racer.node.fd)
        os.close(self.display.fd)
        self.ours.close()
        self.theirs.close()


@pytest.fixture(scope="module")
def display():
    return drm.node("vgem") or pytest.skip("the kernel has no vgem")


def released(node):
    """Ids of all that the node tells about now."""
    found = []
    while select.select([node.fd], [], [], 0)[0]:
        found += [event[1] for event in poolnode.parse_events(os.read(node.fd, 1 << 16))]
    return found


def test_everybody_against_everybody(reader, display):
    teams = [Team(reader, display, seed, SECONDS) for seed in range(TEAMS)]
    running, gone = list(teams), []
    while running:
        gone += released(reader)
        running = [team for team in running if not team.ended()]
        time.sleep(0.01)  # leaves the processors to the racers
    reports = [(racer.job, *racer.report()) for team in teams for racer in team.racers]
    for team in teams:
        team.close()
    guest.wait_until(lambda: not reader.live(), "every reference is gone")
    gone += released(reader)
    print(", ".join(f"{job} {turns}" for job, _, turns, _ in reports))
    assert [failure for *_, failure in reports if failure] == []
    assert sorted(gone) == sorted(number for _, granted, *_ in reports for number in granted)
    assert min(turns for _, _, turns, _ in reports) > 0, "each had its turn"


def test_killed_in_the_middle(node, display):
    """Wherever a fatal signal finds them, nothing of theirs stays: the fixture looks."""
    choose = random.Random(1)
    for turn in range(KILLS):
        team = Team(node, display, turn, 60)
        guest.wait_until(lambda: node.live(), "they have begun")
        time.sleep(choose.random() * 0.2)  # the moment is what is tried
        os.killpg(team.pid, signal.SIGKILL)
        os.waitpid(team.pid, 0)
        team.close()
        guest.wait_until(lambda: not node.live(), "every buffer is released")
