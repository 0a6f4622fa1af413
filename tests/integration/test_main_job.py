# SPDX-License-Identifier: MIT
"""The main job (main_job.py) in its three configurations: right pool, right place, right picture."""

import os
import pathlib

import guest
import main_job
import poolnode
import pytest

FOLDER = pathlib.Path(os.environ.get("RIG_FILES", "/tmp")) / "main-job"
EXPECTED = {"bound": ("camera", "coherent"), "free": ("default_cma_region", "cma"),
            "exhausted": ("system", "buddy")}
# Without a device tree nothing is bound, and Debian's kernels have no CMA there.
CASES = list(EXPECTED) if guest.DEVICE_TREE else ["exhausted"]


@pytest.fixture(scope="module")
def results(request, free_camera):
    bound = request.getfixturevalue("bound_camera") if guest.DEVICE_TREE else None
    done = main_job.run_all(bound, free_camera, FOLDER)
    return {result.configuration: result for result in done}


@pytest.fixture(params=CASES)
def case(request, results):
    return results[request.param], *EXPECTED[request.param]


def inside(buffer, place):
    return place[0] <= buffer["base"] and buffer["end"] <= place[1]


def test_pool_is_the_first_of_the_order_that_has_room(case):
    result, pool, kind = case
    assert [(b["pool"], b["kind"]) for b in result.capture["buffers"]] == [(pool, kind)] * 4


def test_buffers_are_contiguous_as_the_importer_demands(case):
    for buffer in case[0].capture["buffers"]:
        assert buffer["contiguous"]
        assert buffer["end"] - buffer["base"] == buffer["size"]


def test_mapping_is_cached_if_the_device_is_coherent(case, node):
    coherent = node.device("platform", "vivid.0").flags & poolnode.DEVICE_COHERENT
    assert {b["mapping"] for b in case[0].capture["buffers"]} == {
        "cached" if coherent else "write-combined"}


def test_memory_lies_where_its_pool_says(case):
    result, _, kind = case
    places = {"coherent": [guest.region("camera")]}
    if guest.DEVICE_TREE:
        places["cma"] = [guest.default_cma(), guest.region("codec")]
    for buffer in result.capture["buffers"]:
        for of_kind, regions in places.items():
            within = any(inside(buffer, place) for place in regions)
            assert within == (kind == of_kind), f"{kind} buffer at {buffer['base']:#x}"


def test_frames_are_those_of_the_devices_own_buffers(case):
    result = case[0]
    assert result.capture["frames"] == main_job.FRAMES
    assert result.difference is None, f"{result.capture['pictures']} differs in {result.difference}"


def test_a_person_sees_colour_bars(case):
    colours = main_job.colour_bars(case[0].capture["pictures"][-1])
    assert len(colours) == 8, colours
    assert len(set(colours)) == 8


def test_comparison_notices_a_wrong_pixel(case, tmp_path):
    image = main_job.Image.open(case[0].reference).convert("RGB")
    image.putpixel((image.width - 1, image.height - 1), (1, 2, 3))
    image.save(tmp_path / "wrong.png")
    assert main_job.difference(tmp_path / "wrong.png", case[0].reference) is not None
