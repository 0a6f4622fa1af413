# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# What demo and test share: steps that show what goes on, packages, builds, the guest's payload.
# To be sourced. It must not know what is demonstrated or tested.

set -euo pipefail

source_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/dmabufd
# One set of builds for each place that the sources lie in.
builds=$cache/builds/$(printf %s "$source_root" | sha256sum | head -c 16)
rig=$source_root/tests/vm/rig.py
# DMABUFD_KERNEL: .deb files of a kernel and its headers, instead of the distribution's.
# shellcheck disable=SC2206 # a list of words is wanted
guest=(${DMABUFD_KERNEL:+--kernel $DMABUFD_KERNEL})
work=$(mktemp -d -t dmabufd.XXXXXX)
keep_work=
job=

clean_up() {
	[ -z "$job" ] || kill -- "-$job" 2>/dev/null || true
	[ -n "$keep_work" ] || rm -rf "$work"
}
trap clean_up EXIT

say() {
	printf '[%4ds] %s\n' $SECONDS "$*"
}

# What a step is at: on a terminal a line that changes, elsewhere a line now and then.
show_progress() {
	local text
	text=$(printf '[%4ds] %s: %s' $SECONDS "$1" "$(tail -n 1 "$2" | tr -dc '[:print:]')")
	if [ -t 1 ]; then
		printf '\r\033[K%.*s' "$(($(tput cols) - 1))" "$text"
	elif [ $((SECONDS - last_line)) -ge 15 ]; then
		last_line=$SECONDS
		printf '%.120s\n' "$text"
	fi
}

# step NAME COMMAND…: run it with its output in a log that is shown only if it fails.
step() {
	local name=$1 log=$work/${1// /-}.log started=$SECONDS last_line=$SECONDS status=0
	shift
	: >"$log"
	# In a process group of its own, so that all of it ends when this program is interrupted.
	set -m
	"$@" >"$log" 2>&1 </dev/null &
	job=$!
	set +m
	while kill -0 "$job" 2>/dev/null; do
		show_progress "$name" "$log"
		sleep 0.5
	done
	[ ! -t 1 ] || printf '\r\033[K'
	wait "$job" || status=$?
	job=
	if [ $status = 0 ]; then
		say "$name: done in $((SECONDS - started)) s"
	else
		keep_work=yes
		tail -n 60 "$log" >&2
		say "$name: failed; the whole log is $log" >&2
		return 1
	fi
}

missing_packages() {
	local package
	grep '^[a-z]' "$source_root/tools/packages" | while read -r package; do
		dpkg-query --show --showformat '${db:Status-Abbrev}\n' "$package" 2>/dev/null |
			grep -q '^ii' || echo "$package"
	done
}

# shellcheck disable=SC2046 # a list of words is wanted
install_packages() {
	# The second needs the package lists, which a slim machine may lack.
	if [ -z "$(missing_packages)" ] && "$source_root/tools/guest-kernel" --list >/dev/null 2>&1; then
		return
	fi
	if [ "$(id -u)" != 0 ]; then
		echo "run as root: packages or package lists are missing:" $(missing_packages)
		return 1
	fi
	export DEBIAN_FRONTEND=noninteractive
	dpkg --add-architecture arm64
	apt-get update
	[ -z "$(missing_packages)" ] ||
		apt-get install --yes --no-install-recommends $(missing_packages)
}

# configure FOLDER OPTION…: a build folder stays as long as its options do.
configure() {
	local folder=$1
	shift
	if [ "$(cat "$folder/options" 2>/dev/null)" != "$*" ]; then
		rm -rf "$folder"
		meson setup "$folder" "$source_root" "$@" && echo "$*" >"$folder/options"
	fi
}

build_native() {
	configure "$builds/native" -Db_sanitize=address,undefined -Db_lundef=false \
		-Dkernel_module=disabled &&
		meson compile -C "$builds/native"
}

# build_guest KERNEL: programs, library and module for the guest, installed below payload/root.
build_guest() {
	local folder
	folder=$builds/guest-$(basename "$1")
	export ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- KCFLAGS=-Werror
	configure "$folder" --cross-file "$source_root/tools/arm64.ini" --prefix=/usr \
		--libdir=/usr/lib/aarch64-linux-gnu --sysconfdir=/etc --localstatedir=/var \
		-Dwerror=true -Dtests=false -Dkernel_module=build -Dkernel_dir="$1/headers" &&
		DESTDIR=$work/payload/root meson install -C "$folder" &&
		mkdir -p "$work/payload/run" &&
		cp -r "$source_root/tests" "$work/payload/run/" &&
		build_first
}

# The program that the README prints, with the words that it prints; against what is installed.
# shellcheck disable=SC2016,SC2046 # the pattern is sed's; a list of words is wanted
build_first() {
	local root=$work/payload/root
	sed -n '/^```c$/,/^```$/ { /^```/d; p }' "$source_root/README.md" >"$work/first.c" &&
		aarch64-linux-gnu-gcc -Wall -Wextra -Werror -o "$work/payload/run/first" "$work/first.c" \
			$(PKG_CONFIG_SYSROOT_DIR=$root PKG_CONFIG_LIBDIR=$root/usr/lib/aarch64-linux-gnu/pkgconfig \
				pkg-config --cflags --libs libdmabuf)
}

# Everything that a guest needs. Afterwards its payload is in $work/payload.
prepare_guest() {
	step 'guest kernel' "$rig" kernel "${guest[@]}" &&
		step 'guest image' "$rig" image &&
		locked step 'guest build' build_guest "$(tail -n 1 "$work/guest-kernel.log")" &&
		step 'guest snapshot' "$rig" snapshot "${guest[@]}"
}

# Two runs would otherwise build in one folder at one time.
locked() {
	local status=0
	mkdir -p "$builds"
	exec 9>"$builds/lock"
	flock --nonblock 9 || { say 'waiting for another build to end' && flock 9; }
	"$@" || status=$?
	exec 9>&-
	return $status
}
