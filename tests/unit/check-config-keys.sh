#!/bin/sh
# SPDX-License-Identifier: MIT
# The keys of the configuration and their description must be the same, defaults included: of each
# section its keys, and "The default is X." where one has a default that can be written in the file.
# usage: check-config-keys.sh print-keys dmabufd.conf.5
set -eu

in_page() {
	awk '
		function flush() { if (key != "") print section, key, value }
		/^\.Ss The .* section/ { flush(); key = ""; section = $3 }
		/^\.Sh / { flush(); key = ""; section = "" }
		section != "" && /^\.It Ic [A-Za-z]*= / {
			flush(); key = $3; sub(/=$/, "", key); value = "-"
		}
		/^The default is .*\.$/ { value = $4; sub(/\.$/, "", value) }
		END { flush() }' "$1"
}

expected=$("$1" | sort)
found=$(in_page "$2" | sort)
if [ -z "$expected" ] || [ "$expected" != "$found" ]; then
	printf 'in the table:\n%s\n\nin %s:\n%s\n' "$expected" "$2" "$found"
	exit 1
fi
