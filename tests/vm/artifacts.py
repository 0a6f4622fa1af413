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

import cache
import console
import machine
from machine import Boot, Machine

HERE = Path(__file__).resolve().parent
TOOLS = HERE.parent.parent / "tools"
APT_LISTS = Path("/var/lib/apt/lists")
BOOT_DEADLINE = 600


class ArtifactError(Exception):
    """A part of the guest could not be made; the message says which and where to look."""


@dataclass(frozen=True)
class Setup:
    """Which guest; the defaults are the one that everything is tested in."""

    kernel: tuple[str, ...] = ()
    devicetree: Path | None = None
    memory: str = "2G"
    # Without init_on_alloc=0 nobody would notice a module that forgets to zero.
    append: str = "cma=128M loglevel=7 init_on_alloc=0"
    cold: bool = False


def say(text: str) -> None:
    print(f"rig: {text}", file=sys.stderr, flush=True)


def kernel(setup: Setup) -> Path:
    """A folder with vmlinuz, modules.cpio and headers/, out of .deb files or, where none are
    given, the newest packages of the distribution."""
    tool = TOOLS / "guest-kernel"
    packages = setup.kernel or _newest_kernel(tool)
    name = cache.key([tool, *(Path(p) if p.endswith(".deb") else p for p in packages)])
    return cache.folder("kernel", name, lambda new: _call(tool, new, *packages))


def _newest_kernel(tool: Path) -> list[str]:
    """Names of packages. To ask apt takes seconds, and its answer changes with its lists only."""
    name = cache.key([tool, str(APT_LISTS.stat().st_mtime_ns)])
    folder = cache.folder("names", name,
                          lambda new: (new / "names").write_text(_output(tool, "--list")))
    return (folder / "names").read_text().split()


def image(_: Setup) -> Path:
    """A folder with rootfs.cpio, the root file system without kernel modules."""
    tool, packages = TOOLS / "guest-image", HERE / "packages"
    return cache.folder("image", cache.key([tool, packages]),
                        lambda new: _call(tool, new, packages))


def devicetree(setup: Setup) -> Path:
    """The emulator's own device tree with board.dtso laid over it."""
    overlay = HERE / "board.dtso"

    def make(new: Path) -> None:
        _call(*machine.dump_devicetree(new / "base.dtb", setup.memory))
        _call("dtc", "-q", "-@", "-O", "dtb", "-o", new / "board.dtbo", overlay)
        _call("fdtoverlay", "-i", new / "base.dtb", "-o", new / "board.dtb", new / "board.dtbo")

    name = cache.key([overlay, _version(), HERE / "machine.py", setup.memory])
    return setup.devicetree or cache.folder("devicetree", name, make) / "board.dtb"


def snapshot(setup: Setup) -> Path:
    """A folder with ram and state of a guest that has booted and waits for its command."""
    name = cache.key([kernel(setup).name, image(setup).name, HERE / "guest", devicetree(setup),
                      setup.memory, setup.append, HERE / "machine.py", _version()])
    return cache.folder("snapshot", name, lambda new: _boot_and_save(setup, new))


MAKERS = {"kernel": kernel, "image": image, "snapshot": snapshot}


def guest(setup: Setup, log: Path) -> Machine:
    """A guest that waits for its command, its console in @log."""
    if setup.cold:
        return _boot(setup, log, log.parent)
    saved = snapshot(setup)
    return Machine.wake(setup.memory, log, saved / "ram", saved / "state")


def _boot(setup: Setup, log: Path, folder: Path) -> Machine:
    """Boot and wait until the agent is ready. The guest's memory is in @folder/ram."""
    boot = Boot(kernel(setup) / "vmlinuz", _initrd(setup, folder), devicetree(setup), setup.append)
    started = time.monotonic()
    guest = Machine.boot(setup.memory, log, folder / "ram", boot)
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


def _version() -> str:
    """A snapshot is of use only to the very emulator that took it."""
    return _output(machine.QEMU, "--version")


def _output(*command: object) -> str:
    return _call(*command, stdout=subprocess.PIPE)


def _call(*command: object, stdout: int | None = None, cwd: Path | None = None) -> str:
    words = [str(word) for word in command]
    try:
        done = subprocess.run(words, check=True, text=True, cwd=cwd, stdout=stdout or sys.stderr)
    except (OSError, subprocess.CalledProcessError) as error:
        raise ArtifactError(f"{Path(words[0]).name} failed: {error}") from error
    return done.stdout
