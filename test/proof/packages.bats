# The packages of docs/packaging: Debian's is built, linted, and lived with in new machines of two
# versions of Debian (see fresh.sh), under three inits; the recipes for other systems are run by
# what Debian has of those. docs/packaging/README.md says what that is, and what was not run.
#
# Each machine is made by the first test that asks for it, and does all that it can do; what it has
# said is in build/packages. ROOTS names another place for it than /tmp; it has to hold 2 GB.

load ../helper

SAID=$BATS_TEST_DIRNAME/../../build/packages

setup_file() {
  rm -rf "$BATS_TEST_DIRNAME/../../build/packages"
  mkdir -p "$BATS_TEST_DIRNAME/../../build/packages"
}

machine() { # SUITE debian|others STEP: what it has said of this step
  needs_root
  [ -e "$SAID/$1.$2" ] ||
    "$BATS_TEST_DIRNAME/fresh.sh" on "$1" test/proof/packages.sh "$2" >"$SAID/$1.$2" 2>&1 3>&- || :
  sed -n "/^== step $3\$/,/^== [of]/p" "$SAID/$1.$2"
  grep "^== ok $3," "$SAID/$1.$2"
}

on_12() { machine bookworm debian "$1"; }
on_13() { machine trixie debian "$1"; }
for_others() { machine bookworm others "$1"; }

@test "Debian 12: the package builds from what it says it needs, and upstream's tests pass" { on_12 builds; }
@test "Debian 12: built elsewhere, by another umask and time zone, it has the same bytes" { on_12 is_reproducible; }
@test "Debian 12: lintian has no error and no warning" { on_12 is_linted; }
@test "Debian 12: the next release builds" { on_12 next_builds; }
@test "Debian 12, no init: installed, upgraded, removed, purged" { on_12 lives_without_init; }
@test "Debian 12, sysvinit: installed, upgraded, killed, removed, purged" { on_12 lives_with_sysvinit; }
@test "Debian 12, systemd: installed, upgraded, killed, removed, purged" { on_12 lives_with_systemd; }
@test "Debian 12: autopkgtest passes" { on_12 passes_autopkgtest; }

@test "Debian 13: the package builds from what it says it needs, and upstream's tests pass" { on_13 builds; }
@test "Debian 13: built elsewhere, by another umask and time zone, it has the same bytes" { on_13 is_reproducible; }
@test "Debian 13: lintian has no error and no warning" { on_13 is_linted; }
@test "Debian 13: the next release builds" { on_13 next_builds; }
@test "Debian 13, no init: installed, upgraded, removed, purged" { on_13 lives_without_init; }
@test "Debian 13, sysvinit: installed, upgraded, killed, removed, purged" { on_13 lives_with_sysvinit; }
@test "Debian 13, systemd: installed, upgraded, killed, removed, purged" { on_13 lives_with_systemd; }
@test "Debian 13: autopkgtest passes" { on_13 passes_autopkgtest; }

@test "all scripts are clean" { for_others scripts_are_clean; }
@test "every recipe knows the version, and is told the checksum of the tarball" { for_others recipes_know_the_version_and_the_sums; }
@test "Alpine: the APKBUILD builds a static program and installs it" { for_others builds_for_alpine; }
@test "Alpine: OpenRC keeps it going, and its services live through what becomes of it" { for_others lives_with_openrc; }
@test "Buildroot: the recipe builds a static program and installs it" { for_others builds_for_buildroot; }
@test "Buildroot: its menu has an entry" { for_others buildroot_has_it_in_its_menu; }
@test "Buildroot: its script keeps it going, with busybox" { for_others lives_with_the_script_of_buildroot; }
@test "OpenWrt: the Makefile builds a static program and installs it" { for_others builds_for_openwrt; }
@test "OpenWrt: procd is told what it needs to know" { for_others procd_is_told; }
@test "Void: the template builds a static program and installs it" { for_others builds_for_void; }
@test "Void: runit keeps it going, and its services live through what becomes of it" { for_others lives_with_runit; }
@test "Yocto: the recipe builds a static program and installs it" { for_others builds_for_yocto; }
@test "the Dockerfile makes an image of nothing but going, which runs" { for_others is_an_image; }
