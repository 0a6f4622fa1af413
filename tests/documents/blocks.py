# SPDX-License-Identifier: MIT
"""The fenced blocks of the documents: what is in them, and what the marks before them say.

A mark is a comment of Markdown right before the fence:

    <!-- not run: REASON -->    nothing runs this; commands are still parsed
    <!-- file: NAME -->         a whole program in C; in the guest it is compiled as ./NAME
    <!-- given: CODE -->        a piece of C, and what is declared before it

Knows neither compilers nor the guest.

Usage: blocks.py FOLDER PAGE...    writes the programs of the pages to the folder, as NAME.c
"""
import re
import sys
from dataclasses import dataclass
from pathlib import Path

MARK = re.compile(r"<!-- (not run|file|given): (.*?) -->\n", re.DOTALL)
BLOCK = re.compile(r"(?P<marks>(?:<!-- (?:not run|file|given): (?:(?!-->).)* -->\n)*)"
                   r"^```(?P<language>\S*)\n(?P<text>.*?)^```\n", re.DOTALL | re.MULTILINE)
# Whatever Markdown might take for a fence: each of them must be one of BLOCK's.
FENCE = re.compile(r"^[ \t>*+\-\d.]*(```|~~~)", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """Where it begins, how it is marked, what it says."""
    page: str
    line: int
    language: str
    text: str
    marks: dict

    def __str__(self):
        return f"{self.page}:{self.line}"

    @property
    def runs(self):
        """Whether the guest runs it."""
        return self.language in ("sh", "console") and "not run" not in self.marks


@dataclass(frozen=True)
class Step:
    """What a shell is told at once; None where what it prints is not in the document."""
    block: Block
    command: str
    output: str | None


def pages(root):
    """The documents under test: README and docs/."""
    return [root / "README.md", *sorted((root / "docs").glob("*.md"))]


def blocks(page):
    """All of one page, in order."""
    text = page.read_text()
    for found in BLOCK.finditer(text):
        line = text.count("\n", 0, found.end("marks")) + 1
        yield Block(page.name, line, found["language"], found["text"],
                    {mark: " ".join(words.split()) if mark != "given" else words
                     for mark, words in MARK.findall(found["marks"])})


def escaped(page):
    """Line numbers of fences that are not part of any block."""
    text = page.read_text()
    known = set()
    for found in BLOCK.finditer(text):
        known |= {found.end("marks"), found.end("text")}
        known |= {found.start("text") + at.start() for at in FENCE.finditer(found["text"])}
    return [text.count("\n", 0, at.start()) + 1 for at in FENCE.finditer(text)
            if at.start() not in known]


def steps(block):
    """A block of commands is one step; of a dialogue each command is one, with what it prints."""
    if block.language == "sh":
        yield Step(block, block.text, None)
        return
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command = re.match(r"(?:.*\\\n)*.*\n", part)[0]
        yield Step(block, command, part[len(command):])


def main(folder, *names):
    """Write the programs."""
    for name in names:
        for block in blocks(Path(name)):
            if "file" in block.marks:
                (Path(folder) / block.marks["file"]).write_text(block.text)


if __name__ == "__main__":
    main(*sys.argv[1:])
