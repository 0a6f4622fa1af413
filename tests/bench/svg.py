# SPDX-License-Identifier: MIT
"""Line charts as SVG. Knows axes and curves, not what they mean."""

import math
from dataclasses import dataclass, field
from html import escape

WIDTH, HEIGHT = 760, 440
LEFT, RIGHT, TOP, BOTTOM = 70, 170, 40, 50
COLOURS = ["#1b6ca8", "#c8553d", "#4b8f4b", "#8a5aa8", "#b8860b", "#4a4a4a", "#d1699e"]
STYLE = """<style>
text { font: 12px sans-serif; fill: #333 }
.title { font-size: 15px; font-weight: bold }
.grid { stroke: #ddd }
</style>"""


@dataclass
class Chart:
    """Both axes are logarithmic. Ticks are (value, text). Curves of one name have one colour."""

    title: str
    across: str
    up: str
    ticks: list
    label: object  # value of the axis up -> text
    curves: list = field(default_factory=list)

    def add(self, name, points, dashed=False):
        points = [(x, y) for x, y in points if y]
        if points:
            self.curves.append((name, points, dashed))

    def svg(self):
        return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" '
                          f'height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}">',
                          "<!-- SPDX-License-Identifier: MIT -->", STYLE,
                          f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
                          text(LEFT, 22, self.title, "title"), *self._grid(), *self._lines(),
                          "</svg>", ""])

    def _decades(self):
        values = [y for _, points, _ in self.curves for _, y in points] or [1]
        return (math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)) + 1e-9))

    def _x(self, value):
        low, high = math.log(self.ticks[0][0]), math.log(self.ticks[-1][0])
        return LEFT + (math.log(value) - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    def _y(self, value):
        low, high = self._decades()
        high = max(high, low + 1)
        return HEIGHT - BOTTOM - (math.log10(value) - low) / (high - low) * (HEIGHT - TOP - BOTTOM)

    def _grid(self):
        low, high = self._decades()
        for decade in range(low, max(high, low + 1) + 1):
            y = self._y(10 ** decade)
            yield line([(LEFT, y), (WIDTH - RIGHT, y)], 'class="grid"')
            yield text(LEFT - 6, y + 4, self.label(10 ** decade), anchor="end")
        for value, words in self.ticks:
            x = self._x(value)
            yield line([(x, TOP), (x, HEIGHT - BOTTOM)], 'class="grid"')
            yield text(x, HEIGHT - BOTTOM + 16, words, anchor="middle")
        yield text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, self.across, anchor="middle")
        yield text(LEFT, TOP - 4, self.up)

    def _lines(self):
        colours = dict(zip(dict.fromkeys(name for name, _, _ in self.curves), COLOURS))
        ends = {}
        for name, points, dashed in self.curves:
            dots = [(self._x(x), self._y(y)) for x, y in points]
            dash = ' stroke-dasharray="5 4"' if dashed else ""
            yield line(dots, f'stroke="{colours[name]}" stroke-width="2"{dash}')
            for x, y in dots:
                yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colours[name]}"/>'
            ends.setdefault(name, dots[-1][1] + 4)
        # Names stand beside the ends of their curves, and not on each other.
        lowest = -math.inf
        for name, y in sorted(ends.items(), key=lambda end: end[1]):
            lowest = max(lowest + 15, y)
            yield text(WIDTH - RIGHT + 10, lowest, name, colour=colours[name])


def line(points, attributes):
    words = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{words}" fill="none" {attributes}/>'


def text(x, y, words, kind="", anchor="start", colour=""):
    attributes = f' class="{kind}"' if kind else ""
    if colour:
        attributes += f' style="fill: {colour}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{attributes}>{escape(words)}</text>'
