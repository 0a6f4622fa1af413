# SPDX-License-Identifier: MIT
"""No path got longer: instructions that tools/bench counted ($DMABUFD_BENCH) beside the table's."""

import os

import instructions
import pytest
from results import Results

GROWTH = 1.03
TABLE = instructions.read()


@pytest.fixture(scope="module", name="counted")
def _counted():
    return Results(os.environ["DMABUFD_BENCH"])


@pytest.mark.parametrize("what, who, number", TABLE)
def test_it_takes_no_more_instructions(counted, what, who, number):
    before, now = TABLE[what, who, number], counted.get(what, who, number, instructions.FIGURE)
    assert now is not None, "it was not counted"
    assert now <= before * GROWTH, (
        f"{before} on Linux {instructions.kernel()}, now {now} on {counted.data['kernel']}: "
        "find out why, or write the table anew by tools/bench table")


def test_all_that_was_counted_is_in_the_table(counted):
    wanted = [line.split("\t")[:3] for line in instructions.write(counted) if line[0] != "#"]
    assert [(what, who, int(number)) for what, who, number in wanted] == list(TABLE)
