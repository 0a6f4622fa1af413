#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""
Run one command in a guest with a test board's memory regions, and fail loudly.

The only way to a guest: demo, tests and benchmarks all call run(). It must not know what the
command does. A kernel that complains, a guest that dies and one that hangs are each a RigError
that names the console log; the exit status of the command is a result like any other.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import artifacts
import boards
import console
from artifacts import Setup
from dialogue import Dialogue, GuestDied
from machine import Machine
from payload import pack

FAILED = 125
"""Exit status of the program where the rig failed, as opposed to the command."""


class RigError(Exception):
    """The run proves nothing. The message says why and names the console log."""


@dataclass(frozen=True)
class Result:
    status: int
    console: Path
    files: Path
    output: bytes


def run(command: list[str], out: Path, payload: Path | None = None, deadline: float = 600,
        setup: Setup = Setup(), show: BinaryIO | None = None) -> Result:
    """
    Run @command in a guest; what comes of it is in the result and in the folder @out.

    @payload is a folder: its root/ is laid over the guest's root file system, its run/ becomes the
    working directory of the command. What the command leaves in $RIG_FILES appears in @out/files,
    beside console.log. @deadline counts seconds from the moment that the guest is up. The command's
    output goes to @show as it comes.
    """
    out.mkdir(parents=True, exist_ok=True)
    log = out / "console.log"
    guest = artifacts.guest(setup, log)
    try:
        status, output = _talk(guest, pack(command, payload), out, deadline, show)
    except TimeoutError:
        raise RigError(f"no end after {deadline:.0f} s, the guest was stopped; see {log}") from None
    except GuestDied:
        words = console.complaint(log) or "no last words"
        raise RigError(f"the guest died: {words}; see {log}") from None
    finally:
        guest.stop()
        for leftover in ("ram", "initrd"):
            (out / leftover).unlink(missing_ok=True)
    if line := console.complaint(log):
        raise RigError(f"the kernel complained: {line}; see {log}")
    return Result(status, log, out / "files", output)


def _talk(guest: Machine, tar: bytes, out: Path, deadline: float,
          show: BinaryIO | None) -> tuple[int, bytes]:
    archive = out / "files.tar"
    with archive.open("wb") as files:
        dialogue = Dialogue(guest.ports, files, show)
        status = dialogue.run(tar, deadline)
    console.wait_for(out / "console.log", "rig: end of run")
    (out / "files").mkdir(exist_ok=True)
    subprocess.run(["tar", "-xf", archive, "-C", out / "files"], check=True)
    archive.unlink()
    return status, bytes(dialogue.output)


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Run a command in the test guest.",
                                     usage="rig.py {run,kernel,image,snapshot} [options]"
                                           " [-- command]")
    parser.add_argument("what", choices=["run", "kernel", "image", "snapshot"],
                        help="run a command; or only make a part of the guest and print its folder")
    parser.add_argument("--arch", choices=boards.ARCHITECTURES, default=Setup.arch,
                        help="default: %(default)s")
    parser.add_argument("--release", default=Setup.release,
                        help="of the distribution's newest kernel, default: %(default)s")
    parser.add_argument("--no-iommu", dest="iommu", action="store_false",
                        help="the board without an IOMMU; amd64 never has one")
    parser.add_argument("--kernel", nargs="+", default=[], metavar="PACKAGE",
                        help=".deb files of a kernel, instead of the distribution's newest")
    parser.add_argument("--packages", type=Path, metavar="LIST",
                        help="a file that names more packages for the guest's image")
    parser.add_argument("--counting", action="store_true",
                        help="one processor, whose clock counts the instructions that it executed")
    parser.add_argument("--devicetree", type=Path, metavar="DTB",
                        help="instead of the emulator's with board.dtso on top")
    parser.add_argument("--memory", default=Setup.memory, help="default: %(default)s")
    parser.add_argument("--append", metavar="WORDS",
                        help="kernel command line, instead of the board's own")
    parser.add_argument("--cold", action="store_true", help="boot, use no snapshot")
    parser.add_argument("--payload", type=Path, metavar="FOLDER",
                        help="root/ goes over the guest's /, run/ is where the command starts")
    parser.add_argument("--deadline", type=float, default=600, metavar="SECONDS",
                        help="default: %(default)s")
    parser.add_argument("--out", type=Path, metavar="FOLDER",
                        help="where console.log and files/ go; default: a new temporary folder")
    return parser


def _main() -> int:
    words = sys.argv[1:]
    end = words.index("--") if "--" in words else len(words)
    options, command = _options().parse_args(words[:end]), words[end + 1:]
    setup = Setup(arch=options.arch, release=options.release, iommu=options.iommu,
                  kernel=tuple(options.kernel), devicetree=options.devicetree,
                  memory=options.memory, append=options.append, cold=options.cold,
                  packages=options.packages, counting=options.counting)
    if options.what != "run":
        print(artifacts.MAKERS[options.what](setup))
        return 0
    if not command:
        raise RigError("no command: say rig.py run -- COMMAND")
    out = options.out or Path(tempfile.mkdtemp(prefix="rig-"))
    result = run(command, out, options.payload, options.deadline, setup, sys.stdout.buffer)
    artifacts.say(f"exit status {result.status}, files and console log in {out}")
    return result.status


if __name__ == "__main__":
    try:
        sys.exit(_main())
    except (RigError, artifacts.ArtifactError) as error:
        artifacts.say(str(error))
        sys.exit(FAILED)
    except KeyboardInterrupt:
        sys.exit(130)
