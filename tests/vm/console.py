# SPDX-License-Identifier: MIT
"""What a kernel log must not hold. This file must not know how the log came to be."""

from __future__ import annotations

import re
import time
from pathlib import Path

COMPLAINT = re.compile(
    r"WARNING: |BUG: |BUG at |Oops|Kernel panic|Call [Tt]race:|Unable to handle kernel"
    r"|KASAN: |UBSAN: |KFENCE: |refcount_t: |Bad page|list_(?:add|del) corruption"
    r"|possible (?:circular|recursive) locking|inconsistent lock state|suspicious RCU usage"
    r"|INFO: task .* blocked|rcu: INFO:|soft lockup|hard LOCKUP|self-detected stall"
    r"|DMA-API: .*: |kmemleak: .*suspected")


def complaint(log: Path) -> str | None:
    """The first line that says that something is wrong in the kernel."""
    if not log.exists():
        return None
    for line in log.read_text(errors="replace").splitlines():
        if COMPLAINT.search(line):
            return line.strip()
    return None


def wait_for(log: Path, text: str, seconds: float = 5) -> None:
    """The console is written in order: after @text, all that came before it is there too."""
    for _ in range(int(seconds * 20)):
        if text in log.read_text(errors="replace"):
            return
        time.sleep(0.05)
