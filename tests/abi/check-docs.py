#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Docs say what the code says: the README's program, commands, options, exit codes, the library's
functions, opcodes, the kernel interface, the module's files, the configuration's examples, the
messages in the journal.

Usage: check-docs.py SOURCE_ROOT DMABUFCTL PROGRAM-FOR-VIDEO... DMABUFD
"""
import re
import subprocess
import sys
import tempfile
from pathlib import Path

LONG_OPTION = re.compile(r"--([a-z][a-z-]+)")


def commands_of(ctl):
    text = subprocess.run([ctl, "--help"], check=True, capture_output=True, text=True).stdout
    return re.findall(r"^  ([a-z]+) ", text.partition("Commands:")[2], re.MULTILINE)


def check_readme(root):
    readme = (root / "README.md").read_text()
    program = (root / "examples" / "first.c").read_text()
    if f"```c\n{program}```" not in readme:
        yield "README.md does not print examples/first.c as it is"
    if program.count("\n") > 30:
        yield "examples/first.c has more than 30 lines"


def options_of(command):
    text = subprocess.run([*command, "--help"], check=True, capture_output=True, text=True).stdout
    return set(LONG_OPTION.findall(text))


def check_options(root, page, *commands):
    man = (root / "docs" / "man" / page).read_text()
    for command in commands:
        for option in sorted(options_of(command)):
            if not re.search(rf"(Fl|[,|]) -{option}\b", man):
                yield f"{page} does not have --{option} of {' '.join(command)}"


def check_commands(root, ctl):
    page = (root / "docs" / "man" / "dmabufctl.1").read_text()
    for name in commands_of(ctl):
        if f".It Cm {name}\n" not in page:
            yield f"dmabufctl.1 does not tell what {name} does"


def check_exit_codes(root, ctl):
    """One table: in the code, in --help and on the page."""
    header = (root / "clients" / "text.h").read_text()
    page = (root / "docs" / "man" / "dmabufctl.1").read_text()
    codes = re.findall(r"^\tEXIT_\w+ = (\d+),", header, re.MULTILINE)
    told = re.findall(r"^\.It (\d+)$", page.partition(".Sh EXIT STATUS")[2].partition(".Sh ")[0],
                      re.MULTILINE)
    text = subprocess.run([ctl, "--help"], check=True, capture_output=True, text=True).stdout
    helped = re.findall(r"(\d+) \w", text.partition("Exit: ")[2])
    if not codes or not codes == told == helped:
        yield f"exit codes are {codes}, on the page {told}, in --help {helped}"


def check_library_pages(root):
    """Each function is on one page, with its declaration and some words; each page is listed."""
    build = (root / "docs" / "meson.build").read_text()
    overview = (root / "docs" / "man" / "libdmabuf.3").read_text()
    script = (root / "libdmabuf" / "libdmabuf.sym").read_text()
    pages = {path.name: path.read_text() for path in (root / "docs" / "man").glob("*.3")}
    for name in pages:
        if f"'man/{name}'" not in build:
            yield f"{name} is not installed"
        if name != "libdmabuf.3" and f".It Xr {name[:-2]} 3\n" not in overview:
            yield f"libdmabuf.3 does not point to {name}"
    for name in re.findall(r"^\t(dmabuf_\w+);", script, re.MULTILINE):
        found = [page for page in pages.values() if re.search(rf"^\.Nm {name}( ,)?$", page, re.MULTILINE)]
        if len(found) != 1:
            yield f"{name} is on {len(found)} pages, not on one"
            continue
        synopsis, _, words = found[0].partition(".Sh DESCRIPTION")
        if not re.search(rf'^\.(Fn {name} "|Fo {name}$)', synopsis, re.MULTILINE):
            yield f"the page of {name} does not declare it"
        if not re.search(rf"^\.Fn {name}\b", words, re.MULTILINE):
            yield f"the page of {name} tells nothing of it"


def check_examples(root, daemon):
    """The daemon accepts the examples of its configuration."""
    page = (root / "docs" / "man" / "dmabufd.conf.5").read_text()
    examples = re.findall(r"^\.Bd -literal[^\n]*\n(.*?)^\.Ed", page, re.MULTILINE | re.DOTALL)
    for text in examples:
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
            file.write(text + "\n")
            file.flush()
            done = subprocess.run([daemon, "--check", file.name], capture_output=True, text=True)
        if done.returncode != 0:
            yield f"dmabufd.conf.5 has a bad example: {done.stderr.strip()}"


def check_protocol(root):
    header = (root / "include" / "dmabufd-protocol.h").read_text()
    page = (root / "docs" / "protocol.md").read_text()
    for name, number in re.findall(r"^\tDMABUFD_([A-Z]+) = (\d+),\s+/\* .* \*/$", header,
                                   re.MULTILINE):
        if f"| {number} {name} |" not in page:
            yield f"protocol.md does not have opcode {number} {name}"


def structures(header):
    """Of each: its name, its fields, and the kernel-doc comment in front of it."""
    comments = dict(re.findall(r"^/\*\*\n \* struct (\w+) - \S.*\n((?: \*.*\n)+?) \*/\n", header,
                               re.MULTILINE))
    for name, body in re.findall(r"^struct (\w+) {\n(.*?)^};", header, re.MULTILINE | re.DOTALL):
        yield name, re.findall(r"(\w+)(?:\[\w+\])?;", body), comments.get(name, "")


def check_uapi_header(header):
    for name, fields, comment in structures(header):
        for field in fields:
            if not re.search(rf"^ \* @{field}: \S", comment, re.MULTILINE):
                yield f"dmabuf_pool.h does not tell what {name}.{field} is"


def told_of_uapi(header):
    """What docs/uapi.md must name, as code."""
    yield from re.findall(r"^#define (DMABUF_POOL_(?!IOCTL_)\w+) \S", header, re.MULTILINE)
    for name, fields, _ in structures(header):
        yield name
        yield from (field for field in fields if field != "pad")
    yield from re.findall(r"-(E[A-Z0-9]+)\b", header)


def check_uapi(root):
    header = (root / "include" / "uapi" / "dmabuf_pool.h").read_text()
    page = (root / "docs" / "uapi.md").read_text()
    yield from check_uapi_header(header)
    for name, number in re.findall(r"^#define (\w+_IOCTL_\w+) _IOWR\(\w+, (\d+),", header,
                                   re.MULTILINE):
        if f"| `{name}` | {number} |" not in page:
            yield f"uapi.md does not have ioctl {number} {name}"
    code = "\n".join(re.findall(r"```.*?```|`[^`\n]+`", page, re.DOTALL))
    for name in dict.fromkeys(told_of_uapi(header)):
        if not re.search(rf"\b{name}\b", code):
            yield f"uapi.md does not have {name}"


def check_architecture(root):
    page = (root / "docs" / "architecture.md").read_text()
    files = sorted((root / "kernel").glob("*.[ch]"))
    for path in files:
        if path.suffix == ".c" and f"`{path.name}`" not in page:
            yield f"architecture.md does not tell what kernel/{path.name} is for"
    lines = sum(path.read_text().count("\n") for path in files)
    told = re.search(r"^About ([\d,]+) lines", page, re.MULTILINE)
    if not told or abs(int(told[1].replace(",", "")) - lines) > 100:
        yield f"architecture.md does not say that the module has about {lines} lines"


def check_messages(root):
    """Each id of a message is explained in the catalog and listed in the man page, and no other."""
    header = (root / "daemon" / "log.h").read_text()
    ids = re.findall(r'^#define MESSAGE_\w+ "(\w+)"$', header, re.MULTILINE)
    catalog = (root / "systemd" / "dmabufd.catalog").read_text()
    page = (root / "docs" / "man" / "dmabufd.8").read_text()
    if re.findall(r"^-- (\w+)$", catalog, re.MULTILINE) != ids:
        yield "dmabufd.catalog does not have the messages of log.h in their order"
    if re.findall(r"^\.It Li (\w{32})$", page, re.MULTILINE) != ids:
        yield "dmabufd.8 does not have the messages of log.h in their order"


def main(root, ctl, *video, daemon):
    wrong = [*check_readme(root),
             *check_options(root, "dmabufctl.1", [ctl], *([ctl, name] for name in commands_of(ctl))),
             *check_commands(root, ctl), *check_exit_codes(root, ctl), *check_library_pages(root),
             *(problem for program in video
               for problem in check_options(root, f"{Path(program).name}.1", [program])),
             *check_options(root, "dmabufd.8", [daemon]),
             *check_examples(root, daemon), *check_protocol(root), *check_uapi(root),
             *check_architecture(root), *check_messages(root)]
    print(*wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *sys.argv[2:-1], daemon=sys.argv[-1]))
