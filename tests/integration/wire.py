# SPDX-License-Identifier: MIT
"""The daemon's protocol by hand, for frames that libdmabuf would never send.

Follows include/dmabufd-protocol.h; knows no meaning beyond the header of a frame.
"""

import os
import socket
import struct

PATH = "/run/dmabufd/dmabufd.sock"
HEADER = struct.Struct("=IHHIi")  # length, opcode, n_fds, serial, status
REQUEST = struct.Struct("=QIIII8Q32s32s")
(HELLO, ALLOC, EXPLAIN, POOLS, DEVICES, BUFFERS, STATUS, CLIENTS, WATCH, REASONS, CHECK,
 BATCH, DESCRIBE) = range(1, 14)
NOTIFY = 32
FRAME_MAX = 4096


def frame(opcode, body=b"", length=None, n_fds=0, serial=7, status=0):
    size = HEADER.size + len(body) if length is None else length
    return HEADER.pack(size, opcode, n_fds, serial, status) + body


# Behind it since minor 1: microseconds to wait. The tests are clients of minor 0 unless they add it.
WAIT = struct.Struct("=Q")
# And since minor 2: alignment, address bits, what is preferred only.
CONSTRAINTS = struct.Struct("=QII")


def request(size=4096, count=1, flags=0, mapping=0, devices=(), pool=b"", name=b"", n_devices=None):
    numbers = [os.major(number) << 32 | os.minor(number) for number in devices]
    return REQUEST.pack(size, count, flags, mapping,
                        len(devices) if n_devices is None else n_devices,
                        *(numbers + [0] * 8)[:8], pool, name)


class Closed(Exception):
    """The daemon closed the connection."""


class Peer:
    """A connection; hello() first."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(30)
        self.socket.connect(PATH)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.send(data)

    def receive(self):
        """(status, body, descriptors)"""
        try:
            data, fds, _, _ = socket.recv_fds(self.socket, FRAME_MAX, 16)
        except ConnectionResetError:
            raise Closed from None
        if not data:
            raise Closed
        return HEADER.unpack_from(data)[4], data[HEADER.size:], fds

    def call(self, opcode, body=b""):
        self.send(frame(opcode, body))
        return self.receive()

    def hello(self, major=1, minor=0):
        return self.call(HELLO, struct.pack("=II", major, minor))


def text(body):
    """The words of a refusal."""
    return body.partition(b"\0")[0].decode()
