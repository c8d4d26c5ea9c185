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

# A source is changed, and then no page and no manual is made, for the reason that is said.
refuses() { # SOURCE TEXT-TO-ADD REASON
  copy=$BATS_TEST_TMPDIR/wrong
  rm -rf "$copy"
  copy_to "$copy"
  cd "$copy"
  printf '\n%s\n' "$2" >>"$1"
  run make_doc
  assert_failure
  assert_output --partial "$3"
  run find docs -name '*.html' -o -name 'going.?'
  assert_output ''
  cd "$ROOT"
}

@test "no page is made if ronn complains, or a heading gets lost" {
  refuses going.5.ronn 'Lost: <dir>.' going.5.ronn
  refuses docs/cookbook.md $'<div>\n\n### Of no use' 'docs/cookbook.md: its page has lost Of no use'
}

@test "no page is made if the book speaks of a chapter or a function that is not there" {
  refuses going.c $'// See chapter 99.' 'there is no chapter 99'
  refuses going.c $'// So chapters 1 to 98 say.' 'there is no chapter 98'
  refuses going.c $'// As `nobody()` says.' 'there is no function nobody()'
}

@test "a new row in the table of states is drawn without further ado" {
  copy_to "$BATS_TEST_TMPDIR/new"
  cd "$BATS_TEST_TMPDIR/new"
  sed -i '/^\/\/ | `done`/a // | `done` | none | it is forgiven | `over` |\n// | `over` | none | time flies | `up` |' going.c
  run make_doc
  assert_output ''
  assert_success
  run cat docs/going.c.html
  assert_line --regexp 'data-from="done" data-to="over".*it is forgiven'
  assert_line --regexp 'data-from="over" data-to="up".*time flies'
  assert_line --regexp 'class="name".*>over<'
}

@test "the version is that of the source, and the date that of its latest changes" {
  copy_to "$BATS_TEST_TMPDIR/next"
  cd "$BATS_TEST_TMPDIR/next"
  sed -i 's/"going [0-9][^ ]* /"going 7.8.9 /' going.c
  sed -i '0,/^## /s//## 7.8.9 — 2027-03-04\n\n&/' CHANGELOG.md
  run make_doc
  assert_success
  run head -n 1 docs/going.1
  assert_output '.TH "GOING" "1" "2027-03-04" "going 7.8.9" "Going Manual"'
  run grep -L 'going 7.8.9, under' docs/*.html
  assert_output ''
}

@test "the manuals do not tell which ronn has made them" {
  run grep -i 'ronn\|^\.\\\\"' docs/going.1 docs/going.5
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

@test "each name in the code leads to its definition, and nothing else is a link" {
  finds_no_fault names
}

@test "each function has a heading, and below it who calls it, as the compiler has it" {
  finds_no_fault callers
}

@test "prose is beside its code, and what introduces a chapter is by itself" {
  finds_no_fault beside
}

@test "where the book speaks of a chapter or of a function(), it leads there" {
  finds_no_fault chapters
}

@test "the book tells its version, its lines of code and its words" {
  finds_no_fault facts
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

@test "the session in the README is what going does" {
  make -s all
  run docs/record
  assert_success
  assert_output "$(cat docs/session.svg)"
}
