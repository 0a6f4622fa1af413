# SPDX-License-Identifier: MIT
"""A process that is stopped before and after each of its system calls, by ptrace.

Knows processes and system calls; not what the process is for. To be used by one thread, for the
kernel holds that one to be the tracer.
"""

import ctypes
import os
import platform
import signal
import subprocess

TRACEME = 0
SYSCALL, DETACH, SETOPTIONS = 24, 17, 0x4200
SEIZE, INTERRUPT, GET_SYSCALL_INFO = 0x4206, 0x4207, 0x420e
TRACESYSGOOD, TRACEEXEC, EXITKILL = 1, 0x10, 0x100000
SYSCALL_STOP, EVENT_EXEC, EVENT_STOP = signal.SIGTRAP | 0x80, 4, 128
WALL = 0x40000000
# epoll_wait(), epoll_pwait(), epoll_pwait2()
WAITS = {"aarch64": {22, 441}, "x86_64": {232, 281, 441}}[platform.machine()]

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


class SyscallInfo(ctypes.Structure):
    _fields_ = [("op", ctypes.c_uint8), ("pad", ctypes.c_uint8 * 3), ("arch", ctypes.c_uint32),
                ("ip", ctypes.c_uint64), ("sp", ctypes.c_uint64), ("number", ctypes.c_uint64),
                ("arguments", ctypes.c_uint64 * 6)]


def ptrace(request, pid, address=0, data=0):
    result = libc.ptrace(request, pid, address, data)
    if result < 0:
        raise OSError(ctypes.get_errno(), f"ptrace {request:#x} of {pid}")
    return result


class Stepper:
    """A running process, stopped; or, by start(), one that has executed nothing of its program."""

    def __init__(self, pid):
        self.pid = pid
        self.signal = 0
        self.inside = None  # number of the system call that it is in
        self.child = None
        ptrace(SEIZE, pid, 0, TRACESYSGOOD)
        ptrace(INTERRUPT, pid)
        os.waitpid(pid, WALL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """A process that stays stopped would be waited for by all the world."""
        if self.pid:
            self.kill()

    @classmethod
    def start(cls, command, descriptors, **kwargs):
        """Of a command that executes another in its place, stopped where that begins.

        Descriptors are {here: there}.
        """
        def prepare():
            for here, there in descriptors.items():
                os.dup2(here, there)
                os.set_inheritable(there, True)  # also where both are one
            libc.ptrace(TRACEME, 0, None, None)

        child = subprocess.Popen(command, preexec_fn=prepare, close_fds=False, **kwargs)
        made = cls.__new__(cls)
        made.pid, made.signal, made.inside, made.child = child.pid, 0, None, child
        os.waitpid(child.pid, WALL)
        ptrace(SETOPTIONS, child.pid, 0, TRACESYSGOOD | TRACEEXEC | EXITKILL)
        while made._go() >> 16 != EVENT_EXEC:
            pass
        made.step()  # out of exec()
        return made

    def _go(self):
        ptrace(SYSCALL, self.pid, 0, self.signal)
        self.signal = 0
        _, status = os.waitpid(self.pid, WALL)
        if not os.WIFSTOPPED(status):
            self.pid = None
            raise ChildProcessError(f"it ended by itself: {status:#x}")
        return status

    def step(self):
        """Go to the next stop: ("enter" or "leave", number of the system call)."""
        while True:
            status = self._go()
            if os.WSTOPSIG(status) == SYSCALL_STOP:
                break
            if status >> 16 != EVENT_STOP:
                self.signal = os.WSTOPSIG(status)
        info = SyscallInfo()
        ptrace(GET_SYSCALL_INFO, self.pid, ctypes.sizeof(info), ctypes.addressof(info))
        if info.op == 1:
            self.inside = info.number
            return "enter", info.number
        return "leave", self.inside

    def kill(self):
        os.kill(self.pid, signal.SIGKILL)
        while os.WIFSTOPPED(os.waitpid(self.pid, WALL)[1]):
            pass
        if self.child:
            self.child.returncode = -signal.SIGKILL
        self.pid = None

    def detach(self):
        ptrace(DETACH, self.pid)
        self.pid = None
