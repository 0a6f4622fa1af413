# SPDX-License-Identifier: MIT
"""The daemon under systemd: activation, policy, quota, access, release and restart."""

import contextlib
import errno
import glob
import os
import signal
import subprocess
import time

import dmabuf
import guest
import poolnode
import pytest
from guest import ctl, refused
from held import close_all, exhaust

MIB = 1 << 20
VIDEO_USER, STRANGER = 1234, 1235


def unit(name, *properties):
    shown = guest.systemctl("show", name, "-p", ",".join(properties)).stdout
    return dict(line.split("=", 1) for line in shown.splitlines())


def device_use(device):
    return {entry["device"]: entry["used"] for entry in ctl("devices")["devices"]}.get(device, 0)


def totals():
    """(kernel, daemon): bytes alive."""
    with poolnode.Node() as node:
        kernel = sum(info.size for info in node.live())
        assert kernel == sum(pool.used for pool in node.pools().values())
    return kernel, sum(buffer["size"] for buffer in ctl("buffers")["buffers"])


def test_first_client_starts_the_daemon():
    guest.systemctl("stop", "dmabufd.service")
    assert unit("dmabufd.service", "ActiveState")["ActiveState"] == "inactive"
    assert {pool["name"]: pool["kind"] for pool in ctl("pools")["pools"]} == guest.POOLS
    shown = unit("dmabufd.service", "ActiveState", "Type", "User")
    assert shown == {"ActiveState": "active", "Type": "notify", "User": "dmabufd"}


def test_daemon_has_no_privilege():
    pid = guest.daemon_pid()
    status = dict(line.split(":\t", 1) for line in open(f"/proc/{pid}/status").read().splitlines()
                  if ":\t" in line)
    assert {int(status[name], 16) for name in ("CapEff", "CapPrm", "CapBnd", "CapAmb")} == {0}
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"


def test_bound_device_gets_its_region(client, bound_camera):
    buffer, = client.allocate(MIB, bound_camera)
    base, end = guest.region("camera")
    assert (buffer.pool, buffer.kind) == ("camera", dmabuf.Kind.COHERENT)
    assert base <= buffer.address[0] < buffer.address[1] <= end
    buffer.close()


def test_device_bound_to_a_reusable_region(client, codec):
    buffer, = client.allocate(MIB, codec)
    assert (buffer.pool, buffer.kind) == ("codec", dmabuf.Kind.CMA)
    buffer.close()


@guest.needs_device_tree
def test_free_device_gets_cma_and_then_buddy(client, free_camera):
    held = exhaust(client, free_camera, "default_cma_region", 64 << 10)
    spilled, = client.allocate(MIB, free_camera)
    assert (spilled.pool, spilled.kind) == ("system", dmabuf.Kind.BUDDY)
    close_all(held)
    spilled.close()
    guest.wait_until(lambda: not ctl("buffers")["buffers"], "CMA is free again")
    buffer, = client.allocate(MIB, free_camera)
    assert (buffer.pool, buffer.kind) == ("default_cma_region", dmabuf.Kind.CMA)
    buffer.close()


def test_full_region_gives_way_to_cma(bound_camera):
    with guest.configured("[Daemon]\nFairShare=no\n"), dmabuf.Connection() as client:
        held = exhaust(client, bound_camera, "camera", 4096)
        assert sum(buffer.size for buffer in held) == 32 * MIB
        buffer, = client.allocate(MIB, bound_camera)
        assert buffer.pool == "default_cma_region"
        close_all([*held, buffer])


def test_devices_that_share_get_no_region_of_one(client, bound_camera, free_camera):
    buffer, = client.allocate(MIB, bound_camera, free_camera)
    assert buffer.pool == "default_cma_region"
    assert device_use("platform:camera") == device_use("platform:vivid.0") == MIB
    buffer.close()


@guest.needs_iommu
def test_device_behind_the_iommu_gets_scattered_cached_memory(client, free_camera):
    """A port of the guest's PCI serial device: coherent, translated, and so not in need of CMA."""
    port, = glob.glob("/dev/vport*p1")
    buffer, = client.allocate(48 * MIB, port)
    assert (buffer.pool, buffer.mapping) == ("system", dmabuf.Mapping.CACHED)
    assert buffer.address[1] - buffer.address[0] >= 48 * MIB
    buffer.close()
    buffer, = client.allocate(MIB, port, free_camera)
    assert (buffer.pool, buffer.mapping) == ("default_cma_region", dmabuf.Mapping.WRITE_COMBINED)
    assert buffer.address[1] - buffer.address[0] == MIB
    buffer.close()


def test_display_gets_memory_too(client):
    """A DRM device: another subsystem, nothing in the daemon but udev knows of it."""
    guest.run("modprobe", "vgem", check=True)
    guest.run("udevadm", "settle", check=True)
    entry = next(entry for entry in ctl("devices")["devices"] if "vgem" in entry["device"])
    buffer, = client.allocate(MIB, entry["node"])
    assert buffer.pool == guest.FIRST_POOL
    buffer.close()


def test_reader_gets_a_cached_mapping(client, free_camera):
    buffer, = client.allocate(MIB, free_camera, usage=dmabuf.Usage.CPU_READS_OFTEN)
    assert buffer.mapping == dmabuf.Mapping.CACHED
    buffer.close()


def test_no_map_region_is_never_cached(client, bound_camera):
    buffer, = client.allocate(MIB, bound_camera, usage=dmabuf.Usage.CPU_READS_OFTEN, pool="camera")
    assert buffer.mapping == dmabuf.Mapping.WRITE_COMBINED
    buffer.close()
    text = refused(errno.EOPNOTSUPP, client.allocate, MIB, bound_camera, pool="camera",
                   mapping=dmabuf.Mapping.CACHED)
    assert "camera" in text and "cached" in text


def test_several_buffers_or_none(client, bound_camera):
    buffers = client.allocate(MIB, bound_camera, count=14)
    assert len({buffer.id for buffer in buffers}) == 14
    close_all(buffers)
    with guest.configured("[Pool camera]\nUserBytesMax=infinity\n"), dmabuf.Connection() as client:
        refused(errno.ENOSPC, client.allocate, 3 * MIB, bound_camera, count=14, pool="camera")
    guest.wait_until(lambda: totals() == (0, 0), "what was allocated on the way is back")


def test_explain_gives_the_order_without_allocating(free_camera, node):
    steps = ctl("explain", free_camera, "--size", "1M")["pools"]
    first = ["default_cma_region", "system"] if guest.DEVICE_TREE else ["system"]
    assert [step["pool"] for step in steps[:len(first)]] == first
    assert {step["pool"] for step in steps} == set(guest.POOLS)
    assert all(step["why"] for step in steps)
    assert node.live() == []


def test_explain_says_why_a_large_buffer_passes_the_system_pool_over(free_camera):
    steps = {step["pool"]: step for step in ctl("explain", free_camera, "--size", "8M")["pools"]}
    assert "4.0 MiB" in steps["system"]["why"]


def test_user_quota(free_camera):
    with guest.configured("[Daemon]\nUserBytesMax=3M\n"), dmabuf.Connection() as client:
        held = client.allocate(MIB, free_camera, count=3)
        text = refused(errno.EDQUOT, client.allocate, 4096, free_camera)
        assert "user 0" in text and "3.0 MiB" in text and "UserBytesMax" in text
        held.pop().close()
        guest.wait_until(lambda: len(ctl("buffers")["buffers"]) == 2, "the charge is given back")
        held += client.allocate(MIB, free_camera)
        close_all(held)


def test_device_quota_counts_all_users(free_camera):
    text = "[Daemon]\nDeviceBytesMax=2M\nFairShare=no\n"
    with guest.configured(text), dmabuf.Connection() as client:
        held = client.allocate(MIB, free_camera, count=2)
        done = guest.run("dmabufctl", "alloc", free_camera, "--size", "4K", user=VIDEO_USER,
                         groups=[video_group(free_camera)])
        assert done.returncode == 1
        assert "platform:vivid.0" in done.stderr and "DeviceBytesMax" in done.stderr
        close_all(held)


def test_charge_lasts_as_long_as_the_buffer_not_the_connection(free_camera):
    with dmabuf.Connection() as client:
        buffer, = client.allocate(MIB, free_camera)
    kept = os.dup(buffer.fd)
    buffer.close()
    assert totals() == (MIB, MIB)
    assert device_use("platform:vivid.0") == MIB
    os.close(kept)
    guest.wait_until(lambda: totals() == (0, 0), "released")
    assert device_use("platform:vivid.0") == 0


def test_killed_client_leaves_nothing(free_camera):
    client = subprocess.Popen(["dmabufctl", "alloc", free_camera, "--size", "1M", "--count", "4",
                               "--hold"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    client.stdout.readline()
    guest.wait_until(lambda: totals() == (4 * MIB, 4 * MIB), "the client holds four")
    client.send_signal(signal.SIGKILL)
    client.wait()
    guest.wait_until(lambda: totals() == (0, 0), "the kernel closed them")
    for pipe in (client.stdin, client.stdout):
        pipe.close()


def test_killed_daemon_knows_all_buffers_when_it_is_back(client, bound_camera, free_camera):
    held = client.allocate(MIB, bound_camera, count=3) + client.allocate(2 * MIB, free_camera)
    before = ctl("buffers")["buffers"]
    used = device_use("platform:camera"), device_use("platform:vivid.0")
    assert used == (3 * MIB, 2 * MIB)
    for _ in range(100 if guest.LONG else 5):
        pid = guest.daemon_pid()
        os.kill(int(pid), signal.SIGKILL)
        guest.wait_until(lambda: guest.daemon_pid() not in ("0", pid),
                         "systemd starts another")
        assert ctl("buffers")["buffers"] == before
        assert (device_use("platform:camera"), device_use("platform:vivid.0")) == used
        assert totals() == (5 * MIB, 5 * MIB)
    close_all(held)


def test_buffers_released_while_the_daemon_is_away(client, free_camera):
    held = client.allocate(MIB, free_camera, count=2)
    guest.systemctl("stop", "dmabufd.service")
    held.pop().close()
    assert totals() == (MIB, MIB)
    close_all(held)


def test_client_reconnects_after_a_restart(client, free_camera):
    client.allocate(4096, free_camera)[0].close()
    guest.systemctl("restart", "dmabufd.service")
    assert refused(errno.ECONNRESET, client.allocate, 4096, free_camera)
    client.allocate(4096, free_camera)[0].close()


def video_group(path):
    return os.stat(path).st_gid


def alloc_as(user, path, groups=()):
    return guest.run("dmabufctl", "alloc", path, "--size", "4K", user=user, groups=groups)


def test_who_may_open_the_node_may_allocate(free_camera):
    denied = alloc_as(STRANGER, free_camera)
    assert denied.returncode == 1
    assert free_camera in denied.stderr
    assert alloc_as(VIDEO_USER, free_camera, [video_group(free_camera)]).returncode == 0
    guest.run("setfacl", "-m", f"u:{STRANGER}:rw", free_camera, check=True)
    assert alloc_as(STRANGER, free_camera).returncode == 0
    guest.run("setfacl", "-b", free_camera, check=True)
    assert alloc_as(STRANGER, free_camera).returncode == 1


def test_users_see_their_own_and_no_addresses(client, free_camera):
    root = client.allocate(MIB, free_camera)
    user = subprocess.Popen(["dmabufctl", "alloc", free_camera, "--size", "4K", "--hold", "--json"],
                            user=VIDEO_USER, group=VIDEO_USER,
                            extra_groups=[video_group(free_camera)],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    guest.wait_until(lambda: len(ctl("buffers")["buffers"]) == 2, "both are there")
    own, = ctl("buffers", user=VIDEO_USER)["buffers"]
    assert own["uid"] == VIDEO_USER
    assert own["base"] is None and own["end"] is None
    assert {buffer["uid"] for buffer in ctl("buffers")["buffers"]} == {0, VIDEO_USER}
    assert all(pool["base"] is None for pool in ctl("pools", user=VIDEO_USER)["pools"])
    user.communicate("")
    close_all(root)


def test_only_root_allocates_without_a_device_by_default(client):
    close_all(client.allocate(4096))
    done = guest.run("dmabufctl", "alloc", "--size", "4K", user=VIDEO_USER)
    assert done.returncode == 1
    assert "device" in done.stderr


@pytest.mark.parametrize("pool", sorted(set(guest.POOLS) - {guest.FIRST_POOL, "system"}))
def test_udev_property_binds_a_pool(client, free_camera, pool):
    with guest.udev_property(free_camera, DMABUF_POOL=pool):
        buffer, = client.allocate(MIB, free_camera)
        assert buffer.pool == pool
        buffer.close()


def test_udev_property_of_the_device_behind_the_node(client, free_camera):
    """Nothing of the node itself changes."""
    device, = {entry["device"] for entry in ctl("devices")["devices"]
               if entry["node"] == free_camera}

    def pool():
        with client.allocate(MIB, free_camera)[0] as buffer:
            return buffer.pool

    assert pool() == guest.FIRST_POOL
    with guest.udev_property_of_device(device, DMABUF_POOL="system"):
        assert pool() == "system"
    assert pool() == guest.FIRST_POOL


def test_device_is_looked_up_once(client, free_camera, tmp_path):
    """A request for a device that is known asks for the state of its node, and of no other file."""
    client.allocate(4096, free_camera)[0].close()
    calls = tmp_path / "calls"
    with contextlib.ExitStack() as stack:
        strace = subprocess.Popen(["strace", "-qq", "-e", "trace=%file,read", "-o", calls,
                                   "-p", guest.daemon_pid()])
        stack.callback(strace.wait)
        stack.callback(strace.terminate)
        guest.wait_for_strace(guest.daemon_pid())
        client.allocate(4096, free_camera)[0].close()
    text = calls.read_text()
    assert [line.split('"')[1] for line in text.splitlines() if '"/' in line] == [free_camera], text


def test_many_clients_at_once(free_camera):
    clients = [dmabuf.Connection() for _ in range(32)]
    held = [client.allocate(4096, free_camera)[0] for client in clients]
    assert totals() == (32 * 4096, 32 * 4096)
    close_all(held)
    for client in clients:
        client.__exit__()


def test_idle_daemon_sleeps():
    """Its watchdog is fed 90 s after its start at the earliest; nothing else wakes it."""
    guest.systemctl("restart", "dmabufd.service")
    pid = guest.daemon_pid()
    ctl("pools")

    def switches():
        status = open(f"/proc/{pid}/status").read()
        return int(status.partition("nonvoluntary_ctxt_switches")[0]
                   .partition("voluntary_ctxt_switches:\t")[2])

    guest.wait_until(lambda: open(f"/proc/{pid}/stat").read().split()[2] == "S", "it sleeps")
    before = switches()
    time.sleep(3)  # the span that is observed, not a wait for something
    assert switches() == before


def test_memory_is_charged_to_the_cgroup_of_the_client():
    """Its limit stops the client, kills nobody, and no other pool serves as a way around it."""
    def alloc(size):
        return guest.run("systemd-run", "--quiet", "--wait", "--pipe", "-p", "MemoryMax=24M",
                         "dmabufctl", "alloc", "--size", size)

    small = alloc("8M")
    assert small.returncode == 0, small.stderr
    large = alloc("32M")
    assert large.returncode != 0
    assert "memory cgroup" in large.stderr and "MemoryMax=" in large.stderr
