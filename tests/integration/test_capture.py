# SPDX-License-Identifier: MIT
"""v4l2-capture: formats, planes, several cameras, what is counted, what is refused.

Frames are compared with those that v4l2-ctl takes of the same camera into its own buffers.
"""

import json
import pathlib

import guest
import pytest
import video
from PIL import Image, ImageChops

# Of each way that bytes can lie one; all of them take an emulated machine minutes.
USUAL = ["RGB3", "YUYV", "NV12", "422P", "RGBP", "AYUV", "GREY", "Y16 -BE", "HSV3", "RGGB"]
PLANES = {"NM12": 2, "NM16": 2, "YM12": 3, "YM24": 3}
GREY = {"GREY", "Y10", "Y12", "Y16", "Y16 -BE"}


@pytest.fixture(scope="module")
def planar_camera(system):
    """A camera each of whose planes has memory of its own."""
    return guest.video_nodes("vivid.0")[2]


@pytest.fixture(scope="module", autouse=True)
def still_cameras(system):
    for node in guest.video_nodes("vivid.0"):
        video.still(node)


def listed(*nodes):
    words = [word for node in nodes for word in ("-d", node)]
    done = guest.run("v4l2-capture", *words, "--list-formats", "--json", check=True)
    return json.loads(done.stdout)["formats"]


def wanted(node, usual):
    """Formats to try of this camera."""
    found = [pixels.strip() for pixels in video.formats(node)]
    assert len(found) > 20
    return found if guest.LONG else [pixels for pixels in usual if pixels in found]


def test_list_has_what_the_driver_has(free_camera, planar_camera):
    rows = listed(free_camera, planar_camera)
    for node in (free_camera, planar_camera):
        assert [row["format"] for row in rows if row["node"] == node] == video.formats(node)
    assert {row["queue"] for row in rows} == {"capture"}
    assert all(video.SIZE in row["sizes"].split() for row in rows)
    pictures = {row["format"]: row["picture"] for row in rows}
    assert pictures["RGB3"] and pictures["NM12"] and not pictures["HSV3"]


def assert_as_own(node, pixels, folder):
    report, = video.capture(node, folder=folder, format=pixels, type="raw")
    assert report["format"].strip() == pixels.strip()
    own = video.own_frame(node, pixels, folder)
    same = pathlib.Path(report["pictures"][0]).read_bytes() == own
    assert same, f"a frame of {pixels} is not that of the camera's own buffers"
    return report, len(own)


def test_frames_are_those_of_own_buffers(free_camera, tmp_path):
    tried = wanted(free_camera, USUAL)
    assert len(tried) >= 8
    for pixels in tried:
        assert_as_own(free_camera, pixels, tmp_path)


def test_each_plane_is_a_buffer(planar_camera, tmp_path):
    for pixels in wanted(planar_camera, PLANES):
        report, size = assert_as_own(planar_camera, pixels, tmp_path)
        planes = report["planes"]
        assert planes == PLANES.get(pixels, planes)
        buffers = report["buffers"]
        assert len({buffer["id"] for buffer in buffers}) == 4 * planes
        assert sum(buffer["size"] for buffer in buffers) >= 4 * size


def test_own_buffers_have_the_planes_too(planar_camera, tmp_path):
    report, = video.capture(planar_camera, folder=tmp_path, format="NM12", type="raw", mmap=True)
    assert (report["memory"], report["planes"], len(report["buffers"])) == ("mmap", 2, 8)
    assert {buffer["pool"] for buffer in report["buffers"]} == {None}
    own = video.own_frame(planar_camera, "NM12", tmp_path)
    same = pathlib.Path(report["pictures"][0]).read_bytes() == own
    assert same


@pytest.mark.parametrize("planar", [False, True], ids=["one-plane", "planes-apart"])
def test_pictures_show_the_colours(free_camera, planar_camera, planar, tmp_path):
    camera = planar_camera if planar else free_camera
    known = {row["format"].strip() for row in listed(camera) if row["picture"]}
    true, = video.capture(camera, folder=tmp_path, format="RGB3")
    colours = video.bars(true["pictures"][0])
    assert len(set(colours)) == 8
    for pixels in wanted(camera, PLANES if planar else USUAL):
        if pixels not in known:
            continue
        report, = video.capture(camera, folder=tmp_path, format=pixels, prefix="other")
        shown = video.bars(report["pictures"][0])
        if pixels in GREY:
            assert all(len(set(colour)) == 1 for colour in shown)
            assert shown == sorted(shown, reverse=True) and len(set(shown)) == 8
        else:
            assert video.farthest(shown, colours) <= 12, f"{pixels}: {shown}, not {colours}"


def test_the_same_picture_as_png_and_ppm(free_camera, tmp_path):
    pictures = [Image.open(video.capture(free_camera, folder=tmp_path, type=kind)[0]["pictures"][0])
                for kind in ("png", "ppm")]
    assert [picture.format for picture in pictures] == ["PNG", "PPM"]
    assert ImageChops.difference(*pictures).getbbox() is None


def test_several_cameras_at_once(planar_camera, tmp_path):
    """Each has buffers of its own pool, and all its frames."""
    nodes = [*guest.video_nodes("vivid.0"),
             *(guest.video_nodes("camera")[:1] if guest.DEVICE_TREE else [])]
    for node in nodes:
        video.still(node)
    reports = video.capture(*nodes, folder=tmp_path, frames=10)
    assert [report["node"] for report in reports] == nodes
    assert {report["frames"] for report in reports} == {10}
    buffers = [buffer["id"] for report in reports for buffer in report["buffers"]]
    assert len(buffers) == len(set(buffers)) == 4 * len(nodes)
    pools = [report["buffers"][0]["pool"] for report in reports]
    assert pools == [guest.FIRST_POOL] * 3 + ["camera"] * (len(nodes) - 3)
    for report in reports:
        name = pathlib.Path(report["node"]).name
        assert report["pictures"] == [f"{tmp_path}/frame-{name}-009.png"]
        assert len(set(video.bars(report["pictures"][0]))) == 8


def test_one_camera_that_fails_ends_all(free_camera, tmp_path):
    done = video.capture(free_camera, "/dev/null", folder=tmp_path, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "v4l2-capture: /dev/null is no video device\n"


def test_missing_frames_are_counted(free_camera, tmp_path):
    """The camera loses every other frame by its own will, and its numbers tell."""
    video.control(free_camera, "-c", "percentage_of_dropped_buffers=50")
    try:
        report, = video.capture(free_camera, folder=tmp_path, frames=30)
    finally:
        video.control(free_camera, "-c", "percentage_of_dropped_buffers=0")
    assert (report["frames"], report["dropped"] > 0) == (30, True)


def test_rate_is_that_of_the_camera(free_camera, tmp_path):
    """Missing frames included, the times are those of its setting, whatever the machine's pace."""
    video.control(free_camera, "-p", "10")
    try:
        report, = video.capture(free_camera, folder=tmp_path, frames=12)
    finally:
        video.control(free_camera, "-p", "60")
    seconds = 11 / report["rate"]
    steps = 11 + report["dropped"]
    assert steps / seconds == pytest.approx(10, rel=0.1)


@pytest.mark.parametrize("options, words", [
    ({"format": "JPEG"}, "has no format JPEG; --list-formats tells which it has"),
    ({"format": "HSV3"}, "no picture can be made of HSV3; --type raw writes frames as they are"),
    ({"prefix": "no/such/folder"}, "cannot write")])
def test_refusals(free_camera, tmp_path, options, words):
    done = video.capture(free_camera, folder=tmp_path, check=False, **options)
    assert (done.returncode, done.stdout) == (1, "")
    assert words in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.parametrize("words", [["--format", "YUYV2"], ["--type", "jpeg"], ["--size", "320"], []])
def test_not_asked_properly(words):
    device = ["-d", "/dev/video0", "-d", "/dev/video0"] if not words else ["-d", "/dev/video0"]
    assert guest.run("v4l2-capture", *device, *words).returncode == 2
