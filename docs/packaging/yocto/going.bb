SUMMARY = "Process supervisor whose control panel is a directory"
DESCRIPTION = "A file in /etc/going.d is a service, a line in /run/going says \
how it runs. Services go on if going is killed or upgraded."
HOMEPAGE = "https://example.org/going"
SECTION = "base"
LICENSE = "ISC"
LIC_FILES_CHKSUM = "file://LICENSE;md5=8ecafb38b49d0306d95c6564820e5ebc"

GOING_VERSION = "1.0.0-rc2"
PV = "1.0.0~rc2"
SRC_URI = "https://example.org/going/going-${GOING_VERSION}.tar.gz"
SRC_URI[sha256sum] = "0000000000000000000000000000000000000000000000000000000000000000"
S = "${WORKDIR}/going-${GOING_VERSION}"

inherit systemd update-rc.d

INITSCRIPT_NAME = "going"
INITSCRIPT_PARAMS = "defaults 99 01"
SYSTEMD_SERVICE:${PN} = "going.service"

EXTRA_OEMAKE = "'CC=${CC}' 'CFLAGS=${CFLAGS}' 'CPPFLAGS=${CPPFLAGS}' 'LDFLAGS=${LDFLAGS}'"

# The script is the one of Buildroot: both have the start-stop-daemon of busybox.
do_install() {
    oe_runmake install 'DESTDIR=${D}' 'PREFIX=${prefix}' 'BINDIR=${sbindir}' \
        'MANDIR=${mandir}' 'DOCDIR=${docdir}/going'
    if ${@bb.utils.contains('DISTRO_FEATURES', 'sysvinit', 'true', 'false', d)}; then
        install -Dm 0755 ${S}/docs/packaging/buildroot/S99going ${D}${sysconfdir}/init.d/going
    fi
    if ${@bb.utils.contains('DISTRO_FEATURES', 'systemd', 'true', 'false', d)}; then
        install -Dm 0644 ${S}/docs/packaging/debian/going.service \
            ${D}${systemd_system_unitdir}/going.service
    fi
}
