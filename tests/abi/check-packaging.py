#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What debian/ and docs/yocto/ repeat of the rest of the tree is what the rest says: the version,
the symbols, the licences, the files that are installed.

Usage: check-packaging.py SOURCE_ROOT VERSION BUILD_ROOT PREFIX
"""
import fnmatch
import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

# What debian/copyright calls a licence, and what the files themselves do.
LICENCES = {"Expat": "MIT", "GPL-2": "GPL-2.0-only",
            "GPL-2 with Linux-syscall-note exception or Expat":
                "(GPL-2.0-only WITH Linux-syscall-note) OR MIT"}
SOURCES = ("clients", "daemon", "docs", "examples", "include", "kernel", "libdmabuf", "python",
           "systemd", "tests", "tools")


def check_version(root, version):
    top = (root / "debian" / "changelog").read_text().split("\n", 1)[0]
    if f"({version})" not in top:
        yield f"debian/changelog does not begin with {version}"
    for recipe in (root / "docs" / "yocto").glob("*.bb"):
        if not recipe.name.endswith(f"_{version}.bb"):
            yield f"docs/yocto/{recipe.name} is not named after {version}"


def check_symbols(root):
    script = (root / "libdmabuf" / "libdmabuf.sym").read_text()
    listed = set(re.findall(r"^ (dmabuf_\w+)@", (root / "debian" / "libdmabuf0.symbols").read_text(),
                            re.MULTILINE))
    scripted = set(re.findall(r"^\s+(dmabuf_\w+);", script, re.MULTILINE))
    for name in sorted(listed ^ scripted):
        yield f"{name} is not in both of libdmabuf.sym and debian/libdmabuf0.symbols"


def licence_of(text, path):
    """By the last paragraph of debian/copyright that names the file, as its format has it."""
    found = ""
    for files, licence in re.findall(r"^Files: (.*?)\nCopyright: .*?\nLicense: (.*?)\n", text,
                                     re.MULTILINE | re.DOTALL):
        if any(fnmatch.fnmatch(path, pattern) for pattern in files.split()):
            found = licence
    return found


def check_copyright(root):
    text = (root / "debian" / "copyright").read_text()
    for path in sorted(path for folder in SOURCES for path in (root / folder).rglob("*")):
        if not path.is_file() or path.suffix in (".pyc", ".png", ".md"):
            continue
        told = re.search(r"SPDX-License-Identifier: (.+?)(?: \*/| -->)?$",
                         path.read_text()[:400], re.MULTILINE)
        name = licence_of(text, str(path.relative_to(root)))
        if told and told[1] != LICENCES.get(name):
            yield f"{path.relative_to(root)} is {told[1]}, but {name} in debian/copyright"


def check_recipes(root):
    """A recipe names the licence's text by a sum, and by a path from the top of the sources."""
    for recipe in (root / "docs" / "yocto").glob("*.bb"):
        sums = re.findall(r"file://(\S+?);md5=([0-9a-f]{32})", recipe.read_text())
        if not sums:
            yield f"docs/yocto/{recipe.name} names no licence's text"
        for name, told in sums:
            if hashlib.md5((root / name).read_bytes()).hexdigest() != told:
                yield f"docs/yocto/{recipe.name} has another sum for {name}"


def check_overlays(root):
    """The device trees that boards are shown compile, and the compiler has nothing to say."""
    for overlay in sorted((root / "docs" / "boards").glob("*.dtso")):
        # It asks for the cells of the board's root where they are missing, and grumbles where not.
        done = subprocess.run(["dtc", "-@", "-W", "no-avoid_unnecessary_addr_size", "-I", "dts",
                               "-O", "dtb", "-o", "/dev/null", overlay],
                              check=False, capture_output=True, text=True)
        if done.returncode != 0 or done.stderr:
            yield f"{overlay.name}: {done.stderr.strip()}"


def packaged(root):
    """Pairs: a package, and a pattern of what is in it; a folder stands for all below it."""
    for file in sorted([*(root / "debian").glob("*.install"), *(root / "debian").glob("*.manpages")]):
        for line in file.read_text().splitlines():
            if line and not line.startswith("#"):
                yield file.stem, line.split()[0].removeprefix("debian/tmp/")


def check_installed(root, build, prefix):
    """What meson installs in this build is in one package each."""
    pairs = list(packaged(root))
    # Packages have /usr for a prefix; some files lie there whatever the prefix is.
    prefix = f"{prefix.rstrip('/')}/"
    for path in json.loads((build / "meson-info" / "intro-installed.json").read_text()).values():
        path = path.replace(prefix, "/usr/").lstrip("/")
        owners = {package for package, pattern in pairs
                  if fnmatch.fnmatch(path, pattern) or fnmatch.fnmatch(path, f"{pattern}/*")}
        if len(owners) != 1:
            yield f"{path} is in {', '.join(sorted(owners)) or 'no package'}, says debian/"


def check_module(root):
    """DKMS builds from what meson installs, and nothing else."""
    listed = set(re.findall(r"'([\w-]+\.[ch])'", (root / "kernel/meson.build").read_text()))
    for path in {path.name for path in (root / "kernel").glob("*.[ch]")} ^ listed:
        yield f"kernel/{path} is not in both of the folder and its meson.build"


def main(root, version, build, prefix):
    wrong = [*check_module(root), *check_version(root, version), *check_symbols(root),
             *check_copyright(root), *check_recipes(root), *check_overlays(root),
             *check_installed(root, build, prefix)]
    print(*wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), sys.argv[4]))
