# SPDX-License-Identifier: MIT
"""The packages under test: the .deb files in the folder that DMABUFD_PACKAGES names."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "vm"))


def output(*words: object, **options) -> str:
    return subprocess.run([str(word) for word in words], check=True, text=True,
                          stdout=subprocess.PIPE, **options).stdout


@dataclass(frozen=True)
class Package:
    file: Path

    def field(self, name: str) -> str:
        return output("dpkg-deb", "--field", self.file, name).strip()

    @cached_property
    def contents(self) -> dict[str, str]:
        """Each path, and for a link what it points to, without the folders."""
        found = {}
        for line in output("dpkg-deb", "--contents", self.file).splitlines():
            mode, _, _, _, _, path = line.split(None, 5)
            if not mode.startswith("d"):
                path, _, target = path.partition(" -> ")
                found[path.removeprefix("./")] = target
        return found

    def unpack(self, folder: Path) -> Path:
        output("dpkg-deb", "--raw-extract", self.file, folder)
        return folder


NATIVE = output("dpkg", "--print-architecture").strip()
OTHER = "arm64" if NATIVE == "amd64" else "amd64"


def packages(arch: str) -> dict[str, Package]:
    """Those that are installed on a machine of that architecture, without debugging symbols."""
    folder = Path(os.environ["DMABUFD_PACKAGES"])
    files = sorted([*folder.glob(f"*_{arch}.deb"), *folder.glob("*_all.deb")])
    return {file.name.split("_")[0]: Package(file) for file in files if "-dbgsym_" not in file.name}


@pytest.fixture(scope="session")
def built() -> dict[str, dict[str, Package]]:
    """By architecture: the machine's own, and the other if tools/package was asked for it."""
    folder = Path(os.environ["DMABUFD_PACKAGES"])
    return {arch: packages(arch) for arch in (NATIVE, OTHER)
            if arch == NATIVE or list(folder.glob(f"*_{arch}.changes"))}


@pytest.fixture(scope="session")
def native(built) -> dict[str, Package]:
    return built[NATIVE]


@pytest.fixture(scope="session")
def other(built) -> dict[str, Package]:
    if OTHER not in built:
        pytest.skip(f"nothing was built for {OTHER}")
    return built[OTHER]


@pytest.fixture(scope="session")
def version() -> str:
    """The project's, as meson has it."""
    text = output("meson", "introspect", "--projectinfo", ROOT / "meson.build")
    return text.partition('"version": "')[2].partition('"')[0]
