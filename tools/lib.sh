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
default_guest=arm64-6.12
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

# A slim machine may have none, and those of the other architecture come with our first run.
have_package_lists() {
	compgen -G '/var/lib/apt/lists/*_binary-amd64_Packages*' >/dev/null &&
		compgen -G '/var/lib/apt/lists/*_binary-arm64_Packages*' >/dev/null
}

# shellcheck disable=SC2046 # a list of words is wanted
install_packages() {
	if [ -z "$(missing_packages)" ] && have_package_lists; then
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
		-Dgstreamer=enabled -Ddrm=enabled -Dkernel_module=disabled &&
		meson compile -C "$builds/native"
}

# guest_options NAME: sets the array options, by which rig.py knows the guest. The name says it all:
# ARCH-RELEASE, or with -noiommu, -packages or -counting after that; the release "debug" is the kernel
# that DMABUFD_DEBUG_KERNEL names, and DMABUFD_KERNEL is another kernel for the default guest, its
# processor counting instructions or not.
# shellcheck disable=SC2206,SC2207 # lists of words are wanted
guest_options() {
	local arch release variant
	IFS=- read -r arch release variant <<<"$1"
	options=(--arch "$arch")
	case $release in
	debug) options+=(--kernel $(kernel_packages debug "$DMABUFD_DEBUG_KERNEL")) ;;
	*) options+=(--release "$release") ;;
	esac
	case $variant in
	# Much more than 32 bits can name: memory lies out of reach of some devices.
	noiommu) options+=(--no-iommu --memory 4G) ;;
	# A compiler and the kernel's headers are in memory, as all files of a guest.
	packages)
		options+=(--packages $(guest_packages "$arch" "$release") --memory 4G)
		# The headers bring a kernel with them, whose initrd would take minutes: nobody boots it.
		export INITRD=No
		;;
	counting) options+=(--counting) ;;
	esac
	[ "${1%-counting}" != "$default_guest" ] || [ -z "${DMABUFD_KERNEL-}" ] ||
		options+=(--kernel $(kernel_packages bench "$DMABUFD_KERNEL"))
}

# guest_packages ARCH RELEASE: a list of what a guest has that builds the module for its kernel.
guest_packages() {
	local list=$builds/guest-packages-$1-$2
	mkdir -p "$builds"
	cp "$source_root/tests/packages/guest-packages" "$list"
	"$source_root/tools/guest-kernel" --list "$1" "$2" | sed -n '2s/:.*//p' >>"$list"
	echo "$list"
}

# kernel_packages NAME PLACE: .deb files; out of a folder those of the kernel that calls itself so.
kernel_packages() {
	if [ -d "$2" ]; then
		ls "$2"/linux-{image,headers}-*"$1"_*.deb
	else
		echo "$2"
	fi
}

# target ARCH: what compilers and meson need to build for a guest.
target() {
	cross=()
	[ "$1" = "$(dpkg --print-architecture)" ] ||
		cross=(--cross-file "$source_root/tools/$1.ini")
	case $1 in
	arm64) triple=aarch64-linux-gnu ARCH=arm64 ;;
	amd64) triple=x86_64-linux-gnu ARCH=x86_64 ;;
	esac
	export ARCH CROSS_COMPILE=$triple- KCFLAGS=-Werror
}

# foreign_gstreamer ARCH TRIPLE: what pkg-config and the linker need of GStreamer's libraries, whose
# -dev package is for one architecture at a time and so is unpacked; headers are the same for all.
# Sets the variable pkg_config.
foreign_gstreamer() {
	local package folder=$cache/gstreamer-$1 packages=libgstreamer-plugins-base1.0
	pkg_config=$folder/usr/lib/$2/pkgconfig
	[ ! -e "$folder/complete" ] || return 0
	rm -rf "$folder"
	mkdir -p "$folder"
	(cd "$folder" && apt-get download "$packages-0:$1" "$packages-dev:$1") &&
		for package in "$folder"/*.deb; do dpkg -x "$package" "$folder" || return; done &&
		sed -i "s,^libdir=.*,libdir=$folder/usr/lib/$2,; /^Requires.private/d" "$pkg_config"/*.pc &&
		rm "$folder"/*.deb && touch "$folder/complete"
}

# build_guest ARCH KERNEL PAYLOAD: programs, library and modules for a guest.
build_guest() {
	local headers=$2/headers payload=$3 folder cross triple pkg_config=
	folder=$builds/guest-$(basename "$2")
	target "$1"
	[ ${#cross[@]} = 0 ] || foreign_gstreamer "$1" "$triple" || return
	configure "$folder" "${cross[@]}" ${pkg_config:+"-Dpkg_config_path=$pkg_config"} --prefix=/usr \
		--libdir="/usr/lib/$triple" --sysconfdir=/etc --localstatedir=/var \
		-Dpython.purelibdir=/usr/lib/python3/dist-packages \
		-Dwerror=true -Dtests=false -Dgstreamer=enabled -Ddrm=enabled \
		-Dkernel_module=build -Dkernel_dir="$headers" &&
		DESTDIR=$payload/root meson install -C "$folder" &&
		mkdir -p "$payload/run" &&
		cp -r "$source_root/tests" "$payload/run/" &&
		build_test_modules "$headers" "$folder/test-modules" "$payload" &&
		build_kernel_drivers "$headers" "$folder/kernel-drivers" "$payload" &&
		build_test_programs "$1" "$triple" "$payload" &&
		build_documents "$triple" "$payload"
}

# build_test_modules HEADERS FOLDER PAYLOAD: the drivers that tests load by path, and for a kernel
# with KUnit its tests, which modprobe finds. In a copy of the sources, made anew if one changed.
build_test_modules() {
	local sources=(kernel include tests/modules tests/kernel) folders state folder kunit=
	cd "$source_root" || return
	state=$(find "${sources[@]}" -type f -exec sha256sum {} + | sort)
	folders=(tests/modules/*/)
	! grep -q '^CONFIG_KUNIT=' "$1/include/config/auto.conf" || kunit=tests/kernel
	if [ "$(cat "$2/state" 2>/dev/null)" != "$state" ]; then
		rm -rf "$2"
		mkdir -p "$2"
		cp -r --parents "${sources[@]}" "$2"
		for folder in "${folders[@]}" $kunit; do
			make -s -C "$1" M="$2/${folder%/}" W=1 modules || return
		done
		echo "$state" >"$2/state"
	fi
	mkdir -p "$3/run/modules" &&
		cp "$2"/tests/modules/*/*.ko "$3/run/modules" &&
		{ [ -z "$kunit" ] || cp "$2/$kunit"/*.ko "$3"/root/lib/modules/*/updates; }
}

# kernel_sources RELEASE: of the kernel's own drivers those that build_kernel_drivers wants, out of
# Debian's sources. Sets the variable originals.
kernel_sources() {
	local package=linux-source-$1 version part
	version=$(apt-cache show "$package" | sed -n '/^Version: / { s///p; q }')
	originals=$cache/$package-${version//[^0-9.]/-}
	[ ! -d "$originals" ] || return 0
	part=$(mktemp -d -p "$cache") || return
	if (cd "$part" && apt-get download "$package" &&
		dpkg --fsys-tarfile ./*.deb | tar -xO "./usr/src/$package.tar.xz" |
		tar -xJ --strip-components=4 --wildcards '*/media/test-drivers/vim2m.c' \
			'*/media/test-drivers/vicodec/*' '*/media/v4l2-core/v4l2-mem2mem.c' \
			'*/drivers/gpu/drm/vkms/*' && rm ./*.deb); then
		rm -rf "$cache/$package"-*
		mv "$part" "$originals"
	else
		rm -rf "$part"
		return 1
	fi
}

# build_kernel_drivers HEADERS FOLDER PAYLOAD: converters, codecs and a display that need no hardware,
# for kernels that are built without them, as Debian's are.
build_kernel_drivers() {
	local release originals
	! grep -q '^CONFIG_VIDEO_VIM2M=' "$1/include/config/auto.conf" || return 0
	release=$(cut -d. -f1,2 "$1/include/config/kernel.release")
	kernel_sources "$release" || return
	if [ "$(cat "$2/state" 2>/dev/null)" != "$originals" ]; then
		rm -rf "$2"
		cp -r "$originals" "$2" &&
			echo 'obj-m := v4l2-mem2mem.o vim2m.o vicodec/ vkms/' >"$2/Kbuild" || return
		make -s -C "$1" M="$2" CONFIG_VIDEO_VICODEC=m CONFIG_DRM_VKMS=m modules || return
		echo "$originals" >"$2/state"
	fi
	find "$2" -name '*.ko' -print0 | xargs -0 cp -t "$3"/root/lib/modules/*/updates
}

# build_test_programs ARCH TRIPLE PAYLOAD: what tests run; a 32-bit program, where the compiler can
# make one.
build_test_programs() {
	"$2-gcc" -O2 -Wall -Wextra -Werror -I "$source_root/include" -o "$3/run/malformed" \
		"$source_root/tests/integration/programs/malformed.c" || return
	[ "$1" != amd64 ] ||
		gcc -m32 -ffreestanding -nostdlib -static -fno-pie -no-pie -fno-stack-protector -O2 \
			-Wall -Wextra -Werror -o "$3/run/caller32" \
			"$source_root/tests/integration/programs/caller32.c"
}

# build_documents TRIPLE PAYLOAD: the documents, and the programs in them, with the words that are
# printed there; against what is installed.
# shellcheck disable=SC2046 # a list of words is wanted
build_documents() {
	local root=$2/root folder=$work/programs source
	rm -rf "$folder"
	mkdir -p "$folder" "$2/run/programs" "$2/run/docs" &&
		cp "$source_root/README.md" "$2/run" && cp "$source_root"/docs/*.md "$2/run/docs" &&
		python3 -B "$source_root/tests/documents/blocks.py" "$folder" "$2/run/README.md" \
			"$2"/run/docs/*.md || return
	for source in "$folder"/*.c; do
		"$1-gcc" -Wall -Wextra -Werror -o "$2/run/programs/$(basename "$source" .c)" "$source" \
			$(PKG_CONFIG_SYSROOT_DIR=$root PKG_CONFIG_LIBDIR=$root/usr/lib/$1/pkgconfig \
				pkg-config --cflags --libs libdmabuf) || return
	done
}

# make_guest NAME: kernel, root file system and snapshot, where they are not there yet.
make_guest() {
	local options part
	guest_options "$1"
	for part in kernel image snapshot; do
		step "$1 $part" "$rig" "$part" "${options[@]}" || return
	done
}

# build_for_guest NAME: afterwards what the guest needs of ours is in $work/NAME/payload.
build_for_guest() {
	locked step "$1 build" build_guest "${1%%-*}" "$(tail -n 1 "$work/$1-kernel.log")" \
		"$work/$1/payload"
}

# run_in_guest NAME DEADLINE COMMAND…: what comes of it is in $work/NAME/out.
run_in_guest() {
	local options name=$1 deadline=$2
	shift 2
	guest_options "$name"
	"$rig" run "${options[@]}" --payload "$work/$name/payload" --out "$work/$name/out" \
		--deadline "$deadline" -- "$@"
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
