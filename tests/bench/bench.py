#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""In the guest: has dmabuf-bench take its measures in turns, and writes what they add up to.

usage: bench.py time|instructions BLOCKS

In each block every measure has its turn, and in a measure every source of buffers: what drifts
meanwhile hits all alike. Knows neither what is fast enough nor how it is shown.
"""

import collections
import contextlib
import datetime
import json
import os
import pathlib
import platform
import subprocess
import sys
import tempfile

sys.path.append(str(pathlib.Path(__file__).parents[1] / "integration"))
import guest  # pylint: disable=wrong-import-position

# At the same addresses each time: they decide how many tables a mapping needs.
PROGRAM = ["setarch", "-R", "./dmabuf-bench"]
KIB, MIB = 1 << 10, 1 << 20
FRAMES = [3110400, 12441600]  # NV12 of 1080p and of 2160p
SIZES = [4 * KIB, 64 * KIB, MIB, FRAMES[0], 8 * MIB, FRAMES[1], 32 * MIB, 64 * MIB]
COUNTED_SIZES = [4 * KIB, 64 * KIB, MIB, 8 * MIB]
PIXELS = [1920, 1080, 3840, 2160]
UNDER_PRESSURE = ["system-heap", "cma-heap", "ioctl", "ioctl-cma"]
LEFT_FREE = 96  # MiB, under pressure

# Not what is measured, so out of the way.
LIMITS = """[Daemon]
UserBytesMax=infinity
UserBuffersMax=65536
UserConnectionsMax=4096
FairShare=no
"""
# What the daemon's buffers are called, and what it is told besides: with a stock of clean buffers
# there will be "warm".
BROKERS = {"cold": ""}


class Run:
    """All samples so far, and what this machine does not have."""

    def __init__(self, pause):
        self.pause = pause
        self.samples, self.missing = collections.defaultdict(list), {}

    def measure(self, broker, rounds, *words):
        done = subprocess.run([*PROGRAM, "-b", broker, "-r", str(rounds), "-p", str(self.pause),
                               "-d", guest.daemon_pid(), *map(str, words)],
                              capture_output=True, text=True, check=False)
        for line in done.stderr.splitlines():
            missing, _, rest = line.partition("\t")
            if missing == "missing":
                what, why = rest.split("\t")
                self.missing[what] = why
        if done.returncode != 0:
            sys.exit(f"{' '.join(map(str, words))}: {done.stderr}")
        for line in done.stdout.splitlines():
            what, who, number, duration = line.split("\t")
            self.samples[what, who, int(number)].append(int(duration))
        print(f"{broker} {words[0]}", file=sys.stderr, flush=True)

    def rows(self):
        return [{"what": what, "who": who, "number": number, **summary(samples)}
                for (what, who, number), samples in self.samples.items()]


def summary(samples):
    samples = sorted(samples)

    def rank(share):
        return samples[min(len(samples) - 1, int(share * len(samples)))]

    return {"count": len(samples), "min": samples[0], "p50": rank(0.5), "p99": rank(0.99),
            "max": samples[-1]}


def cameras():
    """A node of each of vivid's importers, on the device that is bound to nothing."""
    contiguous, by_cpu = guest.video_nodes("vivid.0")[:2]
    return {"import contiguous": contiguous, "import by CPU": by_cpu}


def in_turns(run, broker):
    run.measure(broker, 20, "floor", *SIZES)
    run.measure(broker, 3, "life", *SIZES)
    run.measure(broker, 6, "batch", 4 * KIB, 8 * MIB)
    run.measure(broker, 40, "wire", 4 * KIB, 8 * MIB)
    for what, node in cameras().items():
        run.measure(broker, 4, "import", what, node, *PIXELS)


@contextlib.contextmanager
def pressure():
    """Movable pages fill memory, CMA areas among it."""
    with tempfile.TemporaryDirectory() as folder:
        guest.run("mount", "-t", "tmpfs", "-o", "size=95%", "tmpfs", folder, check=True)
        with subprocess.Popen([*PROGRAM, "-p", "1000", "pressure", folder, str(LEFT_FREE)],
                              stdout=subprocess.PIPE) as filling:
            filling.stdout.readline()
            try:
                yield
            finally:
                filling.kill()
        guest.run("umount", folder, check=True)


def tails(run, broker, rounds):
    sources = [*UNDER_PRESSURE, broker, f"{broker}-cma"]
    run.measure(broker, rounds, "tails", "allocate at ease", 8 * MIB, *sources)
    with pressure():
        run.measure(broker, rounds, "tails", "allocate under pressure", 8 * MIB, *sources)


def measure_time(run, blocks):
    for _ in range(blocks):
        for broker, words in BROKERS.items():
            with guest.configured(LIMITS + words):
                in_turns(run, broker)
                tails(run, broker, 40)
    for broker, words in BROKERS.items():
        with guest.configured(LIMITS + words):
            run.measure(broker, 40 * blocks, "scale")


def measure_instructions(run, blocks):
    for _ in range(blocks):
        for broker, words in BROKERS.items():
            with guest.configured(LIMITS + words):
                run.measure(broker, 25, "floor", *COUNTED_SIZES)
                run.measure(broker, 25, "life", *COUNTED_SIZES)
                run.measure(broker, 25, "batch", 4 * KIB)
                run.measure(broker, 25, "wire", 4 * KIB)


PLANS = {"time": measure_time, "instructions": measure_instructions}


def main(plan, blocks):
    guest.prepare()
    run = Run(pause=1000)
    PLANS[plan](run, int(blocks))
    result = {"SPDX-License-Identifier": "MIT", "clock": plan,
              "date": datetime.date.today().isoformat(),
              "host": os.environ.get("DMABUFD_HOST", "?"),
              "emulator": os.environ.get("DMABUFD_EMULATOR", "?"),
              "kernel": platform.release(), "architecture": platform.machine(),
              "processors": os.cpu_count(), "missing": run.missing, "rows": run.rows()}
    folder = pathlib.Path(os.environ.get("RIG_FILES", "."))
    (folder / f"{plan}.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
