#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""One set of public functions in three places: the header, the version script, the library.

Usage: check-symbols.py HEADER VERSION_SCRIPT LIBRARY NM
"""
import re
import subprocess
import sys
from pathlib import Path


def without_comments(text):
    return re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)


def declared(header):
    """Names that a declaration of file scope gives a parameter list."""
    text = without_comments(Path(header).read_text())
    text = re.sub(r"^\s*#.*$", "", text, flags=re.MULTILINE)
    return set(re.findall(r"\b(dmabuf_\w+)\s*\((?!\*)", text))


def scripted(script):
    text = without_comments(Path(script).read_text())
    if re.search(r"global:[^}]*\*\s*;[^}]*local:", text):
        sys.exit(f"{script}: a pattern exports by accident; name each symbol")
    nodes = re.findall(r"^(\w+(?:\.\d+)+)\s*\{(.*?)\}", text, flags=re.DOTALL | re.MULTILINE)
    names = {}
    for node, body in nodes:
        for name in re.findall(r"\b(\w+);", body.split("local:")[0]):
            if name in names:
                sys.exit(f"{script}: {name} is listed twice")
            names[name] = node
    return names


def exported(library, nm):
    output = subprocess.run([nm, "-D", "--defined-only", "--with-symbol-versions", library],
                            check=True, capture_output=True, text=True).stdout
    names = {}
    for line in output.splitlines():
        kind, symbol = line.split()[-2:]
        name, _, version = symbol.partition("@@")
        if kind != "A":
            names[name] = version
    return names


def main():
    header, script, library, nm = sys.argv[1:]
    in_header, in_script, in_library = declared(header), scripted(script), exported(library, nm)
    wrong = [f"{name}: not in {where}"
             for names, where in ((in_header, header), (in_script, script), (in_library, library))
             for name in sorted((in_header | set(in_script) | set(in_library)) - set(names))]
    wrong += [f"{name}: version {in_library[name]}, but {node} in {script}"
              for name, node in in_script.items() if in_library.get(name, node) != node]
    print("\n".join(wrong) or f"{len(in_header)} functions")
    return 1 if wrong or not in_header else 0


if __name__ == "__main__":
    sys.exit(main())
