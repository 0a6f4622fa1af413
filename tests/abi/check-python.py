#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The Python module says what <dmabuf.h> does: every function, constant and structure of one is in
the other; a compiler compares values and layouts.

Usage: check-python.py SOURCE_ROOT CC...
"""
import re
import subprocess
import sys
from pathlib import Path

ENUMS = {"Kind": "KIND", "Mapping": "MAPPING", "Usage": "USAGE", "Access": "ACCESS",
         "Constraint": "CONSTRAINT", "Refused": "REFUSED", "Event": "EVENT", "Verdict": "VERDICT"}


def check_functions(root, library):
    script = (root / "libdmabuf" / "libdmabuf.sym").read_text()
    scripted = set(re.findall(r"^\t(dmabuf_\w+);", script, re.MULTILINE))
    for name in sorted(scripted ^ set(library.PROTOTYPES)):
        yield f"{name} is not in both of libdmabuf.sym and PROTOTYPES of python/_libdmabuf.py"


def check_used(root, library):
    """A prototype alone is no way to call it from Python."""
    text = (root / "python" / "dmabuf.py").read_text()
    for name in library.PROTOTYPES:
        if f"lib.{name}" not in text:
            yield f"python/dmabuf.py never calls {name}"


def constants(dmabuf):
    yield "DMABUF_WAIT_FOREVER", dmabuf.WAIT_FOREVER
    for name, prefix in ENUMS.items():
        for word, member in getattr(dmabuf, name).__members__.items():
            yield f"DMABUF_{prefix}_{word}", int(member)


def check_constants(root, dmabuf):
    header = (root / "include" / "dmabuf.h").read_text()
    declared = set(re.findall(r"^\t(DMABUF_\w+) = ", header, re.MULTILINE))
    declared |= set(re.findall(r"^#define (DMABUF_\w+) ", header, re.MULTILINE))
    for name in sorted(declared ^ {name for name, _ in constants(dmabuf)}):
        yield f"{name} is not in both of dmabuf.h and python/dmabuf.py"


def structures(library):
    return {value.__name__: value for value in vars(library).values()
            if isinstance(value, type) and issubclass(value, library.Structure)
            and value is not library.Structure}


def check_structures(root, library):
    header = (root / "include" / "dmabuf.h").read_text()
    declared = set(re.findall(r"^struct (\w+) \{$", header, re.MULTILINE))
    for name in sorted(declared ^ set(structures(library))):
        yield f"struct {name} is not in both of dmabuf.h and python/_libdmabuf.py"


def assertions(dmabuf, library):
    yield '#include <assert.h>\n#include <stddef.h>\n#include "dmabuf.h"'
    for name, value in constants(dmabuf):
        yield f'static_assert({name} == {value}u, "{name}");'
    for name, structure in structures(library).items():
        yield f'static_assert(sizeof(struct {name}) == {library.ctypes.sizeof(structure)}, "{name}");'
        for field, _ in structure._fields_:
            yield (f"static_assert(offsetof(struct {name}, {field}) == "
                   f'{getattr(structure, field).offset}, "{name}.{field}");')


def check_layout(root, cc, dmabuf, library):
    done = subprocess.run([*cc, "-std=c11", "-x", "c", "-fsyntax-only", f"-I{root}/include", "-"],
                          input="\n".join(assertions(dmabuf, library)), capture_output=True, text=True)
    if done.returncode != 0:
        yield done.stderr


def main(root, cc):
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(root / "python"))
    import _libdmabuf as library
    import dmabuf
    wrong = [*check_functions(root, library), *check_used(root, library),
             *check_constants(root, dmabuf), *check_structures(root, library),
             *check_layout(root, cc, dmabuf, library)]
    print(*wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
