#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The main job: a camera that nobody here wrote captures into memory that the daemon chose.

Three configurations of vivid with videobuf2's contiguous importer; in each, frames captured into
brokered buffers are compared with those of the device's own. Used by the demo, which runs this file
and shows its table, and by test_main_job.py.
"""

import contextlib
import json
import os
import pathlib
import sys
from dataclasses import dataclass

import dmabuf
import guest
from PIL import Image, ImageChops
from held import exhaust

FRAMES = 30
BUFFERS = 4
SIZE = "1280x720"


CONFIGURATIONS = {
    "bound": "bound to the no-map region",
    "free": "not bound, CMA free",
    "exhausted": "not bound, CMA exhausted",
}


@dataclass
class Result:
    configuration: str  # key of CONFIGURATIONS, and start of the pictures' names
    capture: dict  # of a device, by v4l2-capture --json
    reference: str  # picture of the same device through its own buffers
    difference: tuple  # box of the pixels that differ outside the text, or None


def capture(node, folder, prefix, *options):
    """v4l2-capture; its JSON."""
    done = guest.run("v4l2-capture", "-d", node, "-s", SIZE, "-n", FRAMES, "-b", BUFFERS,
                     "-o", folder, "--prefix", prefix, "--json", *options, check=True, timeout=300)
    return json.loads(done.stdout)["devices"][0]


def moving_boxes(image):
    """The lines in which vivid writes time and counter, a gain after the clock, and a count."""
    return [(0, line * 16, image.width // 2, line * 16 + 16) for line in (1, 4, 6)]


def difference(picture, reference):
    """The box of all pixels that differ, time and counter apart; None when there is none."""
    first, second = (Image.open(path).convert("RGB") for path in (picture, reference))
    assert first.size == second.size, f"{picture} is {first.size}, {reference} {second.size}"
    for image in (first, second):
        for box in moving_boxes(image):
            image.paste((0, 0, 0), box)
    return ImageChops.difference(first, second).getbbox()


def colour_bars(picture):
    """The colours along one row below the text, each once: what a person sees as bars."""
    image = Image.open(picture).convert("RGB")
    row = [image.getpixel((x, image.height * 3 // 4)) for x in range(0, image.width, 4)]
    return [colour for at, colour in enumerate(row) if at == 0 or colour != row[at - 1]]


def job(configuration, node, folder):
    brokered = capture(node, folder, configuration)
    own = capture(node, folder, configuration + "-own", "--mmap")
    picture, reference = brokered["pictures"][-1], own["pictures"][-1]
    return Result(configuration, brokered, reference, difference(picture, reference))


@contextlib.contextmanager
def cma_exhausted(node):
    """Another client holds all of CMA while this lasts."""
    with dmabuf.Connection() as other:
        held = exhaust(other, node, "default_cma_region", 64 << 10)
        try:
            yield
        finally:
            for buffer in held:
                buffer.close()


def run_all(bound, free, folder):
    """@bound is None on a machine that has neither regions for devices nor CMA."""
    folder.mkdir(parents=True, exist_ok=True)
    if not bound:
        yield job("exhausted", free, folder)
        return
    yield job("bound", bound, folder)
    yield job("free", free, folder)
    with cma_exhausted(free):
        yield job("exhausted", free, folder)


COLUMNS = ("CONFIGURATION", "POOL", "KIND", "MAPPING", "SIZE", "CONTIGUOUS", "PHYSICAL ADDRESS",
           "FRAMES", "SAME AS OWN BUFFERS")


def rows(result):
    for at, buffer in enumerate(result.capture["buffers"]):
        first = at == 0
        yield (CONFIGURATIONS[result.configuration] if first else "", buffer["pool"], buffer["kind"],
               buffer["mapping"], str(buffer["size"]), "yes" if buffer["contiguous"] else "no",
               f"{buffer['base']:#x}-{buffer['end'] - 1:#x}",
               str(result.capture["frames"]) if first else "",
               ("" if not first else "yes" if result.difference is None else "NO"))


def table(results):
    lines = [COLUMNS] + [row for result in results for row in rows(result)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(COLUMNS))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip()
                     for line in lines)


def main():
    folder = pathlib.Path(os.environ.get("RIG_FILES", "."))
    guest.prepare()
    results = []
    for result in run_all(guest.video_nodes("camera")[0], guest.video_nodes("vivid.0")[0], folder):
        print(f"{CONFIGURATIONS[result.configuration]}: {result.capture['frames']} frames into pool "
              f"{result.capture['buffers'][0]['pool']}", file=sys.stderr, flush=True)
        results.append(result)
    print(table(results))
    return 0 if all(result.difference is None for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
