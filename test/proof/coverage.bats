# Every line of going.c is reached by the ordinary tests, but for those that
# docs/coverage.md names with the reason. They are run with a going that counts
# its lines, which takes about four minutes.
#
# Left out are the tests of the pages and of the cookbook, which are about
# words and other programs, and of the budget, since counting takes memory.
#
# What has been counted is in build/coverage/going.c.gcov afterwards: `#####`
# before a line that was not reached, a `*` behind the count of one of which a
# part was not, such as the second half of an `||`.

load ../helper

TOP=$(realpath "$BATS_TEST_DIRNAME/../..")
SUITES=(child config directory faults init life log state stop takeover usage watchdog)
BUILD=$TOP/build/coverage
PAGE=$TOP/docs/coverage.md

# The segment has as much room as the linker leaves for the counters. Not to
# take execvp for a builtin keeps gcc from writing the counters before each.
setup_file() {
  export SEGMENT
  rm -rf "$BUILD"
  mkdir -p "$BUILD"
  cp "$TOP/going.c" "$BUILD" # what gcov shows is to be what was compiled
  cd "$BUILD"
  SEGMENT=$(ipcmk -p 0666 -M 65536 | grep -o '[0-9]*$')
  cat >counters.ld <<'END'
SECTIONS {
  .counters (NOLOAD) : ALIGN(4096) {
    counters = .;
    *(.bss.__gcov0.*)
    . = counters + 65536;
  }
} INSERT AFTER .bss;
END
  CC=$(command -v musl-gcc || echo gcc)
  "$CC" -std=gnu11 -O0 -g --coverage -fdata-sections \
    -fprofile-update=atomic -fno-builtin-execvp -c going.c
  "$CC" -DSEGMENT="$SEGMENT" -c "$BATS_TEST_DIRNAME/coverage.c"
  "$CC" -static --coverage -Wl,--wrap=__gcov_exit -Wl,-T,counters.ld \
    -o going going.o coverage.o

  # a bats of its own, that knows nothing of this one
  (
    unset "${!BATS_@}"
    cd "$TOP/test"
    GOING=$BUILD/going exec bats --jobs 2 "${SUITES[@]/%/.bats}"
  ) >tests 3>&- || : # the first test looks at that
  WRITE_COVERAGE=1 ./going
  gcov going.o >summary
}

teardown_file() { ipcrm --shmem-id "$SEGMENT"; }

@test "the tests pass with a going that counts its lines" {
  grep -q '^ok ' "$BUILD/tests"
  not grep -A 4 '^not ok ' "$BUILD/tests"
}

@test "they reach 95 % of the lines" {
  reached=$(sed -n 's/^Lines executed://p' "$BUILD/summary" | head -n 1)
  echo "# lines reached: $reached" >&3
  [ "${reached%%.*}" -ge 95 ]
}

@test "the lines that they do not reach are those of docs/coverage.md" {
  sed -nE 's/^ *(#####|=====|[0-9]+\*): *[0-9]+: *//p' "$BUILD/going.c.gcov" |
    sort >"$BUILD/unreached"
  sed -n 's/^    //p' "$PAGE" | sort >"$BUILD/listed"
  echo 'left: not reached; right: on the page'
  diff --side-by-side --suppress-common-lines "$BUILD/unreached" "$BUILD/listed"
}
