# SPDX-License-Identifier: MIT
"""A program with an event loop: allocations that were started, and what the daemon tells it."""

import contextlib
import os
import pathlib
import select
import subprocess
import time

import dmabuf
import guest
import pytest
from guest import ctl
from held import close_all, exhaust

MIB = 1 << 20
ALL_FOR_ROOT = "[Daemon]\nFairShare=no\n"
DROP_IN = pathlib.Path("/etc/dmabufd/dmabufd.conf.d/91-loop.conf")


def run_until(connection, done, timeout=60):
    """As an event loop does."""
    deadline = time.monotonic() + timeout
    while not done():
        left = deadline - time.monotonic()
        assert left > 0, f"after {timeout} s still not done"
        if select.select([connection], [], [], left)[0]:
            connection.dispatch()


def rests(connection):
    """Nothing is to be done: a loop would sleep."""
    while select.select([connection], [], [], 0.2)[0]:
        connection.dispatch()


class Ends(list):
    """What was called back, by name."""

    def start(self, connection, label, *wanted, **more):
        return connection.start(lambda buffers, error: self.append((label, buffers, error)),
                                *wanted, **more)

    def names(self):
        return [name for name, _, _ in self]


@contextlib.contextmanager
def reloaded(text):
    """The running daemon under a drop-in, which is reloaded."""
    DROP_IN.parent.mkdir(parents=True, exist_ok=True)
    DROP_IN.write_text(text)
    guest.systemctl("reload", "dmabufd.service")
    try:
        yield
    finally:
        DROP_IN.unlink()
        guest.systemctl("reload", "dmabufd.service")


def test_started_allocations_are_granted_in_order(client, free_camera):
    ends = Ends()
    for name in range(4):
        ends.start(client, name, MIB, free_camera, count=2, name=f"n{name}")
    assert not ctl("buffers")["buffers"]
    run_until(client, lambda: len(ends) == 4)
    assert ends.names() == [0, 1, 2, 3]
    assert [error for _, _, error in ends] == [None] * 4
    listed = {buffer["id"]: buffer["name"] for buffer in ctl("buffers")["buffers"]}
    assert listed == {buffer.id: f"n{name}" for name, buffers, _ in ends for buffer in buffers}
    rests(client)
    for _, buffers, _ in ends:
        close_all(buffers)


def test_refusals_are_called_back(client, free_camera):
    ends = Ends()
    ends.start(client, "large", 1 << 40, free_camera)
    run_until(client, lambda: ends)
    _, buffers, error = ends[0]
    assert buffers is None
    with pytest.raises(dmabuf.Error) as caught:
        client.allocate(1 << 40, free_camera)
    assert (error.errno, error.strerror) == (caught.value.errno, caught.value.strerror)


def test_what_waits_outlives_the_daemon(bound_camera):
    """And the program is told that there is another, which knows its buffers."""
    with guest.configured(ALL_FOR_ROOT), dmabuf.Connection() as client, \
            dmabuf.Connection() as other:
        held = exhaust(other, bound_camera, "camera", MIB)
        ends, events = Ends(), []
        client.set_notify(events.append)
        ends.start(client, "waits", MIB, bound_camera, pool="camera", wait=dmabuf.WAIT_FOREVER)
        rests(client)
        old = guest.daemon_pid()
        guest.systemctl("restart", "dmabufd.service")
        run_until(client, lambda: events)
        assert events[0].type == dmabuf.Event.RECONNECTED
        assert guest.daemon_pid() != old
        rests(client)
        assert not ends
        held.pop(0).close()
        run_until(client, lambda: ends)
        assert ends[0][2] is None
        close_all([*held, *ends[0][1]])


def test_cancelled_waits_no_more(bound_camera):
    with guest.configured(ALL_FOR_ROOT), dmabuf.Connection() as client, \
            dmabuf.Connection() as other:
        held = exhaust(other, bound_camera, "camera", MIB)
        ends = Ends()
        first = ends.start(client, "first", MIB, bound_camera, pool="camera",
                           wait=dmabuf.WAIT_FOREVER)
        rests(client)
        first.cancel()
        close_all(held)
        # Nobody has it: all of the pool is there again.
        rests(client)
        again = exhaust(other, bound_camera, "camera", MIB)
        assert len(again) == len(held)
        assert not ends
        close_all(again)


def test_other_limits_are_told(client, free_camera):
    events = []
    client.set_notify(events.append)
    rests(client)
    with reloaded("[Daemon]\nUserConnectionsMax=63\n"):
        rests(client)
        assert not events
    with reloaded("[User root]\nBytesMax=96M\nBuffersMax=77\n"):
        run_until(client, lambda: events)
        assert [(event.type, event.uid, event.size, event.number) for event in events] == [
            (dmabuf.Event.QUOTA_CHANGED, 0, 96 * MIB, 77)]
        events.clear()
    run_until(client, lambda: events)
    assert events[0].type == dmabuf.Event.QUOTA_CHANGED


def test_memory_is_asked_back_and_given(bound_camera):
    """Another program waits for memory that this one has, and gets it because this one is nice."""
    with guest.configured(ALL_FOR_ROOT), dmabuf.Connection() as client:
        held, asked = exhaust(client, bound_camera, "camera", MIB), []
        size = held[-1].size

        def give_back(event):
            asked.append(event)
            held.pop().close()

        client.set_notify(give_back)
        rests(client)
        with subprocess.Popen(["dmabufctl", "alloc", bound_camera, "--size", str(size), "--pool",
                               "camera", "--wait", "60s"], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True) as other:
            run_until(client, lambda: asked)
            text, _ = other.communicate(timeout=60)
        assert other.returncode == 0, text
        event, = asked
        assert (event.type, event.pool, event.size) == (dmabuf.Event.ASKED_BACK, "camera", size)
        assert (event.uid, event.pid) == (0, 0)
        close_all(held)


def test_connections_are_counted(client):
    """What does not block is two more connections, and no watcher."""
    client.set_notify(lambda event: None)
    ends = Ends()
    ends.start(client, "one", 4096, count=1)
    run_until(client, lambda: ends)
    close_all(ends[0][1])
    rests(client)
    mine = [other for other in client.clients() if other.pid == os.getpid()]
    assert len(mine) == 3
    assert not any(other.watches for other in mine)
