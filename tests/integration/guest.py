# SPDX-License-Identifier: MIT
"""What every test in the guest needs: commands, users, conditions, cameras, the kernel's log.

Knows nothing of what is tested.
"""

import contextlib
import errno
import functools
import json
import os
import pathlib
import re
import subprocess
import sys
import time

import pytest

sys.path.append(str(pathlib.Path(__file__).parents[1] / "vm"))
import console  # pylint: disable=wrong-import-position

LONG = os.environ.get("DMABUFD_LONG") == "1"
# A kernel with sanitizers takes ten times as long for everything.
SLOW = os.path.exists("/sys/kernel/debug/kmemleak")
NOBODY = 65534
DEVICE_TREE = pathlib.Path("/proc/device-tree/dmabuf-pools").exists()
# Where no device tree declares regions, Debian's kernels have no CMA either.
POOLS = ({"camera": "coherent", "codec": "cma", "default_cma_region": "cma", "isp": "coherent",
          "system": "buddy"} if DEVICE_TREE else {"camera": "coherent", "system": "buddy"})
# Of a device with no region of its own.
FIRST_POOL = "default_cma_region" if DEVICE_TREE else "system"
needs_device_tree = pytest.mark.skipif(not DEVICE_TREE,
                                       reason="no device tree, so no CMA and no bound device")
needs_iommu = pytest.mark.skipif(not os.path.isdir("/sys/class/iommu")
                                 or not os.listdir("/sys/class/iommu"), reason="no IOMMU")


def run(*command, user=None, group=None, groups=(), check=False, timeout=120, **kwargs):
    """A finished command, its output as text. With user: as that uid, in no group but those given."""
    if user is not None:
        kwargs |= {"user": user, "group": group if group is not None else NOBODY,
                   "extra_groups": list(groups)}
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          timeout=timeout, check=False, **kwargs)
    if check:
        assert done.returncode == 0, f"{command}: exit {done.returncode}\n{done.stdout}{done.stderr}"
    return done


def ctl(*words, **kwargs):
    """dmabufctl, its JSON output parsed. A kernel that watches itself has a daemon that is late."""
    command = ("dmabufctl", *words, "--json")
    for _ in range(5 if SLOW else 1):
        done = run(*command, **kwargs)
        if "did not answer within" not in done.stderr:
            break
    assert done.returncode == 0, f"{command}: exit {done.returncode}\n{done.stdout}{done.stderr}"
    return json.loads(done.stdout)


def refused(expected, call, *args, **kwargs):
    """The words with which a call is refused, by this error and no other."""
    with pytest.raises(OSError) as caught:
        call(*args, **kwargs)
    assert errno.errorcode[caught.value.errno] == errno.errorcode[expected], caught.value
    return caught.value.strerror


def wait_until(condition, what, timeout=30):
    """Poll a condition that nothing announces; its value once true."""
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        assert time.monotonic() < deadline, f"after {timeout} s still not so: {what}"
        time.sleep(0.02)
    return value


def wait_for_strace(pid):
    wait_until(lambda: "TracerPid:\t0\n" not in pathlib.Path(f"/proc/{pid}/status").read_text(),
               "strace watches")


def systemctl(*words, check=True):
    return run("systemctl", *words, check=check)


def prepare():
    """Module, cameras and the daemon's socket, as a machine has them after boot."""
    if not DEVICE_TREE:
        base, end = region("camera")
        pathlib.Path("/etc/modprobe.d/dmabufd-test.conf").write_text(
            f"options dmabuf_pool coherent=camera@{base:#x}+{end - base:#x}\n")
    else:
        default_cma()  # what the kernel said of it is gone when it has said much else
    run("modprobe", "dmabuf_pool", check=True)
    # Of each device the first camera has the contiguous importer, the second the one that maps
    # memory for the CPU, and the planes of the third lie apart. Beside the webcam each has an HDMI
    # input, and an output to be its source. Outputs count from 32 on: cameras are the first nodes.
    options = {"allocators": "1,0,1", "multiplanar": "1,1,2", "node_types": "0x101",
               "num_inputs": "2", "input_types": "0xc", "num_outputs": "1", "output_types": "1",
               "vid_out_nr": "32"}
    run("modprobe", "vivid", "n_devs=3",
        *(f"{name}={value if ',' in value else ','.join([value] * 3)}"
          for name, value in options.items()), check=True)
    run("udevadm", "settle", check=True)
    systemctl("start", "dmabufd.socket")


def node_is_free():
    try:
        os.close(os.open("/dev/dmabuf_pool", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC))
    except OSError as error:
        return error.errno != errno.EBUSY
    return True


def stop_daemon(*sockets):
    """The service manager closes the descriptor that it keeps for the daemon a moment later."""
    systemctl("stop", *sockets, "dmabufd.service")
    wait_until(node_is_free, "nobody has the node open")


def daemon_pid():
    """Of the running daemon; "0" while there is none."""
    return systemctl("show", "dmabufd.service", "-p", "MainPID", "--value").stdout.strip()


class KernelLog:
    """The kernel's messages from now on."""

    def __init__(self):
        self.fd = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        os.lseek(self.fd, 0, os.SEEK_END)

    def lines(self):
        found = []
        while True:
            try:
                found.append(os.read(self.fd, 8192).decode(errors="replace").partition(";")[2])
            except BlockingIOError:
                return found
            except BrokenPipeError:  # older messages were overwritten; go on with the oldest left
                continue

    def trouble(self):
        return list(console.complaints(self.lines()))

    def close(self):
        os.close(self.fd)


def video_nodes(device, kind="cap"):
    """The /dev/video* of one platform device, by its name, that capture ("cap") or put out ("out")."""
    found = [entry for entry in pathlib.Path("/sys/class/video4linux").iterdir()
             if (entry / "device").resolve().name == device
             and (entry / "name").read_text().strip().endswith(f"-vid-{kind}")]
    return [f"/dev/{entry.name}" for entry in sorted(found, key=lambda entry: int(entry.name[5:]))]


def region(name):
    """(base, end) of a region that the device tree reserves, or memmap= on the command line."""
    if not DEVICE_TREE:
        assert name == "camera", f"no device tree reserves {name}"
        size, base = re.search(r"memmap=(\d+)M\$(0x[0-9a-f]+)",
                               pathlib.Path("/proc/cmdline").read_text()).groups()
        return int(base, 16), int(base, 16) + (int(size) << 20)
    for node in pathlib.Path("/proc/device-tree/reserved-memory").iterdir():
        if node.name.partition("@")[0].replace("-", "_") == name:
            reg = (node / "reg").read_bytes()
            base, size = (int.from_bytes(reg[at:at + 8], "big") for at in (0, 8))
            return base, base + size
    raise LookupError(name)


@functools.cache
def default_cma():
    """(base, end) of the area that cma= reserved, from the kernel's boot messages."""
    log = run("dmesg", check=True).stdout
    size, base = re.search(r"cma: Reserved (\d+) MiB at (0x[0-9a-f]+)", log).groups()
    return int(base, 16), int(base, 16) + (int(size) << 20)


@contextlib.contextmanager
def configured(text):
    """The daemon under a configuration drop-in; the old one is back afterwards."""
    drop_in = pathlib.Path("/etc/dmabufd/dmabufd.conf.d/90-test.conf")
    drop_in.parent.mkdir(parents=True, exist_ok=True)
    drop_in.write_text(text)
    systemctl("restart", "dmabufd.service")
    try:
        yield
    finally:
        drop_in.unlink()
        systemctl("restart", "dmabufd.service")


@contextlib.contextmanager
def service_with(text):
    """The daemon under a drop-in of its unit; the unit is as before afterwards."""
    drop_in = pathlib.Path("/run/systemd/system/dmabufd.service.d/90-test.conf")
    drop_in.parent.mkdir(parents=True, exist_ok=True)
    drop_in.write_text(f"[Service]\n{text}\n")
    systemctl("daemon-reload")
    systemctl("restart", "dmabufd.service")
    try:
        yield
    finally:
        drop_in.unlink()
        with contextlib.suppress(OSError):  # another drop-in is in it
            drop_in.parent.rmdir()
        systemctl("daemon-reload")
        systemctl("restart", "dmabufd.service")


@contextlib.contextmanager
def udev_properties(match, path, properties, reload):
    """udev gives these properties to what matches, which is at @path; without them afterwards."""
    rule = pathlib.Path("/run/udev/rules.d/99-test.rules")
    rule.parent.mkdir(parents=True, exist_ok=True)
    rule.write_text(match + "".join(f', ENV{{{name}}}="{value}"'
                                    for name, value in properties.items()) + "\n")
    reload(path)
    try:
        yield
    finally:
        rule.unlink()
        reload(path)


def udev_property(node, **properties):
    return udev_properties(f'SUBSYSTEM=="video4linux", ENV{{DEVNAME}}=="{node}"', node, properties,
                           reload_udev)


def udev_property_of_device(device, **properties):
    """Of the one that does the DMA, as bus:name; its nodes hear nothing of it."""
    bus, _, name = device.partition(":")
    return udev_properties(f'SUBSYSTEM=="{bus}", KERNEL=="{name}"',
                           pathlib.Path(f"/sys/bus/{bus}/devices/{name}"), properties,
                           reload_udev_alone)


def reload_udev(node):
    run("udevadm", "control", "--reload", check=True)
    run("udevadm", "trigger", "--settle", node, check=True)


def reload_udev_alone(device):
    """Not its children, which udevadm triggers too."""
    run("udevadm", "control", "--reload", check=True)
    (device / "uevent").write_text("change")
    run("udevadm", "settle", check=True)
