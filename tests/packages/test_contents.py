# SPDX-License-Identifier: MIT
"""What is in each package: all that meson installs, each file once, where people look for it."""

from __future__ import annotations

import os
import subprocess

import pytest
from conftest import NATIVE, OTHER, ROOT, output

NAMES = {"dmabufd", "libdmabuf0", "libdmabuf-dev", "dmabufctl", "dmabuf-pool-dkms", "dmabufd-doc",
         "gstreamer1.0-dmabufd", "python3-dmabuf"}
TRIPLETS = {"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}
# Debian's own: which package it is, and what the program that judges packages is told.
DEBIANS = ("usr/share/doc/", "usr/share/lintian/")


def paths(packages):
    return [path for package in packages.values() for path in package.contents
            if not path.startswith(DEBIANS)]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """What meson installs, by the names that Debian has for it."""
    folder = tmp_path_factory.mktemp("meson")
    quiet = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "check": True}
    subprocess.run(["meson", "setup", folder / "build", ROOT, "--prefix=/usr", "-Dtests=false",
                    "-Dgstreamer=enabled", f"--libdir=lib/{TRIPLETS[NATIVE]}",
                    "-Dpython.purelibdir=/usr/lib/python3/dist-packages"], **quiet)
    subprocess.run(["meson", "install", "-C", folder / "build"], **quiet,
                   env=os.environ | {"DESTDIR": str(folder / "root")})
    found = output("find", ".", "!", "-type", "d", cwd=folder / "root").split()
    return sorted(debian_name(path.removeprefix("./")) for path in found)


def debian_name(path):
    """Manual pages are compressed; units and udev's rules are not below /usr yet."""
    for folder in ("systemd/system", "udev"):
        path = path.replace(f"usr/lib/{folder}/", f"lib/{folder}/")
    # Debian's zsh looks for what packages bring in a folder of its own.
    path = path.replace("/zsh/site-functions/", "/zsh/vendor-completions/")
    return f"{path}.gz" if path.startswith("usr/share/man/") else path


def test_there_are_the_packages_that_there_should_be(built):
    assert {arch: set(packages) for arch, packages in built.items()} == dict.fromkeys(built, NAMES)


def test_nothing_is_lost_and_nothing_is_there_twice(native, installed):
    assert sorted(paths(native)) == installed


def test_a_cross_built_package_has_what_a_native_one_has(native, other):
    assert sorted(path.replace(TRIPLETS[OTHER], TRIPLETS[NATIVE]) for path in paths(other)) == \
        sorted(paths(native))


@pytest.mark.parametrize("package, path", [
    ("dmabufd", "usr/libexec/dmabufd"),
    ("dmabufd", "lib/systemd/system/dmabufd.socket"),
    ("dmabufd", "usr/lib/systemd/catalog/dmabufd.catalog"),
    ("dmabufd", "usr/share/man/man8/dmabufd.8.gz"),
    ("libdmabuf-dev", "usr/include/dmabuf.h"),
    ("libdmabuf-dev", "usr/share/doc/libdmabuf-dev/examples/first.c"),
    ("dmabufctl", "usr/bin/dmabufctl"),
    ("dmabufctl", "usr/bin/v4l2-capture"),
    ("dmabufctl", "lib/systemd/system/dmabufd-metrics.socket"),
    ("dmabufctl", "usr/share/man/man1/v4l2-capture.1.gz"),
    ("dmabufctl", "usr/bin/v4l2-convert"),
    ("dmabufctl", "usr/bin/v4l2-show"),
    ("dmabufctl", "usr/share/man/man1/v4l2-convert.1.gz"),
    ("gstreamer1.0-dmabufd", f"usr/lib/{TRIPLETS[NATIVE]}/gstreamer-1.0/libgstdmabufd.so"),
    ("python3-dmabuf", "usr/lib/python3/dist-packages/dmabuf.py"),
    ("python3-dmabuf", "usr/lib/python3/dist-packages/_libdmabuf.py"),
    ("dmabuf-pool-dkms", "usr/lib/modules-load.d/dmabufd.conf"),
    ("dmabufd-doc", "usr/share/doc/dmabufd/install.md.gz"),
    ("dmabufd-doc", "usr/share/doc/dmabufd/examples/boards/imx8mm-evk.dtso")])
def test_it_is_where_people_look(native, package, path):
    assert path in native[package].contents


def test_the_library_is_alone_with_its_version(native):
    """So that two versions of it can be installed side by side."""
    assert all("/libdmabuf.so.0" in path or path.startswith("usr/share/doc/")
               for path in native["libdmabuf0"].contents)


def test_the_version_is_the_projects(built, version):
    for packages in built.values():
        assert {package.field("Version") for package in packages.values()} == {version}


def test_programs_are_for_the_architecture(built, tmp_path):
    for machine, packages in built.items():
        root = packages["dmabufctl"].unpack(tmp_path / machine)
        header = output("readelf", "--file-header", root / "usr/bin/dmabufctl")
        assert {"amd64": "X86-64", "arm64": "AArch64"}[machine] in header


def test_an_upgrade_stops_neither_socket_nor_service(native, tmp_path):
    """The socket listens on, and the service is started anew, if it ran, when all is in place."""
    scripts = native["dmabufd"].unpack(tmp_path / "dmabufd") / "DEBIAN"
    assert not (scripts / "preinst").exists()
    postinst = (scripts / "postinst").read_text()
    assert "deb-systemd-invoke try-restart 'dmabufd.service'" in postinst
    assert "deb-systemd-invoke start 'dmabufd.socket'" in postinst
    prerm = (scripts / "prerm").read_text()
    assert '"$1" = remove' in prerm and "stop 'dmabufd.socket'" in prerm
