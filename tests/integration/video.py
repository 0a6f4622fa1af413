# SPDX-License-Identifier: MIT
"""Video programs: ours, and v4l2-ctl, whose buffers are the device's own, to compare with.

Knows nothing of pools.
"""

import json
import re

import guest
from PIL import Image

SIZE = "320x180"


def capture(*nodes, folder, check=True, **options):
    """v4l2-capture with options such as frames=5: of each device what the report says of it."""
    words = [word for node in nodes for word in ("-d", node)]
    for name, value in ({"size": SIZE, "frames": 1} | options).items():
        words += [f"--{name.replace('_', '-')}", *([] if value is True else [value])]
    done = guest.run("v4l2-capture", *words, "-o", folder, "--json", "--timeout", 60, check=check,
                     timeout=300)
    return json.loads(done.stdout)["devices"] if check else done


def control(node, *words):
    return guest.run("v4l2-ctl", "-d", node, *words, check=True).stdout


def formats(node):
    """The four letters of each format, blanks at their end included, by v4l2-ctl."""
    return re.findall(r"^\s+\[\d+\]: '(.{4}(?:-BE)?)'", control(node, "--list-formats"), re.MULTILINE)


def own_frame(node, pixels, folder, size=SIZE):
    """A frame as the device's own buffers have it, planes one after the other."""
    file = folder / "own"
    width, height = size.split("x")
    control(node, "-v", f"width={width},height={height},pixelformat={pixels}", "--stream-mmap",
            "--stream-count=1", f"--stream-to={file}")
    return file.read_bytes()


def still(node):
    """Without its clock all frames of a test camera are alike."""
    control(node, "-c", "osd_text_mode=2")


def bars(path):
    """The colours in the middle of each of the eight bars, as a person sees them."""
    image = Image.open(path).convert("RGB")
    return [image.getpixel((image.width * (2 * at + 1) // 16, image.height * 3 // 4))
            for at in range(8)]


def farthest(one, other):
    """By how much the colours differ at most."""
    return max(abs(a - b) for first, second in zip(one, other) for a, b in zip(first, second))
