# SPDX-License-Identifier: MIT
"""
Folders that are expensive to make, kept under a name that is a hash of what goes into them.

A folder appears whole or not at all: it is made under another name, under a lock, and renamed
at the end. This file must not know what is in the folders.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

KEEP = 10
"""So many folders of one kind stay; the one that was used longest ago goes first. More than there
are guests in use at a time, or else each would push another out."""
PART = ".part"


def root() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "dmabufd"


def key(inputs: Iterable[str | bytes | Path]) -> str:
    """A path stands for the content of that file, or for all that a folder holds."""
    digest = hashlib.sha256()
    for item in inputs:
        for part in _parts(item):
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()[:16]


def _parts(item: str | bytes | Path) -> Iterable[bytes]:
    if isinstance(item, Path) and item.is_dir():
        for path in sorted(item.rglob("*")):
            yield str(path.relative_to(item)).encode()
            yield str(path.lstat().st_mode).encode()
            if path.is_file() and not path.is_symlink():
                yield path.read_bytes()
    elif isinstance(item, Path):
        yield item.read_bytes()
    else:
        yield item.encode() if isinstance(item, str) else item


def folder(kind: str, name: str, make: Callable[[Path], None]) -> Path:
    """The folder <kind>-<name>; make() fills it where it does not exist yet."""
    wanted = root() / f"{kind}-{name}"
    root().mkdir(parents=True, exist_ok=True)
    if not wanted.is_dir():
        with (root() / f"{kind}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not wanted.is_dir():
                _make(kind, wanted, make)
    os.utime(wanted)
    return wanted


def _make(kind: str, wanted: Path, make: Callable[[Path], None]) -> None:
    _forget(kind)
    growing = Path(tempfile.mkdtemp(prefix=f"{wanted.name}-", suffix=PART, dir=root()))
    growing.chmod(0o755)
    try:
        make(growing)
        growing.rename(wanted)
    finally:
        shutil.rmtree(growing, ignore_errors=True)


def _forget(kind: str) -> None:
    """Room for one more: what was left half-made goes, and what was not used for long."""
    for path in root().glob(f"{kind}-*{PART}"):
        shutil.rmtree(path, ignore_errors=True)
    old = [path for path in root().glob(f"{kind}-*") if not path.suffix]
    old.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    for path in old[KEEP - 1:]:
        shutil.rmtree(path, ignore_errors=True)
