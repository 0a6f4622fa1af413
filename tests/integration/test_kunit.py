# SPDX-License-Identifier: MIT
"""The module's arithmetic by KUnit, in a kernel that has it. The same cases run natively too."""

import pathlib
import re

import guest
import pytest

SOURCES = sorted((pathlib.Path(__file__).parent.parent / "kernel").glob("test-*.c"))
RESULTS = pathlib.Path("/sys/kernel/debug/kunit")
MODULES = ("kunit", "dmabuf_pool_test")
CASE = re.compile(r"^\tKUNIT_CASE\((\w+)\)", re.MULTILINE)
SUITE = re.compile(r'^\t\.name = "(\w+)"', re.MULTILINE)
RESULT = re.compile(r"^ *(not ok|ok) \d+ (\w+)", re.MULTILINE)


def written(pattern):
    """What the sources say there is."""
    return sorted(name for source in SOURCES for name in pattern.findall(source.read_text()))


@pytest.fixture
def results():
    """The results of each suite, by KUnit's own record."""
    for module in MODULES:
        if guest.run("modinfo", module).returncode != 0:
            pytest.skip(f"no module {module}: it takes a kernel with KUnit, see DMABUFD_KERNEL")
    guest.run("modprobe", "--all", *MODULES, check=True)
    yield {suite.name: (suite / "results").read_text() for suite in RESULTS.glob("dmabuf_pool_*")}
    guest.run("rmmod", "dmabuf_pool_test", check=True)


def test_every_case_passes_in_the_kernel(results):
    assert written(CASE) and sorted(results) == written(SUITE)
    failed = [text for text in results.values() if "not ok" in text]
    assert not failed, "\n".join(failed)
    passed = [name for text in results.values() for verdict, name in RESULT.findall(text)]
    assert sorted(passed) == sorted(written(CASE) + written(SUITE))
