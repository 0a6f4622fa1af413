# SPDX-License-Identifier: MIT
# Service, library and programs. The kernel module has a recipe of its own: dmabuf-pool.
SUMMARY = "Allocator service for memory that media devices share"
LICENSE = "MIT"
LIC_FILES_CHKSUM = "file://LICENSES/MIT.txt;md5=aa77a1b3916b73da11f53ad64625810c"

# Your mirror of the project; or say EXTERNALSRC for a clone that you work in.
DMABUFD_SRC_URI ?= "git://git.example.org/dmabufd.git;protocol=https;branch=main"
SRC_URI = "${DMABUFD_SRC_URI}"
SRCREV ?= "${AUTOREV}"
S = "${WORKDIR}/git"

DEPENDS = "acl inih libpng systemd util-linux"
inherit features_check meson pkgconfig python3-dir systemd useradd
REQUIRED_DISTRO_FEATURES = "systemd usrmerge"
EXTRA_OEMESON = "-Dkernel_module=disabled -Dtests=false -Ddrm=disabled -Dpython.purelibdir=${PYTHON_SITEPACKAGES_DIR}"

PACKAGECONFIG ??= ""
PACKAGECONFIG[gstreamer] = "-Dgstreamer=enabled,-Dgstreamer=disabled,gstreamer1.0 gstreamer1.0-plugins-base"

SYSTEMD_SERVICE:${PN} = "dmabufd.socket"
USERADD_PACKAGES = "${PN}"
USERADD_PARAM:${PN} = "--system --user-group --no-create-home --shell /sbin/nologin dmabufd"

PACKAGES =+ "libdmabuf python3-dmabuf dmabufctl gstreamer1.0-dmabufd"
FILES:libdmabuf = "${libdir}/libdmabuf.so.*"
FILES:python3-dmabuf = "${PYTHON_SITEPACKAGES_DIR}"
RDEPENDS:python3-dmabuf = "libdmabuf python3-ctypes"
FILES:dmabufctl = "${bindir} ${datadir}/bash-completion ${datadir}/zsh ${nonarch_libdir}/systemd/system/dmabufd-metrics*"
FILES:gstreamer1.0-dmabufd = "${libdir}/gstreamer-1.0"
FILES:${PN} += "${nonarch_libdir}"
RRECOMMENDS:${PN} = "dmabufctl kernel-module-dmabuf-pool"
