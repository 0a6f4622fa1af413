#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The Python module against a daemon in a thread: what goes in arrives, what comes out is Python's.

Usage: test_python.py SOURCE_ROOT
"""
import contextlib
import errno
import gc
import os
import select
import sys
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(sys.argv.pop(1))
sys.dont_write_bytecode = True
sys.path[:0] = [str(ROOT / "python"), str(ROOT / "tests" / "integration")]
import dmabuf  # noqa: E402
from py_daemon import Daemon  # noqa: E402


def open_buffers():
    """Those that another thread closes just now are gone."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):
            if os.readlink(f"/proc/self/fd/{name}").startswith("/memfd:fake"):
                found.append(int(name))
    return found


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        os.environ["DMABUFD_SOCKET"] = f"{folder.name}/socket"
        self.daemon = Daemon(os.environ["DMABUFD_SOCKET"])
        self.connection = dmabuf.Connection()
        self.addCleanup(self.connection.close)

    def run_loop(self, done):
        while not done():
            self.assertTrue(select.select([self.connection], [], [], 30)[0])
            self.connection.dispatch()


class Allocate(Case):
    def test_what_is_asked_arrives(self):
        self.connection.allocate(4096, "/dev/null", count=2, usage=dmabuf.Usage.CONTIGUOUS,
                                 mapping=dmabuf.Mapping.CACHED, pool="area", name="mine", wait=5)
        size, count, flags, mapping, n_devices, device, *_, pool, name, wait = \
            self.daemon.requests[0]
        self.assertEqual((size, count, flags, mapping, n_devices), (4096, 2, 1, 1, 1))
        self.assertEqual(device, 1 << 32 | 3)
        self.assertEqual((pool.rstrip(b"\0"), name.rstrip(b"\0"), wait), (b"area", b"mine", 5000))

    def test_devices_of_every_kind(self):
        with open("/dev/zero", "rb") as zero:
            self.connection.allocate(4096, "/dev/null", zero, os.makedev(7, 9), alignment=8192,
                                     address_bits=32, preferred=dmabuf.Constraint.ALIGNMENT)
        _, _, _, _, n_devices, *devices = self.daemon.requests[0]
        self.assertEqual((n_devices, devices[:3]), (3, [1 << 32 | 3, 1 << 32 | 5, 7 << 32 | 9]))

    def test_check(self):
        self.connection.check(4096, count=14)
        self.assertEqual(self.daemon.requests, [])

    def test_what_is_granted(self):
        first, second = self.connection.allocate(dmabuf.Request(4096), count=2)
        self.assertEqual((first.id, second.id), (1, 2))
        self.assertEqual((first.size, first.pool, first.kind, first.mapping, first.contiguous),
                         (4096, "camera", dmabuf.Kind.CMA, dmabuf.Mapping.WRITE_COMBINED, True))
        self.assertEqual(first.address, (4096, 1 << 30))
        os.fstat(first.fd)

    def test_life(self):
        with self.connection.allocate(4096)[0] as one:
            with one.map() as memory:
                self.assertEqual(len(memory), 4096)
                memory[:4] = b"abcd"
            self.assertEqual(os.pread(one.fileno(), 4, 0), b"abcd")
            # A memfd has no such call.
            for bracket in (one.access(dmabuf.Access.READ),
                            dmabuf.access(one.fd, dmabuf.Access.READ_WRITE)):
                with self.assertRaises(dmabuf.Error) as caught, bracket:
                    pass
                self.assertEqual(caught.exception.errno, errno.ENOTTY)
            taken = one.take_fd()
            self.assertRaises(dmabuf.Error, one.fileno)
        os.close(taken)
        self.assertRaises(ValueError, one.map)
        self.assertEqual(one.id, 1)

    def test_descriptors_are_closed(self):
        """At the end of a with statement, and with the last reference."""
        kept, = self.connection.allocate(4096)
        with self.connection.allocate(4096)[0]:
            pass
        self.connection.allocate(4096, count=3)
        gc.collect()
        deadline = time.monotonic() + 30
        # The daemon, in this process too, closes its own a moment later.
        while open_buffers() != [kept.fd]:
            self.assertLess(time.monotonic(), deadline, open_buffers())

    def test_errors(self):
        with self.assertRaises(dmabuf.Error) as caught:
            self.connection.allocate(1 << 40)
        self.assertEqual((caught.exception.errno, caught.exception.strerror),
                         (errno.E2BIG, "too large"))
        self.assertEqual(self.connection.error(), "too large")
        info = self.connection.error_info()
        self.assertEqual((info.code, info.refusal, info.text),
                         (-errno.E2BIG, dmabuf.Refused.UNSUITABLE, "too large"))
        with self.assertRaises(dmabuf.Error) as caught:
            dmabuf.Request(4096, "/dev/no-such-device")
        self.assertEqual(caught.exception.errno, errno.ENOENT)
        self.connection.set_timeout(50)
        with self.assertRaises(dmabuf.Error) as caught:
            self.connection.allocate(8192)
        self.assertEqual(caught.exception.errno, errno.ETIMEDOUT)
        self.connection.close()
        self.assertRaises(ValueError, self.connection.pools)
        os.environ["DMABUFD_SOCKET"] = "/nonexistent/socket"
        with self.assertRaises(dmabuf.Error) as caught:
            dmabuf.Connection()
        self.assertIn("/nonexistent/socket does not exist", caught.exception.strerror)


class Look(Case):
    def test_lists(self):
        pool, = self.connection.pools()
        self.assertEqual((pool.name, pool.kind, pool.size, pool.used),
                         ("camera", dmabuf.Kind.COHERENT, 1 << 20, 7))
        self.assertEqual((pool.stocked, pool.stock_limit), (3, 5))
        device, = self.connection.devices()
        self.assertEqual((device.node, device.pool, device.coherent, device.iommu, device.allowed),
                         ("/dev/video0", None, 1, 0, 1))
        one, = self.connection.buffers()
        self.assertEqual((one.id, one.name, one.devices, one.mapping),
                         (1, "label", "platform:camera", dmabuf.Mapping.WRITE_COMBINED))
        client, = self.connection.clients()
        self.assertEqual((client.pid, client.uid, client.self, client.watches), (42, 1000, 1, 0))

    def test_status(self):
        status = self.connection.status()
        self.assertEqual((status.version, status.module_missing, status.uptime, status.clients),
                         ("0.1.0", None, 1, 2))
        self.assertEqual(status.refusals, list(range(20, 28)))
        self.assertEqual((len(status.buckets), status.buckets[3].bound), (16, 4))
        self.assertEqual([(pool.pool, pool.bytes) for pool in status.pools], [("camera", 4)])

    def test_explain(self):
        explanation = self.connection.explain(4096)
        step, = explanation.steps
        self.assertEqual((step.pool, step.verdict), ("camera", dmabuf.Verdict.TRY))
        self.assertEqual((explanation.contiguous_why, step.why), ("one", "because"))

    def test_watch(self):
        self.connection.watch_start()
        self.assertTrue(select.select([self.connection.watch_fileno()], [], [], 30)[0])
        event, = self.connection.watch_read()
        self.assertEqual((event.type, event.number, event.name),
                         (dmabuf.Event.RELEASED, 7, "label"))


class Loop(Case):
    def test_start(self):
        ends = []
        for size in (4096, 1 << 40):
            self.connection.start(lambda *end: ends.append(end), size, count=2)
        self.run_loop(lambda: len(ends) == 2)
        (granted, error), (nothing, refused) = ends
        self.assertEqual(([one.id for one in granted], error), ([1, 2], None))
        self.assertEqual((nothing, refused.errno, refused.strerror),
                         (None, errno.E2BIG, "too large"))

    def test_cancel(self):
        ends = []
        first = self.connection.start(lambda *end: ends.append(1), 8192)
        self.connection.start(lambda *end: ends.append(2), 4096)
        while not self.daemon.requests:
            select.select([self.connection], [], [], 0.01)
            self.connection.dispatch()
        first.cancel()
        first.cancel()
        self.run_loop(lambda: ends)
        self.assertEqual(ends, [2])

    def test_callback_raises(self):
        def callback(*_):
            raise KeyError("mine")

        self.connection.start(callback, 4096)
        with self.assertRaisesRegex(KeyError, "mine"):
            self.run_loop(lambda: False)

    def test_notify(self):
        events = []
        self.connection.set_notify(events.append)
        self.run_loop(lambda: events)
        self.assertEqual((events[0].type, events[0].pool, events[0].size),
                         (dmabuf.Event.ASKED_BACK, "camera", 4096))
        self.connection.set_notify(None)
        self.connection.dispatch()


if __name__ == "__main__":
    unittest.main()
