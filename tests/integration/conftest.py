# SPDX-License-Identifier: MIT
"""The guest before and after each test: real module, real daemon, two real cameras; nothing left."""

import guest
import poolnode
import pytest



@pytest.fixture(scope="session", autouse=True)
def system():
    guest.prepare()


@pytest.fixture(scope="session")
def bound_camera(system):
    """A camera whose device-tree node names the no-map region."""
    return guest.video_nodes("camera")[0]


@pytest.fixture(scope="session")
def free_camera(system):
    """A camera without a region of its own."""
    return guest.video_nodes("vivid.0")[0]


@pytest.fixture(scope="session")
def codec(system):
    """A device bound to the reusable region."""
    return guest.video_nodes("codec")[0]


@pytest.fixture
def node():
    with poolnode.Node() as opened:
        yield opened


def assert_nothing_left():
    with poolnode.Node() as opened:
        guest.wait_until(lambda: not opened.live(), "every buffer is released")
        used = {name: pool.used for name, pool in opened.pools().items()}
        assert not any(used.values()), f"no buffer lives, and yet bytes are in use: {used}"
    guest.wait_until(lambda: not guest.ctl("buffers")["buffers"], "the daemon knows no buffer")
    charged = {device["device"]: device["used"]
               for device in guest.ctl("devices")["devices"] if device["used"]}
    assert not charged, f"charges outlive their buffers: {charged}"


@pytest.fixture(autouse=True)
def clean_guest(system):
    """After each test no buffer lives, the daemon agrees with the kernel, and its log is quiet."""
    log = guest.KernelLog()
    yield
    try:
        assert_nothing_left()
        assert log.trouble() == []
    finally:
        log.close()
