#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""No fenced block of the documents escapes: each is of a language that something checks.

Here: pieces of C are compiled, configuration is read by the daemon, device trees by dtc, shell by
bash without running it. tests/integration/test_documents.py runs the commands in a guest.

Usage: check-blocks.py SOURCE_ROOT DMABUFD COMPILER...
"""
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import blocks

INCLUDES = ("err.h", "errno.h", "fcntl.h", "stdio.h", "string.h", "sys/ioctl.h")
# And, by a word in it, what else a piece of C is compiled with; the first that is found.
MORE_INCLUDES = (("DMABUF_POOL_", ("uapi/dmabuf_pool.h",)), ("DMA_HEAP_", ("linux/dma-heap.h",)),
                 ("Gst", ("gst/gst.h", "gst/allocators/gstdmabuf.h")),
                 ("dmabuf_", ("dmabuf.h",)), ("", ()))
GST_PACKAGES = ("gstreamer-1.0", "gstreamer-allocators-1.0")
# What a reader lays over the device tree of a board.
OVERLAY = "/dts-v1/;\n/plugin/;\n&{/} {\n%s};\n"


def complaints(command, text, suffix=""):
    """What a program writes that is given this text in a file; nothing when it is content."""
    with tempfile.NamedTemporaryFile("w", suffix=suffix) as file:
        file.write(text)
        file.flush()
        done = subprocess.run([*command, file.name], capture_output=True, text=True, check=False)
        said = (done.stdout + done.stderr).replace(file.name, "").strip()
    return said or f"exit status {done.returncode}" if done.returncode else ""


def function_around(block):
    """A piece of a program as a whole one."""
    more = next(names for word, names in MORE_INCLUDES if word in block.text)
    head = "".join(f"#include <{name}>\n" for name in INCLUDES + more)
    return (f"{head}void fragment(void);\nvoid fragment(void)\n{{\n{block.marks.get('given', '')}\n"
            f"#line {block.line + 1} \"{block.page}\"\n{block.text}}}\n")


def gst_flags(text):
    """None where GStreamer's headers are not installed."""
    if "Gst" not in text:
        return []
    done = subprocess.run(["pkg-config", "--cflags", *GST_PACKAGES], capture_output=True, text=True,
                          check=False)
    return done.stdout.split() if done.returncode == 0 else None


def check_c(block, root, compiler):
    whole = "file" in block.marks
    flags = gst_flags(block.text)
    if flags is None:
        return ""
    return complaints([*compiler, "-fsyntax-only", "-std=gnu11", "-Wall", "-Wextra", "-Werror",
                       *([] if whole else ["-Wno-unused", "-Wno-unused-variable"]),
                       f"-I{root / 'include'}", *flags, "-x", "c"],
                      block.text if whole else function_around(block), ".c")


def check_dts(block):
    """Whole files, and nodes as they stand in an overlay."""
    if not shutil.which("dtc"):
        return ""
    text = block.text if block.text.startswith("/dts-v1/") else OVERLAY % block.text
    return complaints(["dtc", "-q", "-@", "-I", "dts", "-O", "dtb", "-o", "/dev/null"], text)


def check_shell(block):
    steps = list(blocks.steps(block))
    if not steps:
        return "a dialogue without a command: lines that begin with \"$ \""
    return "".join(complaints(["bash", "-n"], step.command) for step in steps)


def check_python(block):
    """That it is the language; tests/unit/test_examples.py runs it."""
    try:
        compile(block.text, str(block), "exec")
    except SyntaxError as error:
        return str(error)
    return ""


def check(block, root, daemon, compiler):
    """What is wrong with a block; nothing when all is well."""
    if block.language in ("sh", "console"):
        return check_shell(block)
    if block.language == "c":
        return check_c(block, root, compiler)
    if block.language == "ini":
        return complaints([daemon, "--check"], block.text, ".conf")
    if block.language == "dts":
        return check_dts(block)
    if block.language == "python":
        return check_python(block)
    if block.language == "text":
        return "" if "not run" in block.marks else "text that says nowhere why nothing checks it"
    return f'nothing checks the language "{block.language}"'


def check_pages(root, daemon, compiler):
    seen = set()
    for page in blocks.pages(root):
        for line in blocks.escaped(page):
            yield (f"{page.name}:{line}: a fence that is no block's, by its place or for want of "
                   "an end")
        for block in blocks.blocks(page):
            seen.add(block.language)
            if wrong := check(block, root, daemon, compiler):
                yield f"{block}: {wrong}"
    if missing := {"sh", "console", "c", "ini", "dts"} - seen:
        yield f"no page has a block of {missing}: are they still found?"


def check_links(root):
    """Pages point to files that are there, and to headings of pages."""
    for page in blocks.pages(root):
        text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
        for target, anchor in re.findall(r"\]\(([^)#:\s]*)(?:#([^)]*))?\)", text):
            path = page.parent / target if target else page
            if not path.exists():
                yield f"{page.name} points to {target}, which is not there"
            elif anchor and anchor not in anchors(path):
                yield f"{page.name} points to {target}#{anchor}, and there is no such heading"


def anchors(page):
    """As web views make them of headings."""
    for heading in re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE):
        yield re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def main(root, daemon, *compiler):
    wrong = [*check_pages(root, daemon, compiler), *check_links(root)]
    print(*wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *sys.argv[2:]))
