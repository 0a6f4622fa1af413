#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What dmabufctl shows of a daemon that has no kernel module: the real ones, on this machine.

Usage: check-without-module.py DMABUFD DMABUFCTL
"""
import json
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

REASON = "modprobe dmabuf_pool"
SKIPPED = 77  # meson's word for it


def serve(daemon, listener, folder):
    """The daemon, as the service manager starts it."""
    configuration = Path(folder, "dmabufd.conf")
    configuration.touch()
    # LISTEN_PID is known in the child only.
    pid = os.fork()
    if not pid:
        try:
            os.dup2(listener.fileno(), 3)
            os.set_inheritable(3, True)  # dup2() of 3 to 3 is none
            os.execve(daemon, [daemon, "--config", str(configuration)],
                      os.environ | {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1"})
        finally:
            os._exit(127)
    return pid


def check(ctl, path):
    def run(*words):
        return subprocess.run([ctl, *words], capture_output=True, text=True, check=False,
                              env=os.environ | {"DMABUFD_SOCKET": path})

    top = run("top", "--once")
    if top.returncode or REASON not in top.stdout:
        yield f"top: exit {top.returncode}: {top.stdout}{top.stderr}"
    shown = run("top", "--json")
    if shown.returncode or json.loads(shown.stdout) != {"pools": [], "processes": []}:
        yield f"top --json: exit {shown.returncode}: {shown.stdout}{shown.stderr}"
    status, = json.loads(run("status", "--json").stdout)["status"]
    if REASON not in status["missing"]:
        yield f"status: {status}"
    if "\ndmabufd_module_loaded 0\n" not in run("metrics").stdout:
        yield "metrics has the module"
    pools = run("pools")
    if pools.returncode != 1 or REASON not in pools.stderr:
        yield f"pools: exit {pools.returncode}: {pools.stderr}"


def main(daemon, ctl):
    if Path("/dev/dmabuf_pool").exists():
        return SKIPPED
    with tempfile.TemporaryDirectory() as folder, \
            socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        path = f"{folder}/socket"
        listener.bind(path)
        listener.listen()
        pid = serve(daemon, listener, folder)
        try:
            wrong = list(check(ctl, path))
        finally:
            os.kill(pid, 15)
            os.waitpid(pid, 0)
    print(*wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
