# SPDX-License-Identifier: MIT
"""What a kernel log must not hold. This file must not know how the log came to be."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

TRACE = re.compile("Call [Tt]race:")
COMPLAINT = re.compile(
    r"WARNING: |BUG: |BUG at |Oops|Kernel panic|Call [Tt]race:|Unable to handle kernel"
    r"|KASAN: |UBSAN: |KFENCE: |refcount_t: |Bad page|list_(?:add|del) corruption"
    r"|possible (?:circular|recursive) locking|inconsistent lock state|suspicious RCU usage"
    r"|INFO: task .* blocked|rcu: INFO:|soft lockup|hard LOCKUP|self-detected stall"
    r"|general protection|unreferenced object|DMA-API: .*: |kmemleak: .*suspected")
# On a slow machine: the stock camera driver's capture thread asks to sleep until a time that has passed
# meanwhile; a kernel full of checks takes minutes to come up, for which there is a deadline. And where
# a test lets allocations fail, that of a module's file is told with a trace.
EXCUSED = re.compile(r"schedule_timeout: wrong timeout value|INFO: task swapper/0:1 blocked"
                     r"|vmalloc error: size")


def complaints(lines: Iterable[str]) -> Iterator[str]:
    """Those that say that something is wrong in the kernel."""
    excused = False
    for line in lines:
        if EXCUSED.search(line):
            excused = True
        elif excused and TRACE.search(line):
            excused = False
        elif COMPLAINT.search(line):
            yield line.strip()


def complaint(log: Path) -> str | None:
    """The first of them."""
    text = log.read_text(errors="replace") if log.exists() else ""
    return next(complaints(text.splitlines()), None)


def wait_for(log: Path, text: str, seconds: float = 5) -> None:
    """The console is written in order: after @text, all that came before it is there too."""
    for _ in range(int(seconds * 20)):
        if text in log.read_text(errors="replace"):
            return
        time.sleep(0.05)
