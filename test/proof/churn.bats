# going with the address, undefined behaviour and leak sanitizers in it, in a
# life that nobody would wish it. A report ends it at once, and fails the test.
#
# GOING_C is another source to try, CHURN_ROUNDS the length of that life, and
# CHURN_SEED repeats one. It takes about eight minutes.

load ../helper

setup_file() {
  export SANITIZED=$BATS_FILE_TMPDIR/bin/going
  mkdir "$BATS_FILE_TMPDIR/bin"
  chmod 755 "$BATS_FILE_TMPDIR/bin"
  sanitized "${GOING_C:-$BATS_TEST_DIRNAME/../../going.c}" "$SANITIZED"
}

# Dynamic, and with another C library than the real one: the sanitizers want it.
sanitized() { # SOURCE PROGRAM
  clang -g -O1 -std=gnu11 -w -fsanitize=address,undefined \
    -fno-sanitize-recover=all -o "$2" "$1"
}

watched() { # COMMAND...: a report goes to a file of its own, and ends going
  mkdir -p -m 1777 "$BATS_TEST_TMPDIR/reports"
  ASAN_OPTIONS=log_path=$BATS_TEST_TMPDIR/reports/going:exitcode=99 \
    UBSAN_OPTIONS=print_stacktrace=1 "$@"
}

# Where strace traces going, leaks cannot be looked for; that is no report.
no_report() {
  local file
  for file in $(grep -L 'LeakSanitizer does not work under ptrace' \
    "$BATS_TEST_TMPDIR"/reports/* 2>/dev/null); do
    cat "$file"
    return 1
  done
}

churn() { # PROGRAM ROUNDS
  local seed=${CHURN_SEED:-$((RANDOM * 32768 + RANDOM))}
  mkdir -m 755 "$BATS_TEST_TMPDIR/world"
  echo "seed $seed"
  watched unshare --pid --fork --kill-child=KILL --mount-proc \
    "$BATS_TEST_DIRNAME/churn.py" "$1" "$BATS_TEST_TMPDIR/world" "$2" "$seed" 3>&-
}

@test "thousands of random deeds to its files, its services and itself: no report, and all is well in the end" {
  churn "$SANITIZED" "${CHURN_ROUNDS:-2000}" || { tail -n 20 "$BATS_TEST_TMPDIR/world/log"; no_report; false; }
  no_report
  for what in 'taken over' 'exited with' 'killed by signal' 'unknown key' 'not a regular' 'quarantined'; do
    grep -aq "$what" "$BATS_TEST_TMPDIR/world/log" # all of that has been met
  done
}

# The tests of going itself, with this one. What glibc does in another way than
# musl is not its fault: its execvp(3) has a shell for files without #!. In the
# other one strace stays to the end, and so leaks cannot be looked for.
suite() { # NAME
  local output=$BATS_TEST_TMPDIR/$1
  (
    for name in ${!BATS_@}; do
      [[ $name == BATS_TEST_DIRNAME || $name == BATS_VERSION ]] || unset "$name"
    done
    GOING=$SANITIZED watched bats "$BATS_TEST_DIRNAME/../$1.bats"
  ) >"$output" 2>&1 3>&- </dev/null || :
  grep -c '^ok' "$output"
  sed -n '/^not ok/,$p' "$output" | grep -Ev '^ok' | tail -n 60
  no_report
  not grep '^not ok' <(grep -Ev 'a file without #! is not run by a shell$|cannot be put in its place is said' \
    "$output")
  grep -q '^ok' "$output"
}

@test "the tests of taking over: no report" { suite takeover; }
@test "the tests of the directory: no report" { suite directory; }
@test "the tests of a service's life: no report" { suite life; }
@test "the tests of stopping: no report" { suite stop; }
@test "the tests of service files: no report" { suite config; }

# Whoever finds nothing should prove that he can find something.
planted() { # SED-SCRIPT
  source=${GOING_C:-$BATS_TEST_DIRNAME/../../going.c}
  sed "$1" "$source" >"$BATS_TEST_TMPDIR/planted.c"
  not cmp -s "$source" "$BATS_TEST_TMPDIR/planted.c"
  sanitized "$BATS_TEST_TMPDIR/planted.c" "$BATS_TEST_TMPDIR/planted"
  not churn "$BATS_TEST_TMPDIR/planted" 1000
  not no_report
}

@test "old settings that are never freed would have been found" {
  planted '/^static bool load/,/^}/ s|free(s->text);||'
}

@test "a service that is used after it was forgotten would have been found" {
  planted '/^static bool reconcile/,/^}/ { /free(s->text);/d; s|\*at = s->next;||; }'
}
