# SPDX-License-Identifier: MIT
"""v4l2-show: a camera on a display without a copy, and a picture of what is on the screen.

The display is vkms. Debian's kernels are built without it: tools/lib.sh builds it from Debian's
sources.
"""

import json

import drm
import guest
import pytest
import video
from PIL import Image

SIZE = "640x480"
FRAMES = 20


@pytest.fixture(scope="module")
def display(system):
    return drm.node("vkms") or pytest.skip("this kernel has no vkms, and none was built for it")


def show(camera, display, *words, check=True, size=SIZE):
    done = guest.run("v4l2-show", "-d", camera, "--display", display, "-n", FRAMES, "-s", size,
                     "--timeout", 60, "--json", *words, check=check, timeout=300)
    return json.loads(done.stdout) if check else done


@pytest.mark.parametrize("importer", [0, 1], ids=["contiguous", "vmalloc"])
def test_what_the_camera_sees_is_on_the_screen(display, tmp_path, importer):
    """Each pixel of the screen is that of the camera's own buffers."""
    camera = guest.video_nodes("vivid.0")[importer]
    video.still(camera)
    report = show(camera, display, "--screenshot", tmp_path / "screen.png")
    assert (report["shown"], report["memory"], report["format"]) == (FRAMES, "dmabuf", "XR24")
    screen = Image.open(tmp_path / "screen.png").convert("RGB")
    own = Image.frombytes("RGB", (640, 480), video.own_frame(camera, "XR24", tmp_path, SIZE), "raw",
                          "BGRX")
    assert len(set(video.bars(tmp_path / "screen.png"))) == 8
    assert screen.tobytes() == own.tobytes()


def test_buffers_suit_both(display, free_camera):
    """They are charged to camera and display, and are where both can reach them."""
    with guest.configured("[Daemon]\nDeviceBytesMax=4M\nFairShare=no\n"):
        done = show(free_camera, display, check=False)
        assert (done.returncode, done.stdout) == (1, "")
        assert "DeviceBytesMax" in done.stderr and done.stderr.count("\n") == 1
        report = show(free_camera, display, "-b", "3")
    assert len(report["buffers"]) == 3
    assert all(buffer["contiguous"] and buffer["end"] <= 1 << 32 for buffer in report["buffers"])


def test_a_size_that_the_screen_has_not(display, free_camera):
    done = show(free_camera, display, check=False, size="320x180")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"v4l2-show: {display} has no screen of 320x180\n"


def test_no_display(free_camera):
    done = show(free_camera, "/dev/null", check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "v4l2-show: /dev/null is no display that can be set atomically\n"
