# SPDX-License-Identifier: MIT
"""The daemon killed: at each system call of a request and of its start, at random, under load.

After each time the kernel, the daemon and the clients agree on every single buffer.
"""

import contextlib
import json
import os
import pathlib
import random
import resource
import signal
import socket
import statistics
import tempfile
import threading
import time

import dmabuf
import guest
import load
import poolnode
import pytest
import stepper
import wire
from guest import ctl

CLIENTS = 16 if guest.LONG else 5
# A kill with all that follows takes about a second in an emulated guest.
REQUEST_KILLS = None if guest.LONG else 50  # None: each stop that there is
START_KILLS = None if guest.LONG else 25
RANDOM_KILLS = 1_000 if guest.LONG else 15
BUFFERS = 8_192
DAEMON = "/usr/libexec/dmabufd"
CGROUP = pathlib.Path("/sys/fs/cgroup/system.slice/dmabufd.service")
MODULE_READY = "a87d6cde07624c378044c9ca9f091d1c"  # a message id of dmabufd(8)
NO_LIMITS = ("[Daemon]\nFairShare=no\nUserBuffersMax=infinity\nDeviceBuffersMax=infinity\n"
             "UserDeviceBuffersMax=infinity\n")


@pytest.fixture(scope="module", autouse=True)
def no_limits():
    """What is refused to whom is not the question here."""
    with guest.configured(NO_LIMITS):
        yield


def kernel_view():
    with poolnode.Node() as node:
        return {info.id: info.size for info in node.live()}


def daemon_view():
    return {buffer["id"]: buffer["size"] for buffer in ctl("buffers")["buffers"]}


def charges():
    """Of each device that has any, whichever of its nodes it is listed by."""
    return {entry["device"]: entry["used"] for entry in ctl("devices")["devices"] if entry["used"]}


def assert_all_agree(held):
    """The kernel frees what a dead daemon had in hand a moment after its end."""
    guest.wait_until(lambda: kernel_view() == held, "the kernel has what the clients hold")
    guest.wait_until(lambda: daemon_view() == held, "the daemon has what the clients hold")
    assert sum(charges().values()) == sum(held.values())
    used = sum(pool["used"] for pool in ctl("pools")["pools"])
    assert used == sum(held.values())


def hello():
    with wire.Peer() as peer:
        assert peer.hello()[0] == 0


def kill_and_wait(kill, ready):
    """Seconds from the kill to the first answer of the daemon that is started after it."""
    before = time.monotonic()
    kill()
    while True:
        try:
            hello()
            break
        except (wire.Closed, ConnectionError):  # the connection was made to the dead one
            continue
    ready.append(time.monotonic() - before)


class Script(threading.Thread):
    """One client's life while its daemon is watched: connect, ask, ask again, release."""

    def __init__(self, device):
        super().__init__()
        self.device, self.ended, self.trouble, self.resets = device, False, None, 0
        self.connection, self.held = None, []

    def again(self, call):
        """The library finds the next daemon with the next call."""
        try:
            return call()
        except dmabuf.Error as error:
            if error.errno not in load.RETRYABLE:
                raise
        self.resets += 1
        return call()

    def allocate(self):
        self.held += self.again(lambda: self.connection.allocate(4096, self.device, count=2))

    def run(self):
        try:
            self.connection = self.again(dmabuf.Connection)
            self.allocate()
            self.allocate()
            while len(self.held) > 1:
                self.held.pop().close()
        except Exception as error:  # the thread that watches raises it again
            self.trouble = error
        self.ended = True
        # Who waits for the daemon's next step is to see that there was the last.
        with contextlib.suppress(ConnectionError, wire.Closed):
            hello()

    def finish(self):
        """{id: size} of what it holds in the end."""
        self.join()
        if self.connection:
            self.connection.__exit__()
        if self.trouble:
            raise self.trouble
        return {buffer.id: buffer.size for buffer in self.held}

    def release(self):
        while self.held:
            self.held.pop().close()


def steps_of_script(daemon, script, most=None):
    """Go on with the daemon until the script ends or most steps are done: the stops."""
    stops = []
    script.start()
    while most is None or len(stops) < most:
        stops.append(daemon.step())
        if script.ended and stops[-1][0] == "enter" and stops[-1][1] in stepper.WAITS:
            break
    return stops


def evenly(total, count):
    """So many of 1…total, the first and the last among them; None: all."""
    if count is None or count >= total:
        return list(range(1, total + 1))
    return [1 + at * (total - 1) // (count - 1) for at in range(count)]


def main_pid():
    """Quicker than asking systemd, and true already before the daemon's program is executed."""
    with contextlib.suppress(FileNotFoundError):
        pids = (CGROUP / "cgroup.procs").read_text().split()
        return int(pids[0]) if pids else None
    return None


@pytest.fixture
def static_clients(free_camera):
    """Buffers of two connections that sit still: what is to be known again each time."""
    with dmabuf.Connection() as one, dmabuf.Connection() as other:
        held = (one.allocate(4096, free_camera, count=3)
                + other.allocate(3 * 4096, free_camera, count=2, pool="system"))
        yield {buffer.id: buffer.size for buffer in held}
    for buffer in held:
        buffer.close()


def report(name, ready):
    print(f"{name}: killed {len(ready)} times, ready again after {statistics.median(ready):.3f} s "
          f"in the median, {max(ready):.3f} s at worst")


def test_killed_at_each_system_call_of_a_request(static_clients, free_camera):
    """Before and after each: connecting, two allocations, of which the first asks udev, releases."""
    # A daemon that is new, as those that are killed will be: it has asked udev for nothing yet.
    guest.systemctl("restart", "dmabufd.service")
    hello()
    script = Script(free_camera)
    with stepper.Stepper(int(guest.daemon_pid())) as daemon:
        stops = steps_of_script(daemon, script)
        daemon.detach()
    held = script.finish()
    assert_all_agree(static_clients | held)
    script.release()
    assert len(stops) >= 100

    ready, resets = [], 0
    for most in evenly(len(stops), REQUEST_KILLS):
        script = Script(free_camera)
        with stepper.Stepper(int(guest.daemon_pid())) as daemon:
            steps_of_script(daemon, script, most)
            kill_and_wait(daemon.kill, ready)
        held = script.finish()
        resets += script.resets
        assert_all_agree(static_clients | held)
        script.release()
    assert resets >= len(ready) // 2
    report(f"request of {len(stops)} stops", ready)


@contextlib.contextmanager
def listening():
    """A socket like the one of dmabufd.socket."""
    with tempfile.TemporaryDirectory(prefix="dmabufd-", dir="/run") as folder, \
            socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(f"{folder}/socket")
        listener.listen()
        yield listener.fileno()


def start_stepwise(listener):
    return stepper.Stepper.start(["/bin/sh", "-c", 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$0"', DAEMON],
                                 {listener: 3}, user="dmabufd", group="dmabufd", extra_groups=[])


def steps_of_start(daemon, most=None):
    """Go on until the daemon waits for clients, or most steps are done: the stops."""
    stops = []
    while most is None or len(stops) < most:
        stops.append(daemon.step())
        if stops[-1][0] == "enter" and stops[-1][1] in stepper.WAITS:
            break
    return stops


def test_killed_at_each_system_call_of_its_start(static_clients):
    """Each start begins where the one before was ended, and the last one knows everything."""
    guest.stop_daemon("dmabufd.socket")
    try:
        with listening() as listener:
            with start_stepwise(listener) as daemon:
                stops = steps_of_start(daemon)
            assert len(stops) >= 100
            points = evenly(len(stops), START_KILLS)
            for most in points:
                with start_stepwise(listener) as daemon:
                    steps_of_start(daemon, most)
                assert kernel_view() == static_clients
    finally:
        guest.systemctl("start", "dmabufd.socket")
    assert_all_agree(static_clients)
    print(f"start of {len(stops)} stops: killed {len(points)} times")


def test_killed_at_random_under_load(free_camera):
    devices = [free_camera, *([guest.video_nodes("camera")[0]] if guest.DEVICE_TREE else [])]
    chance, ready = random.Random(1), []
    with load.Load(CLIENTS, devices) as clients:
        for _ in range(RANDOM_KILLS):
            # The moment is what is random; nothing is waited for.
            time.sleep(chance.uniform(0, 0.3))
            pid = guest.wait_until(main_pid, "there is a daemon")
            kill_and_wait(lambda: os.kill(pid, signal.SIGKILL), ready)
            assert_all_agree(clients.pause())
            clients.go_on()
        assert clients.resets() >= RANDOM_KILLS // 2
    report(f"at random under {CLIENTS} clients", ready)


def last_ready():
    """Fields of the daemon's last message that it is attached."""
    text = guest.run("journalctl", "-u", "dmabufd", "-o", "json", "-n", "1",
                     f"MESSAGE_ID={MODULE_READY}", check=True).stdout
    return json.loads(text) if text else {}


def test_many_buffers_are_known_again(free_camera):
    """What one request made, the kernel makes again: with its tag, the books must hold each."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (BUFFERS + 1024, max(limits[1], BUFFERS + 1024)))
    with dmabuf.Connection() as connection:
        buffer, = connection.allocate(4096, free_camera, pool="system")
    fds = [buffer.fd]
    try:
        with poolnode.Node() as node:
            tag = bytes(node.live()[0].tag)
            pool = node.pools()["system"].index
            fds += [node.alloc(pool, 4096, poolnode.CACHED, tag=tag).fd
                    for _ in range(BUFFERS - 1)]
        pid, ready = int(guest.daemon_pid()), []
        kill_and_wait(lambda: os.kill(pid, signal.SIGKILL), ready)
        told = guest.wait_until(lambda: (last := last_ready()).get("_PID") != str(pid) and last,
                                "the journal has what the new daemon says")
        assert int(told["DMABUFD_BUFFERS"]) == BUFFERS
        assert int(told["DMABUFD_BYTES"]) == BUFFERS * 4096
        assert charges() == {"platform:vivid.0": BUFFERS * 4096}
        print(f"{BUFFERS} buffers: rebuilt in {int(told['DMABUFD_USEC']) / 1000:.0f} ms, "
              f"ready again after {ready[0]:.3f} s")
    finally:
        for fd in fds:
            os.close(fd)
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
