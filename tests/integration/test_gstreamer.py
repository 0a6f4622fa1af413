# SPDX-License-Identifier: MIT
"""GStreamer's own elements in memory of the daemon: in both directions, looped, refused.

The pipelines run as a user who may do no more than open cameras.
"""

import contextlib
import os
import pathlib
import re
import shlex
import signal
import subprocess

import guest
import pipelines
import pytest

FRAMES = 60
USER = 1236
RAW = "video/x-raw,format=YUY2,width=1280,height=720"
SIZE = 1280 * 720 * 2
IMPORTERS = {"contiguous": 0, "vmalloc": 1}


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    return pipelines.environment(tmp_path_factory.mktemp("gstreamer"), USER)


@pytest.fixture
def launch(environment, free_camera):
    """Run a pipeline to its end."""
    groups = [os.stat(free_camera).st_gid]

    def call(pipeline, debug="2,dmabufd:5", check=True, user=USER, **kwargs):
        return guest.run("gst-launch-1.0", *shlex.split(pipeline), user=user, group=user,
                         groups=groups, check=check, cwd=environment["HOME"],
                         env=environment | {"GST_DEBUG": debug}, **kwargs)

    return call


def pools(done):
    """Of which pool each buffer was, by the plugin's log."""
    return re.findall(r"buffer \d+: \d+ bytes of pool (\S+)", done.stderr)


def test_inspect_is_complete(environment):
    told = guest.run("gst-inspect-1.0", "dmabufalloc", env=environment, check=True).stdout
    for words in ("Memory from dmabufd", "Klass                    Filter/Video",
                  "separated by commas", 'Enum "GstDmabufdMapping" Default: 0, "any"',
                  "(2): write-combined   - Past the CPU's cache", 'Flags "GstDmabufdUsage"',
                  "(0x00000002): cpu-reads-often", "Always", "changeable only in NULL or READY"):
        assert words in told, f"no {words!r} in\n{told}"
    plugin = guest.run("gst-inspect-1.0", "dmabufd", env=environment, check=True).stdout
    assert re.search(r"^  License +MIT/X11$", plugin, re.MULTILINE), plugin
    assert re.search(r"^  Version +\d+\.\d+\.\d+$", plugin, re.MULTILINE), plugin


@pytest.mark.parametrize("importer", IMPORTERS)
def test_output_takes_brokered_frames(launch, importer):
    """Run A."""
    node = guest.video_nodes("vivid.0", "out")[IMPORTERS[importer]]
    done = launch(f"-v videotestsrc num-buffers={FRAMES} ! {RAW},framerate=60/1 "
                  f"! dmabufalloc device={node} ! identity silent=false "
                  f"! v4l2sink device={node} io-mode=dmabuf-import sync=false")
    assert len(re.findall(r"last-message = chain", done.stdout)) == FRAMES
    assert set(pools(done)) == {guest.FIRST_POOL}


@pytest.mark.parametrize("importer", IMPORTERS)
@pytest.mark.parametrize("device, pool", [
    ("vivid.0", guest.FIRST_POOL),
    pytest.param("camera", "camera", marks=guest.needs_device_tree)])
def test_camera_captures_into_brokered_frames(launch, importer, device, pool):
    """Run B."""
    node = guest.video_nodes(device)[IMPORTERS[importer]]
    done = launch(f"-v v4l2src device={node} io-mode=dmabuf-import num-buffers={FRAMES} ! {RAW} "
                  f"! dmabufalloc device={node} ! identity silent=false ! videoconvert "
                  "! fakesink sync=false", timeout=300)
    assert len(re.findall(r"last-message = chain", done.stdout)) == FRAMES
    assert set(pools(done)) == {pool}


def control(node, *words):
    return guest.run("v4l2-ctl", "-d", node, *words, check=True).stdout


@contextlib.contextmanager
def connected(camera, output):
    """What the output puts out is what the camera sees, without its clock, as long as this lasts."""
    control(camera, "-i", "1", "-c", "osd_text_mode=2",
            "-v", "width=1280,height=720,pixelformat=YUYV")
    menus = control(camera, "--list-ctrls-menus")
    if wire := re.search(r"(hdmi_\d+_\d+_is_connected_to) ", menus):
        instance = re.search(r"vivid-(\d+)-", pathlib.Path(
            f"/sys/class/video4linux/{pathlib.Path(output).name}/name").read_text())[1]
        value = re.search(rf"(\d+): Output HDMI {instance}-0", menus)[1]
        on, off = f"{wire[1]}={value}", f"{wire[1]}=0"
    else:  # before Linux 6.12 a device has one wire, from its own output
        on, off = "loop_video=1", "loop_video=0"
    control(camera, "-c", on)
    try:
        yield
    finally:
        control(camera, "-c", off, "-i", "0")


@contextlib.contextmanager
def playing(environment, node):
    """A pipeline that puts out the same picture over and over."""
    pipeline = (f"videotestsrc pattern=smpte75 ! {RAW},framerate=60/1,colorimetry=bt709 "
                f"! dmabufalloc device={node} "
                f"! v4l2sink device={node} io-mode=dmabuf-import sync=false")
    with subprocess.Popen(["gst-launch-1.0", "-q", *shlex.split(pipeline)], env=environment,
                          stderr=subprocess.PIPE, text=True, user=USER, group=USER,
                          extra_groups=[os.stat(node).st_gid]) as player:
        try:
            yield player
        finally:
            player.send_signal(signal.SIGINT)
            player.communicate(timeout=60)


def sees(camera, picture):
    """Has the first frame come through?"""
    done = subprocess.run(["v4l2-ctl", "-d", camera, "--stream-mmap", "--stream-count=1",
                           "--stream-to=-"], capture_output=True, check=True, timeout=60)
    return done.stdout == picture


def picture(environment, folder):
    """What the player puts out, made in memory of no device's."""
    file = folder / "reference"
    pipeline = (f"videotestsrc pattern=smpte75 num-buffers=1 ! {RAW},framerate=60/1,"
                f"colorimetry=bt709 ! filesink location={file}")
    guest.run("gst-launch-1.0", "-q", *shlex.split(pipeline), env=environment, check=True)
    assert file.stat().st_size == SIZE
    return file.read_bytes()


@pytest.mark.parametrize("importer", IMPORTERS)
def test_frames_are_the_same_after_output_and_camera(environment, launch, importer, tmp_path):
    """Run C. Brokered buffers on both sides; not a byte of any frame differs."""
    camera = guest.video_nodes("vivid.0")[IMPORTERS[importer]]
    output = guest.video_nodes("vivid.0", "out")[IMPORTERS[importer]]
    expected = picture(environment, tmp_path)
    frames = pathlib.Path(environment["HOME"]) / f"{importer}.raw"
    with connected(camera, output), playing(environment, output) as player:
        guest.wait_until(lambda: player.poll() is None and sees(camera, expected),
                         "the picture arrives", timeout=120)
        launch(f"-q v4l2src device={camera} io-mode=dmabuf-import num-buffers={FRAMES} ! {RAW} "
               f"! dmabufalloc device={camera} ! filesink location={frames}", timeout=300)
        assert player.poll() is None, "the output ended before the camera did"
    with open(frames, "rb") as file:
        seen = [file.read(SIZE) for _ in range(FRAMES)]
        assert not file.read(1)
    frames.unlink()
    assert [at for at, frame in enumerate(seen) if frame != expected] == []


def test_memory_for_no_device_is_refused_by_the_importer(launch, free_camera):
    """Run D: nothing says that the memory must be one block, so it is not. Only root and the groups
    that the configuration names may ask for such memory at all."""
    # Of so many blocks of different size that they never happen to be neighbours in all buffers.
    large = "video/x-raw,format=YUY2,width=1920,height=1080"
    log = guest.KernelLog()
    try:
        done = launch(f"-q v4l2src device={free_camera} io-mode=dmabuf-import num-buffers={FRAMES} "
                      f"! {large} ! dmabufalloc ! fakesink", check=False, user=0)
        assert done.returncode != 0
        assert set(pools(done)) == {"system"}
        assert any("contiguous chunk is too small" in line for line in log.lines())
    finally:
        log.close()


def test_refusal_is_told_in_the_daemons_words(launch, free_camera):
    with guest.configured("[Daemon]\nUserBytesMax=3M\n"):
        done = launch(f"-q v4l2src device={free_camera} io-mode=dmabuf-import ! {RAW} "
                      f"! dmabufalloc device={free_camera} ! fakesink", debug="0", check=False)
    assert done.returncode != 0
    first = next(line for line in done.stderr.splitlines() if line.startswith("ERROR"))
    assert re.search(r"dmabufalloc0: .*3\.0 MiB.*UserBytesMax", first), done.stderr


def test_killed_pipeline_leaves_nothing(environment):
    """That nothing is left, the fixture of all tests sees."""
    output = guest.video_nodes("vivid.0", "out")[0]
    with playing(environment, output) as player:
        guest.wait_until(lambda: player.poll() is not None or len(
            guest.ctl("buffers")["buffers"]) >= 2, "the pipeline has its buffers")
        assert player.poll() is None
        player.kill()
        player.wait()
