# The same program on other machines: built for arm64, armhf, riscv64 and mips, run under qemu's
# user emulation; and by other compilers and another C library. The core tests run on each but mips.

load ../helper

BUILD=$BATS_TEST_DIRNAME/../../build/machines
SOURCE=$BATS_TEST_DIRNAME/../../going.c
FLAGS=(-std=gnu11 -Wall -Wextra -Werror -Os -ffunction-sections -static -Wl,--gc-sections)

# Debian has musl for each of its machines: what its package holds is unpacked beside the cross
# compiler, which is told where by musl's own specs. The lists of packages are in a folder of
# their own, so that this machine does not know of another one.
musl_of() { # ARCHITECTURE
  local dir=$BUILD/$1
  [ ! -e "$dir/specs" ] || return 0
  mkdir -p "$dir"/{state/lists,cache/archives}/partial
  local apt=(apt-get -qq -o APT::Architecture="$1" -o APT::Architectures="$1" -o Dir::State="$dir/state"
    -o Dir::Cache="$dir/cache" -o Dir::State::status=/dev/null -o APT::Sandbox::User=root)
  # one list that a mirror lacks is no harm, if the package is in another
  (cd "$dir" && { "${apt[@]}" update || :; } && "${apt[@]}" download musl-dev)
  dpkg -x "$dir"/musl-dev_*.deb "$dir/root"
  sed "s|/usr/|$(realpath "$dir")/root/usr/|g" "$dir"/root/usr/lib/*/musl-gcc.specs >"$dir/new"
  mv "$dir/new" "$dir/specs"
}

build() { # NAME COMPILER...: is then $BUILD/going-NAME
  "${@:2}" "${FLAGS[@]}" -o "$BUILD/going-$1" "$SOURCE"
}

emulated() { # NAME QEMU: runs that one, and prints its path
  printf '#!/bin/sh\nexec qemu-%s-static %s "$@"\n' "$2" "$(realpath "$BUILD")/going-$1" >"$BUILD/$1-emulated"
  chmod 755 "$BUILD/$1-emulated"
  echo "$BUILD/$1-emulated"
}

# Runs the core tests. What fails is run again, alone: qemu makes a fork of every birth, so that
# parent and child race where the real one waits, and everything is slow. Then it must pass, unless
# it is one of those that an emulator cannot do:
CANNOT='USR2 executes going again: the services go on, and how they end later is known
an upgrade whose program is missing is said, and going goes on
two hundred stops right after starts leave nothing behind
a full pipe on standard error holds nothing up
a pipe on standard error whose reader died holds nothing up
a command that cannot be executed is said with its reason, exit is 111
a file without #! is not run by a shell
a service whose standard streams cannot be opened is told which, and exits with 111
a reader never sees an empty file, half a line or a file in the making
a record that cannot be read: its service is neither started nor stopped until that is mended'
# USR2 executes a file of another machine; a signal that comes between fork and exec is lost in
# qemu; the pipes want a thousand starts in ten seconds; a child that has memory of its own cannot
# leave word of what went wrong, and writes the same note as its parent at the same time; strace
# would trace qemu.

# Its execvp hands a file without #! to a shell.
GLIBC_CANNOT='a file without #! is not run by a shell'

core() { # PROGRAM [NAMES OF TESTS THAT MAY FAIL]
  local name tap=$BATS_TEST_TMPDIR/tap
  cd "$BATS_TEST_DIRNAME/.."
  GOING=$1 bats --jobs 2 {config,life,stop,state,takeover,directory,log}.bats >"$tap" 2>&1 3>&- || :
  [ "$(grep -c '^ok ' "$tap")" -gt 110 ]
  sed -n 's/^not ok [0-9]* //p' "$tap" | while read -r name; do
    if grep -Fxq -e "$name" <<<"${2:-}"; then continue; fi
    echo "# once more: $name" >&3
    GOING=$1 bats -f "^${name//./[.]}$" {config,life,stop,state,takeover,directory,log}.bats 3>&- ||
      GOING=$1 bats -f "^${name//./[.]}$" {config,life,stop,state,takeover,directory,log}.bats 3>&-
  done
}

setup_file() { mkdir -p "$BUILD"; }

@test "arm64, with musl" {
  musl_of arm64
  build arm64 aarch64-linux-gnu-gcc -specs "$BUILD/arm64/specs"
  core "$(emulated arm64 aarch64)" "$CANNOT"
}

@test "armhf, with musl: numbers of 32 bits" {
  musl_of armhf
  build armhf arm-linux-gnueabihf-gcc -specs "$BUILD/armhf/specs"
  core "$(emulated armhf arm)" "$CANNOT"
}

# Debian 12 has no musl for it.
@test "riscv64, with glibc" {
  build riscv64 riscv64-linux-gnu-gcc -Wno-unused-result -Wl,-w
  core "$(emulated riscv64 riscv64)" "$CANNOT"$'\n'"$GLIBC_CANNOT"
}

# A static glibc cannot look up users safely: it loads plugins that are made for another one.
@test "this machine, with gcc and a dynamic glibc" {
  # shellcheck disable=SC2206 # no word of it has a blank
  FLAGS=(${FLAGS[@]/-static/})
  build glibc gcc
  core "$BUILD/going-glibc" "$GLIBC_CANNOT"
}

@test "this machine, with clang, optimised as far as it goes" {
  # shellcheck disable=SC2206
  FLAGS=(${FLAGS[@]/-static/})
  build clang clang -O3
  core "$BUILD/going-clang" "$GLIBC_CANNOT"
}

# Its numbers of signals are others, and its sets of signals have 16 bytes. The emulator cannot
# follow a birth, so the program is asked for these, and for a takeover, and not for all.
mips() { # NAME
  local out=$BATS_TEST_TMPDIR/out pid trace=$BATS_TEST_TMPDIR/trace
  build "$1" "$1-linux-gnu-gcc" -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64 -Wno-unused-result -Wl,-w
  GOING=$(emulated "$1" "$1")
  # Every disposition can be reset, but those of KILL and STOP: 9 and 23.
  timeout -s KILL 5 qemu-"$1"-static -strace "$BUILD/going-$1" -d "$D" -r "$R.none" 2>"$trace" || :
  [ "$(grep -ac 'rt_sigaction(' "$trace")" -ge 64 ]
  [ "$(grep -a 'rt_sigaction(SIG' "$trace" | grep -a 'errno=' | sed 's/.*(\(SIG[A-Z]*\).*/\1/' | sort | xargs)" = 'SIGKILL SIGSTOP' ]
  service web "cmd=sh -c 'trap \"echo USR1 >$out; exit\" USR1; echo ready >$out; while :; do sleep 0.02; done'" 'stop=USR1 60'
  going_start
  wait_until 'grep -qs ready "$BATS_TEST_TMPDIR/out" && [ "$(state web state)" = up ]'
  pid=$(pid_of web)
  going_kill
  going_start
  assert_log "^web: taken over as $pid\$"
  rm "$D/web"
  wait_until '[ ! -e "$R/web" ]'
  [ "$(cat "$out")" = USR1 ]
}

@test "mips, with glibc: signals by name, dispositions, a takeover" { mips mips; }
@test "mipsel, with glibc: signals by name, dispositions, a takeover" { mips mipsel; }
