# SPDX-License-Identifier: MIT
"""A program on a terminal of its own. Knows nothing of the program."""

import os
import pty
import select
import signal


class Terminal:
    """A program on a terminal of its own."""

    def __init__(self, *words, **environment):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update({"TERM": "xterm"} | environment)
            os.execvp(words[0], words)
        self.text = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)

    def read(self):
        """More text; false at the end."""
        ready, _, _ = select.select([self.fd], [], [], 30)
        assert ready, f"silence after {self.text!r}"
        try:
            self.text += os.read(self.fd, 65536).decode()
        except OSError:  # the last process on it is gone
            return False
        return True

    def until(self, words):
        while words not in self.text:
            assert self.read(), self.text

    def end(self):
        """The exit code."""
        while self.read():
            pass
        _, status = os.waitpid(self.pid, 0)
        self.pid = 0
        return os.waitstatus_to_exitcode(status)
