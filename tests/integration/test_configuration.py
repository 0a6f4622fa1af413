# SPDX-License-Identifier: MIT
"""The configuration of a running daemon: reload, bad files, groups, shares, reservations, facts."""

import contextlib
import errno
import os
import pathlib
import signal
import subprocess

import dmabuf
import guest
from guest import ctl, refused
from held import close_all

MIB = 1 << 20
ONE_USER, OTHER_USER = 1234, 1235
DROP_IN = pathlib.Path("/etc/dmabufd/dmabufd.conf.d/90-test.conf")


def journal(cursor=None):
    """(messages of the daemon after the cursor, cursor behind them)"""
    place = ["--after-cursor", cursor] if cursor else ["-n", "1"]
    guest.systemctl("start", "dmabufd.service")
    text = guest.run("journalctl", "-u", "dmabufd", "-o", "cat", "--show-cursor", "--no-pager",
                     *place, check=True).stdout
    lines, _, behind = text.rpartition("-- cursor: ")
    return lines, behind.strip() or cursor


def journal_says(cursor, *words):
    guest.wait_until(lambda: all(word in journal(cursor)[0] for word in words),
                     f"the journal says {words}")


@contextlib.contextmanager
def reloaded(text, folder="/etc/dmabufd"):
    """The running daemon under a drop-in, by reload alone; the old configuration afterwards."""
    drop_in = pathlib.Path(folder) / "dmabufd.conf.d" / DROP_IN.name
    drop_in.parent.mkdir(parents=True, exist_ok=True)
    drop_in.write_text(text)
    reload()
    try:
        yield
    finally:
        drop_in.unlink()
        reload()


def reload():
    _, cursor = journal()
    guest.systemctl("reload", "dmabufd.service")
    journal_says(cursor, "configuration reloaded")


def alloc_as(user, size, *words, groups=()):
    return guest.run("dmabufctl", "alloc", *words, "--size", size, user=user, groups=groups)


@contextlib.contextmanager
def held_by(user, node, size, *words):
    """A program of this user that holds a buffer; it may open every video node."""
    program = subprocess.Popen(["dmabufctl", "alloc", node, "--size", size, "--hold", *words],
                               user=user, group=guest.NOBODY,
                               extra_groups=[pathlib.Path(node).stat().st_gid],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        guest.wait_until(lambda: any(entry["uid"] == user for entry in ctl("buffers")["buffers"])
                         or program.poll() is not None, "it holds a buffer")
        assert program.poll() is None
        yield
    finally:
        program.communicate("")


def test_reload_keeps_buffers_charges_and_connections(client, free_camera):
    held = client.allocate(MIB, free_camera, count=2)
    before, pid = ctl("buffers")["buffers"], guest.daemon_pid()
    with reloaded("[Daemon]\nUserBytesMax=3M\n"):
        assert ctl("buffers")["buffers"] == before
        held += client.allocate(MIB, free_camera)
        assert "UserBytesMax= in [Daemon]" in refused(errno.EDQUOT, client.allocate, 4096,
                                                      free_camera)
    held += client.allocate(MIB, free_camera)
    with reloaded("[Daemon]\nUserBytesMax=1M\n"):
        text = refused(errno.EDQUOT, client.allocate, 4096, free_camera)
        assert "4.0 MiB of 1.0 MiB" in text
        device, = {entry["used"] for entry in ctl("devices")["devices"]
                   if entry["device"] == "platform:vivid.0"}
        assert device == 4 * MIB
    assert guest.daemon_pid() == pid
    close_all(held)


def test_bad_file_fails_the_reload_and_changes_nothing(client, free_camera):
    with reloaded("[Daemon]\nUserBytesMax=1M\n"):
        pid = guest.daemon_pid()
        DROP_IN.write_text("[Daemon]\nUserBytesMax=2M\nUserBytesMin=1M\n")
        done = guest.systemctl("reload", "dmabufd.service", check=False)
        assert done.returncode != 0
        check = guest.run("/usr/libexec/dmabufd", "--check")
        assert (check.returncode, check.stdout) == (1, "")
        assert check.stderr == f"{DROP_IN}:3: unknown key UserBytesMin= in section [Daemon]\n"
        # Whoever sends the signal himself is told in the journal.
        _, cursor = journal()
        guest.run("kill", "-HUP", pid, check=True)
        journal_says(cursor, f"{DROP_IN}:3: unknown key UserBytesMin=", "stays")
        assert guest.daemon_pid() == pid
        refused(errno.EDQUOT, client.allocate, 2 * MIB, free_camera)
    check = guest.run("/usr/libexec/dmabufd", "--check")
    assert (check.returncode, check.stdout, check.stderr) == (0, "", "")


def test_check_reads_the_files_that_are_named(tmp_path):
    good, bad = tmp_path / "good", tmp_path / "bad"
    good.write_text("[User @video]\nBytesMax=1G\n")
    bad.write_text("[User no-such-user]\n")
    assert guest.run("/usr/libexec/dmabufd", "--check", good, good).returncode == 0
    check = guest.run("/usr/libexec/dmabufd", "--check", good, bad)
    assert check.returncode == 1
    assert check.stderr == f'{bad}:1: there is no user "no-such-user"\n'


def test_folders_of_the_boot_and_of_packages(client, free_camera):
    """The daemon's sandbox lets it read them, and /etc hides the others."""
    with reloaded("[Daemon]\nUserBytesMax=1M\n", "/usr/lib/dmabufd"):
        assert "1.0 MiB" in refused(errno.EDQUOT, client.allocate, 3 * MIB, free_camera)
        with reloaded("[Daemon]\nUserBytesMax=2M\n", "/run/dmabufd"):
            assert "2.0 MiB" in refused(errno.EDQUOT, client.allocate, 3 * MIB, free_camera)
            with reloaded(""):
                close_all(client.allocate(3 * MIB, free_camera))


def test_groups_of_allocation_without_device_and_of_addresses():
    assert alloc_as(ONE_USER, "4K").returncode == 1
    with reloaded("[Daemon]\nAllocateGroup=4321\nAddressGroup=4322\n"):
        assert alloc_as(ONE_USER, "4K").returncode == 1
        assert alloc_as(ONE_USER, "4K", groups=[4322]).returncode == 1
        assert alloc_as(ONE_USER, "4K", groups=[4321]).returncode == 0
        assert all(pool["base"] is None
                   for pool in ctl("pools", user=ONE_USER, groups=[4321])["pools"])
        assert any(pool["base"] for pool in ctl("pools", user=ONE_USER, groups=[4322])["pools"])
    assert alloc_as(ONE_USER, "4K", groups=[4321]).returncode == 1


def test_fair_share_between_two_users(bound_camera):
    """Of the region's 32 MiB the first may have 16; the second a third of the 16 that are left."""
    group = [pathlib.Path(bound_camera).stat().st_gid]
    only = ["--pool", "camera"]
    done = alloc_as(ONE_USER, "16M", bound_camera, *only, "--count", "2", groups=group)
    assert done.returncode == 1
    assert "fair share of 16.0 MiB" in done.stderr and "FairShare=" in done.stderr
    with held_by(ONE_USER, bound_camera, "16M", *only):
        done = alloc_as(OTHER_USER, "6M", bound_camera, *only, groups=group)
        assert done.returncode == 1
        assert "fair share of 5.3 MiB" in done.stderr
        assert alloc_as(OTHER_USER, "5M", bound_camera, *only, groups=group).returncode == 0
        with reloaded("[Daemon]\nFairShare=no\n"):
            assert alloc_as(OTHER_USER, "16M", bound_camera, *only, groups=group).returncode == 0


def test_reservation_is_refused_to_others_and_used_by_its_device(client, bound_camera, free_camera):
    text = ("[Device platform:vivid.0]\nPool=camera\n"
            "[Device platform:camera]\nReserve=camera 75%\n")
    with reloaded(text):
        text = refused(errno.EDQUOT, client.allocate, 9 * MIB, free_camera, pool="camera")
        assert "24.0 MiB of it are reserved for other devices" in text
        # Without insisting on that pool there is another.
        buffer, = client.allocate(9 * MIB, free_camera)
        assert buffer.pool == "default_cma_region"
        buffer.close()
        # The device itself may have all of it at once, which is more than a fair share.
        held = client.allocate(24 * MIB, bound_camera, pool="camera")
        # Then nothing is kept any more: of 8 MiB another user may have a third.
        group = [pathlib.Path(free_camera).stat().st_gid]
        words = [free_camera, "--pool", "camera"]
        assert alloc_as(ONE_USER, "2M", *words, groups=group).returncode == 0
        assert "2.6 MiB" in alloc_as(ONE_USER, "3M", *words, groups=group).stderr
        close_all(held)


def test_limits_of_a_pool_and_of_a_user(client, bound_camera):
    with reloaded("[Daemon]\nUserDeviceBuffersMax=infinity\n"
                  "[Pool camera]\nBytesMax=2M\nUserBytesMax=50%\n"
                  "[User root]\nBuffersMax=3\n[Device platform:c*]\nBuffersMax=2\n"):
        assert "UserBytesMax= in [Pool camera]" not in refused(
            errno.EDQUOT, client.allocate, 3 * MIB, bound_camera, pool="camera")
        held = client.allocate(MIB, bound_camera, pool="camera")
        held += client.allocate(2 * MIB, bound_camera)
        assert held[1].pool == "default_cma_region"
        assert "2 of 2 buffers" in refused(errno.EDQUOT, client.allocate, 4096, bound_camera)
        held += client.allocate(4096)
        assert "3 of 3 buffers" in refused(errno.EDQUOT, client.allocate, 4096)
        close_all(held)


def test_killed_daemon_knows_what_each_pool_and_user_in_it_holds(bound_camera):
    text = "[Pool camera]\nBytesMax=3M\nUserBytesMax=2M\n"
    with reloaded(text), dmabuf.Connection() as client:
        held = client.allocate(MIB, bound_camera, count=2, pool="camera")
        pid = guest.daemon_pid()
        os.kill(int(pid), signal.SIGKILL)
        guest.wait_until(lambda: guest.daemon_pid() not in ("0", pid), "systemd starts another")
        with dmabuf.Connection() as again:
            text = refused(errno.EDQUOT, again.allocate, 4096, bound_camera, pool="camera")
            assert "2.0 MiB of 2.0 MiB" in text and "UserBytesMax= in [Pool camera]" in text
        group = [pathlib.Path(bound_camera).stat().st_gid]
        done = alloc_as(ONE_USER, "2M", bound_camera, "--pool", "camera", groups=group)
        assert "2.0 MiB of 3.0 MiB" in done.stderr
        assert "raise BytesMax= in [Pool camera]" in done.stderr
        close_all(held)


def explain(node):
    answer = ctl("explain", node, "--size", "1M")
    return {entry["question"]: (entry["answer"], entry["why"]) for entry in answer["decision"]}, \
        [pool["pool"] for pool in answer["pools"]]


@guest.needs_device_tree
def test_configuration_and_udev_override_facts(client, free_camera):
    _, cursor = journal()
    with reloaded("[Device platform:vivid.0]\nCoherent=yes\nAddressBits=24\nPool=codec\n"):
        decision, pools = explain(free_camera)
        assert pools[0] != "codec"  # which lies above what 24 bits reach
        assert any(answer == "0xffffff" and "says dmabufd.conf" in why
                   for answer, why in decision.values())
        journal_says(cursor, "platform:vivid.0 is overridden: coherent (dmabufd.conf), addresses "
                             "up to 0xffffff (dmabufd.conf), pool codec (dmabufd.conf)")
        assert journal(cursor)[0].count("platform:vivid.0 is overridden") == 1
    with reloaded(f"[Device {free_camera}]\nPool=codec\nCoherent=yes\n"):
        buffer, = client.allocate(MIB, free_camera)
        assert (buffer.pool, buffer.mapping) == ("codec", dmabuf.Mapping.CACHED)
        buffer.close()


@guest.needs_device_tree
def test_udev_overrides_facts_and_the_configuration_udev(free_camera):
    _, cursor = journal()
    with guest.udev_property(free_camera, DMABUF_COHERENT="1", DMABUF_ADDRESS_BITS="33",
                             DMABUF_IOMMU="perhaps"):
        decision, _ = explain(free_camera)
        assert decision["mapping"][0] == "cached" and "says udev" in decision["mapping"][1]
        assert decision["highest address"][0] == "0x1ffffffff"
        journal_says(cursor, "coherent (udev), addresses up to 0x1ffffffff (udev)",
                     "udev property DMABUF_IOMMU")
        with reloaded("[Device platform:vivid.0]\nCoherent=no\n"):
            decision, _ = explain(free_camera)
            assert decision["mapping"][0] == "write-combined"
            assert "says dmabufd.conf" in decision["mapping"][1]
            assert "says udev" in decision["highest address"][1]
    decision, _ = explain(free_camera)
    assert decision["highest address"][0] == "0xffffffff"


def test_settings_that_come_to_nothing_are_told():
    _, cursor = journal()
    with reloaded("[Pool system]\nBytesMax=50%\n[Pool nowhere]\n"):
        journal_says(cursor, "BytesMax= in [Pool system] limits nothing",
                     "[Pool nowhere]: there is no such pool")
