# SPDX-License-Identifier: MIT
"""The daemon as a service of systemd: watchdog, kept descriptor, crash loop, node, reload, journal."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import stat
import subprocess
import threading

import dmabuf
import guest
import poolnode
import pytest
import wire
from guest import ctl
from held import exhaust

MIB = 1 << 20
ONE_USER, OTHER_USER = 1234, 1235
NODE = pathlib.Path(poolnode.NODE)
ASIDE = NODE.with_name("dmabuf_pool.aside")
# Message ids of dmabufd(8).
NODE_GONE = "ba112472d79e47e78555eb66f047213b"
NODE_BACK = "02116f3a783a4499b334ffd9f0fe7b0f"
MODULE_READY = "a87d6cde07624c378044c9ca9f091d1c"
MODULE_MISSING = "d640f7ded8ab4b9bb745684ccc936e7d"
QUOTA_REFUSED = "4a3db779ab3e4d338c50e3c37c89fccd"
POOL_FULL = "60e98ebccce24abc8b106713a1be03dd"
CONFIG_REFUSED = "bd8c05ae3b734181bbd55285cb75cb9f"


def properties(*names, unit="dmabufd.service"):
    shown = guest.systemctl("show", unit, "-p", ",".join(names)).stdout
    found = dict(line.split("=", 1) for line in shown.splitlines())
    return [found[name] for name in names]


class Journal:
    """The daemon's messages from now on."""

    def __init__(self):
        guest.systemctl("start", "dmabufd.service")
        text = guest.run("journalctl", "-u", "dmabufd", "-n", "1", "-o", "cat", "--show-cursor",
                         check=True).stdout
        self.cursor = re.search(r"^-- cursor: (.*)$", text, re.MULTILINE)[1]

    def messages(self, message_id=None):
        """Matches beyond the cursor's own would have journalctl pass over the first message."""
        text = guest.run("journalctl", "-u", "dmabufd", "-o", "json", "--after-cursor", self.cursor,
                         check=True).stdout
        return [message for message in map(json.loads, text.splitlines())
                if message_id in (None, message.get("MESSAGE_ID"))]

    def wait(self, message_id):
        return guest.wait_until(lambda: self.messages(message_id), f"message {message_id}")


def alloc_as(user, node, size, *words):
    return guest.run("dmabufctl", "alloc", node, "--size", size, *words, user=user,
                     groups=[os.stat(node).st_gid])


def serves(camera):
    return guest.run("dmabufctl", "alloc", camera, "--size", "4K").returncode == 0


def test_exposure_is_low():
    text = guest.run("systemd-analyze", "security", "--no-pager", "dmabufd.service", check=True).stdout
    exposure = re.search(r"Overall exposure level for dmabufd.service: ([\d.]+)", text)[1]
    assert float(exposure) <= 0.7, text


def test_all_that_runs_as_the_service_is_confined():
    """Its threads, too, if there were any: no capability, and a filter of system calls."""
    guest.systemctl("start", "dmabufd.service")
    tasks = list(pathlib.Path(f"/proc/{guest.daemon_pid()}/task").iterdir())
    assert len(tasks) == 1
    for task in tasks:
        status = (task / "status").read_text()
        for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            assert int(re.search(rf"^{name}:\t(\w+)", status, re.MULTILINE)[1], 16) == 0
        assert "Seccomp:\t2" in status and "NoNewPrivs:\t1" in status
    filtered = properties("SystemCallFilter")[0].split()
    assert not {"mount", "ptrace", "bpf", "setuid", "reboot", "io_uring_setup"} & set(filtered)


def test_watchdog_is_fed():
    with guest.service_with("WatchdogSec=2s"):
        pid = guest.daemon_pid()
        seen = set()
        guest.wait_until(lambda: seen.add(properties("WatchdogTimestampMonotonic")[0])
                         or len(seen) >= 5, "four signs of life after that of the start")
        assert guest.daemon_pid() == pid


def links(folder):
    found = []
    for entry in os.scandir(folder):
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            found.append(os.readlink(entry.path))
    return found


def is_node(target):
    """Seen from here, what was opened in the daemon's mount namespace has no folder."""
    return target.endswith("/dmabuf_pool")


def watchdog_ends(pid):
    guest.wait_until(lambda: guest.daemon_pid() not in ("0", pid), "systemd starts another")
    text = guest.run("journalctl", "-u", "dmabufd", "-n", "40", "-o", "cat", check=True).stdout
    assert "Watchdog timeout" in text


def test_watchdog_ends_a_daemon_that_hangs(free_camera):
    with guest.service_with("WatchdogSec=2s"), dmabuf.Connection() as client:
        buffer, = client.allocate(MIB, free_camera)
        pid = guest.daemon_pid()
        os.kill(int(pid), signal.SIGSTOP)
        watchdog_ends(pid)
        assert [entry["id"] for entry in ctl("buffers")["buffers"]] == [buffer.id]
        buffer.close()


def test_watchdog_ends_a_loop_that_makes_no_progress(free_camera):
    """It spins on an event that it never gets to read; its clients' turn does not come."""
    with guest.service_with("WatchdogSec=3s"), dmabuf.Connection() as client:
        buffer, = client.allocate(MIB, free_camera)
        pid = guest.daemon_pid()
        node = next(filter(is_node, links(f"/proc/{pid}/fd")))
        strace = subprocess.Popen(["strace", "-qq", "-o", "/dev/null", "-p", pid, "-P", node,
                                   "-e", "inject=read:error=EAGAIN"])
        guest.wait_for_strace(pid)
        buffer.close()
        watchdog_ends(pid)
        strace.wait()
    guest.wait_until(lambda: not ctl("buffers")["buffers"], "the next one knows of the release")


def kept_descriptors():
    return int(properties("NFileDescriptorStore")[0])


def test_descriptor_of_the_node_is_kept_and_nothing_else(free_camera):
    guest.stop_daemon()
    assert kept_descriptors() == 0
    with dmabuf.Connection() as client:
        buffers = client.allocate(4096, free_camera, count=14)
        guest.wait_until(lambda: kept_descriptors() == 1, "systemd keeps the node")
        for end in (lambda pid: os.kill(pid, signal.SIGKILL),
                    lambda _: guest.systemctl("restart", "dmabufd.service")):
            pid = guest.daemon_pid()
            end(int(pid))
            guest.wait_until(lambda: guest.daemon_pid() not in ("0", pid), "another runs")
            assert len(ctl("buffers")["buffers"]) == 14
            assert kept_descriptors() == 1
        of_manager = links("/proc/1/fd")
        assert any(is_node(target) for target in of_manager)
        assert not any("dmabuf:" in target for target in of_manager)
    for buffer in buffers:
        buffer.close()


def test_releases_wait_for_the_next_daemon(free_camera):
    """The queue has a reader at every moment: what is released between two daemons stays in it."""
    with dmabuf.Connection() as client:
        held = client.allocate(4096, free_camera, count=3)
    with guest.service_with("RestartSec=3s"):
        pid = guest.daemon_pid()
        os.kill(int(pid), signal.SIGKILL)
        guest.wait_until(lambda: guest.daemon_pid() == "0", "none runs")
        with pytest.raises(OSError, match="busy"):
            poolnode.Node(os.O_RDWR)
        held.pop().close()
        guest.wait_until(lambda: guest.daemon_pid() != "0", "the next one runs")
        assert {entry["id"] for entry in ctl("buffers")["buffers"]} == {b.id for b in held}
    for buffer in held:
        buffer.close()


def hello_within(seconds):
    with wire.Peer() as peer:
        peer.socket.settimeout(seconds)
        return peer.hello()[0]


@contextlib.contextmanager
def failing_starts():
    """Each start fails until what this gives is called."""
    reason = pathlib.Path("/run/dmabufd-test-reason")
    with guest.service_with(f"ExecStartPre=/usr/bin/test ! -e {reason}"):
        reason.touch()
        try:
            yield reason.unlink
        finally:
            reason.unlink(missing_ok=True)


def test_crash_loop_ends_in_service(free_camera):
    """Failed starts without a limit, while a client waits; then the reason goes away."""
    assert properties("StartLimitIntervalUSec") == ["0"]
    assert properties("TriggerLimitIntervalUSec", unit="dmabufd.socket") == ["0"]
    with dmabuf.Connection() as client:
        held = client.allocate(4096, free_camera)
    answers, starts = [], set()
    waiting = threading.Thread(target=lambda: answers.append(hello_within(120)))
    with failing_starts() as reason_goes_away:
        os.kill(int(guest.daemon_pid()), signal.SIGKILL)
        waiting.start()
        guest.wait_until(lambda: starts.update(properties("InvocationID")) or len(starts) > 6,
                         "six failed starts", timeout=90)
        assert properties("ActiveState", unit="dmabufd.socket") == ["active"]
        assert not answers
        reason_goes_away()
        waiting.join()
        assert answers == [0]
        assert [entry["id"] for entry in ctl("buffers")["buffers"]] == [held[0].id]
        assert properties("ActiveState", "SubState") == ["active", "running"]
    held[0].close()


def test_reload_returns_when_the_settings_are_in_force(free_camera):
    """Each time, with a daemon that has other things to do."""
    drop_in = pathlib.Path("/etc/dmabufd/dmabufd.conf.d/90-test.conf")
    drop_in.parent.mkdir(parents=True, exist_ok=True)
    guest.systemctl("start", "dmabufd.service")
    pid = guest.daemon_pid()
    try:
        for size in range(1, 11):
            drop_in.write_text(f"[Daemon]\nUserBytesMax={size}M\n")
            guest.systemctl("reload", "dmabufd.service")
            done = guest.run("dmabufctl", "alloc", free_camera, "--size", "4M", "--count",
                             "3")
            assert f"of {size}.0 MiB" in done.stderr
    finally:
        drop_in.unlink()
        guest.systemctl("reload", "dmabufd.service")
    assert guest.daemon_pid() == pid
    assert properties("ActiveState", "SubState") == ["active", "running"]


def test_reload_by_hand_needs_a_daemon():
    guest.systemctl("start", "dmabufd.service")
    for pid, words in (("", "Invalid argument"), ("1", "Invalid argument"), ("x", "Invalid"),
                       (str(2**22 + 1), "No such process")):
        done = guest.run("/usr/libexec/dmabufd", "--reload", env={"MAINPID": pid})
        assert done.returncode == 1 and words in done.stderr
    done = guest.run("/usr/libexec/dmabufd", "--reload", env={"MAINPID": guest.daemon_pid()})
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_module_stays_while_the_daemon_runs_and_comes_back(free_camera):
    for _ in range(20 if guest.LONG else 3):
        guest.wait_until(lambda: serves(free_camera), "it serves")
        done = guest.run("rmmod", "dmabuf_pool")
        assert done.returncode != 0 and "in use" in done.stderr
        assert serves(free_camera)
        guest.stop_daemon()
        guest.run("rmmod", "dmabuf_pool", check=True)
    guest.wait_until(lambda: serves(free_camera), "the service has the module loaded")


def test_node_removed_while_in_use(free_camera):
    """Told once; served on, also by the next daemon, which never saw the node."""
    guest.systemctl("restart", "dmabufd.service")
    journal = Journal()
    NODE.rename(ASIDE)
    try:
        gone, = journal.wait(NODE_GONE)
        assert "/dev/dmabuf_pool" in gone["MESSAGE"] and gone["PRIORITY"] == "4"
        assert serves(free_camera)
        journal = Journal()
        pid = guest.daemon_pid()
        os.kill(int(pid), signal.SIGKILL)
        journal.wait(MODULE_READY)
        assert serves(free_camera)
        assert len(journal.wait(NODE_GONE)) == 1
    finally:
        ASIDE.rename(NODE)
    assert len(journal.wait(NODE_BACK)) == 1
    assert serves(free_camera)


@pytest.mark.parametrize("usurper", ["nothing", "file"])
def test_node_missing_or_replaced_when_the_daemon_starts(free_camera, usurper):
    """Refused with what to do; served as soon as the node is right again, by no other command."""
    journal = Journal()
    guest.stop_daemon()
    NODE.rename(ASIDE)
    try:
        if usurper == "file":
            NODE.touch(0o600)
            shutil.chown(NODE, "dmabufd", "dmabufd")
        done = guest.run("dmabufctl", "alloc", free_camera, "--size", "4K")
        assert done.returncode == 1 and "dmabuf_pool" in done.stderr
        missing = journal.wait(MODULE_MISSING)[0]
        assert ("not the kernel module's node" in missing["MESSAGE"]) == (usurper == "file")
        assert properties("StatusText")[0] == f"Waiting: {missing['MESSAGE']}."
    finally:
        ASIDE.rename(NODE)
    guest.wait_until(lambda: serves(free_camera), "it serves")
    assert stat.S_ISCHR(NODE.stat().st_mode)


def test_refusals_are_in_the_journal_once_a_minute_for_each_user(free_camera):
    with guest.configured("[Daemon]\nUserBytesMax=1M\n"):
        journal = Journal()
        for _ in range(5):
            assert alloc_as(ONE_USER, free_camera, "2M", "--count", "2").returncode == 1
        assert alloc_as(OTHER_USER, free_camera, "3M").returncode == 1
        guest.wait_until(lambda: len(journal.messages(QUOTA_REFUSED)) >= 2, "both are told")
        one, other = journal.messages(QUOTA_REFUSED)
    assert (one["DMABUFD_UID"], other["DMABUFD_UID"]) == (str(ONE_USER), str(OTHER_USER))
    assert (one["DMABUFD_BYTES"], one["DMABUFD_BUFFERS"]) == (str(2 * MIB), "2")
    assert one["DMABUFD_DEVICE"] == "platform:vivid.0"
    assert f"user {ONE_USER}" in one["MESSAGE"] and "UserBytesMax" in one["MESSAGE"]
    assert one["_SYSTEMD_UNIT"] == "dmabufd.service"


def test_full_pools_are_in_the_journal(bound_camera):
    with guest.configured("[Daemon]\nFairShare=no\n"), dmabuf.Connection() as client:
        journal = Journal()
        held = exhaust(client, bound_camera, "camera", 4096)
        told, = journal.wait(POOL_FULL)
        assert told["DMABUFD_POOL"] == "camera"
        assert told["DMABUFD_DEVICE"] == "platform:camera"
        assert not journal.messages(QUOTA_REFUSED)
        for buffer in held:
            buffer.close()


def test_nothing_is_logged_twice_and_the_catalog_explains(free_camera):
    guest.run("journalctl", "--update-catalog", check=True)
    guest.systemctl("start", "dmabufd.service")
    journal = Journal()
    drop_in = pathlib.Path("/etc/dmabufd/dmabufd.conf.d/90-test.conf")
    drop_in.parent.mkdir(parents=True, exist_ok=True)
    drop_in.write_text("nonsense\n")
    try:
        os.kill(int(guest.daemon_pid()), signal.SIGHUP)
        refused, = journal.wait(CONFIG_REFUSED)
    finally:
        drop_in.unlink()
    assert f"{drop_in}:1:" in refused["MESSAGE"] and refused["PRIORITY"] == "3"
    texts = [message["MESSAGE"] for message in journal.messages()]
    assert len(texts) == len(set(texts)) and sum(str(drop_in) in text for text in texts) == 1
    explained = guest.run("journalctl", "-x", "-n", "1", f"MESSAGE_ID={CONFIG_REFUSED}",
                          check=True).stdout
    assert "The configuration has a mistake" in explained and "dmabufd --check" in explained
