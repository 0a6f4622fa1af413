# SPDX-License-Identifier: MIT
"""
What a target with its own kernel does: meson install, and DKMS builds the module from what it left.

Installs into folders of its own. It must not know how the guest is built or run.
"""

import os
import subprocess
from pathlib import Path

import artifacts
import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
CROSS = {"ARCH": "arm64", "CROSS_COMPILE": "aarch64-linux-gnu-"}


def call(*words, env=None):
    done = subprocess.run([str(word) for word in words], check=False, text=True, cwd=ROOT,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env=os.environ | (env or {}))
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("install")
    # The sanitizers of the other native build make the compiler warn of what is not so.
    call("meson", "setup", folder / "build", ROOT, "--prefix=/usr", "-Dwerror=true")
    call("meson", "install", "-C", folder / "build", env={"DESTDIR": str(folder / "root")})
    return folder / "root"


@pytest.mark.parametrize("path", [
    "usr/bin/dmabufctl", "usr/bin/v4l2-capture", "usr/bin/v4l2-convert",
    "usr/libexec/dmabufd", "usr/include/dmabuf.h",
    "usr/lib/systemd/system/dmabufd.socket", "usr/lib/systemd/system/dmabufd.service",
    "usr/lib/systemd/system/dmabufd-metrics.socket",
    "usr/lib/systemd/system/modprobe@dmabuf_pool.service.d/dmabufd.conf",
    "usr/lib/systemd/system/dmabufd-metrics@.service",
    "usr/lib/udev/rules.d/70-dmabufd.rules", "usr/lib/sysusers.d/dmabufd.conf",
    "usr/share/man/man1/dmabufctl.1", "usr/share/man/man8/dmabufd.8",
    "usr/share/bash-completion/completions/dmabufctl",
    "usr/share/zsh/site-functions/_dmabufctl",
    "usr/lib/x86_64-linux-gnu/gstreamer-1.0/libgstdmabufd.so"])
def test_everything_is_installed(installed, path):
    assert (installed / path).is_file()


def test_dkms_builds_the_module(installed, tmp_path):
    version = call("meson", "introspect", "--projectinfo", ROOT / "meson.build")
    version = version.partition('"version": "')[2].partition('"')[0]
    headers = artifacts.kernel(artifacts.Setup()) / "headers"
    release = call("make", "-s", "-C", headers, "kernelrelease", env=CROSS).strip()
    trees = ("--sourcetree", installed / "usr/src", "--dkmstree", tmp_path)
    call("dkms", "add", *trees, f"dmabufd/{version}")
    call("dkms", "build", *trees, "--kernelsourcedir", headers, "-k", release, "-a", "aarch64",
         f"dmabufd/{version}", env=CROSS)
    assert list(tmp_path.rglob("dmabuf_pool.ko"))
