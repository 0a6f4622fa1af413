# SPDX-License-Identifier: MIT
"""Requests that wait: for pool memory, for quota, in order, and what those leave who wait in vain."""

import errno
import os
import pathlib
import signal
import subprocess
import time

import dmabuf
import guest
import pytest
import wire
from guest import ctl, refused
from held import close_all

MIB = 1 << 20
ONE_USER, OTHER_USER = 1234, 1235
UNSHARED = "[Pool camera]\nUserBytesMax=infinity\n"
FOREVER = 2**32 - 1


def daemon_fds():
    return len(os.listdir(f"/proc/{guest.daemon_pid()}/fd"))


def wakeups(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return sum(int(line.split()[1]) for line in status.splitlines() if "ctxt_switches" in line)


def asleep(pid):
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "S"


class Waiter:
    """dmabufctl that waits, and then holds what it got until it is told to end."""

    def __init__(self, node, size, wait, *words, user=None):
        who = {} if user is None else {"user": user, "group": guest.NOBODY,
                                       "extra_groups": [pathlib.Path(node).stat().st_gid]}
        self.name = f"w{id(self):x}"
        self.program = subprocess.Popen(
            ["dmabufctl", "alloc", node, "--size", size, "--wait", wait, "--hold",
             "--name", self.name, *words],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **who)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.program.kill()
        self.program.wait()
        for pipe in (self.program.stdin, self.program.stdout, self.program.stderr):
            pipe.close()

    def waits(self):
        """Once true: the daemon has its request and has not answered."""
        assert self.program.poll() is None, self.program.stderr.read()
        return has_asked(self.program) and not self.holds()

    def holds(self):
        return any(buffer["name"] == self.name for buffer in ctl("buffers")["buffers"])

    def give_back(self):
        assert self.program.communicate("")[1] == ""
        assert self.program.returncode == 0

    def error(self):
        _, text = self.program.communicate()
        assert self.program.returncode == 1
        return text


def has_asked(program):
    """
    Does the program sleep until the daemon, which has read its request, answers it? Clients are
    served in the order in which they speak: who slept for the answer to HELLO before another one is
    served sleeps no more after that.
    """
    for _ in range(2):
        if "poll" not in pathlib.Path(f"/proc/{program.pid}/wchan").read_text():
            return False
        guest.run("dmabufctl", "pools")
    return True


def wait_for_waiter(waiter):
    guest.wait_until(waiter.waits, "it waits")


@pytest.fixture
def camera(bound_camera):
    """The camera's region of 32 MiB, without fair shares; a request for it takes no other pool."""
    with guest.configured(UNSHARED):
        yield bound_camera


def full(client, camera, pieces):
    """The region, held in so many pieces; in the order of their addresses."""
    held = [client.allocate(32 * MIB // pieces, camera, pool="camera")[0] for _ in range(pieces)]
    return sorted(held, key=lambda buffer: buffer.address)


def only(*words):
    return "--pool", "camera", *words


def test_waits_for_memory_that_another_process_frees(camera):
    with dmabuf.Connection() as client:
        holder, = full(client, camera, 1)
        with Waiter(camera, "32M", "1min", *only()) as waiter:
            wait_for_waiter(waiter)
            holder.close()
            guest.wait_until(waiter.holds, "it got the memory")
            assert {buffer["size"] for buffer in ctl("buffers")["buffers"]} == {32 * MIB}
            waiter.give_back()


def test_waits_for_several_buffers_at_once(camera):
    with dmabuf.Connection() as client:
        held = full(client, camera, 4)
        with Waiter(camera, "8M", "1min", *only("--count", "3")) as waiter:
            wait_for_waiter(waiter)
            for _ in range(2):
                held.pop().close()
                wait_for_waiter(waiter)
            held.pop().close()
            guest.wait_until(waiter.holds, "it got all three")
            waiter.give_back()
        close_all(held)


def test_what_a_waiter_gets_in_vain_wakes_up_nobody(camera):
    """There is room for both of its buffers, in pieces that are too small for the second one."""
    with dmabuf.Connection() as client:
        held = full(client, camera, 8)
        with Waiter(camera, "8M", "1min", *only("--count", "2")) as first, \
                Waiter(camera, "8M", "1min", *only("--count", "2")) as second:
            wait_for_waiter(first)
            wait_for_waiter(second)
            for at in (5, 3, 1, 0):
                held.pop(at).close()
            wait_for_waiter(first)
            pid = guest.daemon_pid()
            guest.wait_until(lambda: asleep(pid), "it sleeps again")
            before = wakeups(pid)
            time.sleep(2)  # the span that is observed, not a wait for something
            assert wakeups(pid) == before
            assert sum(buffer["size"] for buffer in ctl("buffers")["buffers"]) == 16 * MIB
            held.pop(1).close()  # that between two free ones
            guest.wait_until(lambda: first.holds() or second.holds(), "both fit")
            for waiter in (first, second):
                if waiter.holds():
                    waiter.give_back()
        close_all(held)


def test_what_a_waiter_got_in_vain_is_there_for_the_next(bound_camera):
    """In the quota, too: the first takes 6 MiB before it finds no room for the other 6."""
    with guest.configured(UNSHARED + "BytesMax=32M\n"), dmabuf.Connection() as client:
        held = full(client, bound_camera, 8)
        with Waiter(bound_camera, "6M", "1min", *only("--count", "2")) as first:
            wait_for_waiter(first)
            with Waiter(bound_camera, "8M", "1min", *only()) as second:
                wait_for_waiter(second)
                for at in (3, 1, 0):
                    held.pop(at).close()
                guest.wait_until(second.holds, "there are 8 MiB in a row")
                assert first.waits()
                second.give_back()
        close_all(held)


def test_waits_for_quota_of_its_user(free_camera):
    with guest.configured("[Daemon]\nUserBytesMax=3M\n"), dmabuf.Connection() as client:
        held = client.allocate(MIB, free_camera, count=3)
        with Waiter(free_camera, "2M", "1min") as waiter:
            wait_for_waiter(waiter)
            held.pop().close()
            wait_for_waiter(waiter)
            held.pop().close()
            guest.wait_until(waiter.holds, "there is quota for it")
            waiter.give_back()
        close_all(held)


def test_waits_for_its_fair_share(bound_camera):
    """Of 32 MiB the first has 16, so the second may have 5.3; 16, once the first is gone."""
    with Waiter(bound_camera, "16M", "0", *only(), user=ONE_USER) as first:
        guest.wait_until(first.holds, "the first holds its share")
        with Waiter(bound_camera, "16M", "1min", *only(), user=OTHER_USER) as second:
            wait_for_waiter(second)
            first.give_back()
            guest.wait_until(second.holds, "the share grew")
            second.give_back()


def test_more_than_a_pool_is_refused_at_once(camera):
    with dmabuf.Connection() as client:
        text = refused(errno.E2BIG, client.allocate, 33 * MIB, camera, pool="camera", wait=FOREVER)
        assert "32.0 MiB" in text and "still" not in text
        text = refused(errno.ENOSPC, client.allocate, 3 * MIB, camera, pool="camera", count=14,
                       wait=FOREVER)
        assert "still" not in text
        refused(errno.EOPNOTSUPP, client.allocate, MIB, camera, pool="nowhere", wait=FOREVER)
        refused(errno.ENODEV, client.allocate, MIB, "/dev/null", wait=FOREVER)


def test_more_than_a_limit_is_refused_at_once(free_camera):
    with guest.configured("[Daemon]\nUserBytesMax=3M\n"), dmabuf.Connection() as client:
        refused(errno.EDQUOT, client.allocate, 4 * MIB, free_camera, wait=FOREVER)
        refused(errno.EDQUOT, client.allocate, MIB, free_camera, count=4, wait=FOREVER)
        close_all(client.allocate(MIB, free_camera, count=3, wait=FOREVER))


def test_share_that_nobody_could_ever_have_is_refused_at_once(bound_camera):
    with dmabuf.Connection() as client:
        text = refused(errno.EDQUOT, client.allocate, 17 * MIB, bound_camera, pool="camera",
                       wait=FOREVER)
        assert "fair share of 16.0 MiB" in text


def test_times_out_of_a_full_pool(camera):
    with dmabuf.Connection() as client:
        held = full(client, camera, 4)
        start = time.monotonic()
        text = refused(errno.ENOSPC, client.allocate, 8 * MIB, camera, pool="camera", wait=700)
        assert 0.7 <= time.monotonic() - start < 5
        assert text.startswith("after 700 ms still: no room for 8.0 MiB: camera: full now"), text
        close_all(held)


def test_times_out_with_the_refusal_of_that_moment(free_camera):
    with guest.configured("[Daemon]\nUserBytesMax=3M\n"), dmabuf.Connection() as client:
        held = client.allocate(MIB, free_camera, count=3)
        with Waiter(free_camera, "2M", "1500ms") as waiter:
            wait_for_waiter(waiter)
            held.pop().close()
            assert waiter.error() == ("dmabufctl: after 1500 ms still: no quota for 2.0 MiB more: "
                                      "user 0 holds 2.0 MiB of 3.0 MiB: close buffers, or raise "
                                      "UserBytesMax= in [Daemon] of dmabufd.conf\n")
        close_all(held)


def test_who_came_first_gets_it_first(camera):
    with dmabuf.Connection() as client:
        held = full(client, camera, 8)
        waiters = []
        try:
            for user in (None, ONE_USER, OTHER_USER, None):
                waiters.append(Waiter(camera, "4M", "1min", *only(), user=user))
                wait_for_waiter(waiters[-1])
            for at, waiter in enumerate(waiters):
                held.pop().close()
                guest.wait_until(waiter.holds, f"number {at} got its turn")
                assert not any(other.holds() for other in waiters[at + 1:])
        finally:
            for waiter in waiters:
                waiter.__exit__()
            close_all(held)


def churn(client, camera, held, size):
    """Somebody who gives back a piece and wants as much again, over and over; how often it got it."""
    for got in range(100):
        held.pop(0).close()
        try:
            held += client.allocate(size, camera, pool="camera")
        except dmabuf.Error as error:
            assert error.errno == errno.EDQUOT and "a request that waits" in error.strerror
            return got
    raise AssertionError("a hundred small requests went before the large one")


def test_small_requests_do_not_starve_a_large_one(camera):
    """They pass it eight times; then what comes free is kept for it."""
    with dmabuf.Connection() as client:
        held = full(client, camera, 16)
        with Waiter(camera, "8M", "1min", *only(), user=ONE_USER) as large:
            wait_for_waiter(large)
            assert churn(client, camera, held, 2 * MIB) == 8
            for _ in range(3):
                assert not large.holds()
                held.pop(0).close()
            guest.wait_until(large.holds, "four pieces in a row are its")
            large.give_back()
        close_all(held)


def test_large_requests_do_not_starve_small_ones(camera):
    """What is too little for a large one goes to a small one at once, and after a while again."""
    with dmabuf.Connection() as client:
        held = full(client, camera, 16)
        with Waiter(camera, "16M", "infinity", *only(), user=ONE_USER) as large:
            wait_for_waiter(large)
            held.pop(0).close()
            with Waiter(camera, "2M", "1min", *only(), user=OTHER_USER) as small:
                guest.wait_until(small.holds, "there is room for the small one")
                assert large.waits()
                small.give_back()
            held += client.allocate(2 * MIB, camera, pool="camera", wait=1000)
            churn(client, camera, held, 2 * MIB)
            # Now all is kept for the large one, which nothing helps: not for ever.
            start = time.monotonic()
            held += client.allocate(2 * MIB, camera, pool="camera", wait=30000)
            assert 1 < time.monotonic() - start < 15
            assert large.waits()
        close_all(held)


def test_waiting_for_oneself_holds_back_nobody_else(free_camera):
    text = "[Daemon]\nUserBytesMax=3M\nFairShare=no\n"
    with guest.configured(text), dmabuf.Connection() as client:
        held = client.allocate(MIB, free_camera, count=3)
        with Waiter(free_camera, "3M", "1min") as waiter:
            wait_for_waiter(waiter)
            for _ in range(20):
                held.pop().close()
                try:
                    held += client.allocate(MIB, free_camera)
                except dmabuf.Error as error:
                    assert "user 0 holds 2.0 MiB, and 3.0 MiB more are kept" in error.strerror
                    break
            else:
                raise AssertionError("the user's own small requests starve its large one")
            group = [pathlib.Path(free_camera).stat().st_gid]
            done = guest.run("dmabufctl", "alloc", free_camera, "--size", "3M", user=OTHER_USER,
                             groups=group)
            assert done.returncode == 0, done.stderr
            close_all(held)
            guest.wait_until(waiter.holds, "all its quota is free")
            waiter.give_back()


def test_killed_waiter_leaves_no_trace(camera):
    with dmabuf.Connection() as client:
        held = full(client, camera, 4)
        before = ctl("buffers")["buffers"], ctl("devices")["devices"], ctl("pools")["pools"]
        pid, fds = guest.daemon_pid(), daemon_fds()
        waiters = [Waiter(camera, "16M", "infinity", *only()) for _ in range(10)]
        for waiter in waiters:
            wait_for_waiter(waiter)
        guest.wait_until(lambda: daemon_fds() == fds + 10, "ten connections more")
        for waiter in waiters:
            waiter.program.send_signal(signal.SIGKILL)
        guest.wait_until(lambda: daemon_fds() == fds, "the daemon noticed")
        after = ctl("buffers")["buffers"], ctl("devices")["devices"], ctl("pools")["pools"]
        assert after == before and guest.daemon_pid() == pid
        for waiter in waiters:
            waiter.__exit__()
        # Nobody is before it any more: what comes free is the next one's, and all of it.
        close_all(held)
        client.allocate(32 * MIB, camera, pool="camera")[0].close()


def test_client_that_goes_on_talking_while_it_waits_is_dropped(camera):
    with dmabuf.Connection() as client:
        holder, = full(client, camera, 1)
        body = (wire.request(size=MIB, devices=[os.stat(camera).st_rdev], pool=b"camera")
                + wire.WAIT.pack(2**64 - 1))
        with wire.Peer() as peer:
            peer.hello()
            peer.send(wire.frame(wire.ALLOC, body))
            peer.send(wire.frame(wire.POOLS, bytes(8)))
            with pytest.raises(wire.Closed):
                peer.receive()
        holder.close()


def test_number_of_waiters_is_bounded(bound_camera):
    with guest.configured(UNSHARED + "[Daemon]\nUserWaitersMax=2\nWaitersMax=3\n"), \
            dmabuf.Connection() as client:
        holder, = full(client, bound_camera, 1)
        waiters = []
        for user, error in ((None, None), (None, None), (None, "UserWaitersMax= in [Daemon]"),
                            (ONE_USER, None), (OTHER_USER, "WaitersMax= in [Daemon]")):
            waiter = Waiter(bound_camera, "1M", "1min", *only(), user=user)
            if error:
                text = waiter.error()
                assert f"see {error}" in text and "camera: full now" in text
            else:
                waiters.append(waiter)
                wait_for_waiter(waiter)
        holder.close()
        for waiter in waiters:
            guest.wait_until(waiter.holds, "each of the three got its buffer")
            waiter.give_back()


def test_reload_helps_who_waits(free_camera):
    drop_in = pathlib.Path("/etc/dmabufd/dmabufd.conf.d/90-test.conf")
    with guest.configured("[Daemon]\nUserBytesMax=3M\n"), dmabuf.Connection() as client:
        held = client.allocate(MIB, free_camera, count=3)
        with Waiter(free_camera, "1M", "1min") as waiter:
            wait_for_waiter(waiter)
            drop_in.write_text("[Daemon]\nUserBytesMax=4M\n")
            guest.systemctl("reload", "dmabufd.service")
            guest.wait_until(waiter.holds, "the new limit lets it")
            waiter.give_back()
        # What can never be any more is told at once.
        with Waiter(free_camera, "2M", "infinity") as waiter:
            wait_for_waiter(waiter)
            drop_in.write_text("[Daemon]\nUserBytesMax=1M\n")
            guest.systemctl("reload", "dmabufd.service")
            assert "user 0 holds 3.0 MiB of 1.0 MiB" in waiter.error()
        close_all(held)


def test_module_that_is_missing_is_waited_for(free_camera):
    rule = pathlib.Path("/run/modprobe.d/test.conf")
    rule.parent.mkdir(exist_ok=True)
    rule.write_text("install dmabuf_pool /bin/false\n")
    guest.systemctl("stop", "dmabufd.service")
    guest.run("rmmod", "dmabuf_pool", check=True)
    try:
        with dmabuf.Connection() as client:
            text = refused(errno.ENXIO, client.allocate, MIB, free_camera, wait=500)
            assert text.startswith("after 500 ms still: the kernel module dmabuf_pool is not")
    finally:
        rule.unlink()
        guest.run("modprobe", "dmabuf_pool", check=True)
    guest.wait_until(lambda: guest.run("dmabufctl", "alloc", free_camera, "--size", "4K")
                     .returncode == 0, "the daemon found the module")


def test_who_waits_outlives_one_restart(camera):
    """The library asks the next daemon once; after that it is up to the program."""
    with dmabuf.Connection() as client:
        held = full(client, camera, 1)
        with Waiter(camera, "1M", "infinity", *only()) as waiter:
            wait_for_waiter(waiter)
            guest.systemctl("restart", "dmabufd.service")
            wait_for_waiter(waiter)
            close_all(held)
            guest.wait_until(waiter.holds, "the next daemon gave it the memory")
            waiter.give_back()


def test_a_second_restart_sends_waiters_away(camera):
    with dmabuf.Connection() as client:
        held = full(client, camera, 1)
        with Waiter(camera, "1M", "infinity", *only()) as waiter:
            for _ in range(2):
                wait_for_waiter(waiter)
                guest.systemctl("restart", "dmabufd.service")
            assert "nothing was allocated: try again" in waiter.error()
        close_all(held)


def test_daemon_sleeps_while_somebody_waits(camera):
    """No tick, and no timer at all once nobody waits."""
    with dmabuf.Connection() as client:
        held = full(client, camera, 1)
        pid = guest.daemon_pid()
        with Waiter(camera, "1M", "1h", *only()) as waiter:
            wait_for_waiter(waiter)
            guest.wait_until(lambda: asleep(pid), "it sleeps")
            before = wakeups(pid)
            time.sleep(3)  # the span that is observed, not a wait for something
            assert wakeups(pid) == before
        close_all(held)
    with dmabuf.Connection() as client:
        close_all(client.allocate(MIB, camera))
        start = time.monotonic()
        with Waiter(camera, "32M", "2s", *only()) as waiter:
            guest.wait_until(waiter.holds, "it need not wait")
            waiter.give_back()
        guest.wait_until(lambda: asleep(pid), "it sleeps")
        before = wakeups(pid)
        time.sleep(max(3 - (time.monotonic() - start), 1))  # past the end of that wait
        assert wakeups(pid) == before
