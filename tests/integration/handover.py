#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""One process of a chain that a buffer goes along: it allocates, passes on, or keeps.

usage: handover.py allocate SOCKET NODE SIZE
       handover.py pass SOCKET SOCKET
       handover.py keep SOCKET SIZE

Sockets are numbers of descriptors. Each step is told by a line on standard output; the one that keeps
lets go of its descriptor, and then of its mapping, for each line that it is sent.
"""

import ctypes
import mmap
import os
import socket
import sys

import dmabuf

libc = ctypes.CDLL(None)
TOKEN = b"from the first process"


def receive(number):
    with socket.socket(fileno=int(number)) as end:
        return socket.recv_fds(end, 1, 1)[1][0]


def send(number, fd):
    with socket.socket(fileno=int(number)) as end:
        socket.send_fds(end, [b"x"], [fd])


def tell(*words):
    print(*words, flush=True)


def allocate(number, node, size):
    with dmabuf.Connection() as connection:
        buffer, = connection.allocate(int(size), node)
        with mmap.mmap(buffer.fd, buffer.size) as memory:
            memory[:len(TOKEN)] = TOKEN
        send(number, buffer.fd)
        tell(buffer.id)
        sys.stdin.read()


def pass_on(source, target):
    fd = receive(source)
    send(target, fd)
    tell("passed")
    sys.stdin.read()


def mapped(fd, size):
    """An address; Python's own mappings keep a descriptor beside the memory."""
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int,
                          ctypes.c_long]
    libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    return libc.mmap(None, size, mmap.PROT_READ, mmap.MAP_SHARED, fd, 0)


def keep(number, size):
    fd = receive(number)
    memory = mapped(fd, int(size))
    tell(ctypes.string_at(memory, len(TOKEN)).decode())
    for let_go in (lambda: os.close(fd), lambda: libc.munmap(memory, int(size))):
        sys.stdin.readline()
        let_go()
        tell("let go")
    sys.stdin.read()


if __name__ == "__main__":
    {"allocate": allocate, "pass": pass_on, "keep": keep}[sys.argv[1]](*sys.argv[2:])
