# SPDX-License-Identifier: MIT
"""
The packages in a clean Debian: they install, do what they must there, and leave nothing behind.

There is no service manager and no kernel of its own in it; a guest shows what these do.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import cache
import pytest
from conftest import NATIVE, ROOT, output
from root import Root

# For the tests: the plugin is looked at, a program is compiled, a package of it described, and the
# module signed.
TOOLS = ["gstreamer1.0-tools", "openssl", "gcc", "libc6-dev", "pkg-config", "dpkg-dev",
         f"linux-headers-{NATIVE}"]
# The kernel has a udmabuf.h, which is not ours.
OURS = re.compile("(^|/|-|lib|libgst)dmabuf")
# What Debian leaves of a package on purpose: its user, so that nobody gets its number, and what
# other packages make of the files of all packages.
STAYS = {"etc/passwd", "etc/passwd-", "etc/shadow", "etc/shadow-", "etc/group", "etc/group-",
         "etc/gshadow", "etc/gshadow-"}


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    folder = output(ROOT / "tools" / "package-chroot", "clean").strip()
    root = Root(Path(folder), tmp_path_factory.mktemp("clean") / "root", cache.root() / "archives")
    root.apt("update")
    yield root
    root.remove()


@pytest.fixture(scope="module")
def debs(clean, native):
    """Names of the files, as apt is told them in there."""
    (clean.path / "packages").mkdir()
    for package in native.values():
        shutil.copy(package.file, clean.path / "packages")
    return [f"/packages/{package.file.name}" for package in native.values()]


@pytest.fixture(scope="module")
def needed(clean, debs, native):
    """State of a system that has all that the packages depend on, and not them."""
    plan = clean.apt("install", "--simulate", *debs)
    names = set(re.findall(r"^Inst (\S+)", plan, re.MULTILINE)) - set(native)
    clean.apt("install", *sorted(names))
    return clean.state()


@pytest.fixture(scope="module")
def installed(clean, debs, needed):
    clean.apt("install", *debs)
    return clean


@pytest.fixture(scope="module")
def with_headers(installed):
    """A kernel came after the module, as with an upgrade. Its packages stay to the end."""
    installed.apt("install", *TOOLS)
    return installed


def test_the_daemon_runs(installed):
    assert installed.call("/usr/libexec/dmabufd", "--version").split()[-1]
    installed.call("/usr/libexec/dmabufd", "--check")


@pytest.mark.parametrize("program", ["dmabufctl", "v4l2-capture"])
def test_programs_run(installed, program):
    assert program in installed.call(program, "--help")


def test_the_daemon_has_a_user_that_nobody_can_log_in_as(installed):
    line = next(line for line in installed.read("etc/passwd").splitlines()
                if line.startswith("dmabufd:"))
    fields = line.split(":")
    assert int(fields[2]) < 1000 and fields[6] == "/usr/sbin/nologin"
    shadow = next(line for line in installed.read("etc/shadow").splitlines()
                  if line.startswith("dmabufd:"))
    assert shadow.split(":")[1].startswith("!")


def test_the_socket_is_enabled(installed):
    link = installed.path / "etc/systemd/system/sockets.target.wants/dmabufd.socket"
    assert str(link.readlink()) == "/lib/systemd/system/dmabufd.socket"


def test_nothing_but_links_of_systemd_is_put_in_etc(installed, needed):
    new = {path for path, what in installed.state().items()
           if path.startswith("etc/") and path not in needed and not what.startswith("d")}
    assert new - STAYS == {"etc/systemd/system/sockets.target.wants/dmabufd.socket"}


def test_the_module_is_loaded_at_boot(installed):
    words = [line for line in installed.read("usr/lib/modules-load.d/dmabufd.conf").splitlines()
             if not line.startswith("#")]
    assert words == ["dmabuf_pool"]


def test_dkms_has_the_source(installed, version):
    assert installed.call("dkms", "status").strip() == f"dmabufd/{version}: added"


def test_a_kernel_that_comes_later_gets_the_module(with_headers, version):
    status = with_headers.call("dkms", "status")
    assert re.fullmatch(rf"dmabufd/{version}, \S+, \S+: installed\n", status), status
    kernel = status.split(", ")[1]
    # Compressed, where the kernel's own are.
    module, = with_headers.path.glob(f"lib/modules/{kernel}/updates/dkms/dmabuf_pool.ko*")
    path = f"/{module.relative_to(with_headers.path)}"
    assert kernel in with_headers.call("modinfo", "--field=vermagic", path)
    assert with_headers.call("modinfo", "--field=signer", path).strip()


def test_gstreamer_finds_the_plugin(with_headers):
    assert "dmabufalloc" in with_headers.call("gst-inspect-1.0", "dmabufd")


def test_a_program_compiles_and_depends_on_the_library(with_headers):
    """By the symbols file: the package of a program would need the version that has its symbols."""
    example = "/usr/share/doc/libdmabuf-dev/examples/first.c"
    with_headers.call("sh", "-c", f"cc -o /tmp/first {example} $(pkg-config --cflags --libs libdmabuf)")
    with_headers.call("mkdir", "-p", "/tmp/package/debian")
    (with_headers.path / "tmp/package/debian/control").write_text(
        "Source: first\n\nPackage: first\nArchitecture: any\n")
    found = with_headers.call("sh", "-c", "cd /tmp/package && dpkg-shlibdeps -O /tmp/first")
    assert "libdmabuf0 (>= 0.1.0)" in found


def test_the_symbols_are_those_of_the_library(native, tmp_path):
    root = native["libdmabuf0"].unpack(tmp_path / "library")
    listed = re.findall(r"^ (dmabuf_\w+@\S+) ", (root / "DEBIAN/symbols").read_text(), re.MULTILINE)
    library = next(root.glob("usr/lib/*/libdmabuf.so.0"))
    names = output("nm", "-D", "--defined-only", "--with-symbol-versions", library).split()
    exported = [name.replace("@@", "@") for name in names if name.startswith("dmabuf_")]
    assert listed and sorted(listed) == sorted(exported)


def test_removal_leaves_nothing_that_runs_and_purge_nothing_at_all(with_headers, native, needed):
    """The last of these tests: there is nothing to test afterwards."""
    names = sorted(native)
    with_headers.apt("remove", *names)
    assert with_headers.call("dkms", "status") == ""
    assert not list(with_headers.path.glob("lib/modules/*/updates/dkms/dmabuf_pool.ko*"))
    with_headers.call("dpkg", "--purge", *names)
    assert not [line for line in with_headers.call("dpkg", "-l").splitlines() if "dmabuf" in line]
    state = with_headers.state()
    assert [path for path in state if OURS.search(path) and not path.startswith("packages")] == []
    changed = [path for path, what in needed.items()
               if path.startswith(("etc/", "lib/", "usr/lib/systemd", "var/lib/systemd"))
               and path not in STAYS and state.get(path) != what]
    assert changed == []
