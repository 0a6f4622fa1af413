# SPDX-License-Identifier: MIT
"""What bad input gets: one clear error that says what to do, and nothing allocated, leaked or lost."""

import array
import errno
import os
import pathlib
import socket
import struct

import dmabuf
import guest
import pytest
import wire

MIB = 1 << 20


@pytest.fixture
def peer():
    with wire.Peer() as connection:
        assert connection.hello()[0] == 0
        yield connection


def daemon_fds():
    return len(os.listdir(f"/proc/{guest.daemon_pid()}/fd"))


def assert_dropped(connection):
    """Refused as a protocol error or dropped at once; in both cases the connection is over."""
    try:
        status, _, fds = connection.receive()
        assert status == -errno.EPROTO
        assert not fds
    except wire.Closed:
        return
    with pytest.raises(wire.Closed):
        connection.receive()


def one_error(done, *words):
    """A failed command with one line on stderr that has all the words."""
    assert done.returncode == 1, done
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, lines
    for word in words:
        assert word in lines[0], f"{word!r} is not in {lines[0]!r}"


# Sizes ---------------------------------------------------------------------------------------------

@pytest.mark.parametrize("size", [2**31, 2**32 - 1, 2**32, 2**40, 2**63 - 1, 2**63, 2**64 - 4096,
                                  2**64 - 1])
def test_impossible_size(free_camera, bound_camera, size):
    with dmabuf.Connection() as client:
        for camera in (free_camera, bound_camera):
            with pytest.raises(dmabuf.Error) as caught:
                client.allocate(size, camera)
            assert caught.value.errno in (errno.E2BIG, errno.EDQUOT, errno.ENOSPC)
            assert caught.value.strerror


def test_larger_than_any_pool_names_the_pools(free_camera):
    done = guest.run("dmabufctl", "alloc", free_camera, "--size", "200M")
    one_error(done, guest.FIRST_POOL, "system")


@pytest.mark.parametrize("size", ["0", "-1", "", "1X", "99999999999999999999", "1.5", "0x10", "17E"])
def test_size_that_is_no_size(free_camera, size):
    done = guest.run("dmabufctl", "alloc", free_camera, "--size", size)
    assert done.returncode in (1, 2)
    assert done.stderr.startswith("dmabufctl: ")


def test_size_zero_on_the_wire(peer):
    status, body, _ = peer.call(wire.ALLOC, wire.request(size=0))
    assert status == -errno.EINVAL
    assert wire.text(body)


# Devices -------------------------------------------------------------------------------------------

def test_device_that_does_not_exist():
    one_error(guest.run("dmabufctl", "alloc", "/dev/video99", "--size", "4K"), "/dev/video99")
    one_error(guest.run("v4l2-capture", "-d", "/dev/video99"), "/dev/video99")


def test_file_that_is_no_device():
    one_error(guest.run("dmabufctl", "alloc", "/etc/passwd", "--size", "4K"), "/etc/passwd")


def test_device_that_does_no_dma():
    one_error(guest.run("dmabufctl", "alloc", "/dev/null", "--size", "4K"), "1:3", "no device")


def test_device_number_that_is_nobodys(peer):
    status, body, _ = peer.call(wire.ALLOC, wire.request(devices=[os.makedev(4000, 200)]))
    assert status == -errno.ENODEV
    assert wire.text(body)


def test_camera_that_the_user_may_not_open(free_camera):
    one_error(guest.run("v4l2-capture", "-d", free_camera, user=1235), free_camera)


# Frames --------------------------------------------------------------------------------------------

BROKEN = {
    "empty": b"",
    "one byte": b"\1",
    "half a header": wire.frame(wire.POOLS, bytes(8))[:9],
    "length too small": wire.frame(wire.POOLS, bytes(8), length=8),
    "length too large": wire.frame(wire.POOLS, bytes(8), length=4000),
    "body too short": wire.frame(wire.POOLS, bytes(4)),
    "no body": wire.frame(wire.ALLOC),
    "truncated request": wire.frame(wire.ALLOC, wire.request()[:-1]),
    "larger than any frame": wire.frame(wire.POOLS, bytes(8192)),
    "opcode 0": wire.frame(0, bytes(8)),
    "opcode 11": wire.frame(11, bytes(8)),
    "opcode 65535": wire.frame(65535, bytes(8)),
    "claims descriptors": wire.frame(wire.POOLS, bytes(8), n_fds=3),
    "status in a request": wire.frame(wire.POOLS, bytes(8), status=-5),
    "unknown flag": wire.frame(wire.ALLOC, wire.request(flags=1 << 31)),
    "unknown mapping": wire.frame(wire.ALLOC, wire.request(mapping=9)),
    "nine devices": wire.frame(wire.ALLOC, wire.request(n_devices=9)),
    "device past the count": wire.frame(wire.ALLOC, wire.request(devices=[0x5100], n_devices=0)),
    "pool without end": wire.frame(wire.ALLOC, wire.request(pool=b"x" * 32)),
    "rest of the name": wire.frame(wire.ALLOC, wire.request(name=b"a\0b")),
    "clients without cursor": wire.frame(wire.CLIENTS),
    "reasons without request": wire.frame(wire.REASONS, bytes(8)),
    "reasons with an unknown flag": wire.frame(wire.REASONS, bytes(8) + wire.request(flags=1 << 31)),
    "a second hello": wire.frame(wire.HELLO, struct.pack("=II", 1, 0)),
}


@pytest.mark.parametrize("what", BROKEN, ids=str)
def test_malformed_frame(peer, what):
    peer.send(BROKEN[what])
    assert_dropped(peer)


@pytest.mark.parametrize("count", [0, 15, 2**31, 2**32 - 1])
def test_count_out_of_range(peer, count):
    status, body, _ = peer.call(wire.ALLOC, wire.request(count=count))
    assert status in (-errno.EINVAL, -errno.E2BIG, -errno.EPROTO)
    assert wire.text(body)


def test_watcher_that_asks(peer):
    assert peer.call(wire.WATCH)[0] == 0
    peer.send(wire.frame(wire.STATUS))
    assert_dropped(peer)


def page_after(peer, opcode, after, body=b""):
    """(next, count)"""
    status, page, _ = peer.call(opcode, struct.pack("=Q", after) + body)
    assert status == 0
    return struct.unpack_from("=QI", page)


def test_cursors_beyond_the_end(peer, free_camera):
    question = wire.request(devices=[os.stat(free_camera).st_rdev])
    end = 4 + len(guest.POOLS)
    assert page_after(peer, wire.REASONS, end - 1, question) == (0, 1)
    for after in (end, end + 1, 2**32, 2**32 + 1, 2**63, 2**64 - 1):
        assert page_after(peer, wire.REASONS, after, question) == (0, 0)
    assert page_after(peer, wire.CLIENTS, 2**64 - 1) == (0, 0)
    assert page_after(peer, wire.CLIENTS, 0) == (0, 1)


def test_request_before_hello():
    with wire.Peer() as connection:
        connection.send(wire.frame(wire.POOLS, bytes(8)))
        assert_dropped(connection)


def test_other_major_version():
    with wire.Peer() as connection:
        status, body, _ = connection.hello(major=2)
        assert status == -errno.EPROTONOSUPPORT
        assert wire.text(body)


def test_descriptors_in_a_request_are_never_taken(peer):
    before = daemon_fds()
    with open("/dev/null", "rb") as attached:
        rights = array.array("i", [attached.fileno()] * 5)
        try:
            peer.socket.sendmsg([wire.frame(wire.POOLS, bytes(8))],
                                [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
            peer.receive()
        except (OSError, wire.Closed):
            pass
    assert daemon_fds() <= before


def test_reply_that_nobody_reads(peer, free_camera):
    """A client that asks again before it has read is dropped; its buffers are released."""
    number = os.stat(free_camera).st_rdev
    for _ in range(64):
        try:
            peer.send(wire.frame(wire.ALLOC, wire.request(devices=[number])))
        except OSError:
            break
    peer.socket.close()
    guest.wait_until(lambda: not guest.ctl("buffers")["buffers"], "the unread descriptors are gone")


def test_connections_of_one_user_are_bounded():
    """A hundred of them; others are still served."""
    peers = []
    try:
        with pytest.raises((AssertionError, wire.Closed, OSError)):
            for _ in range(100):
                peers.append(wire.Peer())
                assert peers[-1].hello()[0] == 0
        assert guest.run("dmabufctl", "pools", user=1235).returncode == 0
    finally:
        for peer in peers:
            peer.socket.close()
    guest.wait_until(lambda: guest.run("dmabufctl", "pools").returncode == 0, "root is served again")


def test_daemon_is_the_same_after_a_thousand_bad_frames():
    guest.ctl("pools")
    pid = guest.daemon_pid()
    before = daemon_fds()
    for at in range(100_000 if guest.LONG else 1_000):
        with wire.Peer() as connection:
            connection.hello()
            connection.send(list(BROKEN.values())[at % len(BROKEN)])
    guest.ctl("pools")
    guest.wait_until(lambda: daemon_fds() <= before, "the connections are closed")
    assert guest.daemon_pid() == pid


# Things that are missing ---------------------------------------------------------------------------

def test_socket_missing(free_camera):
    guest.stop_daemon("dmabufd.socket")
    try:
        assert not os.path.exists(wire.PATH)
        for command in (["dmabufctl", "pools"], ["v4l2-capture", "-d", free_camera]):
            one_error(guest.run(*command), "dmabufd.socket")
    finally:
        guest.systemctl("start", "dmabufd.socket")


def test_daemon_missing():
    """The socket is there, and behind it nothing that starts."""
    drop_in = pathlib.Path("/run/systemd/system/dmabufd.service.d/90-test.conf")
    drop_in.parent.mkdir(parents=True)
    drop_in.write_text("[Service]\nExecStart=\nExecStart=/nonexistent/dmabufd\n")
    guest.systemctl("stop", "dmabufd.service")
    guest.systemctl("daemon-reload")
    try:
        one_error(guest.run("dmabufctl", "pools", timeout=60), "dmabufd")
    finally:
        drop_in.unlink()
        drop_in.parent.rmdir()
        guest.systemctl("daemon-reload")
        guest.systemctl("stop", "dmabufd.socket", "dmabufd.service", check=False)
        guest.systemctl("reset-failed", "dmabufd.socket", "dmabufd.service", check=False)
        guest.systemctl("start", "dmabufd.socket")


def test_module_missing_and_back(free_camera):
    """Refused with what to do while it is away; served once it is there, with no other command."""
    rule = pathlib.Path("/run/modprobe.d/test.conf")
    rule.parent.mkdir(exist_ok=True)
    rule.write_text("install dmabuf_pool /bin/false\n")
    guest.stop_daemon()
    guest.run("rmmod", "dmabuf_pool", check=True)
    try:
        one_error(guest.run("dmabufctl", "alloc", free_camera, "--size", "4K"), "dmabuf_pool",
                  "modprobe")
        status, = guest.ctl("status")["status"]
        assert status["module"] is None and "modprobe dmabuf_pool" in status["missing"]
        assert "modprobe dmabuf_pool" in guest.run("dmabufctl", "top", "--once", check=True).stdout
        assert "\ndmabufd_module_loaded 0\n" in guest.run("dmabufctl", "metrics", check=True).stdout
    finally:
        rule.unlink()
        guest.run("modprobe", "dmabuf_pool", check=True)
    guest.wait_until(lambda: guest.run("dmabufctl", "alloc", free_camera, "--size", "4K")
                     .returncode == 0, "the daemon found the module")


def test_bad_configuration_names_file_and_line():
    path = pathlib.Path("/etc/dmabufd/dmabufd.conf.d/91-bad.conf")
    path.parent.mkdir(parents=True, exist_ok=True)
    for text, line in (("[Daemon]\nUserBytesMax=many\n", 2), ("[Daemon]\nNoSuchKey=1\n", 2),
                       ("[Elsewhere]\nUserBytesMax=1M\n", 1)):
        path.write_text(text)
        done = guest.run("/usr/libexec/dmabufd", "--check")
        path.unlink()
        assert done.returncode == 1
        assert f"{path}:{line}:" in done.stderr
    assert guest.run("/usr/libexec/dmabufd", "--check").returncode == 0
