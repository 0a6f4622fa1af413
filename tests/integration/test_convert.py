# SPDX-License-Identifier: MIT
"""v4l2-convert: frames through a converter, an encoder and a decoder of the kernel's own, with
brokered memory on both sides.

Debian's kernels are built without these drivers: tools/lib.sh builds them from Debian's sources.
"""

import json
import pathlib
import re

import guest
import pytest
import video

SIZE = "640x480"
FRAMES = 5
YUV = 640 * 480 * 3 // 2


def nodes_of(driver):
    """The names of a driver's video nodes, and their paths."""
    if guest.run("modprobe", driver).returncode:
        pytest.skip(f"this kernel has no {driver}, and none was built for it")
    guest.run("udevadm", "settle", check=True)
    found = {}
    for entry in pathlib.Path("/sys/class/video4linux").iterdir():
        if (entry / "device").resolve().name.startswith(driver):
            found[(entry / "name").read_text().strip()] = f"/dev/{entry.name}"
    assert found
    return found


@pytest.fixture(scope="module")
def vim2m(system):
    node, = nodes_of("vim2m").values()
    return node


@pytest.fixture(scope="module")
def vicodec(system):
    """(encoder, decoder) that keep their state."""
    found = nodes_of("vicodec")
    return tuple(next(node for name, node in found.items() if re.search(what, name))
                 for what in ("stateful-encoder", "stateful-decoder"))


@pytest.fixture
def frames(free_camera, tmp_path):
    """A file of frames of the camera in a format; its clock makes each of them another."""
    def take(pixels):
        video.control(free_camera, "-c", "osd_text_mode=0")
        report, = video.capture(free_camera, folder=tmp_path, format=pixels, size=SIZE, type="raw",
                                all=True, frames=FRAMES)
        video.still(free_camera)
        file = tmp_path / "frames"
        file.write_bytes(b"".join(pathlib.Path(path).read_bytes() for path in report["pictures"]))
        return file

    return take


def convert(node, file, pixels, to, *words, check=True, **kwargs):
    """What came out, and the report."""
    out = file.with_suffix(f".{to}")
    done = guest.run("v4l2-convert", "-d", node, "-i", file, "-f", pixels, "--to", to, "-o", out,
                     "--json", "--timeout", 60, *words, check=check, timeout=300, **kwargs)
    return (out, json.loads(done.stdout)) if check else done


def assert_brokered(report, kinds=(guest.FIRST_POOL,)):
    for side in ("source", "destination"):
        assert report[side]["memory"] == "dmabuf"
        assert len(report[side]["buffers"]) >= 4
        assert {buffer["pool"] for buffer in report[side]["buffers"]} <= set(kinds)
    ids = [buffer["id"] for side in ("source", "destination") for buffer in report[side]["buffers"]]
    assert len(ids) == len(set(ids))


def average(data):
    return sum(data) / len(data)


def test_a_converter(vim2m, frames):
    """Every frame, and in it every pixel: red and blue change places."""
    original = frames("RGB3")
    swapped, report = convert(vim2m, original, "RGB3", "BGR3", "-s", SIZE)
    assert_brokered(report)
    assert (report["source"]["frames"], report["destination"]["frames"]) == (FRAMES, FRAMES)
    data, expected = swapped.read_bytes(), bytearray(original.read_bytes())
    expected[0::3], expected[2::3] = expected[2::3], expected[0::3]
    same = data == expected
    assert same, "a pixel is not that of the frame that went in"


def test_an_encoder_and_a_decoder(vicodec, frames):
    """What was encoded and decoded is what it was, but for what the codec loses."""
    encoder, decoder = vicodec
    original = frames("YU12")
    coded, report = convert(encoder, original, "YU12", "FWHT", "-s", SIZE)
    assert_brokered(report)
    assert (report["source"]["frames"], report["destination"]["frames"]) == (FRAMES, FRAMES)
    assert 0 < coded.stat().st_size < original.stat().st_size
    decoded, report = convert(decoder, coded, "FWHT", "YU12")
    assert_brokered(report)
    assert report["destination"]["frames"] == FRAMES
    assert (report["destination"]["width"], report["destination"]["height"]) == (640, 480)
    before, after = original.read_bytes(), decoded.read_bytes()
    assert len(after) == len(before) == FRAMES * YUV
    for at in range(0, len(before), YUV):
        luma = slice(at, at + 640 * 480, 97)
        loss = average([abs(a - b) for a, b in zip(before[luma], after[luma])])
        assert loss < 8, f"frame {at // YUV} is another one: {loss} on the average"


def test_lists_both_sides(vim2m):
    done = guest.run("v4l2-convert", "-d", vim2m, "--list-formats", "--json", check=True)
    rows = json.loads(done.stdout)["formats"]
    assert {row["queue"] for row in rows} == {"output", "capture"}
    taken = {row["format"] for row in rows if row["queue"] == "output"}
    assert {"RGB3", "BGR3"} <= taken


def test_input_that_ends_within_a_frame(vim2m, frames):
    file = frames("RGB3")
    file.write_bytes(file.read_bytes()[:-1])
    done = convert(vim2m, file, "RGB3", "BGR3", "-s", SIZE, check=False)
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert f"{file} ends within a frame; {640 * 480 * 3 - 1} bytes" in done.stderr


def test_charge_is_of_both_sides(vim2m, frames):
    """A quota that four buffers of one side are within: what was granted is given back."""
    file = frames("RGB3")
    with guest.configured("[Daemon]\nUserBytesMax=4M\n"):
        done = convert(vim2m, file, "RGB3", "BGR3", "-s", SIZE, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "UserBytesMax" in done.stderr and done.stderr.count("\n") == 1


def test_a_camera_is_no_converter(free_camera, tmp_path):
    done = convert(free_camera, tmp_path / "none", "RGB3", "BGR3", check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "is not a converter" in done.stderr
