# SPDX-License-Identifier: MIT
"""
The tar that a guest gets: a folder of files and the command to run among them.

This file must not know who unpacks it; the names below are the contract with the agent.
"""

from __future__ import annotations

import io
import shlex
import tarfile
from pathlib import Path

COMMAND = "run/rig/command"
WORKDIR = "run/rig/payload"


def pack(command: list[str], folder: Path | None) -> bytes:
    """@folder/root is laid over the guest's /, @folder/run is where the command starts."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        _add_file(tar, COMMAND, shlex.join(command).encode() + b"\n")
        tar.addfile(_folder(WORKDIR))
        for part, target in (("root", "."), ("run", WORKDIR)):
            if folder and (folder / part).is_dir():
                tar.add(folder / part, target, filter=_as_root)
    return buffer.getvalue()


def _folder(name: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.mode = tarfile.DIRTYPE, 0o755
    return info


def _add_file(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    tar.addfile(info, io.BytesIO(content))


def _as_root(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.uid = info.gid = 0
    info.uname = info.gname = "root"
    return info
