# SPDX-License-Identifier: MIT
"""
A clean Debian in a folder of its own, where packages are installed and purged.

This file must not know which packages, nor what they should do.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import subprocess
from hashlib import sha256
from pathlib import Path

# What differs between any two moments of a system that installs packages.
NOT_COMPARED = ("dev", "proc", "run", "sys", "tmp", "var/cache", "var/lib/apt", "var/lib/dpkg",
                "var/log", "etc/ld.so.cache")


class Root:
    """Commands in it see no process of the machine and no service manager."""

    def __init__(self, clean: Path, folder: Path, downloads: Path) -> None:
        subprocess.run(["cp", "--archive", clean, folder], check=True)
        self.path = folder
        self._downloads = downloads
        downloads.mkdir(parents=True, exist_ok=True)

    def call(self, *words: str, status: int = 0) -> str:
        """Output of a command that must end with @status."""
        # The mounts are gone with the process, even if it is killed.
        mounts = 'mount --bind "$1" "$2/var/cache/apt/archives" && root=$2 && shift 2 && ' \
                 'exec chroot "$root" "$@"'
        proxies = [f"{name}={value}" for name, value in os.environ.items()
                   if name.lower().endswith("_proxy")]
        done = subprocess.run(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child",
             f"--mount-proc={self.path}/proc", "sh", "-c", mounts, "sh", str(self._downloads),
             str(self.path), "env", "-i", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8",
             "PATH=/usr/sbin:/usr/bin:/sbin:/bin", *proxies, *words],
            check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert done.returncode == status, f"{' '.join(words)}\n{done.stdout}"
        return done.stdout

    def apt(self, *words: str) -> str:
        # Whoever else tests packages here shares what was downloaded, and apt does not wait.
        with self._downloads.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            return self.call("apt-get", "--yes", "-o", "APT::Sandbox::User=root",
                             "--no-install-recommends", *words)

    def read(self, path: str) -> str:
        return (self.path / path).read_text()

    def exists(self, path: str) -> bool:
        return os.path.lexists(self.path / path)

    def state(self) -> dict[str, str]:
        """What each path is, and for files what is in them."""
        found = {}
        for top, folders, files in os.walk(self.path):
            inside = Path(top).relative_to(self.path)
            folders[:] = [name for name in folders if str(inside / name) not in NOT_COMPARED]
            for name in folders + files:
                if str(inside / name) not in NOT_COMPARED:
                    found[str(inside / name)] = _what(Path(top) / name)
        return found

    def remove(self) -> None:
        shutil.rmtree(self.path)


def _what(path: Path) -> str:
    facts = path.lstat()
    what = f"{stat.filemode(facts.st_mode)} {facts.st_uid}:{facts.st_gid}"
    if stat.S_ISLNK(facts.st_mode):
        return f"{what} {path.readlink()}"
    return f"{what} {sha256(path.read_bytes()).hexdigest()}" if stat.S_ISREG(facts.st_mode) else what
