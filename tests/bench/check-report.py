#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The bars are computed right, and every part of the page can be made of a run."""

import json
import pathlib
import sys
import tempfile

import report
from bars import FRAME, MIB, bars
from results import Results


def made_up(folder):
    """A run in which a warm allocation of 8 MiB takes a round trip and a half."""
    times = {("round trip", "socket", 1): 200, ("allocate", "system-heap", FRAME): 6000,
             ("allocate", "warm", FRAME): 300, ("allocate", "warm", 64 << 10): 300,
             ("allocate", "warm", 4096): 1, ("allocate", "warm", 32 * MIB): 360,
             ("resident", "daemon", 8192): 17 * MIB}
    rows = [{"what": what, "who": who, "number": number, "count": 1, "min": time, "p50": time,
             "p99": 2 * time, "max": 3 * time} for (what, who, number), time in times.items()]
    path = pathlib.Path(folder) / "time.json"
    path.write_text(json.dumps({"date": "today", "host": "a host", "emulator": "an emulator",
                                "kernel": "1.2", "architecture": "any", "processors": 2,
                                "missing": {"udmabuf": "none"}, "rows": rows}))
    return Results(path)


def check_bars():
    with tempfile.TemporaryDirectory() as folder:
        found = {bar.what: bar for bar in bars(made_up(folder))}
    for start, ratio, reached in (("warm allocation of 8 MiB", 1.5, True), ("system heap / warm", 20, True),
                                  ("warm allocation, slowest", 1.2, False), ("cold", None, False),
                                  ("daemon", 17, False)):
        bar = next(bar for what, bar in found.items() if what.startswith(start))
        if (bar.ratio, bar.reached) != (ratio, reached):
            yield f"{bar} should be {ratio}, {reached}"


def check_page():
    with tempfile.TemporaryDirectory() as folder:
        made_up(folder)
        (pathlib.Path(folder) / "instructions.json").write_bytes(
            (pathlib.Path(folder) / "time.json").read_bytes())
        report.main(folder, pathlib.Path(folder) / "page.md")
        page = (pathlib.Path(folder) / "page.md").read_text()
    for words in ("| at least 10 | 20.00 | reached |", "- udmabuf: none",
                  "| dmabufd, warm | 0.0 | 0.3 | 0.3 | 0.4 |", "17.0 MiB resident"):
        if words not in page:
            yield f"the page does not say: {words}"


def main():
    wrong = [*check_bars(), *check_page()]
    print(*wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
