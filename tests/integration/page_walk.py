# SPDX-License-Identifier: MIT
"""What the page tables say of an address, through the test driver of tests/modules/page_walk.

Knows the processor's entries; nothing of pools and buffers.
"""

import ctypes
import fcntl
import os
import platform
from ctypes import Structure, c_uint64

import guest

CACHED, WRITE_COMBINED = "cached", "write-combined"
IOCTL = 3 << 30 | 40 << 16 | ord("W") << 8
# AttrIndx of arm64 as Linux sets MAIR up: 0 normal, 1 normal with tags, 2 normal without cache.
ARM_KINDS = {0: CACHED, 1: CACHED, 2: WRITE_COMBINED}
# PWT and PCD of x86 as Linux sets the PAT up; the PAT bit itself is set in none of these.
X86_KINDS = {0: CACHED, 1: WRITE_COMBINED}


class Walk(Structure):
    _fields_ = [("address", c_uint64), ("entry", c_uint64), ("size", c_uint64), ("alias", c_uint64),
                ("alias_size", c_uint64)]


def kind(entry, size):
    """The mapping that an entry gives, or what it is instead."""
    if platform.machine() == "aarch64":
        index = entry >> 2 & 7
        return ARM_KINDS.get(index, f"AttrIndx {index}")
    pat = entry >> (7 if size == 4096 else 12) & 1
    index = pat << 2 | entry >> 3 & 3
    return X86_KINDS.get(index, f"PAT index {index}")


class PageWalk:
    def __enter__(self):
        guest.run("insmod", "modules/page_walk.ko", check=True)
        self.fd = os.open("/dev/page_walk", os.O_RDWR | os.O_CLOEXEC)
        return self

    def __exit__(self, *_):
        os.close(self.fd)
        guest.run("rmmod", "page_walk", check=True)

    def __call__(self, address):
        """Bytes that one entry maps there, 0 for none; its kind; the kind of the kernel's alias."""
        walk = Walk(address=address)
        fcntl.ioctl(self.fd, IOCTL, walk, True)
        alias = kind(walk.alias, walk.alias_size) if walk.alias else None
        return (walk.size if walk.entry else 0), kind(walk.entry, walk.size), alias


assert ctypes.sizeof(Walk) == 40
