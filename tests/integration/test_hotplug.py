# SPDX-License-Identifier: MIT
"""Devices come and go: found at once, charged until their buffers are gone, listed by a tag."""

import contextlib
import errno
import os
import pathlib

import dmabuf
import guest
import pytest
from guest import ctl

MIB = 1 << 20
VGEM = "platform:vgem"
CARDS = pathlib.Path("/sys/bus/platform/devices/vgem/drm")


def listed(device):
    return [entry for entry in ctl("devices")["devices"] if entry["device"] == device]


def card():
    """Its node, as soon as the kernel has made it; udev may still be at it."""
    names = [entry.name for entry in CARDS.iterdir() if entry.name.startswith("card")]
    return f"/dev/dri/{names[0]}" if names and os.path.exists(f"/dev/dri/{names[0]}") else None


@contextlib.contextmanager
def vgem():
    """A display device for as long as the block lasts: its node."""
    guest.run("modprobe", "vgem", check=True)
    try:
        yield guest.wait_until(card, "the kernel made its node")
    finally:
        # Rules that run for it may have it open for a moment.
        guest.run("udevadm", "settle", check=True)
        guest.wait_until(lambda: guest.run("rmmod", "vgem").returncode == 0, "it is gone")


@pytest.fixture(autouse=True)
def no_vgem():
    guest.run("modprobe", "-r", "vgem", check=True)
    assert listed(VGEM) == []


def test_device_that_appears_is_usable_at_once():
    with dmabuf.Connection() as client:
        pid = guest.daemon_pid()
        for _ in range(50 if guest.LONG else 5):
            with vgem() as node:
                buffer, = client.allocate(MIB, node)
                assert buffer.pool == guest.FIRST_POOL
                guest.run("udevadm", "settle", check=True)
                assert {entry["used"] for entry in listed(VGEM)} == {MIB}
                buffer.close()
            assert listed(VGEM) == []
        assert guest.daemon_pid() == pid


def test_device_that_goes_keeps_its_charges():
    limits = f"[Daemon]\nFairShare=no\n[Device {VGEM}]\nBytesMax=3M\n"
    with guest.configured(limits), dmabuf.Connection() as client:
        with vgem() as node:
            held = client.allocate(MIB, node, count=2)
        entry, other = ctl("buffers")["buffers"]
        assert entry["devices"] == other["devices"] and VGEM in str(entry["devices"])
        with pytest.raises(dmabuf.Error) as caught:
            client.allocate(MIB, node)
        assert caught.value.errno in (errno.ENODEV, errno.ENOENT)
        # A daemon that never saw the device knows its charges, too.
        guest.systemctl("restart", "dmabufd.service")
        with vgem() as node, dmabuf.Connection() as client:
            assert {entry["used"] for entry in listed(VGEM)} == {2 * MIB}
            with pytest.raises(dmabuf.Error, match="2.0 MiB of 3.0 MiB") as caught:
                client.allocate(2 * MIB, node)
            assert caught.value.errno == errno.EDQUOT
            held.pop().close()
            guest.wait_until(lambda: {entry["used"] for entry in listed(VGEM)} == {MIB},
                             "the charge is given back")
            held += client.allocate(2 * MIB, node)
        for buffer in held:
            buffer.close()
    guest.wait_until(lambda: not ctl("buffers")["buffers"], "all are gone")


def test_subsystem_that_a_rule_tags_is_listed():
    """A port of the guest's serial device on PCI: no media subsystem, and listed by its tag."""
    port = next(pathlib.Path("/dev").glob("vport*p1"), None)
    assert port, "the rig's own channel is such a port"
    assert str(port) not in [entry["node"] for entry in ctl("devices")["devices"]]
    rule = pathlib.Path("/run/udev/rules.d/99-test.rules")
    rule.parent.mkdir(parents=True, exist_ok=True)
    rule.write_text(f'KERNEL=="{port.name}", TAG+="dmabufd"\n'
                    'SUBSYSTEM=="video4linux", TAG+="dmabufd"\n')
    before = ctl("devices")["devices"]
    try:
        for node in (port, "/dev/video0"):
            guest.reload_udev(node)
        after = ctl("devices")["devices"]
        added = [entry for entry in after if entry not in before]
        assert [entry["node"] for entry in added] == [str(port)]
        assert added[0]["device"].startswith("pci:")
        assert len(after) == len({entry["node"] for entry in after})
    finally:
        rule.unlink()
        for node in (port, "/dev/video0"):
            guest.reload_udev(node)
    guest.wait_until(lambda: ctl("devices")["devices"] == before, "the tag is gone with the rule")
