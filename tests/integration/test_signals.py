# SPDX-License-Identifier: MIT
"""A program that is killed in the middle of a large allocation is gone at once, and its memory too.

Takes the best of several attempts: the machine may be slow, the kernel may not.
"""

import contextlib
import os
import pathlib
import signal
import time

import guest
import poolnode
import pytest
from poolnode import CACHED, WRITE_COMBINED

MIB = 1 << 20
SIZE = 768 * MIB
ATTEMPTS = 8
BOUND = 0.1


def free_memory():
    text = pathlib.Path("/proc/meminfo").read_text()
    return int(text.partition("MemFree:")[2].split()[0]) << 10


def start_allocation(mapping):
    child = os.fork()
    if child == 0:
        with contextlib.suppress(OSError), poolnode.Node() as node:
            node.alloc("system", SIZE, mapping)
        os._exit(0)
    return child


def kill_in_the_middle(mapping):
    """Seconds from the signal to the end, or None where the allocation was over before it."""
    before = free_memory()
    child = start_allocation(mapping)
    while before - free_memory() < SIZE // 8:
        if os.waitpid(child, os.WNOHANG)[0]:
            return None
    os.kill(child, signal.SIGKILL)
    sent = time.monotonic()
    _, status = os.waitpid(child, 0)
    took = time.monotonic() - sent
    return took if os.WIFSIGNALED(status) else None


@pytest.mark.parametrize("mapping", [CACHED, WRITE_COMBINED], ids=["cached", "wc"])
def test_fatal_signal_stops_a_large_allocation(node, mapping):
    started = time.monotonic()
    os.waitpid(start_allocation(mapping), 0)
    whole = time.monotonic() - started
    times = [took for _ in range(ATTEMPTS) if (took := kill_in_the_middle(mapping)) is not None]
    print(f"all of {SIZE // MIB} MiB: {whole * 1000:.0f} ms; killed in the middle: "
          + ", ".join(f"{took * 1000:.0f}" for took in times))
    assert times, "no signal came in the middle"
    assert min(times) < (whole / 3 if guest.SLOW else min(BOUND, whole / 3))
    guest.wait_until(lambda: not node.live(), "nothing lives")
