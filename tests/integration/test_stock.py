# SPDX-License-Identifier: MIT
"""Memory that a pool keeps ready: given again clean, counted exactly, and never in anybody's way.

Asks the module directly, and sets the limits back. Knows of the workers only that they finish.
"""

import contextlib
import errno
import os
import pathlib
import random
import threading
import time

import guest
import poolnode
import pytest
from guest import refused
from poolnode import CACHED, WRITE_COMBINED
from test_module import NO_MAP, POOLS, view
from test_stale import (FIRST_USER, SECOND_USER, as_user, each, fill, is_zero, let_go_by_close,
                        let_go_by_death, let_go_in_flight)

MIB = 1 << 20
PAGE = 4096
LIMIT = 8 * MIB  # half of the smallest region
IN_ADVANCE = 16  # blocks at most
STOCKED = [name for name in POOLS if guest.POOLS[name] != "buddy"]
pytestmark = pytest.mark.skipif(not STOCKED, reason="only the page allocator here")


def stocked(node, pool):
    return node.pools()[pool].stocked


@pytest.fixture(params=[(pool, mapping) for pool in STOCKED for mapping in (CACHED, WRITE_COMBINED)
                        if not (pool in NO_MAP and mapping == CACHED)],
                ids=lambda p: f"{p[0]}-{'cached' if p[1] == CACHED else 'wc'}")
def kind(request, node):
    with node.stocked(request.param[0], LIMIT):
        yield request.param


def ready(node, pool, size):
    """So much is stocked, clean or not."""
    guest.wait_until(lambda: stocked(node, pool) >= size, f"{size} bytes are stocked")


def scribble(buffer):
    with view(buffer) as data:
        data[:] = b"\xff" * len(data)


def test_memory_is_given_again_and_clean(node, kind):
    pool, mapping = kind
    first = node.alloc(pool, MIB, mapping)
    scribble(first)
    os.close(first.fd)
    ready(node, pool, LIMIT)
    assert node.pools()[pool].used == 0
    held = [node.alloc(pool, MIB, mapping) for _ in range(LIMIT // MIB)]
    assert node.pools()[pool].used == LIMIT
    assert first.base in [buffer.base for buffer in held]
    assert each(held, is_zero)
    for buffer in held:
        os.close(buffer.fd)


def test_it_is_taken_in_advance(node, kind):
    """Half a second after the request, so many as fit."""
    pool, mapping = kind
    buffer = node.alloc(pool, 2 * MIB, mapping)
    ready(node, pool, LIMIT)
    assert stocked(node, pool) == LIMIT
    again = [node.alloc(pool, 2 * MIB, mapping) for _ in range(3)]
    assert node.pools()[pool].used == 8 * MIB
    for each_one in (buffer, *again):
        with view(each_one) as data:
            assert is_zero(data)
        os.close(each_one.fd)


def test_small_buffers_do_not_fill_it(node, kind):
    pool, mapping = kind
    held = [node.alloc(pool, PAGE, mapping) for _ in range(200)]
    ready(node, pool, IN_ADVANCE * PAGE)
    for buffer in held:
        os.close(buffer.fd)
    guest.wait_until(lambda: node.pools()[pool].used == 0, "all are released")
    assert stocked(node, pool) <= 64 * PAGE


@pytest.mark.parametrize("let_go", [let_go_by_close, let_go_by_death, let_go_in_flight],
                         ids=["close", "death", "in-flight"])
def test_no_data_of_another_user(node, kind, let_go):
    pool, mapping = kind
    for _ in range(10 if guest.LONG else 2):
        let_go([node.alloc(pool, MIB, mapping) for _ in range(8)])
        ready(node, pool, LIMIT)
        held = [node.alloc(pool, MIB, mapping) for _ in range(8)]
        assert as_user(SECOND_USER, lambda held=held: each(held, is_zero))
        assert as_user(FIRST_USER, lambda held=held: each(held, fill))
        for buffer in held:
            os.close(buffer.fd)


def test_other_mappings_get_other_memory(node):
    """What one mapping left in the cache is nothing for the other."""
    pool = next((name for name in STOCKED if name not in NO_MAP), None)
    if not pool:
        pytest.skip("no pool here has two mappings")
    with node.stocked(pool, LIMIT):
        buffer = node.alloc(pool, MIB, CACHED)
        base = buffer.base
        os.close(buffer.fd)
        ready(node, pool, MIB)
        other = node.alloc(pool, MIB, WRITE_COMBINED)
        assert other.base != base
        os.close(other.fd)


def test_an_address_limit_holds(node, kind):
    pool, mapping = kind
    buffer = node.alloc(pool, MIB, mapping)
    os.close(buffer.fd)
    ready(node, pool, MIB)
    refused(errno.ERANGE, node.alloc, pool, MIB, mapping, max_address=PAGE)


def test_limit(node, kind):
    """What is more than the limit goes back at once."""
    pool, mapping = kind
    held = [node.alloc(pool, MIB, mapping) for _ in range(12)]
    for buffer in held:
        os.close(buffer.fd)
    guest.wait_until(lambda: node.pools()[pool].used == 0, "all are released")
    assert stocked(node, pool) == LIMIT == node.pools()[pool].stock_limit
    node.stock(pool, 3 * MIB)
    guest.wait_until(lambda: stocked(node, pool) <= 3 * MIB, "the stock is within its limit")
    node.stock(pool, 0)
    guest.wait_until(lambda: stocked(node, pool) == 0, "the stock is given back")
    buffer = node.alloc(pool, MIB, mapping)
    os.close(buffer.fd)
    guest.wait_until(lambda: node.pools()[pool].used == 0, "it is released")
    assert stocked(node, pool) == 0


@pytest.mark.parametrize("pool", [name for name in STOCKED if name != "default_cma_region"])
def test_it_makes_way(node, pool):
    """A region whose stock lies everywhere in it still gives one buffer of its whole size."""
    size = node.pools()[pool].size
    with node.stocked(pool, size):
        for buffer in [node.alloc(pool, MIB) for _ in range(size // MIB)]:
            os.close(buffer.fd)
        guest.wait_until(lambda: node.pools()[pool].used == 0, "all are released")
        assert stocked(node, pool) > size // 2
        whole = node.alloc(pool, size)
        assert (whole.end - whole.base, stocked(node, pool)) == (size, 0)
        refused(errno.ENOSPC, node.alloc, pool, PAGE)
        os.close(whole.fd)


def test_the_kernel_gets_it_back(node):
    """When it is short of memory it asks the shrinkers, and so does this file."""
    with contextlib.ExitStack() as stack:
        for pool in STOCKED:
            stack.enter_context(node.stocked(pool, LIMIT))
            os.close(node.alloc(pool, MIB).fd)
            ready(node, pool, LIMIT)
        kinds = {pool: guest.POOLS[pool] for pool in STOCKED}
        pathlib.Path("/proc/sys/vm/drop_caches").write_text("2")
        assert {kinds[pool]: bool(stocked(node, pool)) for pool in STOCKED} == {
            kind: kind == "coherent" for kind in kinds.values()}


def test_refusals(node):
    refused(errno.EOPNOTSUPP, node.stock, "system", MIB)
    refused(errno.ENOENT, node.ioctl, poolnode.STOCK, poolnode.Stock(pool=63))
    refused(errno.ENOENT, node.ioctl, poolnode.STOCK, poolnode.Stock(pool=2**32 - 1))
    refused(errno.EINVAL, node.ioctl, poolnode.STOCK, poolnode.Stock(pool=0, pad=1))


def test_unloading_with_a_stock(daemon_away):
    """It is nobody's: it keeps no module, and nothing of it stays behind."""
    for _ in range(20 if guest.LONG else 2):
        with poolnode.Node() as opened:
            for pool in STOCKED:
                opened.stock(pool, LIMIT)
                scribble_and_close(opened, pool)
        guest.run("modprobe", "-r", "dmabuf_pool", check=True)
        guest.run("modprobe", "dmabuf_pool", check=True)
        with poolnode.Node() as opened:
            assert not any(pool.stocked for pool in opened.pools().values())
            for pool in NO_MAP:
                size = opened.pools()[pool].size
                os.close(opened.alloc(pool, size).fd)


def scribble_and_close(opened, pool):
    buffer = opened.alloc(pool, MIB)
    scribble(buffer)
    os.close(buffer.fd)


def test_everybody_at_once(node, kind):
    """Requests, releases, other limits and a kernel that wants memory, all together."""
    pool, mapping = kind
    end = time.monotonic() + (60 if guest.LONG else 5)
    trouble = []

    def job(seed):
        choice = random.Random(seed)
        while time.monotonic() < end and not trouble:
            try:
                buffer = node.alloc(pool, choice.choice((PAGE, MIB, MIB, 2 * MIB)), mapping)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    trouble.append(error)
                continue
            with view(buffer) as data:
                if not is_zero(data):
                    trouble.append(f"data of another in buffer {buffer.id}")
                fill(data)
            os.close(buffer.fd)

    def disturb():
        choice = random.Random(0)
        while time.monotonic() < end:
            node.stock(pool, choice.choice((0, MIB, LIMIT)))
            pathlib.Path("/proc/sys/vm/drop_caches").write_text("2")

    threads = [threading.Thread(target=job, args=(seed,)) for seed in range(3)]
    threads.append(threading.Thread(target=disturb))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert trouble == []
