# SPDX-License-Identifier: MIT
"""
One running emulator: its command line, its sockets, its way to sleep and to wake up.

This file must not know what runs in the guest, nor where its parts come from.
"""

from __future__ import annotations

import json
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from boards import Board

# A panic must end the emulator and an oops must be a panic: a broken guest proves nothing.
APPEND = "rdinit=/sbin/init panic=-1 oops=panic"
PORTS = ("control", "tar", "output")


@dataclass(frozen=True)
class Boot:
    """What a kernel starts with."""

    kernel: Path
    initrd: Path
    devicetree: Path | None
    append: str

    def arguments(self, board: Board) -> list[str]:
        tree = ["-dtb", str(self.devicetree)] if self.devicetree else []
        return ["-kernel", str(self.kernel), "-initrd", str(self.initrd), *tree,
                "-append", f"{APPEND} console={board.console} {self.append}"]


def dump_devicetree(board: Board, file: Path, memory: str) -> list[str]:
    """The command that writes the device tree which the emulator would pass to a kernel."""
    return [board.qemu, "-nodefaults", "-display", "none",
            "-machine", f"{board.machine},dumpdtb={file}", "-m", memory,
            "-cpu", board.processor, *board.processors]


class Machine:
    """A running emulator. `ports` are sockets to the guest's virtio-serial ports."""

    @classmethod
    def boot(cls, board: Board, memory: str, console: Path, ram: Path, boot: Boot) -> Machine:
        """@ram is where the guest's memory will be, for save() or for nothing."""
        backing = f"mem-path={ram},share=on"
        return cls(board, memory, console, backing, boot.arguments(board))

    @classmethod
    def wake(cls, board: Board, memory: str, console: Path, ram: Path, state: Path) -> Machine:
        """Go on from a save(). @ram is mapped copy-on-write: any number of guests share it."""
        woken = cls(board, memory, console, f"mem-path={ram},share=off", ["-incoming", "defer"])
        with state.open("rb") as file:
            woken._transfer("migrate-incoming", file.fileno())
        return woken

    def __init__(self, board: Board, memory: str, console: Path, backing: str,
                 start: list[str]) -> None:
        self._remote: list[socket.socket] = []
        self._monitor = self._socket()
        self.ports = {name: self._socket() for name in PORTS}
        arguments = [*self._arguments(board, memory, console, backing), *start]
        with console.with_name("qemu.log").open("wb") as log:
            self.process = subprocess.Popen(
                arguments, pass_fds=[end.fileno() for end in self._remote],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        for end in self._remote:
            end.close()
        self._replies = self._monitor.makefile("r", encoding="utf-8")
        self._ask("qmp_capabilities")

    def _socket(self) -> socket.socket:
        ours, remote = socket.socketpair()
        self._remote.append(remote)
        return ours

    def _arguments(self, board: Board, memory: str, console: Path, backing: str) -> list[str]:
        monitor, *ports = (end.fileno() for end in self._remote)
        arguments = [
            # The emulator must not outlive the runner, however that ends.
            "setpriv", "--pdeathsig", "KILL",
            board.qemu, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            "-machine", f"{board.machine},memory-backend=ram", "-m", memory,
            "-cpu", board.processor, *board.processors,
            "-object", f"memory-backend-file,id=ram,size={memory},{backing}",
            "-serial", f"file:{console}",
            "-chardev", f"socket,id=monitor,fd={monitor}", "-mon", "chardev=monitor,mode=control",
            "-device", "virtio-serial-pci", "-device", board.edu,
        ]
        for name, fd in zip(PORTS, ports):
            arguments += ["-chardev", f"socket,id={name},fd={fd}",
                          "-device", f"virtserialport,chardev={name},name=rig.{name}"]
        return arguments

    def wait_ready(self, seconds: float) -> None:
        """Until the agent in the guest says that the boot is over; else an OSError."""
        control = self.ports["control"]
        control.settimeout(seconds)
        if control.recv(16) != b"ready\n":
            raise ConnectionError("it died")
        control.settimeout(None)

    def save(self, state: Path) -> None:
        """All but the memory, which is in its file already. The guest is done for afterwards."""
        with state.open("wb") as file:
            self._transfer("migrate", file.fileno())
        while (status := self._ask("query-migrate")["status"]) != "completed":
            if status == "failed":
                raise OSError("the snapshot could not be written")
            time.sleep(0.1)

    def _transfer(self, command: str, fd: int) -> None:
        capability = {"capability": "x-ignore-shared", "state": True}
        self._ask("migrate-set-capabilities", capabilities=[capability])
        socket.send_fds(self._monitor, [b" "], [fd])
        self._ask("getfd", fdname="state")
        self._ask(command, uri="fd:state")

    def _ask(self, command: str, **arguments: object) -> dict:
        """One monitor command. Events on the way are not for us."""
        message = json.dumps({"execute": command, "arguments": arguments})
        self._monitor.sendall(message.encode())
        for line in self._replies:
            reply = json.loads(line)
            if "error" in reply:
                raise OSError(f"{command}: {reply['error']['desc']}")
            if "return" in reply:
                return reply["return"]
        raise ConnectionError(f"{command}: the emulator is gone")

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        for port in (*self.ports.values(), self._monitor):
            port.close()
