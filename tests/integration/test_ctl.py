# SPDX-License-Identifier: MIT
"""dmabufctl: what each command shows, as a table and as JSON, against what was really allocated."""

import contextlib
import errno
import json
import os
import re
import select
import signal
import subprocess

import dmabuf
import guest
import pytest
from guest import ctl
from held import close_all, exhaust
from terminal import Terminal

MIB = 1 << 20
USER, OTHER = 1236, 1237
COMMANDS = ["status", "pools", "devices", "buffers", "clients", "explain", "alloc", "monitor", "top",
            "metrics"]
TABLES = ["status", "pools", "devices", "buffers", "clients", "explain", "alloc", "monitor", "top"]


def video_group(path):
    return os.stat(path).st_gid


@contextlib.contextmanager
def held_by(user, node, *words):
    """dmabufctl alloc --hold of this user; its process and what it was granted."""
    program = subprocess.Popen(["dmabufctl", "alloc", node, "--hold", "--json", *words],
                               user=user, group=guest.NOBODY, extra_groups=[video_group(node)],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        text = ""
        while not text.endswith("\n}\n"):
            line = program.stdout.readline()
            assert line, "it holds nothing"
            text += line
        yield program, json.loads(text)["buffers"]
    finally:
        program.communicate("")


def cells(*words, **kwargs):
    """The rows of a table without headings, for columns that hold no blanks."""
    text = guest.run("dmabufctl", *words, "-n", "-b", check=True, **kwargs).stdout
    return [line.split() for line in text.splitlines()]


# Lists ---------------------------------------------------------------------------------------------

def test_buffers(client, bound_camera, free_camera):
    held = client.allocate(MIB, bound_camera, count=2) + client.allocate(3 * MIB, free_camera)
    listed = ctl("buffers")["buffers"]
    assert [(buffer["id"], buffer["size"], buffer["pool"], buffer["kind"], buffer["base"],
             buffer["end"]) for buffer in listed] == [
        (granted.id, granted.size, granted.pool, str(granted.kind), *granted.address)
        for granted in held]
    assert {(buffer["uid"], buffer["user"], buffer["pid"]) for buffer in listed} == {
        (0, "root", os.getpid())}
    assert cells("buffers", "-o", "ID,SIZE,POOL,USER,PID,DEVICES") == [
        [str(buffer[key]) for key in ("id", "size", "pool", "user", "pid", "devices")]
        for buffer in listed]
    close_all(held)


def test_pools(client, bound_camera):
    before = {pool["name"]: pool for pool in ctl("pools")["pools"]}
    held = client.allocate(MIB, bound_camera, count=2)
    listed = {pool["name"]: pool for pool in ctl("pools")["pools"]}
    assert {name: pool["used"] - before[name]["used"] for name, pool in listed.items()
            if pool["used"] != before[name]["used"]} == {"camera": 2 * MIB}
    assert cells("pools", "-o", "NAME,KIND,USED") == [
        [name, pool["kind"], str(pool["used"])] for name, pool in listed.items()]
    close_all(held)


def test_devices(client, free_camera):
    held = client.allocate(MIB, free_camera)
    listed = {device["node"]: device for device in ctl("devices")["devices"]}
    assert listed[free_camera]["used"] == MIB
    assert listed[free_camera]["device"] == "platform:vivid.0"
    assert cells("devices", "-o", "NODE,DEVICE,USED") == [
        [node, device["device"], str(device["used"])] for node, device in listed.items()]
    close_all(held)


def test_clients(client, free_camera):
    held = client.allocate(MIB, free_camera, count=3)
    with held_by(USER, free_camera, "--size", "2M") as (program, _):
        listed = ctl("clients")["clients"]
        mine, = [entry for entry in listed if entry["pid"] == os.getpid()]
        assert (mine["buffers"], mine["size"], mine["uid"]) == (3, 3 * MIB, 0)
        # HELLO and one request, granted.
        assert (mine["requests"], mine["refused"]) == (2, 0)
        theirs, = [entry for entry in listed if entry["pid"] == program.pid]
        assert (theirs["buffers"], theirs["size"], theirs["uid"]) == (1, 2 * MIB, USER)
        assert theirs["program"] == "dmabufctl"
        asks, = [entry for entry in listed if entry["self"]]
        assert asks["pid"] not in (os.getpid(), program.pid) and asks["buffers"] == 0
        assert [str(program.pid), "dmabufctl", "1", str(2 * MIB)] in cells(
            "clients", "-o", "PID,PROGRAM,BUFFERS,SIZE")
        own = ctl("clients", user=USER)["clients"]
        assert {entry["uid"] for entry in own} == {USER}
        assert program.pid in {entry["pid"] for entry in own}
        assert {entry["uid"] for entry in ctl("clients", user=OTHER)["clients"]} == {OTHER}
    with pytest.raises(dmabuf.Error):
        client.allocate(1 << 40, free_camera)
    mine, = [entry for entry in ctl("clients")["clients"] if entry["pid"] == os.getpid()]
    assert (mine["requests"], mine["refused"]) == (3, 1)
    close_all(held)


def test_many_clients_are_listed_once_each():
    """More than one frame holds."""
    with contextlib.ExitStack() as stack:
        with guest.configured("[Daemon]\nUserConnectionsMax=200\n"):
            for _ in range(150):
                stack.enter_context(dmabuf.Connection())
            listed = ctl("clients")["clients"]
            assert len([entry for entry in listed if entry["pid"] == os.getpid()]) == 150
            assert len(listed) == 151


def test_status(client, free_camera):
    before, = ctl("status")["status"]
    held = client.allocate(MIB, free_camera, count=3)
    with pytest.raises(dmabuf.Error):
        client.allocate(1 << 40, free_camera)
    after, = ctl("status", user=OTHER)["status"]
    assert (after["buffers"], after["size"]) == (3, 3 * MIB)
    assert after["granted"] - before["granted"] == 3
    assert after["refused"] - before["refused"] == 1
    assert after["connections"] - before["connections"] == 1
    # STATUS of the first dmabufctl, two of the library, HELLO of the second; its STATUS is not over.
    assert after["requests"] - before["requests"] == 4
    assert after["clients"] == 2 and after["watchers"] == 0
    assert after["pools"] == len(guest.POOLS)
    assert after["uptime"] > before["uptime"]
    assert re.fullmatch(r"\d+\.\d+", after["module"]) and after["missing"] is None
    lines = guest.run("dmabufctl", "status", "-o", "BUFFERS,SIZE", "-b", check=True).stdout
    assert lines.split() == ["BUFFERS", "3", "SIZE", str(3 * MIB)]
    close_all(held)


def test_top(client, free_camera):
    held = client.allocate(MIB, free_camera, count=3)
    with held_by(USER, free_camera, "--size", "2M", "--count", "2") as (program, _):
        shown = ctl("top")
        assert {pool["pool"]: pool["used"] for pool in shown["pools"]} == {
            pool["name"]: pool["used"] for pool in ctl("pools")["pools"]}
        assert [(entry["pid"], entry["size"], entry["buffers"], entry["uid"], entry["pools"])
                for entry in shown["processes"]] == [
            (program.pid, 4 * MIB, 2, USER, guest.FIRST_POOL),
            (os.getpid(), 3 * MIB, 3, 0, guest.FIRST_POOL)]
        own, = ctl("top", user=USER)["processes"]
        assert own["pid"] == program.pid
    close_all(held)


# Explanations --------------------------------------------------------------------------------------

def test_explain_a_full_pool(bound_camera):
    with guest.configured("[Daemon]\nUserBytesMax=infinity\nDeviceBytesMax=infinity\n"
                          "FairShare=no\n"), dmabuf.Connection() as connection:
        camera, = [pool for pool in ctl("pools")["pools"] if pool["name"] == "camera"]
        held = connection.allocate(camera["size"] - 2 * MIB, bound_camera, pool="camera")
        steps = {step["pool"]: step
                 for step in ctl("explain", bound_camera, "--size", "3M")["pools"]}
        assert steps["camera"]["verdict"] == "full"
        assert steps["camera"]["why"].startswith("full now: 2.0 MiB of ")
        assert steps["camera"]["needs"] == "1.0 MiB more to be released"
        assert {step["pool"] for step in steps.values()} == set(guest.POOLS)
        steps = {step["pool"]: step
                 for step in ctl("explain", bound_camera, "--size", "2M")["pools"]}
        assert steps["camera"]["verdict"] == "try"
        # As it was told.
        held += connection.allocate(2 * MIB, bound_camera, pool="camera")
        close_all(held)


@guest.needs_device_tree
def test_explain_tells_the_largest_block(bound_camera):
    """Fragments: half of the pool is free, and no two pieces of it are neighbours."""
    with guest.configured("[Daemon]\nUserBytesMax=infinity\nDeviceBytesMax=infinity\n"
                          "FairShare=no\n"), dmabuf.Connection() as connection:
        held = exhaust(connection, bound_camera, "camera", MIB)
        close_all(held)
        held = []
        with contextlib.suppress(dmabuf.Error):
            while True:
                held += connection.allocate(MIB, bound_camera, pool="camera")
        held.sort(key=lambda buffer: buffer.address)
        close_all(held[::2])
        guest.wait_until(lambda: len(ctl("buffers")["buffers"]) == len(held[1::2]), "released")
        camera, = [step for step in ctl("explain", bound_camera, "--size", "2M")["pools"]
                   if step["pool"] == "camera"]
        assert camera["verdict"] == "full"
        assert "the largest block is 1.0 MiB" in camera["why"]
        assert camera["needs"] == "neighbouring buffers to be released"
        close_all(held[1::2])


def quota_of(answer):
    row, = [row for row in answer["decision"] if row["question"] == "quota"]
    return row


def test_explain_quota(free_camera):
    with guest.configured("[Daemon]\nUserBytesMax=3M\nFairShare=no\n"), \
            dmabuf.Connection() as client:
        held = client.allocate(2 * MIB, free_camera)
        enough = quota_of(ctl("explain", free_camera, "--size", "1M"))
        assert enough["answer"] == "enough"
        assert enough["why"] == "user 0 holds 2.0 MiB of 3.0 MiB"
        refused = quota_of(ctl("explain", free_camera, "--size", "2M"))
        assert refused["answer"] == "refused"
        assert refused["why"] == "user 0 holds 2.0 MiB of 3.0 MiB"
        assert "UserBytesMax= in [Daemon]" in refused["needs"]
        # As it was told, and asking charged nothing.
        with pytest.raises(dmabuf.Error) as caught:
            client.allocate(2 * MIB, free_camera)
        assert caught.value.errno == errno.EDQUOT
        held += client.allocate(MIB, free_camera)
        close_all(held)


def test_explain_quota_of_a_pool(free_camera):
    pool = guest.FIRST_POOL
    with guest.configured(f"[Pool {pool}]\nBytesMax=1M\n"):
        steps = {step["pool"]: step
                 for step in ctl("explain", free_camera, "--size", "2M")["pools"]}
        assert steps[pool]["verdict"] == "quota"
        assert steps[pool]["why"] == f"pool {pool} has given 0 B of 1.0 MiB"
        assert f"BytesMax= in [Pool {pool}]" in steps[pool]["needs"]


# Events --------------------------------------------------------------------------------------------

class Monitor:
    """dmabufctl monitor --json, from the moment that it misses nothing."""

    def __init__(self, user=0):
        self.program = subprocess.Popen(["dmabufctl", "monitor", "--json"], user=user,
                                        group=guest.NOBODY if user else 0,
                                        stdout=subprocess.PIPE)
        self.rest = b""
        guest.wait_until(lambda: any(entry["pid"] == self.program.pid and entry["watches"]
                                     for entry in ctl("clients")["clients"]), "it watches")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.program.kill()
        self.program.wait()
        self.program.stdout.close()

    def event(self, timeout=30):
        while b"\n" not in self.rest:
            ready, _, _ = select.select([self.program.stdout], [], [], timeout)
            assert ready, "no event came"
            data = os.read(self.program.stdout.fileno(), 65536)
            assert data, "the monitor ended"
            self.rest += data
        line, _, self.rest = self.rest.partition(b"\n")
        return json.loads(line)

    def until(self, **wanted):
        """All events up to the first with these values, which is the last."""
        seen = []
        while not seen or any(seen[-1][key] != value for key, value in wanted.items()):
            seen.append(self.event())
        return seen


def test_monitor_shows_a_life(client, free_camera):
    with Monitor() as monitor:
        buffer, = client.allocate(MIB, free_camera)
        allocated = monitor.until(event="allocated", id=buffer.id)[-1]
        assert (allocated["size"], allocated["pool"], allocated["uid"], allocated["pid"]) == (
            MIB, buffer.pool, 0, os.getpid())
        assert allocated["devices"] == "platform:vivid.0"
        buffer.close()
        released = monitor.until(event="released", id=buffer.id)[-1]
        assert (released["size"], released["pool"], released["pid"]) == (MIB, buffer.pool,
                                                                         os.getpid())
        assert released["time"] > allocated["time"]
        with pytest.raises(dmabuf.Error) as caught:
            client.allocate(1 << 40, free_camera)
        refused = monitor.until(event="refused", pid=os.getpid())[-1]
        assert refused["text"] == caught.value.strerror
        assert refused["error"] == errno.errorcode[caught.value.errno]
        assert refused["size"] == 1 << 40
        with dmabuf.Connection():
            monitor.until(event="connected", pid=os.getpid())
        monitor.until(event="left", pid=os.getpid())
        guest.systemctl("reload", "dmabufd.service")
        monitor.until(event="reloaded", uid=None)


def test_monitor_of_a_user_shows_their_own(client, free_camera):
    with Monitor(user=USER) as monitor:
        buffer, = client.allocate(MIB, free_camera)
        buffer.close()
        with held_by(USER, free_camera, "--size", "2M") as (program, granted):
            seen = monitor.until(event="allocated")
            assert (seen[-1]["id"], seen[-1]["pid"]) == (granted[0]["id"], program.pid)
        while not {"left", "released"} <= {event["event"] for event in seen}:
            seen.append(monitor.event())
        assert {event["uid"] for event in seen} == {USER}
        assert {event["event"] for event in seen} >= {"connected", "allocated", "left", "released"}


def test_stopped_monitor_disturbs_nobody_and_is_told_what_it_lost(client, free_camera):
    rounds, count = 60, 14
    with Monitor() as stopped, Monitor() as other:
        before, = ctl("status")["status"]
        stopped.program.send_signal(signal.SIGSTOP)
        for _ in range(rounds):
            held = client.allocate(4096, free_camera, count=count)
            close_all(held)
            # It is not held up by its neighbour, and misses nothing.
            seen = other.until(event="released", id=held[-1].id)
            assert not [event for event in seen if event["event"] == "lost"]
        after, = ctl("status")["status"]
        lost = after["lost"] - before["lost"]
        assert lost > 0
        stopped.program.send_signal(signal.SIGCONT)
        seen = stopped.until(event="lost")
        told = seen[-1]["lost"]
        # Connections of dmabufctl itself are events too: those of the two questions above.
        happened = rounds * count * 2
        assert happened <= told + len([event for event in seen if event["id"]]) <= happened + 4
        assert lost <= told <= lost + 2
        # From here on it is told everything again.
        buffer, = client.allocate(MIB, free_camera)
        buffer.close()
        assert [event["event"] for event in stopped.until(event="released", id=buffer.id)
                if event["id"] == buffer.id] == ["allocated", "released"]


def test_watcher_that_dies_is_forgotten(client, free_camera):
    with Monitor() as monitor:
        monitor.program.send_signal(signal.SIGSTOP)
        for _ in range(20):
            close_all(client.allocate(4096, free_camera, count=14))
        monitor.program.kill()
        guest.wait_until(lambda: ctl("status")["status"][0]["watchers"] == 0, "it is gone")
        close_all(client.allocate(4096, free_camera))


def test_monitor_ends_with_the_daemon():
    with Monitor() as monitor:
        guest.systemctl("stop", "dmabufd.service")
        assert monitor.program.wait(30) == 1


# The program itself --------------------------------------------------------------------------------

def words_of(command, node):
    return [command, node, "--size", "4K"] if command in ("explain", "alloc") else [command]


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "monitor"])
def test_exit_0(command, free_camera):
    words = words_of(command, free_camera)
    assert guest.run("dmabufctl", *words).returncode == 0
    assert json.loads(guest.run("dmabufctl", *words, "--json", check=True).stdout)
    helped = guest.run("dmabufctl", command, "--help", check=True).stdout
    assert helped.startswith(f"Usage: dmabufctl {command} ")


@pytest.mark.parametrize("command", COMMANDS)
def test_exit_1_without_daemon(command, free_camera):
    done = guest.run("dmabufctl", *words_of(command, free_camera),
                     env=os.environ | {"DMABUFD_SOCKET": "/run/no-such-socket"})
    assert done.returncode == 1
    assert done.stdout == ""
    assert re.fullmatch(r"dmabufctl: /run/no-such-socket does not exist.*\n", done.stderr)


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "monitor"])
def test_exit_1_when_the_output_is_lost(command, free_camera):
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run(["dmabufctl", *words_of(command, free_camera), "--json"], stdout=full,
                              stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("dmabufctl: ")


@pytest.mark.parametrize("command", COMMANDS)
def test_exit_2_for_a_wrong_option(command, free_camera):
    assert guest.run("dmabufctl", *words_of(command, free_camera), "--wrong").returncode == 2


@pytest.mark.parametrize("command", TABLES)
def test_exit_2_for_a_wrong_column(command, free_camera):
    done = guest.run("dmabufctl", *words_of(command, free_camera), "-o", "WRONG")
    assert done.returncode == 2
    assert 'unknown column "WRONG"' in done.stderr


@pytest.mark.parametrize("words", [[], ["wrong"], ["status", "more"], ["pools", "more"],
                                   ["monitor", "more"], ["top", "more"], ["metrics", "more"],
                                   ["top", "--interval", "0"], ["explain"], ["alloc"]])
def test_exit_2(words):
    done = guest.run("dmabufctl", *words)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("dmabufctl: ")


def test_colours_on_a_terminal_only(free_camera):
    words = ["dmabufctl", "explain", free_camera, "--size", "1M"]
    with Terminal(*words) as terminal:
        assert terminal.end() == 0
        assert "\033[32m" in terminal.text
    for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        with Terminal(*words, **environment) as terminal:
            assert terminal.end() == 0
            assert "REASON" in terminal.text and "\033" not in terminal.text
    assert "\033" not in guest.run(*words, check=True).stdout


def test_top_on_a_terminal(client, free_camera):
    held = client.allocate(MIB, free_camera, count=3)
    with Terminal("dmabufctl", "top", "--interval", "3600") as terminal:
        terminal.until(f"{os.getpid()}")
        terminal.until("3M")
        assert terminal.text.startswith("\033[?1049h")
        os.kill(terminal.pid, signal.SIGWINCH)
        while terminal.text.count("dmabufd ") < 2:
            assert terminal.read()
        os.write(terminal.fd, b"q")
        assert terminal.end() == 0
        assert terminal.text.endswith("\033[?1049l")
    with Terminal("dmabufctl", "top") as terminal:
        terminal.until("dmabufd ")
        os.kill(terminal.pid, signal.SIGTERM)
        assert terminal.end() == 0
        assert terminal.text.endswith("\033[?1049l")
    close_all(held)
