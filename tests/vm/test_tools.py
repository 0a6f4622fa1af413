# SPDX-License-Identifier: MIT
"""What tools/test relies on to tell guests apart: their names, their kernels, their results."""

from __future__ import annotations

import subprocess
from pathlib import Path

import boards
import cache
import pytest

HERE = Path(__file__).resolve().parent
TOOLS = HERE.parent.parent / "tools"
GUESTS = {line.split()[0] for line in (HERE / "guests").read_text().splitlines()
          if line and not line.startswith("#")}


def output(*words: object, status: int = 0) -> str:
    done = subprocess.run([str(word) for word in words], check=False, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == status, done.stdout
    return done.stdout


def options(name: str, settings: str = "") -> list[str]:
    """What rig.py would be told for a guest of that name."""
    script = f'. {TOOLS}/lib.sh; {settings} guest_options {name}; printf "%s\\n" "${{options[@]}}"'
    return output("env", "-u", "DMABUFD_KERNEL", "bash", "-c", script).split()


@pytest.mark.parametrize("name, expected", [
    ("arm64-6.12", "--arch arm64 --release 6.12"),
    ("amd64-6.1", "--arch amd64 --release 6.1"),
    ("arm64-6.12-noiommu", "--arch arm64 --release 6.12 --no-iommu --memory 4G"),
    ("arm64-6.12-counting", "--arch arm64 --release 6.12 --counting")])
def test_the_name_of_a_guest_says_what_it_is(name: str, expected: str) -> None:
    assert options(name) == expected.split()


def test_another_kernel_is_the_default_guests_only() -> None:
    settings = "DMABUFD_KERNEL='i.deb h.deb'"
    assert options("arm64-6.12", settings)[-3:] == ["--kernel", "i.deb", "h.deb"]
    assert options("arm64-6.12-counting", settings)[-3:] == ["--kernel", "i.deb", "h.deb"]
    assert "--kernel" not in options("arm64-6.1", settings)


def test_the_debug_kernel_is_found_in_its_folder(tmp_path: Path) -> None:
    wanted = [str(tmp_path / f"linux-{part}-6.12.1-debug_1_arm64.deb")
              for part in ("headers", "image")]
    for name in (*wanted, tmp_path / "linux-image-6.12.1-bench_1_arm64.deb",
                 tmp_path / "linux-image-6.12.1-debug-dbg_1_arm64.deb"):
        Path(name).touch()
    found = options("arm64-debug", f"DMABUFD_DEBUG_KERNEL={tmp_path}")
    assert found[:3] == ["--arch", "arm64", "--kernel"]
    assert sorted(found[3:]) == wanted


def test_guests_do_not_push_each_other_out_of_the_cache() -> None:
    used_besides = {"arm64-debug", "amd64-6.1", "arm64-6.12-counting",
                    "arm64-6.12-packages", "amd64-6.12-packages"}
    assert len(GUESTS | used_besides) <= cache.KEEP


@pytest.mark.parametrize("arch", boards.ARCHITECTURES)
@pytest.mark.parametrize("release", ["6.1", "6.12"])
def test_a_kernel_is_found_by_its_release(arch: str, release: str) -> None:
    image, headers, *halves = output(TOOLS / "guest-kernel", "--list", arch, release).split()
    assert image.startswith(f"linux-image-{release}.") and image.endswith(f"-{arch}:{arch}")
    assert headers.startswith(f"linux-headers-{release}.") and headers.endswith(f"-{arch}:{arch}")
    assert [half.split("-")[1] for half in halves] == ["headers", "kbuild"]


def test_a_release_that_apt_does_not_have_is_named() -> None:
    text = output(TOOLS / "guest-kernel", "--list", "amd64", "5.5", status=1)
    assert text.startswith("guest-kernel: apt knows no linux-image-5.5 for amd64")


def test_failures_are_counted_for_each_guest(tmp_path: Path) -> None:
    case = '<testcase classname="t" name="%s">%s</testcase>'
    for name, status, cases in (("guest a-6.1", 1, case % ("one", "<failure/>") + case % ("two", "")),
                                ("guest a-6.12", 0, case % ("one", ""))):
        (tmp_path / f"{name}.status").write_text(f"{status}\n")
        (tmp_path / f"{name}.xml").write_text(f"<testsuite>{cases}</testsuite>")
    (tmp_path / "guest b-6.1.status").write_text("1\n")
    lines = output(TOOLS / "count-tests", tmp_path, status=1).splitlines()
    assert "failed: guest a-6.1: t one" in lines
    assert "failed: guest b-6.1: the suite itself, see above" in lines
    assert "guest a-6.12: 1 passed, 0 failed, 0 skipped" in lines
    assert lines[-1] == "2 passed, 2 failed"
