#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""docs/performance.md and its pictures, from what bench.py wrote.

usage: report.py FOLDER PAGE

FOLDER has time.json and instructions.json, and gets the pictures. Knows no figure by heart: what is
said of them is in the bars and in the tables.
"""

import pathlib
import sys

from bars import FRAME, MIB, bars
from results import Results
from svg import Chart

SIZES = {4096: "4 KiB", 64 << 10: "64 KiB", MIB: "1 MiB", 3110400: "1080p", FRAME: "8 MiB",
         12441600: "2160p", 32 * MIB: "32 MiB", 64 * MIB: "64 MiB"}
SIZE_TICKS = [(size, SIZES[size]) for size in (4096, 64 << 10, MIB, FRAME, 64 * MIB)]
NAMES = {"system-heap": "system heap", "cma-heap": "CMA heap", "udmabuf": "udmabuf",
         "ioctl": "module, directly", "ioctl-cma": "module, CMA", "cold": "dmabufd, cold",
         "cold-cma": "dmabufd, CMA", "warm": "dmabufd, warm", "warm-cma": "dmabufd, warm CMA"}
STEPS = {"allocate": "Allocate", "map": "mmap", "begin": "Begin CPU access",
         "first touch": "First memset", "second touch": "Second memset", "end": "End CPU access",
         "unmap": "munmap", "free": "Free"}


def microseconds(value):
    return "-" if value is None else f"{value / 1000:.{0 if value >= 1e5 else 1}f}"


def count(value):
    return "-" if value is None else f"{value:,}"


def duration(nanoseconds):
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if nanoseconds >= size:
            return f"{nanoseconds / size:g} {unit}"
    return f"{nanoseconds:g} ns"


def table(head, rows):
    rows = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(map(str, row)) + " |" for row in rows)


def measured(results, what):
    """Those who were measured at it, in the order of NAMES."""
    return [who for who in NAMES if results.numbers(what, who)]


def by_size(results, what, show, names=NAMES):
    sizes = [size for size in SIZES
             if any(results.get(what, who, size) is not None for who in names)]
    return table(["", *(SIZES[size] for size in sizes)],
                 [[names[who], *(show(results.get(what, who, size)) for size in sizes)]
                  for who in names if results.numbers(what, who)])


def bar_table(results):
    return table(["ratio", "bar", "measured", ""],
                 [[bar.what, bar.bar, "not yet" if bar.ratio is None else f"{bar.ratio:.2f}",
                   "reached" if bar.reached else "-"] for bar in bars(results)])


def floor_table(results, show):
    rows = [["system call", show(results.get("system call", "kernel"))]]
    for number, words in ((0, "no descriptor"), (1, "1 descriptor"), (8, "8 descriptors")):
        rows.append([f"SEQPACKET round trip, {words}", show(results.get("round trip", "socket",
                                                                         number))])
    return table(["", "p50"], rows)


def path_table(results, show):
    """From nothing to an allocation by the library: what each part adds."""
    who = "cold"
    rows = [["SEQPACKET round trip with a descriptor", results.get("round trip", "socket", 1)],
            ["request that asks the daemon for nothing", results.get("nothing asked", who)],
            ["module asked directly for 4 KiB", results.get("allocate", "ioctl", 4096)],
            ["daemon asked for 4 KiB, without library", results.get("without library", who, 4096)],
            ["the same by the library", results.get("allocate", who, 4096)]]
    return table(["", "p50"], [[words, show(value)] for words, value in rows])


def batch_table(results, size, show):
    kinds = [("one request", "one request"), ("requests", "one after the other"),
             ("in flight", "each on a connection of its own, none waiting")]
    counts = results.numbers(f"requests of {size}", "cold")
    rows = []
    for who in ("cold", "warm"):
        for what, words in kinds:
            what = f"{what} of {size}"
            if results.numbers(what, who):
                rows.append([f"{NAMES[who]}: {words}",
                             *(show(results.get(what, who, n)) for n in counts)])
    return table(["buffers", *counts], rows)


def tail_table(results):
    rows = []
    for what, words in (("allocate at ease", ""), ("allocate under pressure", ", under pressure")):
        for who in measured(results, what):
            rows.append([NAMES[who] + words, *(microseconds(results.get(what, who, FRAME, figure))
                                               for figure in ("p50", "p99", "max"))])
    return table(["8 MiB", "p50", "p99", "max"], rows)


def scale_table(results):
    rows = []
    for what, words in (("while buffers live", "live buffers"),
                        ("while clients are connected", "clients")):
        for number, value in results.curve(what, "cold"):
            rows.append([f"{number:,} {words}", microseconds(value),
                         microseconds(results.get(what, "cold", number, "p99"))])
    return table(["4 KiB, while there are", "p50", "p99"], rows)


def idle(results):
    lines = []
    for number, memory in results.curve("resident", "daemon"):
        wakes = results.get("wake-ups", "daemon", number)
        lines.append(f"with {number:,} buffers {memory / MIB:.1f} MiB resident, {wakes} wake-ups "
                     "in 5 idle seconds")
    return "The daemon: " + "; ".join(lines) + "."


def latency_picture(results):
    chart = Chart("Allocate a buffer: median by size", "size", "",
                  SIZE_TICKS, duration)
    for who in measured(results, "allocate"):
        chart.add(NAMES[who], results.curve("allocate", who), dashed=who.startswith("ioctl"))
    return chart


def map_picture(results):
    chart = Chart("mmap of a buffer: median by size", "size", "",
                  SIZE_TICKS, duration)
    for who in measured(results, "map"):
        chart.add(NAMES[who], results.curve("map", who))
    return chart


def tail_picture(results):
    chart = Chart("8 MiB while page cache fills memory (solid), and at ease (dashed)",
                  "share of allocations", "", [(1, "p50"), (2, "p99"), (3, "max")], duration)
    for what in ("allocate under pressure", "allocate at ease"):
        for who in measured(results, what):
            points = [(at, results.get(what, who, FRAME, figure))
                      for at, figure in enumerate(("p50", "p99", "max"), 1)]
            chart.add(NAMES[who], points, dashed="ease" in what)
    return chart


def scale_picture(results):
    chart = Chart("One request of 4 KiB among many: median and p99 (dashed)",
                  "live buffers, or connected clients", "",
                  [(10 ** at, f"{10 ** at:,}") for at in range(5)], duration)
    for what, words in (("while buffers live", "buffers"),
                        ("while clients are connected", "clients")):
        chart.add(words, results.curve(what, "cold"))
        chart.add(words, results.curve(what, "cold", "p99"), dashed=True)
    return chart


PICTURES = {"allocate": latency_picture, "map": map_picture, "tails": tail_picture,
            "scale": scale_picture}


def machine(results):
    data = results.data
    return (f"Measured on {data['date']}: {data['processors']} emulated processors "
            f"({data['architecture']}, {data['emulator']} without KVM) on a host with "
            f"{data['host']}, Linux {data['kernel']}.")


def absent(results):
    missing = results.data["missing"]
    lines = [f"- {NAMES[what]}: {why}" for what, why in missing.items() if what in NAMES]
    return "\n".join(["Not on this machine:", "", *lines, ""]) if lines else ""


def refused(results, importer):
    """Whose memory the importer does not take."""
    names = [NAMES[who] for who in NAMES if f"{who} by {importer}" in results.data["missing"]]
    return f"It refuses memory of: {', '.join(names)}.\n" if names else ""


def page(time, counted):
    yield from (
        "<!-- SPDX-License-Identifier: MIT -->",
        "# How fast it is\n",
        "<!-- Written by tests/bench/report.py: run tools/bench instead of editing. -->",
        machine(time) + "\n",
        "An emulator's microseconds are no board's. What counts are ratios: all that is compared was",
        "measured in turns in one run. Times are medians in microseconds where nothing else is said.\n",
        absent(time),
        "## Bars\n", bar_table(time) + "\n",
        "## Allocate\n", "![Allocation by size](performance/allocate.svg)\n",
        by_size(time, "allocate", microseconds) + "\n",
        "## What nothing can be faster than\n", floor_table(time, microseconds) + "\n",
        "memset of memory that is mapped already:\n",
        by_size(time, "memset", microseconds, {"process": "memset"}) + "\n",
        "## Where the time of a small allocation goes\n", path_table(time, microseconds) + "\n",
        "## Several buffers\n", "Microseconds for all of them, 4 KiB each, and 8 MiB each:\n",
        batch_table(time, 4096, microseconds) + "\n", batch_table(time, FRAME, microseconds) + "\n",
        "## Use and give back\n", "![mmap by size](performance/map.svg)\n")
    for step, title in STEPS.items():
        if step != "allocate":
            yield from (f"{title}:\n", by_size(time, step, microseconds) + "\n")
    for what in ("import contiguous", "import by CPU"):
        if measured(time, what):
            yield from (f"vivid, {what}:\n", by_size(time, what, microseconds) + "\n",
                        refused(time, what))
    yield from (
        "## The slowest of many\n", "![Tails](performance/tails.svg)\n", tail_table(time) + "\n",
        "Pressure is a tmpfs that fills memory, CMA areas among it, and is rewritten all the time: its",
        "pages can be moved and not dropped.\n",
        "## Scale\n", "![Scale](performance/scale.svg)\n", scale_table(time) + "\n", idle(time) + "\n",
        "## Instructions\n",
        f"The same in instructions executed, on one emulated processor of Linux "
        f"{counted.data['kernel']}",
        "whose clock counts them; they repeat, however busy the machine is. An instruction that clears",
        "64 bytes counts as one: they tell the length of a path, not the time that memory takes.",
        "`tests/bench/instructions.tsv` holds those of Debian's kernel, and a test fails where one",
        "grows by more than 3 %.\n",
        floor_table(counted, count) + "\n", path_table(counted, count) + "\n",
        by_size(counted, "allocate", count) + "\n", batch_table(counted, 4096, count))


def main(folder, target):
    folder = pathlib.Path(folder)
    time, counted = (Results(folder / f"{name}.json") for name in ("time", "instructions"))
    for name, picture in PICTURES.items():
        (folder / f"{name}.svg").write_text(picture(time).svg())
    pathlib.Path(target).write_text("\n".join(page(time, counted)) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
