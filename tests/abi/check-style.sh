#!/bin/sh
# SPDX-License-Identifier: MIT
# One style: clang-format for user space, shellcheck for scripts, an SPDX line in every source.
# usage: check-style.sh SOURCE_ROOT
set -eu
cd "$1"

# Kernel style is not ours to check here: checkpatch does.
find include daemon libdmabuf clients examples tests -name '*.[ch]' \
	! -path 'tests/modules/*' ! -path 'tests/kernel/*.c' -print0 |
	xargs -0 clang-format --dry-run -Werror
grep -lE '^#!/bin/(ba)?sh' tools/* tests/*/*.sh tests/vm/guest/usr/lib/rig/* .ci/run \
	debian/*.postinst debian/*.postrm debian/*.prerm |
	xargs shellcheck -x -P tools
missing=$(find include kernel daemon libdmabuf python clients examples systemd tests tools .ci docs debian \
	-type f ! -path debian/changelog ! -path debian/copyright ! -path debian/source/format \
	! -name '*.pyc' ! -name '*.png' ! -name '*.md' ! -name packages \
	-exec grep -L 'SPDX-License-Identifier' {} +)
if [ -n "$missing" ]; then
	echo "no SPDX line in:" "$missing"
	exit 1
fi
