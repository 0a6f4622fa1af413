# SPDX-License-Identifier: MIT
"""
The boards that the emulator can be, and all that sets one apart from another.

This file must not know how an emulator is run, nor what kernel a board is given.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


MULTI = ("-smp", "2", "-accel", "tcg,thread=multi")
# One processor, whose clock goes by one nanosecond with each instruction; while it has nothing to do
# the clock jumps to the next timer.
COUNTING = ("-smp", "1", "-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off")


@dataclass(frozen=True)
class Board:
    qemu: str
    machine: str
    processor: str
    console: str
    """What the kernel calls the serial port."""
    reserved: str
    """Words of the kernel's command line that set memory aside."""
    edu: str
    """A PCI device with a DMA engine; how far it reaches is in its dma_mask, 28 bits by default."""
    overlay: bool
    """Whether a device tree describes the board, so that board.dtso can be laid over it."""
    processors: tuple[str, ...] = MULTI


ARM64 = Board(
    qemu="qemu-system-aarch64",
    machine="virt,gic-version=3,iommu=smmuv3",
    processor="cortex-a72",
    console="ttyAMA0",
    reserved="cma=128M",
    edu="edu,addr=2.0",
    overlay=True)

# Memory begins at 1 GiB, which 28 bits do not reach.
ARM64_WITHOUT_IOMMU = replace(ARM64, machine="virt,gic-version=3",
                              edu="edu,addr=2.0,dma_mask=0xffffffff")

# Nothing but the command line can set memory aside here: no device tree, and Debian's kernel has
# no CMA. The range is one that the edu device reaches.
AMD64 = Board(
    qemu="qemu-system-x86_64",
    machine="q35",
    processor="max,la57=off",
    console="ttyS0",
    reserved="memmap=32M$0x8000000",
    edu="edu,addr=2.0",
    overlay=False)

BOARDS = {("arm64", True): ARM64, ("arm64", False): ARM64_WITHOUT_IOMMU, ("amd64", False): AMD64}
"""By the architecture of the processor, and whether an IOMMU stands before PCI devices."""
ARCHITECTURES = sorted({arch for arch, _ in BOARDS})


def find(arch: str, iommu: bool, counting: bool = False) -> Board:
    """The board with an IOMMU if that is wanted and there is one, else the one without."""
    board = BOARDS.get((arch, iommu)) or BOARDS[arch, False]
    return replace(board, processors=COUNTING) if counting else board
