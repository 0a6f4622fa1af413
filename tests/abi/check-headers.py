#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The headers as their users compile them: dmabuf.h in old and strict C and in C++, the layouts of
the others on this machine and, if the compiler has one, on its 32-bit sister.

Usage: check-headers.py SOURCE_ROOT CC...
"""
import subprocess
import sys
import tempfile
from pathlib import Path

STRICT = ["-Wall", "-Wextra", "-Werror", "-pedantic"]
PUBLIC = [
    ("c", ["-std=gnu89", "-Wall", "-Wextra", "-Werror"]),
    ("c", ["-std=c99"] + STRICT),
    ("c", ["-std=c11"] + STRICT),
    ("c++", ["-std=c++11"] + STRICT),
    ("c++", ["-std=c++17"] + STRICT),
]


def compiles(cc, language, options, source):
    command = cc + ["-x", language, "-fsyntax-only"] + options + [str(source)]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        print(" ".join(command), result.stderr, sep="\n")
    return result.returncode == 0


def check_public(cc, root, folder):
    """Alone, twice, and before anything else."""
    source = folder / "user.c"
    source.write_text('#include "dmabuf.h"\n#include "dmabuf.h"\n'
                      "int main(void) { struct dmabuf *d; return dmabuf_connect(&d); }\n")
    return [compiles(cc, language, options + [f"-I{root}/include"], source)
            for language, options in PUBLIC]


def options_32(cc, folder):
    """How to compile for 32 bits without a 32-bit C library, or None."""
    probe = folder / "probe.c"
    probe.write_text("#include <stdint.h>\n#include <linux/types.h>\n"
                     "_Static_assert(sizeof(void *) == 4, \"not 32 bits\");\n")
    multiarch = subprocess.run(cc + ["-print-multiarch"], capture_output=True, text=True)
    options = ["-m32", "-ffreestanding"]
    if multiarch.returncode == 0 and multiarch.stdout.strip():
        options += ["-isystem", f"/usr/include/{multiarch.stdout.strip()}"]
    command = cc + options + ["-fsyntax-only", str(probe)]
    return options if subprocess.run(command, capture_output=True).returncode == 0 else None


def check_layout(cc, root, folder):
    options = ["-std=gnu11", "-Wall", "-Wextra", "-Werror", f"-I{root}/include"]
    source = root / "tests/abi/layout.c"
    results = [compiles(cc, "c", options, source)]
    narrow = options_32(cc, folder)
    print("layout for 32 bits:", "checked" if narrow else "this compiler has no 32-bit mode")
    if narrow:
        results.append(compiles(cc, "c", options + narrow, source))
    return results


def main():
    root, cc = Path(sys.argv[1]), sys.argv[2:]
    with tempfile.TemporaryDirectory() as folder:
        results = check_public(cc, root, Path(folder)) + check_layout(cc, root, Path(folder))
    print(f"{sum(results)} of {len(results)} compile")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
