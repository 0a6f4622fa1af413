# SPDX-License-Identifier: MIT
"""
What a guest is made of: kernel, root file system, device tree, and a snapshot of the booted whole.

Each is made once per set of inputs and kept in the cache. This file must not know what a guest
is asked to do.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import boards
import cache
import console
import machine
from boards import Board
from machine import Boot, Machine

HERE = Path(__file__).resolve().parent
TOOLS = HERE.parent.parent / "tools"
APT_LISTS = Path("/var/lib/apt/lists")
BOOT_DEADLINE = 900


class ArtifactError(Exception):
    """A part of the guest could not be made; the message says which and where to look."""


@dataclass(frozen=True)
class Setup:
    """Which guest; the defaults are the one that everything is tested in."""

    arch: str = "arm64"
    release: str = "6.12"
    """Of the distribution's kernels; without effect where @kernel names packages."""
    iommu: bool = True
    kernel: tuple[str, ...] = ()
    devicetree: Path | None = None
    memory: str = "2G"
    append: str | None = None
    """Words for the kernel's command line, instead of the usual ones."""
    cold: bool = False
    packages: Path | None = None
    """A list of more of them in its image, in the format of the file packages."""
    counting: bool = False
    """Its clock counts instructions: slow, and the same on any machine under any load."""

    @property
    def board(self) -> Board:
        return boards.find(self.arch, self.iommu, self.counting)

    @property
    def words(self) -> str:
        # Without init_on_alloc=0 nobody would notice a module that forgets to zero.
        return self.append or f"{self.board.reserved} loglevel=7 init_on_alloc=0"


def say(text: str) -> None:
    print(f"rig: {text}", file=sys.stderr, flush=True)


def kernel(setup: Setup) -> Path:
    """A folder with vmlinuz, modules.cpio and headers/, out of .deb files or, where none are
    given, the newest packages that the distribution has of that release."""
    tool = TOOLS / "guest-kernel"
    packages = setup.kernel or _newest_kernel(tool, setup)
    name = cache.key([tool, *(Path(p) if p.endswith(".deb") else p for p in packages)])
    return cache.folder("kernel", name, lambda new: _call(tool, new, *packages))


def _newest_kernel(tool: Path, setup: Setup) -> list[str]:
    """Names of packages. To ask apt takes seconds, and its answer changes with its lists only."""
    question = ("--list", setup.arch, setup.release)
    name = cache.key([tool, *question, str(APT_LISTS.stat().st_mtime_ns)])
    folder = cache.folder("names", name,
                          lambda new: (new / "names").write_text(_output(tool, *question)))
    return (folder / "names").read_text().split()


def image(setup: Setup) -> Path:
    """A folder with rootfs.cpio, the root file system without kernel modules."""
    tool, packages = TOOLS / "guest-image", [HERE / "packages"]
    if setup.packages:
        packages.append(setup.packages)

    def make(new: Path) -> None:
        (new / "packages").write_text("".join(file.read_text() for file in packages))
        _call(tool, new, new / "packages", setup.arch)

    return cache.folder("image", cache.key([tool, *packages, setup.arch]), make)


def devicetree(setup: Setup) -> Path | None:
    """The emulator's own device tree with board.dtso laid over it; some boards have none."""
    overlay, board = HERE / "board.dtso", setup.board
    if setup.devicetree or not board.overlay:
        return setup.devicetree

    def make(new: Path) -> None:
        _call(*machine.dump_devicetree(board, new / "base.dtb", setup.memory))
        _call("dtc", "-q", "-@", "-O", "dtb", "-o", new / "board.dtbo", overlay)
        _call("fdtoverlay", "-i", new / "base.dtb", "-o", new / "board.dtb", new / "board.dtbo")

    name = cache.key([overlay, repr(board), _version(board), HERE / "machine.py", setup.memory])
    return cache.folder("devicetree", name, make) / "board.dtb"


def snapshot(setup: Setup) -> Path:
    """A folder with ram and state of a guest that has booted and waits for its command."""
    board = setup.board
    name = cache.key([kernel(setup).name, image(setup).name, HERE / "guest",
                      devicetree(setup) or "no device tree", setup.memory, setup.words,
                      repr(board), HERE / "machine.py", _version(board)])
    return cache.folder("snapshot", name, lambda new: _boot_and_save(setup, new))


MAKERS = {"kernel": kernel, "image": image, "snapshot": snapshot}


def guest(setup: Setup, log: Path) -> Machine:
    """A guest that waits for its command, its console in @log."""
    if setup.cold:
        return _boot(setup, log, log.parent)
    saved = snapshot(setup)
    return Machine.wake(setup.board, setup.memory, log, saved / "ram", saved / "state")


def _boot(setup: Setup, log: Path, folder: Path) -> Machine:
    """Boot and wait until the agent is ready. The guest's memory is in @folder/ram."""
    boot = Boot(kernel(setup) / "vmlinuz", _initrd(setup, folder), devicetree(setup), setup.words)
    started = time.monotonic()
    guest = Machine.boot(setup.board, setup.memory, log, folder / "ram", boot)
    try:
        guest.wait_ready(BOOT_DEADLINE)
    except OSError as error:
        guest.stop()
        raise _boot_failed(log, str(error)) from error
    say(f"booted in {time.monotonic() - started:.0f} s")
    return guest


def _boot_failed(log: Path, reason: str) -> ArtifactError:
    kept = shutil.copy(log, cache.root() / "boot-failed.log")
    return ArtifactError(f"the guest did not boot: {console.complaint(log) or reason}; see {kept}")


def _boot_and_save(setup: Setup, new: Path) -> None:
    say("snapshot: booting the guest once")
    log = new / "boot.log"
    guest = _boot(setup, log, new)
    try:
        if console.complaint(log):
            raise _boot_failed(log, "")
        guest.save(new / "state")
    finally:
        guest.stop()
    (new / "initrd").unlink()


def _initrd(setup: Setup, folder: Path) -> Path:
    """The root file system with modules and agent on top: to the kernel, archives add up."""
    agent = folder / "agent.cpio"
    _call("sh", "-c", 'find . | sort | cpio -o -H newc -R 0:0 --quiet >"$1"', "sh", agent,
          cwd=HERE / "guest")
    file = folder / "initrd"
    with file.open("wb") as out:
        for part in (image(setup) / "rootfs.cpio", kernel(setup) / "modules.cpio", agent):
            with part.open("rb") as source:
                shutil.copyfileobj(source, out)
    agent.unlink()
    return file


def _version(board: Board) -> str:
    """A snapshot is of use only to the very emulator that took it."""
    return _output(board.qemu, "--version")


def _output(*command: object) -> str:
    return _call(*command, stdout=subprocess.PIPE)


def _call(*command: object, stdout: int | None = None, cwd: Path | None = None) -> str:
    words = [str(word) for word in command]
    try:
        done = subprocess.run(words, check=True, text=True, cwd=cwd, stdout=stdout or sys.stderr)
    except (OSError, subprocess.CalledProcessError) as error:
        raise ArtifactError(f"{Path(words[0]).name} failed: {error}") from error
    return done.stdout
