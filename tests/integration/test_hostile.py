# SPDX-License-Identifier: MIT
"""Clients that mean harm: what they send, do not read, hold and exhaust, and what others notice.

A connection is its user's of the moment of connect(), so one process can be several users.
"""

import array
import contextlib
import errno
import os
import pathlib
import resource
import select
import signal
import socket
import statistics
import struct
import subprocess
import time

import guest
import poolnode
import pytest
import wire

MIB = 1 << 20
FRAME = 1920 * 1080 * 3 // 2  # of a camera, NV12
# tests/integration/programs/malformed.c, built for the guest.
MALFORMED = pathlib.Path(__file__).resolve().parent.parent.parent / "malformed"
HOSTILE, VICTIM = 1234, 1235
# As [Daemon] has them without a file.
CONNECTIONS_MAX = 64
BUFFER = struct.Struct("=QQQQIIIIII32s32s128s")  # struct dmabufd_buffer


@pytest.fixture(scope="module", autouse=True)
def many_descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8192, hard), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def camera(free_camera):
    """A camera that every user may open; its number."""
    mode = os.stat(free_camera).st_mode & 0o777
    os.chmod(free_camera, 0o666)
    yield os.stat(free_camera).st_rdev
    os.chmod(free_camera, mode)


@contextlib.contextmanager
def user(uid):
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)


def connect(uid, hello=True):
    """A connection of this user; OSError with the daemon's words when it is refused."""
    with user(uid):
        peer = wire.Peer()
    if hello:
        # Who is refused may be told before he could say anything.
        with contextlib.suppress(BrokenPipeError):
            peer.send(wire.frame(wire.HELLO, struct.pack("=II", 1, 0)))
        status, body, _ = peer.receive()
        if status:
            peer.socket.close()
            raise OSError(-status, wire.text(body))
    return peer


def close_all(peers):
    for peer in peers:
        peer.socket.close()


def ask(peer, camera, size=4096, count=1, **kwargs):
    peer.send(wire.frame(wire.ALLOC, wire.request(size=size, count=count, devices=[camera],
                                                  **kwargs)))


def answer(peer):
    """(status, ids); the descriptors are closed."""
    status, body, fds = peer.receive()
    for fd in fds:
        os.close(fd)
    return status, [struct.unpack_from("=Q", body, at * BUFFER.size)[0] for at in range(len(fds))]


def allocate(peer, camera, **kwargs):
    ask(peer, camera, **kwargs)
    return answer(peer)


class Daemon:
    """What must be the same afterwards: the process, its descriptors, its memory."""

    def __init__(self):
        guest.ctl("pools")
        self.pid = guest.daemon_pid()
        self.fds = self.count_fds()
        self.kib = self.resident_kib()

    def count_fds(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def wait_for_fds(self, connections, users):
        """At most those of so many: what is closed is closed a moment later."""
        more = connections + users
        guest.wait_until(lambda: self.count_fds() <= self.fds + more, f"{more} more descriptors")

    def resident_kib(self):
        """Memory of its own: what programs and libraries are mapped from comes in bit by bit."""
        rollup = pathlib.Path(f"/proc/{self.pid}/smaps_rollup").read_text()
        return int(rollup.partition("Anonymous:")[2].split()[0])

    def assert_unharmed(self, kib=1024):
        self.wait_for_fds(0, 0)
        assert guest.daemon_pid() == self.pid
        assert self.resident_kib() <= self.kib + kib
        with poolnode.Node() as node:
            guest.wait_until(lambda: not node.live(), "every buffer is released")


# Frames --------------------------------------------------------------------------------------------

def test_malformed_frames_on_a_live_socket(camera):
    """No exit, no descriptor and no byte adrift; a bystander's connection is served all along."""
    number = str(os.major(camera) << 32 | os.minor(camera))
    frames = 1_000_000 if guest.LONG else 5_000
    bystander = connect(VICTIM)
    guest.run(MALFORMED, 100, 1, number, check=True)  # what the daemon keeps for good, it has then
    assert allocate(bystander, camera)[0] == 0
    daemon = Daemon()
    sender = subprocess.Popen([MALFORMED, str(frames), "20240229", number],
                              stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    served = 0
    while sender.poll() is None:
        assert allocate(bystander, camera)[0] == 0
        served += 1
    assert sender.returncode == 0, sender.stderr.read()
    sender.stderr.close()
    assert served > 100
    daemon.assert_unharmed()
    bystander.socket.close()


# What is not read ----------------------------------------------------------------------------------

def test_descriptors_never_read(camera):
    """As many as one user can have on the way to him; the daemon keeps none of them, others get theirs."""
    daemon = Daemon()
    victim = connect(VICTIM)
    hoarders = [connect(HOSTILE) for _ in range(CONNECTIONS_MAX)]
    for hoarder in hoarders:
        ask(hoarder, camera, count=14)
    guest.wait_until(lambda: len(guest.ctl("buffers")["buffers"]) == 14 * len(hoarders),
                     "all are on their way")
    daemon.wait_for_fds(len(hoarders) + 1, 2)
    status, ids = allocate(victim, camera, count=14)
    assert status == 0 and len(ids) == 14
    close_all([*hoarders, victim])
    daemon.assert_unharmed()


def test_client_that_asks_on_without_reading(camera):
    """Disconnected, it still holds what it was sent, and is charged for it: no limit is passed by."""
    gone = []
    with guest.configured("[Daemon]\nUserBuffersMax=140\n"):
        daemon = Daemon()
        victim = connect(VICTIM)
        for _ in range(CONNECTIONS_MAX + 16):
            hoarder = connect(HOSTILE)
            ask(hoarder, camera, count=14)
            guest.wait_until(lambda: select.select([hoarder.socket], [], [], 0)[0], "an answer")
            with contextlib.suppress(OSError):
                ask(hoarder, camera, count=14)
            gone.append(hoarder)
        daemon.wait_for_fds(1, 1)
        assert len(guest.ctl("buffers")["buffers"]) == 140
        assert allocate(victim, camera, count=14)[0] == 0
        close_all([*gone, victim])
        daemon.assert_unharmed()


def test_more_unread_descriptors_than_the_kernel_allows_the_daemon(camera):
    """Other requests go on, allocations are told to come again, and succeed once there is room."""
    with guest.service_with("LimitNOFILE=192"):
        daemon = Daemon()
        victim = connect(VICTIM)
        hoarders = [connect(HOSTILE) for _ in range(20)]
        for hoarder in hoarders:
            ask(hoarder, camera, count=14)
            guest.wait_until(lambda: select.select([hoarder.socket], [], [], 0)[0], "an answer")
        status, _ = allocate(victim, camera)
        assert status == -errno.ETOOMANYREFS
        assert victim.call(wire.POOLS, bytes(8))[0] == 0
        answers = [answer(hoarder)[0] for hoarder in hoarders]
        assert set(answers) == {0, -errno.ETOOMANYREFS}
        assert allocate(victim, camera, count=14)[0] == 0
        close_all([*hoarders, victim])
        daemon.assert_unharmed()


def test_stopped_reader(camera):
    """A client under SIGSTOP between request and reply: nobody waits for it; killed, it holds nothing."""
    daemon = Daemon()
    victim = connect(VICTIM)
    reader = connect(HOSTILE)
    pid = os.fork()
    if not pid:
        os.kill(os.getpid(), signal.SIGSTOP)
        os._exit(0)
    os.waitpid(pid, os.WUNTRACED)
    ask(reader, camera, count=14)
    guest.wait_until(lambda: len(guest.ctl("buffers")["buffers"]) == 14, "they are on their way")
    reader.socket.close()  # the stopped process has the other reference
    for _ in range(100):
        assert allocate(victim, camera)[0] == 0
    assert len({buffer["id"] for buffer in guest.ctl("buffers")["buffers"]
                if buffer["uid"] == HOSTILE}) == 14
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    victim.socket.close()
    daemon.assert_unharmed()


# Connections ---------------------------------------------------------------------------------------

def test_connections_by_the_thousand(camera):
    """Those within the limit are served, the others told why; another user gets in all along."""
    attempts = 20_000 if guest.LONG else 2_000
    daemon = Daemon()
    held, refused = [], 0
    for at in range(attempts):
        try:
            held.append(connect(HOSTILE))
        except OSError as error:
            assert error.errno == errno.EUSERS and "ConnectionsMax" in error.strerror
            refused += 1
        if at % 100 == 0:
            victim = connect(VICTIM)
            assert allocate(victim, camera)[0] == 0
            victim.socket.close()
    assert (len(held), refused) == (CONNECTIONS_MAX, attempts - CONNECTIONS_MAX)
    daemon.wait_for_fds(CONNECTIONS_MAX, 1)
    close_all(held)
    daemon.assert_unharmed()


def test_connections_that_say_nothing_fill_the_queue(camera):
    """A thousand at once that neither greet nor read: whoever comes behind them is served."""
    daemon = Daemon()
    silent = []
    os.kill(int(daemon.pid), signal.SIGSTOP)
    try:
        for _ in range(1000):
            silent.append(connect(HOSTILE, hello=False))
        with user(VICTIM):
            victim = wire.Peer()
    finally:
        os.kill(int(daemon.pid), signal.SIGCONT)
    assert victim.hello()[0] == 0
    assert allocate(victim, camera)[0] == 0
    daemon.wait_for_fds(CONNECTIONS_MAX + 1, 2)
    close_all([*silent, victim])
    daemon.assert_unharmed()


def exhaust_descriptors():
    """Connections of many users, until one is refused for the lack of descriptors."""
    held = []
    for uid in range(2000, 2100):
        for _ in range(CONNECTIONS_MAX - 1):
            try:
                held.append(connect(uid))
            except OSError as error:
                assert error.errno == errno.EMFILE, error
                assert "descriptor" in error.strerror
                return held
    raise AssertionError("there is no end of descriptors")


def test_daemon_without_descriptors(camera):
    """Who is connected is served in full, who comes is told, and with descriptors all is as before."""
    with guest.service_with("LimitNOFILE=256"):
        daemon = Daemon()
        victim = connect(VICTIM)
        held = exhaust_descriptors()
        assert len(held) > 100
        for peer in (victim, held[0]):
            status, ids = allocate(peer, camera, count=14)
            assert status == 0 and len(ids) == 14
        assert victim.call(wire.DEVICES, bytes(8))[0] == 0
        for _ in range(100):
            with pytest.raises(OSError) as caught:
                connect(VICTIM)
            assert caught.value.errno == errno.EMFILE
        guest.systemctl("reload", "dmabufd.service")
        assert allocate(victim, camera, count=14)[0] == 0
        close_all(held)
        daemon.wait_for_fds(1, 1)
        newcomer = connect(VICTIM)
        assert allocate(newcomer, camera)[0] == 0
        close_all([newcomer, victim])
        daemon.assert_unharmed()


# Turns ---------------------------------------------------------------------------------------------

def test_users_take_turns(camera):
    """A user with many connections is one user: the next request served is another's."""
    crowd = [connect(HOSTILE) for _ in range(40)]
    victim = connect(VICTIM)
    pid = int(guest.daemon_pid())
    for peer in [*crowd, victim]:
        assert allocate(peer, camera)[0] == 0
    os.kill(pid, signal.SIGSTOP)
    try:
        for peer in [*crowd[:20], victim, *crowd[20:]]:
            ask(peer, camera)
    finally:
        os.kill(pid, signal.SIGCONT)
    _, (own,) = answer(victim)
    served = sorted(answer(peer)[1][0] for peer in crowd)
    assert sum(number < own for number in served) <= 1
    close_all([*crowd, victim])


def test_newcomers_get_in_between_the_requests_of_a_crowd(camera):
    """A user whose connections never fall silent does not keep others from connecting."""
    with flood(camera, connections=40) as crowd:
        before = crowd.count()
        for _ in range(20):
            victim = connect(VICTIM)
            assert allocate(victim, camera)[0] == 0
            victim.socket.close()
        guest.wait_until(lambda: crowd.count() > before + 1000, "the crowd is served as well")


class Flood:
    """A process that asks on all its connections without end, and counts the answers."""

    def __init__(self, camera, connections, held):
        self.shared = array.array("Q", [0])
        self.ready, told = os.pipe()
        self.counter = os.memfd_create("answers")
        os.pwrite(self.counter, bytes(8), 0)
        self.pid = os.fork()
        if not self.pid:
            try:
                self.run(camera, connections, held, told)
            finally:
                os._exit(1)
        os.close(told)
        assert os.read(self.ready, 1) == b"x"

    def run(self, camera, connections, held, told):
        peers = [connect(HOSTILE) for _ in range(connections)]
        kept = []
        while held:
            status, _, fds = self.call(peers[0], camera, held)
            if status:
                break
            kept += fds
        poll = select.epoll()
        for peer in peers:
            poll.register(peer.socket, select.EPOLLIN)
            ask(peer, camera, size=held or 4096)
        by_fd = {peer.socket.fileno(): peer for peer in peers}
        os.write(told, b"x")
        n = 0
        while True:
            for fd, _ in poll.poll():
                answer(by_fd[fd])
                ask(by_fd[fd], camera, size=held or 4096)
                n += 1
                os.pwrite(self.counter, struct.pack("=Q", n), 0)

    @staticmethod
    def call(peer, camera, size):
        ask(peer, camera, size=size)
        return peer.receive()

    def count(self):
        return struct.unpack("=Q", os.pread(self.counter, 8, 0))[0]

    def pause(self, stop):
        os.kill(self.pid, signal.SIGSTOP if stop else signal.SIGCONT)

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.ready)
        os.close(self.counter)


@contextlib.contextmanager
def flood(camera, connections, held=0):
    crowd = Flood(camera, connections, held)
    try:
        yield crowd
    finally:
        crowd.end()


@contextlib.contextmanager
def busy_processors():
    """A process for each that makes system calls as the flood does, but asks nobody else."""
    pids = []
    for _ in range(os.cpu_count()):
        pids.append(os.fork())
        if not pids[-1]:
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            while True:
                ours.send(bytes(152))
                theirs.recv(4096)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def median_of(peer, camera, repeats):
    spent = []
    for _ in range(repeats):
        start = time.monotonic()
        assert allocate(peer, camera, size=FRAME)[0] == 0
        spent.append(time.monotonic() - start)
    return statistics.median(spent)


def test_full_quota_of_one_user_is_not_felt_by_another(camera):
    """Each quota of his full, and knocking on every connection: at most twice the normal time.

    Normal is that of a machine whose processors have something else to do, as flood and daemon have
    with each other: what the daemon adds is asked here, not how the kernel shares a processor. Both
    are taken in turn, so that what else the host does meets both.
    """
    rounds, repeats = (20, 100) if guest.LONG else (5, 40)
    normal, besieged = [], []
    with guest.configured("[Daemon]\nUserBytesMax=48M\nUserBuffersMax=16\n"):
        victim = connect(VICTIM)
        with flood(camera, CONNECTIONS_MAX, held=3 * MIB) as crowd:
            for _ in range(rounds):
                crowd.pause(True)
                with busy_processors():
                    normal.append(median_of(victim, camera, repeats))
                crowd.pause(False)
                before = crowd.count()
                besieged.append(median_of(victim, camera, repeats))
                guest.wait_until(lambda: crowd.count() > before, "the crowd is served as well")
            held = [buffer for buffer in guest.ctl("buffers")["buffers"]
                    if buffer["uid"] == HOSTILE]
            assert len(held) == 16
        victim.socket.close()
    print(f"normal {statistics.median(normal) * 1e3:.2f} ms, "
          f"besieged {statistics.median(besieged) * 1e3:.2f} ms")
    assert statistics.median(besieged) <= 2 * statistics.median(normal)
