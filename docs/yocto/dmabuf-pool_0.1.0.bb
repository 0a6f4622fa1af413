# SPDX-License-Identifier: MIT
# The kernel module, built for the image's kernel and loaded at boot.
SUMMARY = "Kernel module for memory that media devices share"
LICENSE = "GPL-2.0-only"
LIC_FILES_CHKSUM = "file://LICENSES/GPL-2.0-only.txt;md5=e6a75371ba4d16749254a51215d13f97"

DMABUFD_SRC_URI ?= "git://git.example.org/dmabufd.git;protocol=https;branch=main"
SRC_URI = "${DMABUFD_SRC_URI}"
SRCREV ?= "${AUTOREV}"
S = "${WORKDIR}/git"
B = "${S}/kernel"

inherit module
EXTRA_OEMAKE += "KDIR=${STAGING_KERNEL_DIR}"
KERNEL_MODULE_AUTOLOAD += "dmabuf_pool"
RPROVIDES:${PN} += "kernel-module-dmabuf-pool"
