# SPDX-License-Identifier: MIT
"""A daemon for tests in Python: in a thread of theirs, honest, and with one buffer, pool and device.

Allocations of more than 1 GiB are refused, those of 8 KiB never answered. Knows the wire by the
guest tests' wire.py.
"""
import contextlib
import errno
import os
import socket
import struct
import threading

import wire

BUFFER = struct.Struct("=QQQQIIIIII32s32s128s")
EVENT = struct.Struct("=IiQQQII32s32s128s")


def buffer(number, size, pool=b"camera", end=1 << 30):
    return BUFFER.pack(number, size, 4096 if end else 0, end, 2, 2, 1, 1000, 42, 0, pool, b"label",
                       b"platform:camera")


def page(*records):
    return struct.pack("=QII", 0, len(records), 0) + b"".join(records)


class Daemon:
    """Listens at path."""

    def __init__(self, path):
        self.requests = []
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(path)
        self.listener.listen()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            peer, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(peer,), daemon=True).start()

    def serve(self, peer):
        with peer, contextlib.suppress(BrokenPipeError, ConnectionResetError):
            while data := peer.recv(wire.FRAME_MAX):
                _, opcode, _, serial, _ = wire.HEADER.unpack_from(data)
                answer = self.answer(opcode, data[wire.HEADER.size:])
                if answer is not None:
                    self.send(peer, opcode, serial, *answer)
                if opcode in (wire.NOTIFY, wire.WATCH):
                    kind = 33 if opcode == wire.NOTIFY else 2
                    self.send(peer, opcode, serial, EVENT.pack(
                        kind, 0, 1, 7, 4096, 1000, 42, b"camera", b"label", b""))

    def send(self, peer, opcode, serial, body, count=0, status=0):
        fds = [os.memfd_create("fake") for _ in range(count)]
        for fd in fds:
            os.ftruncate(fd, 1 << 20)
        socket.send_fds(peer, [wire.frame(opcode, body, serial=serial, n_fds=count, status=status)],
                        fds)
        for fd in fds:
            os.close(fd)

    def answer(self, opcode, body):
        if opcode == wire.ALLOC:
            return self.allocate(body)
        return {
            wire.HELLO: (struct.pack("=II", 1, 2),),
            wire.POOLS: (page(struct.pack("=32sIIQQQQQQ", b"camera", 1, 4, 0, 1 << 20, 7, 1 << 20, 3,
                                           5)),),
            wire.DEVICES: (page(struct.pack("=64s64s32sQQQQII", b"/dev/video0", b"platform:camera",
                                            b"", 81 << 32, 2**32 - 1, 5, 2**64 - 1, 5, 0)),),
            wire.BUFFERS: (page(buffer(1, 4096)),),
            wire.CLIENTS: (page(struct.pack("=IIQQQQQII", 42, 1000, 1, 2, 3, 4, 5, 2, 0)),),
            wire.STATUS: (self.status(),),
            wire.REASONS: (page(*(struct.pack("=IIII32s352s352s", about, about > 3, about == 5, 0,
                                              b"camera" if about == 5 else b"", b"because", b"")
                                  for about in range(1, 6))),),
            wire.EXPLAIN: (struct.pack("=QII160s160s160sII", 0, 1, 2, b"one", b"two", b"three",
                                       1, 0) + struct.pack("=32sII160s", b"camera", 1, 1, b"why"),),
        }.get(opcode, (b"",))

    def status(self):
        buckets = b"".join(struct.pack("=QQ", 2**64 - 1 if n == 15 else n + 1, n)
                           for n in range(16))
        return (struct.pack("=32sII", b"0.1.0", 1, 2) + struct.pack("=9Q", *range(1, 10))
                + struct.pack("=8Q", *range(20, 28)) + struct.pack("=Q", 12) + buckets
                + struct.pack("=II160s", 1, 0, b"") + struct.pack("=32sQQ", b"camera", 3, 4))

    def allocate(self, body):
        size, count, *rest = wire.REQUEST.unpack_from(body)
        self.requests.append((size, count, *rest, *wire.WAIT.unpack_from(body, wire.REQUEST.size)))
        if size > 1 << 30:
            return b"too large".ljust(1024, b"\0"), 0, -errno.E2BIG
        if size == 8192:
            return None
        return b"".join(buffer(number + 1, size) for number in range(count)), count
