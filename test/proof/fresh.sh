#!/bin/bash
# What happens on a new machine: a minimal root of Debian with make and git, and README's first two
# commands in it, as one who has just cloned the project.
#
#   test/proof/fresh.sh cell SUITE root|sudo|plain run|check   one machine; which command is first
#   test/proof/fresh.sh needs SUITE                            are all tools of the others found?
#   test/proof/fresh.sh on SUITE COMMAND...                    a look by hand, as root
#   test/proof/fresh.sh page                                   all that was seen: docs/fresh.md
#
# A root is made by debootstrap once and kept as build/fresh/SUITE.tar; every cell unpacks it anew
# in $ROOTS (a directory of the system's temporary one), has mounts and processes of its own, and
# shares only the network and build/fresh/archives, where apt keeps what it has fetched. A cell of
# a plain user, who has no sudo: where test/need says that root is to run it, root does.
set -eu -o pipefail

TOP=$(realpath "$(dirname "$0")/../..")
HERE=$TOP/build/fresh

root_of() { # SUITE: the tarball
  local root
  if [ -e "$HERE/$1.tar" ]; then return; fi
  root=$(mktemp -d)
  debootstrap --variant=minbase --include=make,git,ca-certificates,sudo "$1" "$root" ${MIRROR:+"$MIRROR"} \
    >"$HERE/$1.log"
  chmod 755 "$root"
  tar -C "$root" -cf "$HERE/$1.tar.new" . && mv "$HERE/$1.tar.new" "$HERE/$1.tar"
  rm -rf "$root"
}

# A machine in the directory $ROOT; ends with all its processes when this command has.
enter() { # COMMAND...
  # shellcheck disable=SC2016 # the inner shell expands these
  ROOT=$ROOT HERE=$HERE unshare --mount --propagation private --pid --fork --kill-child=KILL \
    sh -euc '
      mount --bind "$ROOT" "$ROOT" && cd "$ROOT"
      mount -t proc none proc
      mount --rbind /sys sys
      mount -t tmpfs -o mode=755 none dev
      for node in null zero full random urandom tty; do
        : >"dev/$node" && mount --bind "/dev/$node" "dev/$node"
      done
      mkdir -m 1777 dev/shm && mkdir dev/pts
      mount -t devpts -o newinstance,ptmxmode=666,mode=620 none dev/pts
      ln -s pts/ptmx dev/ptmx
      ln -s /proc/self/fd dev/fd
      for n in in:0 out:1 err:2; do ln -s "/proc/self/fd/${n#*:}" "dev/std${n%:*}"; done
      mkdir -p "$HERE/archives" && mount --bind "$HERE/archives" var/cache/apt/archives
      mkdir -p old && pivot_root . old && umount -l old && rmdir old && cd /
      exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        HOME=/root TERM=dumb "$@"' -- "$@" </dev/null
}

# ---- in the machine

# Runs COMMAND where the project is. Root does what test/need has told a plain user to ask for.
as_user() { # COMMAND
  case $WHO in
    root) (cd "$GOING" && bash -c "$1") ;;
    *) su - user -c "cd $GOING && $1" ;;
  esac
}

try() { # COMMAND LOG
  local asked
  if as_user "$1" >"$2" 2>&1; then return 0; fi
  asked=$(sed -n 's/^please .*let root run `\(test\/need [a-z]*\)`.*/\1/p' "$2")
  if [ "$WHO" != plain ] || [ -z "$asked" ]; then return 1; fi
  (cd "$GOING" && $asked) >>"$2" 2>&1
  as_user "$1" >"$2" 2>&1
}

# `make run` is good if the examples run, the program is the small one, and Ctrl-C ends them all.
run() {
  # shellcheck disable=SC2016
  try 'set -m; make run & end=$((SECONDS + 900))
    until grep -qs state=up .run/state/clock && grep -qs . .run/clock.log; do
      kill -0 $! && [ $SECONDS -lt $end ] && sleep 0.2 || exit 1
    done
    kill -INT -$!; wait $! || :
    [ -z "$(ls .run/state)" ]' "$OUT/run" || return 1
  readelf -lW "$GOING/going" >"$OUT/headers" && ! grep INTERP "$OUT/headers"
}

check() { try 'make check' "$OUT/check"; }

inside() { # WHO run|check: prints what is a row's right half
  WHO=$1 GOING=/root/going OUT=/tmp/out
  local command order=(run check) from passed skipped failed cells=()
  [ "$2" = run ] || order=(check run)
  mkdir "$OUT"
  printf '127.0.0.1 localhost %s\n' "$(uname -n)" >/etc/hosts
  update-ca-certificates &>/dev/null
  if [ "$WHO" != sudo ]; then SUDO_FORCE_REMOVE=yes dpkg --purge sudo >/dev/null; fi
  if [ "$WHO" != root ]; then
    useradd --create-home --shell /bin/bash user
    GOING=/home/user/going
    [ "$WHO" != sudo ] || echo 'user ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/user
  fi
  mv /going "$GOING"
  [ "$WHO" = root ] || chown -R user: "$GOING" "$OUT"
  for command in "${order[@]}"; do
    from=$SECONDS
    if $command; then cells+=("$command ok, $((SECONDS - from)) s"); else
      cells+=("**$command failed**, $((SECONDS - from)) s")
    fi
  done
  passed=$(grep -c '^ok ' "$OUT/check") || :
  skipped=$(grep -c '^ok .* # skip' "$OUT/check") || :
  failed=$(sed -n 's/^not ok \([0-9]*\) .*/\1/p' "$OUT/check" | xargs)
  echo "${cells[0]} | ${cells[1]} | $((passed - skipped)) | $skipped | ${failed:-none}"
}

# ---- outside

new() { # SUITE: a machine in $ROOT, with the project in /going
  mkdir -p "$HERE"
  root_of "$1"
  ROOT=$(mktemp -d "${ROOTS:-${TMPDIR:-/tmp}}/fresh.XXXXXX")
  trap 'rm -rf "$ROOT"' EXIT
  tar -C "$ROOT" -xf "$HERE/$1.tar"
  cp /etc/resolv.conf "$ROOT/etc/resolv.conf"
  # a mirror that stands still is not to be asked for today's news, if this machine does not, either
  apt-config dump | grep -E '^Acquire::Check-(Valid-Until|Date) ' >"$ROOT/etc/apt/apt.conf.d/mirror" || :
  # what this machine trusts besides, for npm, if the network has a proxy with a name of its own
  cp -r /usr/local/share/ca-certificates "$ROOT/usr/local/share" 2>/dev/null || :
  echo force-unsafe-io >"$ROOT/etc/dpkg/dpkg.cfg.d/fast" # nobody needs this disk tomorrow
  mkdir "$ROOT/going"
  (cd "$TOP" && git ls-files -coz --exclude-standard | xargs -0 tar -c --no-recursion) |
    tar -C "$ROOT/going" --no-same-owner -x
}

cell() { # SUITE WHO FIRST
  local name=$1.$2.$3 row
  new "$1"
  row=$(enter bash /going/test/proof/fresh.sh inside "$2" "$3" 2>"$HERE/$name.err") ||
    row="**broke** | | | | "
  rm -rf "${HERE:?}/$name" && cp -r "$ROOT/tmp/out" "$HERE/$name"
  echo "| $1 | $2 | $row |" | tee "$HERE/$name.row"
  [[ $row != *'**'* ]]
}

# What the other targets need is there once it has been installed, whatever its version is.
needs() { # SUITE
  # shellcheck disable=SC2016
  on "$1" bash -c 'for who in lint doc bench bench-peers proof; do
    test/need $who && again=$(test/need $who 2>&1) && [ -z "$again" ] ||
      { echo "$who, the second time: $again" && exit 1; }
  done'
}

# For a look by hand: `fresh.sh on trixie make lint`
on() { # SUITE COMMAND...
  new "$1"
  # shellcheck disable=SC2016
  enter bash -c 'update-ca-certificates &>/dev/null; cd /going && exec "$@"' -- "${@:2}"
}

page() {
  cat >"$TOP/docs/fresh.md" <<END
# On new machines, and with other compilers

\`make proof PROOF=fresh\` makes this page. Each machine is a minimal root of
Debian (debootstrap's minbase, with make, git and ca-certificates), as new as
when it was made, with processes and mounts of its own. README's first two
commands are run there in both orders, as root, as a user with sudo, and as a
user without sudo, for whom root has run what test/need asked for. A plain user
leaves out what only root can do. The times include what is installed, from a
mirror that is near. What is not in the table has not been run since the tests
were changed.

| Debian | who | first | then | passed | skipped | failed |
|---|---|---|---|---|---|---|
$(for suite in bookworm trixie sid; do cat "$HERE/$suite".*.row 2>/dev/null || :; done |
  sed 's/| bookworm |/| 12 |/; s/| trixie |/| 13 |/; s/| sid |/| unstable |/
    s/| plain |/| user without sudo |/; s/| sudo |/| user with sudo |/')

Alpine is not in the table: Debian 12 has no apk-tools to make a root of it with,
and its mirrors could not be reached from where the table was made.

What compilers and C libraries make of \`going.c\`, and the most memory (VmPeak in
kB) that the program has had with one service and with a thousand. The 1024 kB of
the manual are promised of the build with musl.

$(cat "$HERE/builds" 2>/dev/null)
END
}

"$@"
