# README's first two commands, in both orders, on new machines: minimal roots of Debian, made by
# debootstrap, as root, as a user with sudo and as one without. And every compiler's build of going.
# What was seen is docs/fresh.md. Each machine takes some ten minutes; one alone, or some:
#
#   bats -f 'Debian 13, root' test/proof/fresh.bats
#
# ROOTS names another place for the machines than /tmp; it has to hold 3 GB.

load ../helper

FRESH=$BATS_TEST_DIRNAME/fresh.sh

setup_file() { mkdir -p "$BATS_TEST_DIRNAME/../../build/fresh"; }
teardown_file() { "$FRESH" page; }

machine() { # SUITE WHO FIRST
  needs_root
  run "$FRESH" cell "$@" 3>&-
  echo "$output"
  [ "$status" -eq 0 ]
}

@test "Debian 12, root: make run, make check" { machine bookworm root run; }
@test "Debian 12, root: make check, make run" { machine bookworm root check; }
@test "Debian 12, a user with sudo: make run, make check" { machine bookworm sudo run; }
@test "Debian 12, a user with sudo: make check, make run" { machine bookworm sudo check; }
@test "Debian 12, a user without sudo: make run, make check" { machine bookworm plain run; }
@test "Debian 12, a user without sudo: make check, make run" { machine bookworm plain check; }
@test "Debian 13, root: make run, make check" { machine trixie root run; }
@test "Debian 13, root: make check, make run" { machine trixie root check; }
@test "Debian 13, a user with sudo: make run, make check" { machine trixie sudo run; }
@test "Debian 13, a user with sudo: make check, make run" { machine trixie sudo check; }
@test "Debian 13, a user without sudo: make run, make check" { machine trixie plain run; }
@test "Debian 13, a user without sudo: make check, make run" { machine trixie plain check; }
@test "Debian unstable, root: make run, make check" { machine sid root run; }
@test "Debian unstable, root: make check, make run" { machine sid root check; }
@test "Debian unstable, a user with sudo: make run, make check" { machine sid sudo run; }
@test "Debian unstable, a user with sudo: make check, make run" { machine sid sudo check; }
@test "Debian unstable, a user without sudo: make run, make check" { machine sid plain run; }
@test "Debian unstable, a user without sudo: make check, make run" { machine sid plain check; }

@test "Debian 12, 13, unstable: what lint, bench and proof need is found once it is installed" {
  for suite in bookworm trixie sid; do "$FRESH" needs $suite 3>&-; done
}

@test "every compiler that is there builds it without a warning, with musl in 1024 kB" {
  "$BATS_TEST_DIRNAME/builds.sh" | tee "$BATS_TEST_DIRNAME/../../build/fresh/builds"
  awk -F ' *[|] *' 'NR > 2 && ($4 != 0 || /musl/ && ($6 > 1024 || $7 > 1024)) { bad = 1 }
    END { exit bad || NR < 4 }' "$BATS_TEST_DIRNAME/../../build/fresh/builds"
}
