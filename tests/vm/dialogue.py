# SPDX-License-Identifier: MIT
"""
The host's half of a run: what guest/usr/lib/rig/agent says and hears on its three ports.

This file must not know how a guest is started or what its kernel writes to the console.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import time
from typing import BinaryIO


class GuestDied(Exception):
    """The ports were closed before the agent said how the command ended."""


class Dialogue:
    def __init__(self, ports: dict[str, socket.socket], files: BinaryIO,
                 show: BinaryIO | None = None) -> None:
        """The tar of the guest's files goes to @files, the command's output to @show too."""
        self.output = bytearray()
        self._lines = bytearray()
        self._ports = ports
        self._files = files
        self._show = show
        self._selector = selectors.DefaultSelector()
        for port, take in (("control", self._lines.extend), ("tar", files.write),
                           ("output", self._take_output)):
            self._selector.register(ports[port], selectors.EVENT_READ, take)

    def run(self, tar: bytes, deadline: float) -> int:
        """Send the command, return its exit status; TimeoutError after @deadline seconds."""
        self._ports["control"].sendall(b"%.2f\n" % time.time())
        threading.Thread(target=self._send, args=(tar,), daemon=True).start()
        end = time.monotonic() + deadline
        while not self._lines.endswith(b"\n"):
            if not self._take(end - time.monotonic()):
                raise TimeoutError
        # What was written before the status is on its way already.
        while self._take(0):
            pass
        return int(self._lines.split()[1])

    def _send(self, tar: bytes) -> None:
        with contextlib.suppress(OSError):
            self._ports["tar"].sendall(tar)

    def _take(self, seconds: float) -> bool:
        """Whether anything came in time."""
        events = self._selector.select(seconds) if seconds >= 0 else []
        for event, _ in events:
            data = event.fileobj.recv(65536)
            if not data:
                raise GuestDied
            event.data(data)
        return bool(events)

    def _take_output(self, data: bytes) -> None:
        self.output += data
        if self._show:
            self._show.write(data)
            self._show.flush()
