# SPDX-License-Identifier: MIT
"""The first program of the README, compiled as it is printed there, does what it says."""

import pathlib

import guest

FIRST = pathlib.Path(__file__).resolve().parent.parent.parent / "programs" / "first"


def test_first_program(bound_camera):
    done = guest.run(FIRST, bound_camera, check=True)
    assert done.stdout == f"{bound_camera}: 1048576 bytes from pool camera\n"


def test_first_program_without_a_device():
    done = guest.run(FIRST, "/dev/video99")
    assert done.returncode == 1
    assert "/dev/video99" in done.stderr
