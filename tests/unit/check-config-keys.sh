#!/bin/sh
# SPDX-License-Identifier: MIT
# The keys of the configuration and their description must be the same, defaults included.
# shellcheck disable=SC2086 # words, on one line
# usage: check-config-keys.sh settings.c dmabufd.conf.5
set -eu

in_code=$(sed -n 's/^\t{"\([A-Za-z]*\)", parse_.*/\1/p' "$1" | sort)
in_page=$(sed -n 's/^\.It Ic \([A-Za-z]*\)= .*/\1/p' "$2" | sort)

if [ -z "$in_code" ] || [ "$in_code" != "$in_page" ]; then
	echo "keys in $1:" $in_code
	echo "keys in $2:" $in_page
	exit 1
fi

# "#define USER_BYTES_MAX_DEFAULT (UINT64_C(512) << 20)" and "The default is 512M."
defaults_in_code=$(sed -n 's/^#define [A-Z_]*_MAX_DEFAULT (UINT64_C(\([0-9]*\)) << 20)/\1M/p
	s/^#define [A-Z_]*_MAX_DEFAULT \([0-9]*\)$/\1/p' "${1%.c}.h")
defaults_in_page=$(sed -n 's/^The default is \([0-9A-Z]*\)\.$/\1/p' "$2")

if [ "$defaults_in_code" != "$defaults_in_page" ]; then
	echo "defaults in ${1%.c}.h:" $defaults_in_code
	echo "defaults in $2:" $defaults_in_page
	exit 1
fi
