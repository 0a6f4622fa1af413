# SPDX-License-Identifier: MIT
"""What bench.py wrote, read again: a figure is found by what was done, by whom, and a number.

Knows neither words nor pictures.
"""

import json
import pathlib


class Results:
    def __init__(self, path):
        self.data = json.loads(pathlib.Path(path).read_text())
        self.rows = {(row["what"], row["who"], row["number"]): row for row in self.data["rows"]}

    def get(self, what, who, number=0, figure="p50"):
        """Nanoseconds, or instructions; None when it was not measured."""
        row = self.rows.get((what, who, number))
        return row and row[figure]

    def numbers(self, what, who):
        return sorted(number for a, b, number in self.rows if (a, b) == (what, who))

    def curve(self, what, who, figure="p50"):
        """[(number, figure)] of all numbers that were measured."""
        return [(number, self.get(what, who, number, figure)) for number in self.numbers(what, who)]


def ratio(above, below):
    """None where one of them was not measured."""
    return above / below if above is not None and below else None
