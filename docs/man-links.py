#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Which names lead to which page: "dmabuf_disconnect.3 dmabuf_connect.3", a line each.

Usage: man-links.py PAGE...
"""
import re
import sys
from pathlib import Path

for page in map(Path, sys.argv[1:]):
    names = re.findall(r"^\.Nm (dmabuf_\w+)( ,)?$", page.read_text(), re.MULTILINE)
    for name, _ in names if page.suffix == ".3" else []:
        if name != page.stem:
            print(f"{name}{page.suffix} {page.name}")
