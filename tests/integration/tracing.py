# SPDX-License-Identifier: MIT
"""Calls of kernel functions with their arguments, by kprobes of tracefs.

Knows the tracing interface only.
"""

import os
import pathlib
import re

import guest

TRACEFS = pathlib.Path("/sys/kernel/tracing")


def missing():
    """What a kernel lacks for this, or None."""
    if not (TRACEFS / "trace").exists():
        guest.run("mount", "-t", "tracefs", "tracefs", TRACEFS)
    return None if (TRACEFS / "kprobe_events").exists() else "the kernel has no kprobe events"


def append(line):
    """Python's own append mode looks for the end of the file, which this one has not."""
    fd = os.open(TRACEFS / "kprobe_events", os.O_WRONLY | os.O_APPEND)
    try:
        os.write(fd, f"{line}\n".encode())
    finally:
        os.close(fd)


class Calls:
    """Calls of @functions by this process while the block runs, as (function, argument, …)."""

    def __init__(self, arguments, *functions):
        self.functions = functions
        fields = " ".join(f"a{at}=$arg{at + 1}:u64" for at in range(arguments))
        self.probes = [f"p:rig/{function} {function} {fields}" for function in functions]
        self.seen = []

    def __enter__(self):
        assert missing() is None
        for probe in self.probes:
            append(probe)
        (TRACEFS / "trace").write_text("")
        (TRACEFS / "set_event_pid").write_text(str(os.getpid()))
        (TRACEFS / "events/rig/enable").write_text("1")
        return self

    def __exit__(self, *_):
        (TRACEFS / "events/rig/enable").write_text("0")
        self.seen = self.so_far()
        (TRACEFS / "set_event_pid").write_text("")
        for function in self.functions:
            append(f"-:rig/{function}")

    def so_far(self):
        return list(self._parse((TRACEFS / "trace").read_text()))

    def _parse(self, text):
        for line in text.splitlines():
            if match := re.search(r" (\w+): \(.*?\)((?: a\d+=\d+)*)$", line):
                yield (match[1], *(int(value) for value in re.findall(r"=(\d+)", match[2])))
