# SPDX-License-Identifier: MIT
"""A device that does DMA by itself, told what to copy: tests/modules/edu_dma for Python.

Knows the driver's node and where the device stands; nothing of buffers and pools, nor of what is
tested.
"""

import ctypes
import fcntl
import os
import pathlib
import re
from ctypes import Structure, c_int32, c_uint32, c_uint64

import guest

NODE = "/dev/edu_dma"
MODULE = "modules/edu_dma.ko"
MEMORY_SIZE = 4095  # bytes of its own that the device copies from and to
TO_DEVICE = 1
VENDOR_AND_DEVICE = ("0x1234", "0x11e8")
NARROW, WIDE = 28, 32  # bits of address: what the device reaches of itself, and when told to


class Import(Structure):
    _fields_ = [("fd", c_int32), ("segments", c_uint32), ("base", c_uint64), ("end", c_uint64)]


class Copy(Structure):
    _fields_ = [("fd", c_int32), ("flags", c_uint32), ("offset", c_uint64), ("memory", c_uint32),
                ("length", c_uint32)]


IMPORT = 3 << 30 | ctypes.sizeof(Import) << 16 | ord("E") << 8 | 0
COPY = 1 << 30 | ctypes.sizeof(Copy) << 16 | ord("E") << 8 | 1


def address():
    """The device's name on the PCI bus, or None where there is no such device."""
    for device in pathlib.Path("/sys/bus/pci/devices").iterdir():
        identity = tuple((device / file).read_text().strip() for file in ("vendor", "device"))
        if identity == VENDOR_AND_DEVICE:
            return device.name
    return None


def has_iommu():
    """Whether one translates; for this device it does so from the moment that a driver binds."""
    groups = pathlib.Path("/sys/kernel/iommu_groups").glob("*/type")
    return any(group.read_text().startswith("DMA") for group in groups)


def lowest_ram():
    """Where the RAM starts."""
    with open("/proc/iomem", encoding="ascii") as file:
        return int(re.search(r"([0-9a-f]+)-[0-9a-f]+ : System RAM", file.read())[1], 16)


def highest_ram():
    """One past where it ends."""
    with open("/proc/iomem", encoding="ascii") as file:
        return max(int(end, 16) for end in re.findall(r"-([0-9a-f]+) : System RAM", file.read())) + 1


def bits():
    """Of address: as few as the device has, unless no RAM is that low and nothing translates."""
    return NARROW if has_iommu() or lowest_ram() < 1 << NARROW else WIDE


def reach():
    """Highest physical address that the device can have; 0 where an IOMMU brings it everywhere."""
    return 0 if has_iommu() else (1 << bits()) - 1


def load(**parameters):
    parameters = {"dma_bits": bits()} | parameters
    guest.run("insmod", MODULE, *(f"{name}={value}" for name, value in parameters.items()),
              check=True)
    guest.wait_until(lambda: os.path.exists(NODE), f"{NODE} appears")


def unload():
    guest.run("rmmod", "edu_dma", check=True)


class Engine:
    """The driver's node, opened once: holds one dma-buf at a time."""

    def __init__(self):
        self.fd = os.open(NODE, os.O_RDWR | os.O_CLOEXEC)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.fd)

    def hold(self, fd):
        """Attach to a dma-buf and map it: an Import that says how the device sees it."""
        args = Import(fd=fd)
        fcntl.ioctl(self.fd, IMPORT, args, True)
        return args

    def let_go(self):
        return self.hold(-1)

    def _copy(self, flags, offset, memory, length, fd):
        fcntl.ioctl(self.fd, COPY, Copy(fd=fd, flags=flags, offset=offset, memory=memory,
                                        length=length))

    def read(self, offset, length, memory=0, fd=-1):
        """The device reads from the buffer held; with fd from that one, attached for this alone."""
        self._copy(TO_DEVICE, offset, memory, length, fd)

    def write(self, offset, length, memory=0, fd=-1):
        """The device writes what it has to the buffer."""
        self._copy(0, offset, memory, length, fd)
