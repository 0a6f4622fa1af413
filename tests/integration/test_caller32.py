# SPDX-License-Identifier: MIT
"""A 32-bit program and the same node: every ioctl through a 32-bit system call.

The program only carries; what it gets back is compared with what this 64-bit process gets.
"""

import ctypes
import errno
import os
import pathlib
import platform
import struct
import subprocess

import guest
import poolnode
import pytest

PROGRAM = pathlib.Path("caller32").absolute()
PAGE = 4096
pytestmark = pytest.mark.skipif(
    platform.machine() != "x86_64", reason="the 32-bit program is built for x86 only")


class Node32(poolnode.Node):
    """The node through another process of 32 bits; descriptors are that process's."""

    def __init__(self):
        self.process = subprocess.Popen([PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __exit__(self, *_):
        self.process.stdin.close()
        assert self.process.wait(10) == 0
        self.process.stdout.close()

    def ioctl(self, request, argument):
        self.process.stdin.write(struct.pack("=I", request) + bytes(argument))
        self.process.stdin.flush()
        result, = struct.unpack("=i", self.process.stdout.read(4))
        data = self.process.stdout.read(ctypes.sizeof(argument))
        ctypes.memmove(ctypes.addressof(argument), data, len(data))
        if result < 0:
            raise OSError(-result, os.strerror(-result))
        return argument


@pytest.fixture
def node32(system):
    with Node32() as opened:
        yield opened


def test_the_same_answers(node, node32):
    assert bytes(node32.version()) == bytes(node.version())
    pools = {name: bytes(pool) for name, pool in node.pools().items()}
    assert {name: bytes(pool) for name, pool in node32.pools().items()} == pools
    name = os.listdir("/sys/bus/pci/devices")[0]
    assert bytes(node32.device("pci", name)) == bytes(node.device("pci", name))


def test_a_buffer_of_a_32_bit_program(node, node32):
    buffer = node32.alloc("system", 3 * PAGE + 1, poolnode.CACHED, tag=b"32 bits")
    assert (buffer.size, buffer.id > 0) == (4 * PAGE, True)
    described = node32.describe(buffer.fd)
    assert bytes(described) == bytes(node.live()[-1])
    assert bytes(described.tag).startswith(b"32 bits")
    node32.sync(buffer.id, PAGE, PAGE, poolnode.SYNC_READ)


def test_refusals_are_the_same(node, node32):
    usual = {"size": PAGE, "mapping": poolnode.CACHED, "pool": node.pools()["system"].index}
    for fields, expected in (({"size": 0}, errno.EINVAL), ({"size": 2**63}, errno.E2BIG),
                             ({"pool": 63}, errno.ENOENT), ({"flags": 1 << 31}, errno.EINVAL)):
        with pytest.raises(OSError) as caught:
            node32.ioctl(poolnode.ALLOC, poolnode.Alloc(**usual | fields))
        assert caught.value.errno == expected
    with pytest.raises(OSError) as caught:
        node32.ioctl(poolnode.number(99, 8), poolnode.Version())
    assert caught.value.errno == errno.ENOTTY


def test_list_is_written_where_a_32_bit_pointer_says(node, node32):
    """An address above 4 GiB cannot be said in 32 bits; one that the program has not is refused."""
    buffer = node.alloc("system", PAGE, poolnode.CACHED)
    args = poolnode.List(after=0, buffers=0, count=1, record_size=ctypes.sizeof(poolnode.Buffer))
    with pytest.raises(OSError) as caught:
        node32.ioctl(poolnode.LIST, args)
    assert caught.value.errno == errno.EFAULT
    os.close(buffer.fd)
    guest.wait_until(lambda: not node.live(), "it is gone")
