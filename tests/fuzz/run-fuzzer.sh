#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs one fuzzer from its seeds for $DMABUFD_FUZZ_SECONDS, 5 unless told; says how to reproduce a
# finding.
# usage: run-fuzzer.sh FUZZER SEEDS [FOLDER]    FOLDER keeps what it learns and finds
set -eu
fuzzer=$1 seeds=$2 name=${1##*/fuzz-}
keep=${3-${XDG_CACHE_HOME:-$HOME/.cache}/dmabufd/fuzz/$name}
mkdir -p "$keep/learned" "$keep/found"

# The daemon's log would be of nothing but what the fuzzer made up: 2 closes stderr, whose copy
# libFuzzer reports to.
"$fuzzer" -max_total_time="${DMABUFD_FUZZ_SECONDS:-5}" -max_len=20000 -timeout=10 \
	-close_fd_mask=2 -print_final_stats=1 -artifact_prefix="$keep/found/" \
	"$keep/learned" "$seeds" && exit
echo "found by $name; to see it again: tools/fuzz $name FILE, with the newest FILE of these:" >&2
ls -t "$keep"/found/* >&2
exit 1
