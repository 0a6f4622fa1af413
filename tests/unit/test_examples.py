#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The programs of examples/ that have an event loop, and the code on docs/python.md, run.

Usage: test_examples.py SOURCE_ROOT PROGRAM...
"""
import contextlib
import io
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT, PROGRAMS = Path(sys.argv[1]), sys.argv[2:]
sys.dont_write_bytecode = True
sys.path[:0] = [str(ROOT / "python"), str(ROOT / "tests" / "integration")]
import dmabuf  # noqa: E402
from py_daemon import Daemon  # noqa: E402

# A descriptor of the test's daemon is no dma-buf, which this would be refused for.
dmabuf.Buffer.access = lambda self, flags: contextlib.nullcontext()


class Examples(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        os.environ["DMABUFD_SOCKET"] = f"{folder.name}/socket"
        self.daemon = Daemon(os.environ["DMABUFD_SOCKET"])

    def test_programs(self):
        for program in PROGRAMS:
            done = subprocess.run([program, "/dev/null"], capture_output=True, text=True, timeout=60)
            self.assertEqual((done.returncode, done.stderr), (0, ""), program)
            self.assertIn("1 buffer from pool camera\n", done.stdout)

    def test_program_that_is_refused(self):
        os.environ["DMABUFD_SOCKET"] = "/nonexistent/socket"
        for program in PROGRAMS:
            done = subprocess.run([program], capture_output=True, text=True, timeout=60)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn("does not exist", done.stderr)

    def test_page(self):
        page = (ROOT / "docs" / "python.md").read_text()
        blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
        printed = []
        for block in blocks:
            with contextlib.redirect_stdout(io.StringIO()) as out:
                exec(compile(block.replace("/dev/video0", "/dev/null"), "python.md", "exec"), {})
            printed.append(out.getvalue())
        self.assertRegex(printed[0], r"^1048576 camera \d+\n$")
        self.assertEqual(printed[1], "E2BIG too large\n")
        self.assertIn("['camera']\n", printed[2])
        self.assertEqual(len(printed), 3)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
