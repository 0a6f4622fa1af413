# SPDX-License-Identifier: MIT
"""A program allocates, a compositor passes the buffer on, a third shows it: whose charge it is, and
for how long. Three processes of three users."""

import contextlib
import os
import pathlib
import socket
import subprocess
import sys

import guest
import handover
import pytest

MIB = 1 << 20
SIZE = 3 * MIB
PROGRAM, COMPOSITOR, CONSUMER = 1241, 1242, 1243


class Process:
    """One of the chain, as a user of the group that may open cameras."""

    def __init__(self, uid, folder, role, *words, ends):
        group = os.stat(guest.video_nodes("vivid.0")[0]).st_gid
        self.program = subprocess.Popen(
            [sys.executable, "-B", folder / "handover.py", role,
             *(str(getattr(word, "fileno", lambda word=word: word)()) for word in words)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1, cwd="/",
            pass_fds=[end.fileno() for end in ends], user=uid, group=uid, extra_groups=[group])
        for end in ends:
            end.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        self.program.stdin.close()
        self.program.stdout.close()

    def told(self):
        return self.program.stdout.readline().strip()

    def command(self):
        self.program.stdin.write("\n")
        return self.told()

    def kill(self):
        self.program.kill()
        self.program.wait()


@pytest.fixture
def folder(tmp_path):
    """Where every user can read the program."""
    (tmp_path / "handover.py").write_bytes(pathlib.Path(handover.__file__).read_bytes())
    for path in (tmp_path, *tmp_path.parents[:2]):
        path.chmod(0o755)
    return tmp_path


@pytest.fixture
def chain(folder, free_camera):
    """The processes, the buffer's number, all of them alive and the last one with the buffer."""
    first, second = socket.socketpair(), socket.socketpair()
    with contextlib.ExitStack() as stack:
        consumer = stack.enter_context(
            Process(CONSUMER, folder, "keep", second[1], SIZE, ends=[second[1]]))
        compositor = stack.enter_context(
            Process(COMPOSITOR, folder, "pass", first[1], second[0], ends=[first[1], second[0]]))
        program = stack.enter_context(
            Process(PROGRAM, folder, "allocate", first[0], free_camera, SIZE, ends=[first[0]]))
        number = int(program.told())
        assert compositor.told() == "passed"
        assert consumer.told() == handover.TOKEN.decode()
        yield program, compositor, consumer, number


def charged(node):
    """(of the device, of the pools, of each user)"""
    device = next(entry["used"] for entry in guest.ctl("devices")["devices"]
                  if entry["node"] == node)
    users = {}
    for buffer in guest.ctl("buffers")["buffers"]:
        users[buffer["uid"]] = users.get(buffer["uid"], 0) + buffer["size"]
    return device, sum(pool["used"] for pool in guest.ctl("pools")["pools"]), users


def allocates(uid, node, size):
    group = os.stat(node).st_gid
    return guest.run("dmabufctl", "alloc", node, "--size", size, user=uid, groups=[group])


def test_charge_lasts_until_the_last_holder_lets_go(chain, free_camera):
    """And stays that of the user who asked, who may be long gone."""
    program, compositor, consumer, number = chain
    expected = (SIZE, SIZE, {PROGRAM: SIZE})
    assert charged(free_camera) == expected
    program_pid = program.program.pid
    for process in (program, compositor):
        process.kill()
        assert charged(free_camera) == expected
    buffer, = guest.ctl("buffers")["buffers"]
    assert (buffer["id"], buffer["uid"], buffer["pid"]) == (number, PROGRAM, program_pid)
    assert consumer.command() == "let go"  # of the descriptor; the memory is mapped
    assert charged(free_camera) == expected
    assert consumer.command() == "let go"
    guest.wait_until(lambda: charged(free_camera) == (0, 0, {}), "nothing is charged")


def test_quota_is_the_askers(chain, free_camera):
    """While others hold the buffer the one who asked has so much less, and they lose nothing."""
    program, compositor, consumer, _ = chain
    program.kill()
    compositor.kill()
    with guest.configured("[Daemon]\nUserBytesMax=4M\nFairShare=no\n"):
        refused = allocates(PROGRAM, free_camera, "2M")
        assert refused.returncode == 1 and "UserBytesMax" in refused.stderr
        for uid in (COMPOSITOR, CONSUMER):
            assert allocates(uid, free_camera, "4M").returncode == 0
        consumer.kill()
        guest.wait_until(lambda: charged(free_camera) == (0, 0, {}), "nothing is charged")
        assert allocates(PROGRAM, free_camera, "4M").returncode == 0
