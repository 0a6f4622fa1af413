# SPDX-License-Identifier: MIT
"""Clients of other minor versions than the daemon's: older frames, longer frames, sizes of replies.

The library's side of it is in tests/unit/test-versions.c, against daemons of other minors.
"""

import errno
import os
import struct

import pytest
import wire

# Bytes in minor 0 of what a reply consists of. A client of minor 0 takes no other.
BUFFER, EXPLAIN, STEP, PAGE, DEVICE = 248, 504, 200, 16, 200
POOL = {0: 72, 1: 72}  # and 88 since minor 2
REQUEST_0 = 152


@pytest.fixture(params=[0, 1, 2, 3, 2**32 - 1])
def peer(request):
    """Of minor 0, which is the library as it was first released, and of later ones."""
    with wire.Peer() as connection:
        status, body, _ = connection.hello(minor=request.param)
        assert (status, len(body)) == (0, 8)
        assert struct.unpack("=II", body)[0] == 1
        connection.minor = request.param
        yield connection


def allocated(reply, count):
    status, body, fds = reply
    for fd in fds:
        os.close(fd)
    assert (status, len(body), len(fds)) == (0, count * BUFFER, count), wire.text(body)


def test_request_of_minor_0_and_the_sizes_of_its_replies(peer, free_camera):
    number = os.stat(free_camera).st_rdev
    request = wire.request(devices=[number], count=2, name=b"old")
    assert len(request) == REQUEST_0
    allocated(peer.call(wire.ALLOC, request), 2)
    status, body, _ = peer.call(wire.EXPLAIN, request)
    steps, = struct.unpack_from("=I", body, 496)
    assert status == 0 and steps > 0 and len(body) == EXPLAIN + steps * STEP
    for opcode, size in ((wire.POOLS, POOL.get(peer.minor, 88)), (wire.DEVICES, DEVICE), (wire.BUFFERS, BUFFER)):
        status, body, _ = peer.call(opcode, bytes(8))
        count, = struct.unpack_from("=I", body, 8)
        assert status == 0 and len(body) == PAGE + count * size


def test_longer_requests_are_taken_when_what_is_unknown_is_zero(peer, free_camera):
    number = os.stat(free_camera).st_rdev
    request = wire.request(devices=[number]) + wire.WAIT.pack(0)
    allocated(peer.call(wire.ALLOC, request), 1)
    request += wire.CONSTRAINTS.pack(0, 0, 0)
    allocated(peer.call(wire.ALLOC, request), 1)
    allocated(peer.call(wire.ALLOC, request + bytes(1)), 1)
    allocated(peer.call(wire.ALLOC, request.ljust(wire.FRAME_MAX - wire.HEADER.size, b"\0")), 1)
    status, _, _ = peer.call(wire.POOLS, bytes(64))
    assert status == 0


@pytest.mark.parametrize("rest", [b"\1", bytes(3000) + b"\1", b"\xff" * 8], ids=len)
def test_unknown_requests_are_refused_and_the_connection_goes_on(peer, free_camera, rest):
    number = os.stat(free_camera).st_rdev
    request = wire.request(devices=[number]) + wire.WAIT.pack(0) + wire.CONSTRAINTS.pack(0, 0, 0)
    status, body, fds = peer.call(wire.ALLOC, request + rest)
    assert status == -errno.EOPNOTSUPP and not fds
    assert "upgrade" in wire.text(body)
    status, body, _ = peer.call(wire.POOLS, bytes(8) + rest)
    assert status == -errno.EOPNOTSUPP
    allocated(peer.call(wire.ALLOC, request), 1)


@pytest.mark.parametrize("opcode, least", [(wire.ALLOC, REQUEST_0), (wire.EXPLAIN, REQUEST_0),
                                           (wire.POOLS, 8)])
def test_nothing_is_shorter_than_in_minor_0(peer, opcode, least):
    status, _, _ = peer.call(opcode, bytes(least - 1))
    assert status == -errno.EPROTO
    with pytest.raises(wire.Closed):
        peer.receive()
