# SPDX-License-Identifier: MIT
"""The overlay that docs/install.md shows, on the device tree that Debian's kernel has of the board."""

from __future__ import annotations

import artifacts
import pytest
from conftest import ROOT, output

OVERLAY = ROOT / "docs" / "boards" / "imx8mm-evk.dtso"
CAMERA = "/soc@0/bus@32c00000/csi@32e20000"


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    folder = tmp_path_factory.mktemp("board")
    base, = artifacts.kernel(artifacts.Setup(arch="arm64")).glob(
        "usr/lib/linux-image-*/freescale/imx8mm-evk.dtb")
    output("dtc", "-q", "-@", "-I", "dts", "-O", "dtb", "-o", folder / "dtbo", OVERLAY)
    output("fdtoverlay", "-i", base, "-o", folder / "dtb", folder / "dtbo")
    return folder / "dtb"


def get(tree, node, name, kind="x"):
    return output("fdtget", "-t", kind, tree, node, name).split()


@pytest.mark.parametrize("device, region, pool", [
    (CAMERA, "/reserved-memory/camera@80000000", "/dmabuf-pools/camera"),
    ("/soc@0/video-codec@38300000", "/reserved-memory/codec@84000000", "/dmabuf-pools/codec")])
def test_a_pool_is_the_region_of_its_device(board, device, region, pool):
    assert get(board, device, "compatible", "s"), "the board itself has the device"
    phandle = get(board, region, "phandle")
    assert get(board, device, "memory-region") == phandle
    assert get(board, pool, "memory-region") == phandle


def test_the_regions_are_in_the_boards_memory(board):
    _, base, _, size = (int(word, 16) for word in get(board, "/memory@40000000", "reg"))
    for name in output("fdtget", "-l", board, "/reserved-memory").split():
        _, start, _, length = (int(word, 16)
                               for word in get(board, f"/reserved-memory/{name}", "reg"))
        assert base <= start and start + length <= base + size
