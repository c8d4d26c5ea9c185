# The tarball of a release: the same bytes whoever packs it, and all that a build takes.

load helper

TOP=$(realpath "$BATS_TEST_DIRNAME/..")
VERSION=$(sed -n 's/.*"going \([0-9][^ ]*\) .*/\1/p' "$TOP/going.c")
TARBALL=going-$VERSION.tar.gz

setup() { cd "$BATS_TEST_TMPDIR"; }
teardown() { :; }

# What `make dist` would pack here, in another place: as good as a tarball unpacked, or as a clone.
copy() { # DIRECTORY
  mkdir -p "$1"
  if [ -e "$TOP/.git" ]; then git -c safe.directory='*' -C "$TOP" ls-files -z; else
    (cd "$TOP" && find . ! -type d ! -path './.run/*' ! -path './build/*' ! -path ./going \
      ! -path './going-*.tar.gz' -print0)
  fi | tar -C "$TOP" -c --null -T - | tar -C "$1" -x --no-same-permissions
}

clone() { # DIRECTORY
  copy "$1"
  git -C "$1" init -q
  git -C "$1" add -A -f
}

# As from a shell of our own, whatever make and the environment of these tests are.
making() { env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS "${as[@]}" make NEED=: "$@" 3>&-; }
packed() { making -s -C "$1" dist; } # DIRECTORY

@test "the tarball has the same bytes, whatever the umask, time zone, time, user and directory" {
  (umask 022 && clone one && TZ=UTC packed one)
  umask 077
  copy 'the other'
  find 'the other' -exec touch -d 2001-02-03 {} +
  as=()
  if [ "$EUID" -eq 0 ]; then
    chmod 711 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test" .
    chown -R nobody: 'the other'
    as=(setpriv --reuid=nobody --regid=nogroup --clear-groups)
  fi
  as+=(env TZ=Asia/Tokyo LC_ALL=C TAR_OPTIONS=--exclude=docs)
  packed 'the other'
  cmp "one/$TARBALL" "the other/$TARBALL"
}

@test "all in the tarball belongs to root, has modes that do, and lies in one directory" {
  (umask 077 && copy a && packed a)
  TZ=UTC tar --numeric-owner -tvzf "a/$TARBALL" >list
  date=$(grep -o '20[0-9-]*' "$TOP/CHANGELOG.md" | head -n 1)
  not grep -vE "^(-rw-r--r--|-rwxr-xr-x) 0/0 +[0-9]+ $date 00:00 going-$VERSION/" list
  grep -q '^-rwxr-xr-x .*/test/need$' list
  grep -q '^-rw-r--r-- .*/going.c$' list
}

@test "nothing gets into the tarball that was made here, or that git does not know" {
  clone a
  packed a
  cp "a/$TARBALL" .
  mkdir a/build/fresh a/.run
  for file in going build/fresh/sid.tar .run/log "$TARBALL" going-0.9.tar.gz; do : >"a/$file"; done
  packed a
  cmp "$TARBALL" "a/$TARBALL"
  : >a/notes
  packed a
  cmp "$TARBALL" "a/$TARBALL"
  rm -r a/.git a/notes
  packed a
  cmp "$TARBALL" "a/$TARBALL"
  making -s -C a clean
  [ -z "$(find a -name '*.tar.gz')" ]
}

@test "the tarball, unpacked, builds and installs without git, and packs itself again" {
  mkdir bin
  printf '#!/bin/sh\necho "git $*" >>"%s"\nexit 1\n' "$PWD/asked" >bin/git
  chmod 755 bin/git
  copy a
  packed a
  tar -xzf "a/$TARBALL"
  PATH=$PWD/bin:$PATH
  cd "going-$VERSION"
  making
  [[ $(./going -V) == *"going $VERSION"* ]]
  making install install-tools DESTDIR="$BATS_TEST_TMPDIR/to" PREFIX=/usr
  cmp going "$BATS_TEST_TMPDIR/to/usr/sbin/going"
  [ -d "$BATS_TEST_TMPDIR/to/etc/going.d" ]
  for file in man/man1/going.1 man/man5/going.5 doc/going/index.html going/going-ctl; do
    [ -s "$BATS_TEST_TMPDIR/to/usr/share/$file" ]
  done
  packed .
  cmp "$TARBALL" "../a/$TARBALL"
  not cat ../asked
}
