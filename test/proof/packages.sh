#!/bin/bash
# Runs in a new machine of fresh.sh, as root, in the project: builds Debian's package and lives
# through what a machine does with it; or runs the recipes for other systems.
#
#   test/proof/fresh.sh on SUITE test/proof/packages.sh debian|others [STEP...]
#
# Each step is said with `== ok STEP` or `== failed STEP` behind what it printed; what a step has
# made is there for those after it.
set -eu -o pipefail
shopt -s inherit_errexit

export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
VERSION=$(sed -n 's/.*"going \([0-9][^ ]*\) .*/\1/p' going.c)
HERE=$PWD
WORK=/home/builder

step() { # NAME: a function of that name
  local from=$SECONDS
  echo "== step $1"
  # not in a condition, where set -e would not hold
  set +e
  (set -e && "$1") </dev/null 2>&1
  if [ $? -eq 0 ]; then echo "== ok $1, $((SECONDS - from)) s"; else echo "== failed $1"; fi
  set -e
}

fetch() { apt-get install -qq -y --no-install-recommends "$@" >/dev/null; }
not() { ! "$@"; } # bash lets a plain `! COMMAND` fail without a word
builder() { su -s /bin/bash builder -c "cd $WORK && set -e && umask ${MASK:-022} && $1"; }

until_so() { # COMMAND...
  local end=$((SECONDS + 20))
  until "$@"; do
    if [ $SECONDS -gt $end ]; then
      echo "in vain: $*, going is" "$(supervisor)" && return 1
    fi
    sleep 0.05
  done
}

# ---- Debian's package

source_tree() { # DIRECTORY VERSION DEBIAN-VERSION: a source package, as README.source says
  mkdir "$WORK/$1"
  cp -r "$HERE" "$WORK/$1/tree"
  sed -i "s/\"going [0-9][^ ]* /\"going $2 /" "$WORK/$1/tree/going.c"
  make -s -C "$WORK/$1/tree" dist
  tar -C "$WORK/$1" -xzf "$WORK/$1/tree/going-$2.tar.gz"
  mv "$WORK/$1/tree/going-$2.tar.gz" "$WORK/$1/going_${3%-*}.orig.tar.gz"
  rm -r "$WORK/$1/tree"
  cp -r docs/packaging/debian "$WORK/$1/going-$2"
  chown -R builder: "$WORK/$1"
}

builds() {
  useradd --create-home builder
  local version
  version=$(dpkg-parsechangelog -l docs/packaging/debian/changelog -S Version)
  source_tree one "$VERSION" "$version"
  apt-get build-dep -qq -y "$WORK/one/going-$VERSION" >/dev/null
  builder "cd one/going-$VERSION && dpkg-buildpackage -us -uc"
  ls "$WORK"/one/going_*.{dsc,deb,changes}
}

is_reproducible() {
  source_tree another "$VERSION" "$(dpkg-parsechangelog -l docs/packaging/debian/changelog -S Version)"
  MASK=002 builder "cd another/going-$VERSION &&
    TZ=Asia/Tokyo DEB_BUILD_OPTIONS=nocheck dpkg-buildpackage -us -uc -b"
  cmp "$WORK"/one/going_*_"$(dpkg --print-architecture)".deb "$WORK"/another/going_*_"$(dpkg --print-architecture)".deb
}

is_linted() {
  fetch lintian
  builder 'lintian --version && lintian --display-info --pedantic --fail-on error,warning one/*.changes'
}

# The next release: its program is another one, and is not tested as it is built.
next_builds() {
  source_tree next 9.9 9.9-1
  printf '%s\n' 'going (9.9-1) unstable; urgency=medium' '' '  * The next one.' '' \
    " -- The going authors <going@example.org>  $(date -R)" '' >"$WORK/changelog"
  cat docs/packaging/debian/changelog >>"$WORK/changelog"
  mv "$WORK/changelog" "$WORK/next/going-9.9/debian/changelog"
  builder "cd next/going-9.9 && DEB_BUILD_OPTIONS=nocheck dpkg-buildpackage -us -uc -b"
}

# ---- A machine in this machine, with an init as process 1, or none

# Without an init, invoke-rc.d does nothing, unless a policy says that it may. With one, it has a
# control group of its own, or systemd would take those of the machine outside for its own.
boot() { # none|sysvinit|systemd
  INIT=none
  case $1 in
    none)
      printf '#!/bin/sh\nexit 0\n' >/usr/sbin/policy-rc.d
      chmod 755 /usr/sbin/policy-rc.d
      return
      ;;
    sysvinit) fetch sysvinit-core procps ;;
    openrc)
      printf '%s\n' ::sysinit:'/sbin/openrc sysinit' ::wait:'/sbin/openrc default' >/etc/inittab
      ln -sf /bin/busybox /sbin/init
      ;;
    systemd) fetch --allow-remove-essential systemd-sysv dbus procps sysvinit-core- ;;
  esac
  mount -t cgroup2 none /mnt
  GROUP=$(mktemp -d /mnt/going.XXXXXX)
  # shellcheck disable=SC2016 # the inner shell expands these
  sh -c 'echo 0 >"$1/cgroup.procs" && shift && exec "$@"' -- "$GROUP" \
    unshare --mount --propagation private --uts --ipc --cgroup --pid --fork --kill-child=KILL \
    sh -euc '
      umount /mnt
      mount -t proc none /proc
      mount -t tmpfs -o mode=755 none /run
      umount -R /sys
      mount -t sysfs none /sys
      mount -t cgroup2 none /sys/fs/cgroup
      mkdir /run/lock
      exec env -i container=going PATH="$PATH" /sbin/init' >/tmp/init.log 2>&1 &
  OUTER=$! INIT=$1
  until_so has_booted
}

has_booted() {
  PID1=$(pgrep -P "$OUTER") || return 1
  case $INIT in
    sysvinit) [ "$(on runlevel)" = 'N 2' ] && ! on pgrep -x rc ;;
    openrc) ! on pgrep -x openrc && on rc-service going status ;;
    systemd) [[ $(on systemctl is-system-running) =~ running|degraded ]] ;;
  esac >/dev/null 2>&1
}

shut_down() {
  on dpkg --purge going >/dev/null 2>&1 || : # if a step has failed
  rm -f /usr/sbin/policy-rc.d
  [ "$INIT" != none ] || return 0
  { kill -KILL "$OUTER" && wait "$OUTER"; } 2>/dev/null || :
  until_so group_is_empty
  find "$GROUP" -mindepth 1 -depth -type d -exec rmdir {} \;
  rmdir "$GROUP"
  umount /mnt
}
group_is_empty() { ! grep -rqs . "$GROUP" --include=cgroup.procs; }

on() { # COMMAND...
  if [ "$INIT" = none ]; then "$@"; else
    nsenter --target "$PID1" --mount --uts --ipc --cgroup --pid --root --wd "$@"
  fi
}

# ---- What becomes of a service in such a machine

web() { on sed -n "s/.* $1=\([0-9]*\).*/\1/p" /run/going/web 2>/dev/null; } # pid|starts
supervisor() { on sh -c 'for exe in /proc/[0-9]*/exe; do
    case $(readlink "$exe") in */bin/going* | */sbin/going*) exe=${exe#/proc/} && echo "${exe%/exe}" ;; esac
  done' 2>/dev/null; }
is_up() { [ -n "$(web pid)" ]; }
is_another_than() { now=$(supervisor) && [ -n "$now" ] && [ "$now" != "$1" ]; }
runs_what_is_installed() { on [ "/proc/$(supervisor)/exe" -ef "${PROGRAM:-/usr/sbin/going}" ]; }
is_gone() { on [ ! -e "/proc/$1" ]; }
no_going() { rm -rf /etc/going.d /run/going* /usr/sbin/going*; }
traces() { on find /etc /usr /var/lib /run -name '*going*' ! -path '/var/lib/dpkg/info/*' | sort; }

lives_with() { # none|sysvinit|systemd
  local before old service
  trap shut_down EXIT
  boot "$1"
  no_going
  before=$(traces)

  on dpkg -i "$WORK"/one/going_*.deb
  if [ "$1" = none ]; then /etc/init.d/going start; fi # it is in no runlevel
  [ "$(on going -V | grep -o "going $VERSION")" ]
  until_so runs_what_is_installed
  echo 'cmd=sleep 1000' >/etc/going.d/web
  until_so is_up
  old=$(supervisor) service=$(web pid)
  echo "installed: going is $old, its service is $service"

  on dpkg -i "$WORK"/next/going_*.deb
  [ "$(on going -V | grep -o 'going 9.9')" ]
  until_so runs_what_is_installed
  [ "$(supervisor)" = "$old" ]
  [ "$(web pid) $(web starts)" = "$service 1" ]
  echo "upgraded: going is $(supervisor), its service is $(web pid)"

  on kill -KILL "$old"
  until_so is_another_than "$old"
  [ "$(web pid) $(web starts)" = "$service 1" ]
  echo "killed: going is $(supervisor), its service is $(web pid)"

  if [ "$1" != none ]; then on "$HERE/docs/packaging/debian/tests/service"; fi
  until_so is_up
  service=$(web pid)

  on dpkg --remove going
  is_gone "$service" && [ -z "$(supervisor)" ]
  [ -e /etc/init.d/going ]
  echo "removed: neither is there"

  on dpkg --purge going
  [ "$(cat /etc/going.d/web)" = 'cmd=sleep 1000' ]
  rm -r /etc/going.d
  diff <(echo "$before") <(echo "$(traces)")
  echo "purged: nothing is left but /etc/going.d/web"
}

lives_without_init() { lives_with none; }
lives_with_sysvinit() { lives_with sysvinit; }
lives_with_systemd() { lives_with systemd; }

# Where a test wants a machine with an init, `lives_with` has run it.
passes_autopkgtest() {
  fetch autopkgtest
  autopkgtest -o /tmp/adt "$WORK"/one/going_*_*.deb "$WORK"/one/going_*.dsc -- null || [ $? -eq 2 ]
  grep -E '^(life|upstream) +PASS' /tmp/adt/summary | wc -l | grep -x 2
}

# ---- The other systems: their recipes, run by what Debian has of them

unpacked() { # DIRECTORY: the tarball, unpacked, and the recipes with its checksum
  rm -rf "$1"
  mkdir "$1"
  tar -C "$1" -xzf "going-$VERSION.tar.gz"
  cp -r docs/packaging "$1/recipes"
  "$1/recipes/sums" "going-$VERSION.tar.gz"
  cd "$1/recipes"
}

is_whole() { # ROOT SBIN INIT-FILE: what a recipe has installed there
  (cd "$1" && find . ! -type d | sort)
  not grep INTERP <(readelf -lW "$1/$2/going")
  [[ $("$1/$2/going" -V) == *"going $VERSION"* ]]
  [ "$(stat -c %a "$1/$2/going" "$1/$3" | xargs)" = "755 ${4:-755}" ]
}

# `make dist` anew gives what the recipes are to know of.
recipes_know_the_version_and_the_sums() {
  make -s dist
  unpacked /tmp/sums
  local sum256 sum512
  sum256=$(sha256sum <"$HERE/going-$VERSION.tar.gz" | cut -d ' ' -f 1)
  sum512=$(sha512sum <"$HERE/going-$VERSION.tar.gz" | cut -d ' ' -f 1)
  grep -x "$sum512  going-$VERSION.tar.gz" alpine/APKBUILD
  grep -x "sha256  $sum256  going-$VERSION.tar.gz" buildroot/going.hash
  grep -x "sha256  $(sha256sum <"$HERE/LICENSE" | cut -d ' ' -f 1)  LICENSE" buildroot/going.hash
  grep -x "PKG_HASH:=$sum256" openwrt/Makefile
  grep -x "checksum=$sum256" void/template
  grep -x "SRC_URI\[sha256sum\] = \"$sum256\"" yocto/going.bb
  grep "LICENSE;md5=$(md5sum <"$HERE/LICENSE" | cut -d ' ' -f 1)\"" yocto/going.bb
  grep -x "pkgver=${VERSION/-/_}" alpine/APKBUILD
  grep -x "_version=$VERSION" alpine/APKBUILD
  grep -x "GOING_VERSION = $VERSION" buildroot/going.mk
  grep -x "PKG_VERSION:=${VERSION/-/_}" openwrt/Makefile
  grep -x "version=${VERSION/-/}" void/template
  grep -x "_version=$VERSION" void/template
  grep -x "GOING_VERSION = \"$VERSION\"" yocto/going.bb
  grep -x "PV = \"${VERSION/-/'~'}\"" yocto/going.bb
  grep -q "^going (${VERSION/-/'~'}-1) " debian/changelog
  diff <(find . -type f | sort) <(cd "$HERE/docs/packaging" && find . -type f | sort)
}

# As abuild does: the functions of the APKBUILD in the unpacked source, one after the other.
builds_for_alpine() {
  unpacked /tmp/alpine
  mkdir /tmp/alpine/bin
  ln -s "$(command -v musl-gcc)" /tmp/alpine/bin/cc
  # shellcheck disable=SC2016 # the inner shell expands these
  PATH=/tmp/alpine/bin:$PATH srcdir=/tmp/alpine pkgdir=/tmp/alpine/pkg busybox ash -euc '
    . ./alpine/APKBUILD
    cd "$builddir"
    for phase in build check package; do echo "-- $phase" && ($phase); done
    case $source in */"${sums_of:=$(echo "$sha512sums" | awk "NF { print \$2 }")}") ;; *) exit 1 ;; esac'
  is_whole /tmp/alpine/pkg usr/sbin etc/init.d/going
  [ -s /tmp/alpine/pkg/etc/conf.d/going ]
  [ -d /tmp/alpine/pkg/etc/going.d ]
}

# busybox init starts OpenRC, as on Alpine.
lives_with_openrc() {
  local old service
  no_going
  cp -r /tmp/alpine/pkg/. /
  echo 'cmd=sleep 1000' >/etc/going.d/web
  fetch openrc procps
  rm -f /etc/runlevels/*/*
  printf '#!/sbin/openrc-run\nstart() { :; }\n' >/etc/init.d/localmount # Debian has none of that name
  chmod 755 /etc/init.d/localmount
  rc-update add going default
  trap shut_down EXIT
  boot openrc
  until_so is_up
  old=$(supervisor) service=$(web pid)
  on kill -KILL "$old"
  until_so is_another_than "$old"
  old=$(supervisor)
  on rc-service going reload
  mv /usr/sbin/going /usr/sbin/going.old && cp /usr/sbin/going.old /usr/sbin/going
  on rc-service going reexec
  until_so runs_what_is_installed
  [ "$(supervisor) $(web pid) $(web starts)" = "$old $service 1" ]
  on rc-service going status
  on rc-service going stop
  is_gone "$service" && [ -z "$(supervisor)" ]
}

# Buildroot's generic-package runs these commands for a target in the directory of the package.
builds_for_buildroot() {
  unpacked /tmp/buildroot
  cat >/tmp/buildroot/Makefile <<END
TARGET_DIR = /tmp/buildroot/target
INSTALL = install
TARGET_CONFIGURE_OPTS = CC="musl-gcc" CFLAGS="-Os" LDFLAGS=""
GOING_PKGDIR = /tmp/buildroot/recipes/buildroot
include /tmp/buildroot/recipes/buildroot/going.mk
/tmp/buildroot/going-\$(GOING_VERSION)/.stamp:
	\$(GOING_BUILD_CMDS)
	\$(GOING_INSTALL_TARGET_CMDS)
	\$(GOING_INSTALL_INIT_SYSV)
	\$(GOING_INSTALL_INIT_OPENRC)
	\$(GOING_INSTALL_INIT_SYSTEMD)
END
  make --warn-undefined-variables -f /tmp/buildroot/Makefile | tee /tmp/buildroot/log
  is_whole /tmp/buildroot/target usr/sbin etc/init.d/S99going
  cmp debian/going.service /tmp/buildroot/target/usr/lib/systemd/system/going.service
  cmp alpine/going.initd /tmp/buildroot/target/etc/init.d/going
}

buildroot_has_it_in_its_menu() {
  fetch kconfig-frontends-nox
  unpacked /tmp/menu
  printf 'config %s\n\tbool\n\tdefault y\n' BR2_USE_MMU BR2_TOOLCHAIN_HEADERS_AT_LEAST_5_4 >Config.in
  echo 'source "buildroot/Config.in"' >>Config.in
  kconfig-conf --allyesconfig Config.in 2>&1 | tee log
  not grep -iE 'warning|error' log
  grep -x 'CONFIG_BR2_PACKAGE_GOING=y' .config
}

# With the start-stop-daemon of busybox. In no machine of its own: it takes no init.
lives_with_the_script_of_buildroot() {
  local old service script=/tmp/buildroot/target/etc/init.d/S99going
  boot none
  no_going
  mkdir -p /tmp/applets
  busybox --install -s /tmp/applets
  cp /tmp/buildroot/target/usr/sbin/going /usr/sbin/going
  mkdir -p /etc/going.d
  echo 'cmd=sleep 1000' >/etc/going.d/web
  S99() { PATH=/tmp/applets busybox ash "$script" "$@"; }
  S99 start
  until_so is_up
  old=$(supervisor) service=$(web pid)
  S99 start # the second time nothing is started
  [ "$(supervisor)" = "$old" ]
  kill -KILL "$old"
  until_so is_another_than "$old"
  old=$(supervisor)
  S99 reload
  mv /usr/sbin/going /usr/sbin/going.old && cp /usr/sbin/going.old /usr/sbin/going
  S99 reexec
  until_so runs_what_is_installed
  [ "$(supervisor) $(web pid) $(web starts)" = "$old $service 1" ]
  S99 stop
  is_gone "$service" && [ -z "$(supervisor)" ]
  S99 start
  until_so is_up
  S99 restart
  until_so is_up
  kill -KILL "$(supervisor)" # what it is about to start again is stopped, too
  S99 stop
  sleep 2 # longer than the script waits before it starts it again: nothing comes
  [ -z "$(supervisor)" ]
}

# The words of OpenWrt's build system, as far as this recipe says them.
builds_for_openwrt() {
  unpacked /tmp/openwrt
  cat >/tmp/openwrt/rules.mk <<'END'
BUILD_DIR = /tmp/openwrt
INCLUDE_DIR = /tmp/openwrt
TARGET_CFLAGS = -Os
TARGET_CPPFLAGS = -DNDEBUG
TARGET_LDFLAGS = -Wl,-O1
TARGET_CONFIGURE_OPTS = CC="musl-gcc"
INSTALL_DIR = install -d -m0755
INSTALL_BIN = install -m0755
END
  cat >/tmp/openwrt/package.mk <<'END'
define BuildPackage
all:
	$(call Build/Compile)
	$(call Package/$(1)/install,/tmp/openwrt/root)
endef
END
  make -C openwrt --warn-undefined-variables TOPDIR=/tmp/openwrt | tee log
  not grep -i warning log
  is_whole /tmp/openwrt/root usr/sbin etc/init.d/going
}

# procd is not in Debian: what its script tells it is looked at.
procd_is_told() {
  # shellcheck disable=SC2016 # the inner shell expands these
  busybox ash -euc '
    for word in open_instance set_param close_instance send_signal; do
      eval "procd_$word() { echo $word \$*; }"
    done
    set -f
    . ./docs/packaging/openwrt/files/going.init
    [ "$USE_PROCD" = 1 ]
    for command in start_service reload_service $EXTRA_COMMANDS; do $command; done' >/tmp/told
  diff /tmp/told - <<'END'
open_instance
set_param command /usr/sbin/going
set_param respawn 3600 1 0
set_param term_timeout 90
set_param stderr 1
close_instance
send_signal going * HUP
send_signal going * USR2
END
}

# xbps-src's build style gnu-makefile, and its helpers, as far as this recipe says them.
builds_for_void() {
  unpacked /tmp/void
  # shellcheck disable=SC2016 # the inner shell expands these
  DESTDIR=/tmp/void/root bash -euc '
    vlicense() { install -Dm 644 "$1" "$DESTDIR/usr/share/licenses/$pkgname/$1"; }
    vsv() { mkdir -p "$DESTDIR/etc/sv" && cp -r "/tmp/void/recipes/void/files/$1" "$DESTDIR/etc/sv"; }
    . void/template
    cd "/tmp/void/going-$_version"
    [ "${distfiles##*/}" = "going-$_version.tar.gz" ]
    [ "$build_style" = gnu-makefile ]
    make CC=musl-gcc LD=ld CFLAGS="-O2 -g" LDFLAGS="-Wl,-z,relro" ${make_build_args:-}
    do_check
    make STRIP=true PREFIX=/usr DESTDIR="$DESTDIR" $make_install_args install
    post_install'
  is_whole /tmp/void/root usr/bin etc/sv/going/run
  [ -s /tmp/void/root/usr/share/licenses/going/LICENSE ]
}

# runit's own programs, on the directory that the recipe has installed.
lives_with_runit() {
  local old service
  boot none
  no_going
  fetch runit
  ln -sf /tmp/void/root/usr/bin/going /usr/bin/going
  PROGRAM=/tmp/void/root/usr/bin/going
  mkdir -p /etc/going.d
  echo 'cmd=sleep 1000' >/etc/going.d/web
  mkdir -p /tmp/sv
  cp -r /tmp/void/root/etc/sv/going /tmp/sv
  runsvdir -P /tmp/sv >/tmp/runsvdir.log 2>&1 &
  until_so is_up
  old=$(supervisor) service=$(web pid)
  kill -KILL "$old"
  until_so is_another_than "$old"
  old=$(supervisor)
  sv hup /tmp/sv/going
  mv "$PROGRAM" "$PROGRAM.old" && cp "$PROGRAM.old" "$PROGRAM"
  sv 2 /tmp/sv/going
  until_so runs_what_is_installed
  [ "$(supervisor) $(web pid) $(web starts)" = "$old $service 1" ]
  sv -w 30 stop /tmp/sv/going
  is_gone "$service" && [ -z "$(supervisor)" ]
  kill -HUP $!
}

# bitbake is not in Debian: the recipe's function is run by a shell, its variables are ours.
builds_for_yocto() {
  unpacked /tmp/yocto
  sed -n '/^do_install() {$/,/^}$/p' yocto/going.bb |
    sed 's/\${@bb.utils.contains([^}]*)}/true/' >/tmp/yocto/do_install
  [ "$(grep -c 'if true' /tmp/yocto/do_install)" -eq 2 ]
  # shellcheck disable=SC2016 # the inner shell expands these
  S=/tmp/yocto/going-$VERSION D=/tmp/yocto/root prefix=/usr sbindir=/usr/sbin mandir=/usr/share/man \
    docdir=/usr/share/doc sysconfdir=/etc systemd_system_unitdir=/usr/lib/systemd/system sh -euc '
      oe_runmake() { make CC=musl-gcc CFLAGS=-O2 CPPFLAGS= LDFLAGS=-Wl,-O1 "$@"; }
      cd "$S"
      oe_runmake
      . /tmp/yocto/do_install
      do_install'
  is_whole /tmp/yocto/root usr/sbin etc/init.d/going
  cmp debian/going.service /tmp/yocto/root/usr/lib/systemd/system/going.service
}

# A real builder of images, without a network, and the image it has made, as a container is started.
is_an_image() {
  local image
  fetch buildah
  unpacked /tmp/image
  cd "/tmp/image/going-$VERSION"
  make CC=musl-gcc
  export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
  buildah bud --network none -f docs/packaging/Dockerfile -t going .
  buildah inspect --type image going | tee /tmp/image/what | grep -A 2 Entrypoint
  grep '"StopSignal": "SIGTERM"' /tmp/image/what
  image=$(buildah mount "$(buildah from going)")
  (cd "$image" && find . | sort) | tee /tmp/image/files
  diff /tmp/image/files <(printf '%s\n' . ./etc ./etc/going.d ./run ./sbin ./sbin/going)
  mkdir "$image/proc" "$image/dev"
  echo 'cmd=/sbin/going -d /etc/going.d -r /run/inner' >"$image/etc/going.d/inner"
  : >"$image/dev/null"
  unshare --mount --pid --fork --kill-child --root="$image" --mount-proc /sbin/going &
  until_so grep -q state=up "$image/run/going/inner"
  kill -TERM "$(pgrep -P $!)"
  wait $!
}

# What is read by those for whom it is written, and by shellcheck.
scripts_are_clean() {
  fetch shellcheck
  cd docs/packaging
  shellcheck -S warning sums debian/tests/{life,service,upstream} debian/going.{init,postinst,postrm} \
    buildroot/S99going openwrt/files/going.init void/files/going/run
  shellcheck -S warning -s sh -e SC2034,SC2154 alpine/APKBUILD alpine/going.initd alpine/going.confd
  shellcheck -S warning -s bash -e SC2034 void/template
}

# ---- All steps, or those that are named

DEBIAN=(builds is_reproducible is_linted next_builds lives_without_init lives_with_sysvinit
  lives_with_systemd passes_autopkgtest)
OTHERS=(scripts_are_clean recipes_know_the_version_and_the_sums builds_for_alpine lives_with_openrc
  builds_for_buildroot buildroot_has_it_in_its_menu lives_with_the_script_of_buildroot
  builds_for_openwrt procd_is_told builds_for_void lives_with_runit builds_for_yocto is_an_image)

debian() { # [STEP...]
  apt-get update -qq
  fetch build-essential # dpkg-dev
  for name in "${@:-${DEBIAN[@]}}"; do step "$name"; done
}

others() { # [STEP...]
  apt-get update -qq
  fetch musl-tools gcc libc6-dev binutils busybox-static procps
  make -s dist
  for name in "${@:-${OTHERS[@]}}"; do step "$name"; done
}

"$@"
