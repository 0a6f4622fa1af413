# SPDX-License-Identifier: MIT
"""What the rig promises to those who rely on it: that it neither hides a failure nor invents one."""

from __future__ import annotations

from pathlib import Path

import artifacts
import console
import pytest
import rig


def guest(command: str, out: Path, **options) -> rig.Result:
    return rig.run(["sh", "-c", command], out, **options)


def test_output_and_exit_status_pass_through(tmp_path: Path) -> None:
    result = guest("echo one; echo two >&2; exit 7", tmp_path)
    assert (result.status, result.output) == (7, b"one\ntwo\n")


def test_files_come_back(tmp_path: Path) -> None:
    result = guest('mkdir "$RIG_FILES/a" && head -c 3000000 /dev/zero >"$RIG_FILES/a/b"', tmp_path)
    assert result.status == 0
    assert (result.files / "a/b").read_bytes() == bytes(3000000)


def test_payload_is_laid_over_the_guest(tmp_path: Path) -> None:
    (tmp_path / "in/root/lib/rig-test").mkdir(parents=True)
    (tmp_path / "in/root/lib/rig-test/fact").write_text("laid over")
    (tmp_path / "in/run").mkdir()
    (tmp_path / "in/run/here").write_text("started here")
    result = guest("cat /usr/lib/rig-test/fact here; ls -ld /lib", tmp_path / "out",
                   payload=tmp_path / "in")
    assert result.output.startswith(b"laid overstarted herelrwxrwxrwx")


def test_no_run_sees_another(tmp_path: Path) -> None:
    assert guest("touch /var/trace", tmp_path / "1").status == 0
    assert guest("test -e /var/trace", tmp_path / "2").status == 1


def test_clock_is_the_hosts(tmp_path: Path) -> None:
    before = (tmp_path / "in").parent.stat().st_mtime
    assert abs(float(guest("date +%s", tmp_path / "out").output) - before) < 60


def test_board_has_its_memory_regions(tmp_path: Path) -> None:
    log = guest("dmesg", tmp_path).output.decode()
    assert "created DMA memory pool at 0x0000000060000000, size 32 MiB" in log
    assert "created CMA memory pool at 0x0000000064000000, size 64 MiB" in log
    assert "cma: Reserved 128 MiB" in log


def test_cameras_stand_on_the_devices_of_the_device_tree(tmp_path: Path) -> None:
    result = guest("""
        modprobe vivid n_devs=1 node_types=0x1 num_inputs=1 input_types=0 allocators=1
        udevadm settle
        for node in /sys/class/video4linux/video*; do basename "$(readlink -f $node/device)"; done
        for node in /dev/video*; do
            v4l2-ctl -d $node --stream-mmap=3 --stream-count=3 >/dev/null 2>&1 || echo no stream
        done""", tmp_path)
    assert sorted(result.output.split()) == [b"camera", b"codec", b"narrow-bus:narrow", b"vivid.0"]


EDU = "/sys/bus/pci/devices/0000:00:02.0"
READ_IDENTIFICATION = f"""
    echo 1 >{EDU}/enable
    python3 -c 'import mmap; f = open("{EDU}/resource0", "r+b")
print(mmap.mmap(f.fileno(), 4096)[:4][::-1].hex())'
"""


@pytest.mark.parametrize("cold", [False, True])
def test_a_device_that_does_dma_answers(tmp_path: Path, cold: bool) -> None:
    """Its registers read as ffffffff where the guest believes that they are still in place."""
    result = guest(READ_IDENTIFICATION, tmp_path, setup=rig.Setup(cold=cold))
    assert result.output == b"010000ed\n"


@pytest.mark.parametrize("setup, machine, release, iommus", [
    (rig.Setup(), b"aarch64", b"6.12.", 1),
    (rig.Setup(release="6.1"), b"aarch64", b"6.1.", 1),
    (rig.Setup(iommu=False), b"aarch64", b"6.12.", 0),
    (rig.Setup(arch="amd64"), b"x86_64", b"6.12.", 0)])
def test_a_guest_is_the_one_asked_for(tmp_path: Path, setup: rig.Setup, machine: bytes,
                                      release: bytes, iommus: int) -> None:
    result = guest(f"uname -m; uname -r; ls /sys/class/iommu | wc -l; {READ_IDENTIFICATION}",
                   tmp_path, setup=setup)
    words = result.output.split()
    assert words[0] == machine
    assert words[1].startswith(release)
    assert words[2:] == [b"%d" % iommus, b"010000ed"]


def test_a_board_without_a_device_tree_has_a_reserved_range(tmp_path: Path) -> None:
    result = guest("cat /proc/cmdline /proc/iomem", tmp_path, setup=rig.Setup(arch="amd64"))
    assert b" memmap=32M$0x8000000 " in result.output
    assert b"\n08000000-09ffffff : Reserved\n" in result.output


@pytest.mark.parametrize("line", [
    "WARNING: CPU: 0 PID: 1 at mm/page_alloc.c:1 x+0x0/0x0",
    "BUG: KASAN: slab-use-after-free in x+0x0/0x0",
    "WARNING: possible circular locking dependency detected",
    "Call trace:",
    "Call Trace:"])
def test_a_complaint_of_the_kernel_fails(tmp_path: Path, line: str) -> None:
    with pytest.raises(rig.RigError) as error:
        guest(f"echo '<4>{line}' >/dev/kmsg", tmp_path)
    assert line in str(error.value)
    assert str(tmp_path / "console.log") in str(error.value)


def test_a_camera_that_sleeps_on_a_slow_machine_is_excused_once() -> None:
    excused = ["[ 1.0] schedule_timeout: wrong timeout value fff", "[ 1.1] CPU: 0", "Call trace:"]
    assert list(console.complaints(excused)) == []
    assert list(console.complaints([*excused, "Call trace:"])) == ["Call trace:"]


def test_a_crash_fails(tmp_path: Path) -> None:
    with pytest.raises(rig.RigError, match="the guest died: .*console.log$"):
        guest("sleep 1; echo c >/proc/sysrq-trigger; sleep 60", tmp_path)
    assert "sysrq triggered crash" in (tmp_path / "console.log").read_text()


def test_a_hang_hits_the_deadline(tmp_path: Path) -> None:
    with pytest.raises(rig.RigError, match="no end after 5 s, .*console.log$"):
        guest("while :; do echo still here; done", tmp_path, deadline=5)


def test_a_cold_boot_takes_any_command_line(tmp_path: Path) -> None:
    setup = rig.Setup(append="cma=96M loglevel=7", cold=True)
    assert b"cma=96M" in guest("cat /proc/cmdline", tmp_path, setup=setup).output


def test_a_guest_that_cannot_reach_the_host_fails_at_once(tmp_path: Path) -> None:
    """This kernel has the driver of the rig's ports as a module, so it can be kept away."""
    setup = rig.Setup(release="6.1", append="modprobe.blacklist=virtio_console", cold=True)
    with pytest.raises(artifacts.ArtifactError, match="the guest did not boot: it died; "):
        guest("true", tmp_path, setup=setup)
