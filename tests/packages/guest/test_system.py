# SPDX-License-Identifier: MIT
"""
The packages as a user meets them, on a running system: they are installed, a camera's frame is
captured by somebody without privilege, they are upgraded while buffers are alive, and purged.

Each step needs the one before, so the tests are in the order of their lines. The packages are in
the working directory. This file must not know how they were built.
"""

import glob
import json
import os
import pwd
import shutil
import subprocess
import time
import urllib.request

import pytest

USER = "viewer"
NODE = "/dev/dmabuf_pool"
DEBS = sorted(glob.glob("./*.deb"))
NAMES = [os.path.basename(path).split("_")[0] for path in DEBS]


def run(*words, status=0):
    done = subprocess.run(words, check=False, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, env=os.environ | {
                              "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"})
    print(done.stdout)
    assert done.returncode == status
    return done.stdout


def as_user(*words):
    return run("runuser", "--user", USER, "--", *words)


def apt(*words):
    return run("apt-get", "--yes", "-o", "APT::Sandbox::User=root", *words)


def unit(name, question="is-active"):
    return subprocess.run(["systemctl", question, name], check=False, text=True,
                          stdout=subprocess.PIPE).stdout.strip()


def buffers():
    rows = json.loads(run("dmabufctl", "buffers", "--json", "--bytes"))
    return next(iter(rows.values()))


def loaded():
    return os.path.isdir("/sys/module/dmabuf_pool")


@pytest.fixture(scope="module")
def installed():
    """What apt says while it installs."""
    run("useradd", "--create-home", "--groups", "video", USER)
    run("modprobe", "vivid", "n_devs=1", "node_types=0x1", "num_inputs=1", "input_types=0",
        "allocators=1")
    run("udevadm", "settle")
    return apt("install", *DEBS)


@pytest.fixture(scope="module")
def camera(installed):
    return sorted(glob.glob("/dev/video*"))[0]


@pytest.fixture(scope="module")
def holder(camera):
    """A program of the user's that keeps two buffers."""
    words = ["dmabufctl", "alloc", camera, "--size", "1M", "--count", "2", "--hold"]
    with subprocess.Popen(words, user=USER, group=USER, extra_groups=["video"], text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
        # Its table says that it has them.
        program.stdout.readline()
        yield program
        program.terminate()


@pytest.fixture(scope="module")
def upgraded(holder):
    """Before and after the packages are those of the next version, and what apt said."""
    before, daemon = buffers(), unit("dmabufd.service", "show")
    newer = [next_version(path) for path in DEBS]
    said = apt("install", *newer)
    return before, buffers(), daemon, said


def next_version(path):
    """The same package, but a later version in the eyes of dpkg."""
    folder = f"/tmp/{os.path.basename(path)}.d"
    run("dpkg-deb", "--raw-extract", path, folder)
    control = f"{folder}/DEBIAN/control"
    with open(control, encoding="utf-8") as file:
        text = file.read()
    version = next(line for line in text.splitlines() if line.startswith("Version: ")).split()[1]
    with open(control, "w", encoding="utf-8") as file:
        file.write(text.replace(f"Version: {version}\n", f"Version: {version}+next\n")
                   .replace(f"(= {version})", f"(= {version}+next)"))
    run("dpkg-deb", "--build", folder, f"{folder}.deb")
    shutil.rmtree(folder)
    return f"{folder}.deb"


def test_the_module_is_built_and_loaded(installed):
    assert loaded()
    assert ", installed" in run("dkms", "status", "dmabufd").replace(": ", ", ")


def test_the_node_is_the_daemons_alone(installed):
    facts = os.stat(NODE)
    assert (pwd.getpwuid(facts.st_uid).pw_name, facts.st_mode & 0o777) == ("dmabufd", 0o600)


def test_a_message_is_explained(installed):
    assert "dmabufd uses the kernel module" in run("journalctl", "--list-catalog")


def test_numbers_are_for_who_asks(installed):
    """The port is closed, until somebody opens it."""
    assert unit("dmabufd-metrics.socket", "is-enabled") == "disabled"
    run("systemctl", "enable", "--now", "dmabufd-metrics.socket")
    with urllib.request.urlopen("http://127.0.0.1:9739/metrics", timeout=60) as answer:
        assert b"dmabufd_" in answer.read()


def test_what_the_kernel_lacks_is_said(installed):
    """The kernel says it too: whether there is a device tree, and a CMA area."""
    with open(f"/lib/modules/{os.uname().release}/build/.config", encoding="utf-8") as file:
        config = file.read()
    assert ("this kernel has no CMA" in installed) == ("CONFIG_DMA_CMA=y" not in config)
    assert ("no device tree" in installed) == ("CONFIG_OF=y" not in config)


def test_the_socket_listens_and_starts_the_daemon(installed):
    assert unit("dmabufd.socket") == "active"
    assert unit("dmabufd.socket", "is-enabled") == "enabled"
    as_user("dmabufctl", "pools")
    assert unit("dmabufd.service") == "active"


def test_a_user_of_group_video_captures_a_frame(camera, tmp_path):
    tmp_path.chmod(0o777)
    for folder in tmp_path.parents:
        if str(folder).startswith("/tmp/"):
            folder.chmod(0o755)
    report = json.loads(as_user("v4l2-capture", "--device", camera, "--frames", "3", "--json",
                                "--timeout", "120", "--output", str(tmp_path)))["devices"][0]
    assert report["frames"] >= 3
    with open(report["pictures"][0], "rb") as picture:
        assert picture.read(8) == b"\x89PNG\r\n\x1a\n"


def test_a_pipeline_of_gstreamer_captures(camera):
    """As docs/gstreamer.md has it, for a user that never ran one."""
    said = as_user("gst-launch-1.0", "v4l2src", f"device={camera}", "io-mode=dmabuf-import",
                   "num-buffers=2", "!", "video/x-raw,format=YUY2,width=320,height=180", "!",
                   "dmabufalloc", f"device={camera}", "!", "fakesink")
    assert "Got EOS" in said


def test_an_upgrade_keeps_buffers_and_their_accounts(upgraded):
    before, after, _, _ = upgraded
    assert len(before) == 2
    assert after == before


def test_an_upgrade_starts_the_daemon_anew_and_leaves_the_module(upgraded, holder):
    _, _, before, said = upgraded
    pid = next(line for line in before.splitlines() if line.startswith("MainPID="))
    assert unit("dmabufd.service") == "active"
    assert pid not in unit("dmabufd.service", "show").splitlines()
    assert loaded() and "the module that is loaded stays" in said
    assert holder.poll() is None


def test_buffers_end_with_their_holder(upgraded, holder):
    holder.terminate()
    holder.wait()
    # The kernel tells the daemon, which may have heard our question first.
    deadline = time.monotonic() + 30
    while left := buffers():
        assert time.monotonic() < deadline, left


def test_a_purge_leaves_nothing(upgraded, holder):
    holder.terminate()
    holder.wait()
    apt("purge", *NAMES)
    assert not loaded() and not os.path.exists(NODE)
    # systemd keeps the slice that it made for a template's instances, empty.
    assert run("systemctl", "list-units", "--all", "--plain", "--no-legend", "--type=service,socket",
               "*dmabuf*") == ""
    assert not os.path.exists("/run/dmabufd")
    assert "dmabufd" not in run("journalctl", "--list-catalog")
    # The kernel and its headers have files of such names too.
    left = run("find", "/etc", "/usr", "/var", "-xdev", "-regex", r".*/\(lib\|.*-\)?dmabuf[^/]*",
               "!", "-path", "/usr/src/linux-*", "!", "-path", "/usr/lib/modules/*/kernel/*")
    assert left == ""
