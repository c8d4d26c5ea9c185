# The pages in docs/, in a real browser, as readers of many kinds see them.

# The only place for these versions. Debian's Node.js 18 is enough for them.
PACKAGES='playwright-core@1.60.0 axe-core@4.14.1'

setup_file() {
  local node=$BATS_TEST_DIRNAME/../build/node
  if [ "$(cat "$node/installed" 2>/dev/null)" != "$PACKAGES" ]; then
    mkdir -p "$node"
    # shellcheck disable=SC2086 # packages, to be split
    npm install --no-save --no-package-lock --no-audit --no-fund --loglevel=error \
      --prefix "$node" $PACKAGES >&2
    echo "$PACKAGES" >"$node/installed"
  fi
  # One browser looks at everything: to start one costs more than most looks.
  node "$BATS_TEST_DIRNAME/pages.mjs" >"$BATS_FILE_TMPDIR/seen" 2>&1 3>&- || :
}

pages() { # CHECK, which was done and found nothing
  local found
  found=$(grep "^$1: " "$BATS_FILE_TMPDIR/seen") || cat "$BATS_FILE_TMPDIR/seen"
  echo "$found"
  [ "$found" = "$1: done" ]
}

@test "a page needs nothing but itself: no script, no request, no network" {
  pages alone
}

@test "no page scrolls sideways, on a phone of 320 px or on a wide screen" {
  pages width
}

@test "on a desktop every line of the program is seen without scrolling" {
  pages columns
}

@test "a line of prose has 45 to 75 characters" {
  pages measure
}

@test "words in code are as high as those around them" {
  pages height
}

@test "the heading of a section stays in sight, with the ways on and back" {
  pages bar
}

@test "on a phone the contents are folded, the pages are one line, no state is cut off" {
  pages phone
}

@test "what is wider than a phone shows that it goes on" {
  pages edges
}

@test "code begins beside its own heading, and leaves no page of nothing" {
  pages rows
}

@test "the picture of the states can be read: nothing overlaps or sticks out" {
  pages picture
}

@test "light readers get light pages, dark readers dark ones, in colours to be read" {
  pages scheme
}

@test "nothing moves for who wants no motion" {
  pages motion
}

@test "paper gets black on white, the contents, and all of the code" {
  pages print
}

@test "the audit for accessibility finds nothing, light or dark, on phone or desktop" {
  pages axe
}

@test "every link between the pages lands, and each page leads to each" {
  pages links
}

@test "a link is told by more than its colour" {
  pages underline
}

@test "the first key skips to the text" {
  pages skip
}

@test "the keyboard reaches every link, heading and scrolling box, and is seen there" {
  pages keyboard
}

@test "copied code is the code: no numbers of lines in it" {
  pages selection
}
