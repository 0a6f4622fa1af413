# SPDX-License-Identifier: MIT
"""Memory of the kernel that nothing points to any more, as kmemleak sees it.

Knows how a module's frames look in a stack trace; not what the module is.
"""

import pathlib
import re
import time

import guest

FILE = pathlib.Path("/sys/kernel/debug/kmemleak")
# Younger objects are spared by a scan.
MINIMUM_AGE = 5.5
OBJECT = re.compile(r"^unreferenced object .*(?:\n[ \t].*)*", re.MULTILINE)
FRAME = re.compile(r"^ +(?:\[<.*?>\] )?(\S+)(?: \[(\w+)\])?$", re.MULTILINE)


def missing():
    """What the kernel lacks, or None."""
    return None if FILE.exists() else f"the kernel has no kmemleak: no {FILE}"


def _scan():
    with FILE.open("wb", buffering=0) as file:
        file.write(b"scan")


def _objects():
    return OBJECT.findall(FILE.read_text())


def forget():
    """Whatever was found before is no news."""
    with FILE.open("wb", buffering=0) as file:
        file.write(b"clear")


def find(module):
    """
    (leaks of the module, those of others), each with its stack.

    The first scan learns the objects' content: one that goes on changing is in use. Only the second
    reports. A frame without a name is one of a module that is no longer loaded.
    """
    start = time.monotonic()
    _scan()
    guest.wait_until(lambda: time.monotonic() > start + MINIMUM_AGE, "what is new has come of age")
    _scan()
    own, others = [], []
    for text in _objects():
        (own if is_of(module, text) else others).append(text)
    return own, others


def is_of(module, text):
    stack = text.partition("backtrace")[2]
    return any(owner == module or frame.startswith("0x") for frame, owner in FRAME.findall(stack))
