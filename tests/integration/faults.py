# SPDX-License-Identifier: MIT
"""Fault injection: one system call that fails at its n-th allocation or copy, for n = 1, 2, ...

Knows what Documentation/fault-injection of the kernel says; not what is called, nor which errors
are right.
"""

import contextlib
import ctypes
import errno
import pathlib
import threading
from ctypes import c_int, c_long, c_size_t, c_ssize_t, c_ulong, c_void_p
from dataclasses import dataclass

DEBUGFS = pathlib.Path("/sys/kernel/debug")
FAIL_NTH = "/proc/thread-self/fail-nth"
# Each spares, unless told otherwise, what the kernel mostly does: wait for memory, highmem, one page.
KNOBS = {
    "failslab": {"ignore-gfp-wait": "N", "cache-filter": "N"},
    "fail_page_alloc": {"ignore-gfp-wait": "N", "ignore-gfp-highmem": "N", "min-order": "0"},
    "fail_usercopy": {},
}
# No stack trace for each injection, and for this thread alone.
ALWAYS = {"verbose": "0", "probability": "0"}
MANY = 20_000

# Calls by this keep the interpreter's lock, so nothing of Python runs while faults are armed.
libc = ctypes.PyDLL(None, use_errno=True)
for name, result, arguments in (
        ("ioctl", c_int, [c_int, c_ulong, c_void_p]), ("read", c_ssize_t, [c_int, c_void_p, c_size_t]),
        ("mmap", c_void_p, [c_void_p, c_size_t, c_int, c_int, c_int, c_long]),
        ("mremap", c_void_p, [c_void_p, c_size_t, c_size_t, c_int, c_void_p]),
        ("munmap", c_int, [c_void_p, c_size_t]), ("mprotect", c_int, [c_void_p, c_size_t, c_int]),
        ("madvise", c_int, [c_void_p, c_size_t, c_int]),
        ("memset", c_void_p, [c_void_p, c_int, c_size_t])):
    function = getattr(libc, name)
    function.restype, function.argtypes = result, arguments


def missing():
    """What the kernel lacks, or None."""
    wanted = [pathlib.Path(FAIL_NTH), *(DEBUGFS / name for name in KNOBS)]
    absent = [str(path) for path in wanted if not path.exists()]
    return f"the kernel has no fault injection: no {', '.join(absent)}" if absent else None


@contextlib.contextmanager
def armed():
    """Injection reaches every allocation and copy; the knobs are back afterwards."""
    before = {}
    try:
        for name, knobs in KNOBS.items():
            for knob, value in (knobs | ALWAYS).items():
                path = DEBUGFS / name / knob
                before[path] = path.read_text()
                path.write_text(value)
        yield
    finally:
        for path, value in before.items():
            path.write_text(value)


@dataclass
class Outcome:
    n: int
    result: int
    error: int  # 0 after a success
    injected: bool  # the n-th was reached, within the call or before it

    def __str__(self):
        how = "ok" if not self.error else errno.errorcode[self.error]
        return f"{self.n}: {how}" + ("" if self.injected else ", nothing injected")


def call(n, function, arguments):
    """function(*arguments), a C function, while the n-th of what can fail in this thread does."""
    text, left = b"%d" % n, ctypes.create_string_buffer(16)
    counter = libc.open(FAIL_NTH.encode(), 2)
    assert counter >= 0, errno.errorcode[ctypes.get_errno()]
    ctypes.set_errno(0)
    assert libc.write(counter, text, len(text)) == len(text)
    result = function(*arguments)
    error = ctypes.get_errno()
    # To read the counter copies too: where that is what fails, nothing had failed before.
    length = libc.pread(counter, left, 16, 0)
    while libc.pwrite(counter, b"0", 1, 0) != 1:
        pass
    libc.close(counter)
    injected = length > 0 and left[:length].strip() == b"0"
    return Outcome(n, result, error if result in (-1, 2**64 - 1) else 0, injected)


def sweep(function, arguments, settle, step=1):
    """
    The Outcome of each n, or of each @step-th, until one is too high to be reached.

    @arguments makes those of one call, @settle sees each Outcome and takes back what a success left;
    both run without injection. No other thread may run: to wait for the interpreter's lock is a
    system call too, and the C library aborts where that fails.
    """
    assert threading.active_count() == 1
    outcomes = []
    with armed():
        for n in range(1, MANY, step):
            outcome = call(n, function, arguments())
            outcomes.append(outcome)
            settle(outcome)
            if not outcome.injected:
                return outcomes
    raise AssertionError(f"more than {MANY} injections: {outcomes[-1]}")
