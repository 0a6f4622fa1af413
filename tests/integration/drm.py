# SPDX-License-Identifier: MIT
"""A DRM device as an importer of dma-bufs: handles, their memory, and back to a descriptor.

Knows the DRM node only; nothing of buffers and pools, nor of what is tested.
"""

import ctypes
import fcntl
import mmap
import os
import pathlib
from ctypes import Structure, c_int32, c_uint32, c_uint64

import guest

READ_WRITE = os.O_RDWR | os.O_CLOEXEC


class Close(Structure):
    _fields_ = [("handle", c_uint32), ("pad", c_uint32)]


class Prime(Structure):
    _fields_ = [("handle", c_uint32), ("flags", c_uint32), ("fd", c_int32)]


class CreateDumb(Structure):
    _fields_ = [("height", c_uint32), ("width", c_uint32), ("bpp", c_uint32), ("flags", c_uint32),
                ("handle", c_uint32), ("pitch", c_uint32), ("size", c_uint64)]


class MapDumb(Structure):
    _fields_ = [("handle", c_uint32), ("pad", c_uint32), ("offset", c_uint64)]


class Fence(Structure):
    """What vgem stands in for a driver with: "handle" when it is attached, the fence when signalled."""
    _fields_ = [("handle", c_uint32), ("flags", c_uint32), ("fence", c_uint32), ("pad", c_uint32)]


class Signal(Structure):
    _fields_ = [("fence", c_uint32), ("flags", c_uint32)]


def number(nr, kind, direction=3):
    return direction << 30 | ctypes.sizeof(kind) << 16 | ord("d") << 8 | nr


GEM_CLOSE = number(0x09, Close, direction=1)
HANDLE_TO_FD, FD_TO_HANDLE = number(0x2D, Prime), number(0x2E, Prime)
CREATE_DUMB, MAP_DUMB = number(0xB2, CreateDumb), number(0xB3, MapDumb)
VGEM_FENCE_ATTACH, VGEM_FENCE_SIGNAL = number(0x41, Fence), number(0x42, Signal, direction=1)


def node(driver):
    """The primary node of the device that a driver makes, or None where the kernel lacks it."""
    if guest.run("modprobe", driver).returncode:
        return None
    guest.run("udevadm", "settle", check=True)
    for card in pathlib.Path("/sys/class/drm").glob("card[0-9]"):
        if (card / "device").resolve().name == driver:
            return f"/dev/dri/{card.name}"
    raise LookupError(driver)


class Device:
    def __init__(self, path):
        self.fd = os.open(path, READ_WRITE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.fd)

    def _ioctl(self, request, argument):
        fcntl.ioctl(self.fd, request, argument, True)
        return argument

    def import_fd(self, fd):
        """A handle on the dma-buf."""
        return self._ioctl(FD_TO_HANDLE, Prime(fd=fd)).handle

    def export(self, handle):
        """A descriptor that the caller closes."""
        return self._ioctl(HANDLE_TO_FD, Prime(handle=handle, flags=READ_WRITE)).fd

    def close(self, handle):
        self._ioctl(GEM_CLOSE, Close(handle=handle))

    def create(self, size):
        """A handle on memory of the device's own."""
        return self._ioctl(CREATE_DUMB, CreateDumb(height=1, width=size // 4, bpp=32)).handle

    def attach_fence(self, handle, write):
        """A fence of vgem's, as of a device that reads or writes the memory until it is signalled."""
        return self._ioctl(VGEM_FENCE_ATTACH, Fence(handle=handle, flags=int(write))).fence

    def signal(self, fence):
        self._ioctl(VGEM_FENCE_SIGNAL, Signal(fence=fence))

    def next_offset(self, size):
        """Where this file will show the next object of that size.

        The kernel does not tell the offset of an imported object, though it has one: the lowest
        that is free, which is therefore that of an object of the device's own, gone again.
        """
        dumb = self.create(size)
        offset = self._ioctl(MAP_DUMB, MapDumb(handle=dumb)).offset
        self.close(dumb)
        return offset

    def import_and_map(self, fd, size):
        """(handle, memory): the dma-buf as this device shows it."""
        offset = self.next_offset(size)
        return self.import_fd(fd), mmap.mmap(self.fd, size, offset=offset)
