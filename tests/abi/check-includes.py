#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Who may include what: the layers of docs/architecture.md, followed through every header.

Usage: check-includes.py SOURCE_ROOT
"""
import re
import sys
from pathlib import Path

# ISO C and what of POSIX touches nothing outside the process.
PURE = re.compile(r"(assert|ctype|errno|fnmatch|inttypes|limits|search|std\w+|string|strings)\.h"
                  r"|sys/(types|queue|sysmacros)\.h")
FOREIGN = re.compile(r"(systemd/|acl/|sys/acl|libudev|libsmartcols|ini\.h|png|gst/|glib|linux/)")

PURE_FILES = ("policy", "quota", "ledger", "tag", "plan", "text", "match", "claims", "refusal",
              "settings", "keys", "override", "notice", "review", "rate", "queue", "counters",
              "forecast", "needs", "outlook", "changes")

# (which files, what they may include with <>, with "", and with both through headers)
LIBRARY_OWN = {"private.h", "async.h", "wire.h", "dmabuf.h", "dmabufd-protocol.h", "cleanup.h",
               "fdinfo.h", "part.h"}
CLIENT_SECRETS = {"dmabufd-protocol.h", "wire.h", "private.h", "async.h", "uapi/dmabuf_pool.h",
                  "dmabuf_pool.h"}

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.MULTILINE)


def includes(path):
    return [(kind == "<", name) for kind, name in INCLUDE.findall(path.read_text())]


def resolve(root, path, name):
    for folder in (path.parent, root / "include", root / "libdmabuf", root / "daemon"):
        if (folder / name).is_file():
            return (folder / name).resolve()
    return None


def closure(root, path, seen=None):
    """All that path includes, through our own headers: (file that includes, <>?, name)."""
    seen = {path} if seen is None else seen
    for angle, name in includes(path):
        yield path, angle, name
        header = resolve(root, path, name)
        if header and header not in seen:
            seen.add(header)
            yield from closure(root, header, seen)


def check_pure(root):
    own = {f"{name}.h" for name in PURE_FILES} | {"pool.h", "peer.h", "values.h", "cleanup.h"}
    for name in PURE_FILES:
        path = root / "daemon" / f"{name}.c"
        for where, angle, header in closure(root, path):
            # cleanup.h closes descriptors for those who have some.
            if where.name == "cleanup.h":
                continue
            if angle and not PURE.fullmatch(header) or not angle and header not in own:
                yield path, f"is pure, but gets {header} by {where.name}"


def check_library(root):
    for path in sorted((root / "libdmabuf").glob("*.[ch]")):
        for angle, name in includes(path):
            if angle and FOREIGN.match(name) and name != "linux/dma-buf.h":
                yield path, f"the library links libc only, but includes {name}"
            kernel = path.name == "part.c" and name == "uapi/dmabuf_pool.h"
            if not angle and name not in LIBRARY_OWN and not kernel:
                yield path, f"includes {name}"


def check_uapi(root):
    for folder in ("daemon", "libdmabuf", "clients", "examples"):
        for path in sorted((root / folder).rglob("*.[ch]")):
            if path in (root / "daemon" / "module.c", root / "libdmabuf" / "part.c"):
                continue
            for _, name in includes(path):
                if name.endswith("dmabuf_pool.h"):
                    yield path, "speaks to the kernel module, as only daemon/module.c and libdmabuf/part.c do"


def check_clients(root):
    for folder in ("clients", "examples"):
        for path in sorted((root / folder).rglob("*.[ch]")):
            for where, _, name in closure(root, path):
                if name in CLIENT_SECRETS:
                    yield path, f"uses more than the public header: {name} by {where.name}"


def check_plugin(root):
    """Of GStreamer's plugin: what knows frames knows no daemon, and nothing knows V4L2 or DRM."""
    for path in sorted((root / "clients" / "gst").glob("*.[ch]")):
        for angle, name in includes(path):
            if name == "dmabuf.h" and path.stem not in ("settings", "allocator"):
                yield path, "only the plugin's allocator speaks to the library"
            if angle and FOREIGN.match(name) and not name.startswith("gst/"):
                yield path, f"the plugin needs GStreamer and the library, but includes {name}"


def main():
    root = Path(sys.argv[1]).resolve()
    checks = (check_pure, check_library, check_uapi, check_clients, check_plugin)
    wrong = [problem for check in checks for problem in check(root)]
    for path, problem in wrong:
        print(f"{path.relative_to(root)}: {problem}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
