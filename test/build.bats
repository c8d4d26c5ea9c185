# The build: with any compiler, by anybody, anywhere. What `make` and `test/need` promise.

load helper

TOP=$(realpath "$BATS_TEST_DIRNAME/..")

eval "$(declare -f setup | sed '1s/setup/begin_the_world/')"

# What a build needs, in a place of its own, whose name is not made for shells.
setup() {
  begin_the_world
  COPY="$BATS_TEST_TMPDIR/a & b"
  mkdir -p "$COPY/test"
  cp -r "$TOP"/{Makefile,going.c,CHANGELOG.md,docs} "$COPY"
  cp "$TOP/test/need" "$COPY/test"
  cd "$COPY"
}

# As from a shell of our own, whatever make and the environment of these tests are.
MAKE=make
built() { # [VARIABLE=VALUE --] ARGUMENT...
  local own=()
  if [ "${2:-}" = -- ]; then own=("$1") && shift 2; fi
  env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS -u CC -u CFLAGS -u CPPFLAGS -u LDFLAGS -u LINK \
    "${own[@]}" "$MAKE" NEED=: "$@" 3>&-
}

is_there() { command -v "$1" >/dev/null; }
is_static() { not grep -q INTERP <(readelf -lW going); }
works() { [[ $(./going -V) == *[0-9].[0-9]* ]]; }

@test "no compiler and no linker has a warning" {
  for cc in '' gcc clang "gcc -m32 -isystem /usr/include/$(gcc -print-multiarch)" 'gcc -O3' 'clang -O0'; do
    is_there "${cc%% *}" || [ -z "$cc" ] || continue
    printf '%s\n' '#include <errno.h>' 'int main(void) { return 0; }' | ${cc:-cc} -o program -x c - || continue # no 32 bits here
    run built ${cc:+CC="$cc"}
    echo "$output"
    [ "$status" -eq 0 ]
    [[ ${output,,} != *warning* ]]
    works
  done
}

@test "with musl it is static, with glibc it is as the system's programs are, and LINK decides" {
  built CC=musl-gcc
  is_static
  built CC=gcc
  not is_static
  built CC=gcc LINK=-static
  is_static
  built LINK= -- CC=musl-gcc
  not is_static
}

@test "make says which compiler was taken, and how it links" {
  run built CC=gcc
  [[ $output == *'going is built by gcc, and linked dynamically'* ]]
  run built CC=musl-gcc
  [[ $output == *'going is built by musl-gcc, and linked statically'* ]]
}

@test "other flags or another compiler build it again, the same do not" {
  printf '#!/bin/sh\n: >going\n' >one # compilers that are done at once
  chmod 755 one && cp one two
  for MAKE in make bmake; do
    is_there $MAKE || continue
    rm -f going
    for flags in CC=./two CFLAGS=-O1 LDFLAGS=-Wl,-z,relro LINK=-s CPPFLAGS=-DX; do
      for how in 'CC=./one' "CC=./one $flags"; do
        [[ $(built $how) == *'going is built'* ]]
        [[ $(built $how) != *'going is built'* ]]
      done
    done
  done
}

@test "flags of a packager come last: what hardens is not undone" {
  built LDFLAGS='-Wl,-z,relro -Wl,-z,now'
  readelf -lW going | grep RELRO
}

@test "cc alone builds it, and it knows its version" {
  cc -o going going.c
  version=$(sed -n 's/.*"going \([0-9][^ ]*\) .*/\1/p' going.c)
  [ -n "$version" ]
  [[ $(./going -V) == *"going $version"* ]]
  built -n doc | grep -F "annotate.py '$version' '$(grep -o '20[0-9-]*' CHANGELOG.md | head -n 1)'"
}

@test "install puts everything in its place, whoever's umask and wherever that is" {
  umask 077
  to="$BATS_TEST_TMPDIR/to & fro"
  built
  built install DESTDIR="$to" PREFIX=/opt/my\ own
  [ "$(stat -c %a "$to/opt/my own/sbin/going")" = 755 ]
  [ "$(stat -c %a "$to/opt/my own/share/man/man5/going.5")" = 644 ]
  [ "$(stat -c %a "$to/opt/my own/share/doc/going/index.html")" = 644 ]
  [ "$(stat -c %a "$to/etc/going.d")" = 755 ]
  cmp docs/cookbook.md "$to/opt/my own/share/doc/going/cookbook.md"
  cmp docs/cookbook.html "$to/opt/my own/share/doc/going/cookbook.html"
  : >"$to/etc/going.d/web"
  built uninstall DESTDIR="$to" PREFIX=/opt/my\ own
  [ "$(find "$to" -type f)" = "$to/etc/going.d/web" ]
}

@test "install takes what is built, whatever compiler it would choose itself" {
  built CC=gcc
  before=$(cksum going)
  built install DESTDIR="$BATS_TEST_TMPDIR/to"
  [ "$(cksum going)" = "$before" ]
  cmp going "$BATS_TEST_TMPDIR/to/usr/local/sbin/going"
}

@test "make run works in a path of any name, and ends with its services" {
  set -m
  built run >"$OUT" 2>"$LOG" &
  make=$!
  set +m
  wait_until 'grep -qs state=up .run/state/clock && grep -qs . .run/clock.log'
  pid=$(sed 's/.* pid=\([0-9]*\).*/\1/' .run/state/clock)
  kill -INT -- "-$make"
  wait_until 'not alive $make && not alive $pid'
  [ -z "$(ls .run/state)" ]
}

@test "a packager's make check installs nothing" {
  built -n check | not grep need
}

@test "no path bears the version of a tool" {
  cd "$TOP"
  not grep -rnE '/(lib|share)/[^ ]*([-/]|[a-z][0-9]+\.)[0-9]+(\.[0-9]+)*/' Makefile .ci test docs/annotate.py
}

# A PATH in which COMMAND... are ours, and fail, saying what they were asked for.
fail() { # COMMAND...
  mkdir "$BATS_TEST_TMPDIR/bin"
  for command in "$@"; do
    printf '#!/bin/sh\necho "%s $*" >&2\nexit 1\n' "$command" >"$BATS_TEST_TMPDIR/bin/$command"
    chmod 755 "$BATS_TEST_TMPDIR/bin/$command"
  done
  PATH=$BATS_TEST_TMPDIR/bin:$PATH
}

@test "a compiler that cannot link is none: it is to be installed, and any other will do to run" {
  fail musl-gcc sudo apt-get apk
  printf '#!/bin/sh\necho 1000\n' >"$BATS_TEST_TMPDIR/bin/id" # nobody special
  chmod 755 "$BATS_TEST_TMPDIR/bin/id"
  rm "$BATS_TEST_TMPDIR/bin/apk"
  run env -u CC test/need run
  echo "$output"
  [ "$status" -eq 0 ]
  [[ $output == *'sudo env '*' test/need run'* ]]
  [[ $output == *'please install, or let root run `test/need run`: gcc musl-tools'* ]]
  [[ $output == *'going on without it'* ]]
  failing=("$BATS_TEST_TMPDIR/bin/musl-gcc" "$BATS_TEST_TMPDIR/bin/cc")
  cp "${failing[@]}"
  run env -u CC test/need run
  [ "$status" -ne 0 ]
  CC=another run test/need run # the user's own affair
  [ "$status" -eq 0 ]
  [ -z "$output" ]
}
