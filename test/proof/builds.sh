#!/bin/bash
# What each compiler and C library makes of going, as the rows of a table: warnings, size, and the
# most memory that it has ever had, with one and with a thousand services under supervision.
set -eu

TOP=$(realpath "$(dirname "$0")/../..")
DIR=$(mktemp -d)
trap 'rm -rf "$DIR"' EXIT
cp "$TOP/Makefile" "$TOP/going.c" "$TOP/CHANGELOG.md" "$DIR"
cd "$DIR"
echo 'int pause(void); int main(void) { return pause(); }' | gcc -static -Os -x c -o waits -

peak() { # SERVICES
  local pid i
  rm -rf d r && mkdir d
  for ((i = 1; i <= $1; i++)); do echo "cmd=$DIR/waits" >d/s$i; done
  ./going -d d -r r 2>/dev/null &
  pid=$!
  for ((i = 0; i < 600; i++)); do
    [ "$(grep -ls '^state=up pid=' -r r | wc -l)" -lt "$1" ] || break
    sleep 0.1
  done
  [ "$i" -lt 600 ] && awk '/^VmPeak/ { print $2 }' "/proc/$pid/status" || echo '?'
  kill -TERM $pid && wait $pid
}

row() { # NAME=VALUE...
  local warnings
  printf '%s\n' '#include <errno.h>' 'int main(void) { return 0; }' >there.c
  eval "$(printf 'local %q;' "$@")"
  # shellcheck disable=SC2086 # a compiler and its options
  $CC ${LINK:-} -o there there.c 2>/dev/null || return 0 # it is not on this machine
  rm -f going
  make -s NEED=: "$@" >made 2>&1 || { echo "| $* | **does not build** | | | | |" && return; }
  warnings=$(grep -ci 'warning:' made) || :
  printf '| `%s` | %s | %s | %s | %s | %s |\n' "$*" "$(sed -n 's/.*and linked //p' made)" \
    "$warnings" "$(($(strip -o there going && stat -c %s there) / 1000))" "$(peak 1)" "$(peak 1000)"
}

echo '| build | linked | warnings | kB, stripped | VmPeak, 1 service | 1,000 services |'
echo '|---|---|---|---|---|---|'
for CC in musl-gcc gcc clang; do row CC=$CC; done
for CC in gcc clang; do row CC=$CC LINK=-static; done
row CC="gcc -m32 -isystem /usr/include/$(gcc -print-multiarch)"
row CC="gcc -m32 -isystem /usr/include/$(gcc -print-multiarch)" LINK=-static
