#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The committed table of instructions: what is in it, and how it is read and written.

usage: instructions.py COUNTED.json >instructions.tsv

Ours only: what the kernel's own allocators execute is for its developers to judge.
"""

import pathlib
import sys

from results import Results

TABLE = pathlib.Path(__file__).with_name("instructions.tsv")
OURS = {"ioctl", "ioctl-cma", "cold", "cold-cma", "warm", "warm-cma"}
# The caller's own loads and stores; and the end of a buffer, which is whoever's closes it last, the
# daemon's too, at a moment that differs.
NOT_OURS = {"first touch", "second touch", "free"}
# Of many times the one in which nothing else came in between.
FIGURE = "min"


def write(results):
    yield "# SPDX-License-Identifier: MIT"
    yield f"# Instructions executed on Linux {results.data['kernel']}, written by tools/bench table"
    yield "# what\twho\tnumber\tinstructions"
    for what, who, number in sorted(results.rows):
        if who in OURS and what not in NOT_OURS:
            yield f"{what}\t{who}\t{number}\t{results.get(what, who, number, FIGURE)}"


def read():
    """{(what, who, number): instructions}"""
    lines = [line.split("\t") for line in TABLE.read_text().splitlines() if line[0] != "#"]
    return {(what, who, int(number)): int(count) for what, who, number, count in lines}


def kernel():
    """Whose instructions they are."""
    return TABLE.read_text().splitlines()[1].split()[5].rstrip(",")


if __name__ == "__main__":
    print(*write(Results(sys.argv[1])), sep="\n")
