# The book, the manuals and their pages.

bats_load_library bats-support
bats_load_library bats-assert

ROOT=$(realpath "$BATS_TEST_DIRNAME/..")

setup() { cd "$ROOT"; }

# /usr/bin/python3 is the one that make doc takes; doc.py says what it has found.
finds_no_fault() { /usr/bin/python3 test/doc.py "$1"; }

# A slim image of Debian installs no manuals, and groff without the files that it reads.
needs_groff() { groff -man -Tutf8 </dev/null &>/dev/null || skip 'groff has no files here'; }

# All that the pages are made of and with, in another place.
copy_to() { # DIRECTORY
  mkdir -p "$1/test"
  cp -r Makefile README.md CHANGELOG.md going.c going.?.ronn docs "$1"
  cp test/need "$1/test"
  rm "$1"/docs/*.html "$1"/docs/going.?
}

make_doc() { env -u MAKEFLAGS "$@" make -s doc; }

@test "the pages are fresh: made anywhere, on any day, by anybody, they are the same" {
  copy=$BATS_TEST_TMPDIR/elsewhere
  copy_to "$copy"
  find "$copy" -exec touch -d 2001-02-03 {} +
  as=(env)
  if [ "$(id -u)" -eq 0 ]; then
    chmod 711 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test" "$BATS_TEST_TMPDIR"
    chown -R nobody "$copy"
    as=(setpriv --reuid=nobody --regid=nogroup --clear-groups)
  fi
  cd "$copy"
  run make_doc TZ=Asia/Tokyo LC_ALL=C HOME=/nonexistent \
    faketime '2031-05-04 23:30:00' "${as[@]}"
  assert_success
  assert_output ''
  run diff -r "$ROOT/docs" docs
  assert_output ''
}

@test "no page is made if a state cannot be drawn, or ronn complains" {
  copy=$BATS_TEST_TMPDIR/wrong
  copy_to "$copy"
  cd "$copy"
  sed -i '/^\/\/ | `done`/s/`done`/`over`/' going.c
  run make_doc
  assert_failure
  assert_output --partial "('over', 'quarantined')"
  cp "$ROOT/going.c" .
  echo 'Lost: <dir>.' >>going.5.ronn
  run make_doc
  assert_failure
  assert_output --partial 'going.5.ronn'
  run compgen -G 'docs/going*'
  assert_failure
}

@test "the code of the book is the program, line for line" {
  finds_no_fault lossless
}

@test "every paragraph that was written can be read, without its markup" {
  finds_no_fault paragraphs
}

@test "headings, contents and anchors agree, and every link lands" {
  finds_no_fault structure
}

@test "every manual that is named exists, and a link leads there if it is sure to" {
  man -w 2 fork >/dev/null || skip 'this machine keeps no manuals'
  finds_no_fault references
}

@test "a page runs nothing, loads nothing, and leads only where its author says" {
  finds_no_fault alone
}

@test "the pages are good HTML" {
  run tidy -e -q docs/*.html
  assert_success
  assert_output ''
}

@test "the states in the book: their table, their drawing and the code are one machine" {
  finds_no_fault machine
}

@test "the manuals are good roff" {
  needs_groff
  run mandoc -T lint -W warning docs/going.1 docs/going.5
  assert_success
  assert_output ''
  run groff -man -Tutf8 -ww -z docs/going.1 docs/going.5
  assert_success
  assert_output ''
}

@test "the manuals fit terminals of 60, 80 and 120 columns" {
  needs_groff
  finds_no_fault width
}

@test "the manuals show every word that was written, once" {
  needs_groff
  finds_no_fault words
}
