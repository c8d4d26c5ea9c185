# Files of random bytes, as service files and as state files of an earlier life.
# libFuzzer mutates them (10,000,000 times in all, or FUZZ_RUNS) and keeps those
# that reach something new; fuzz.c says what is tried. A fault ends the run, and
# leaves its file in build/fuzzer/, to be tried again with
#
#   FUZZ_DIR=/tmp build/fuzzer/going build/fuzzer/crash-...
#
# GOING_C is another source to try. It takes four to eight minutes.

load ../helper

setup_file() {
  export GOING_C BUILD RUNS=${FUZZ_RUNS:-10000000}
  GOING_C=$(realpath "${GOING_C:-$BATS_TEST_DIRNAME/../../going.c}")
  BUILD=$(realpath "$BATS_TEST_DIRNAME/../..")/build/fuzzer
  mkdir -p "$BUILD"
  rm -f "$BUILD"/{crash,leak,timeout,oom}-*
  fuzzer "$GOING_C" "$BUILD/going"
  export CORPUS=$BATS_FILE_TMPDIR/corpus # the one of the repository stays small
  cp -r "$BATS_TEST_DIRNAME/corpus" "$CORPUS"
  large_files "$CORPUS"
}

fuzzer() { # SOURCE PROGRAM
  clang -g -O1 -w -fsanitize=fuzzer,address,undefined \
    -fno-sanitize-recover=all "-DGOING_C=\"$1\"" -o "$2" \
    "$BATS_TEST_DIRNAME/fuzz.c"
}

# Files of 8 KiB, which no mutation of a small one ever becomes: of each
# shortest line, as many as there can be.
large_files() { # DIRECTORY
  local line n=0
  for line in 'a' '=' 'a=' '#' '' 'env=a=' 'cmd=a' $'a\r'; do
    yes "$line" | head -c 8192 >"$1/large-$n"
    n=$((n + 1))
  done
  { printf 'cmd=' && yes a | tr '\n' ' '; } 2>/dev/null | head -c 8192 >"$1/large-words"
  { printf 'cmd=' && yes "''" | tr -d '\n'; } 2>/dev/null | head -c 8192 >"$1/large-quotes"
  { printf 'state=up starts=' && yes 9 | tr -d '\n'; } 2>/dev/null | head -c 510 >"$1/large-state"
}

# Both cores. Every time another seed, which is said if it finds something.
fuzz() { # PROGRAM RUNS CORPUS [OPTION...]
  local pids=() failed=0 n seed
  for n in 1 2; do
    seed=$((RANDOM * 32768 + RANDOM + 1))
    mkdir -p "$BATS_TEST_TMPDIR/state$n"
    FUZZ_DIR=$BATS_TEST_TMPDIR/state$n "$1" -runs=$(($2 / 2)) -seed=$seed \
      -artifact_prefix="$BUILD/" -timeout=20 -print_final_stats=1 "${@:4}" \
      "$3" >"$BATS_TEST_TMPDIR/fuzz$n" 2>&1 3>&- &
    pids+=($!)
  done
  for n in "${pids[@]}"; do wait "$n" || failed=1; done
  grep -ah -e '^SUMMARY' -e 'Assertion' -e 'unit written' -e '^stat::number' \
    -e '^INFO: Seed' -e '#[0-9].* in .*going' "$BATS_TEST_TMPDIR"/fuzz? || :
  return "$failed"
}

executed() { awk '/^stat::number_of_exec/ { n += $2 } END { print n + 0 }' "$BATS_TEST_TMPDIR"/fuzz?; }

@test "the largest files of the shortest lines do no harm" {
  FUZZ_DIR=$BATS_TEST_TMPDIR "$BUILD/going" -artifact_prefix="$BUILD/" "$CORPUS"/* 2>&1 |
    tail -n 40
  [ "${PIPESTATUS[0]}" = 0 ]
}

@test "ten million service files and state files of random bytes do no harm" {
  fuzz "$BUILD/going" "$RUNS" "$CORPUS" -max_len=300
  [ "$(executed)" -ge "$RUNS" ]
}

@test "a hundred thousand files of up to 8 KiB do no harm" {
  fuzz "$BUILD/going" $((RUNS / 100)) "$CORPUS" -max_len=8192 -len_control=0
}

# What the fuzzer has kept is where the readers make a difference; the C
# libraries, with their regex(3) and scanf(3), must make none.
@test "going says the same of all these files, with musl and with another C library" {
  for cc in 'cc' 'musl-gcc -static'; do
    $cc -g -O1 -o "$BATS_TEST_TMPDIR/${cc%% *}" "$GOING_C"
  done
  cp "$CORPUS"/* "$D"
  chmod 644 "$D"/*
  for cc in cc musl-gcc; do
    not "$BATS_TEST_TMPDIR/$cc" -t -d "$D" >"$BATS_TEST_TMPDIR/$cc.says" 2>&1
  done
  echo "$(ls "$D" | wc -l) files, $(grep -c . "$BATS_TEST_TMPDIR/cc.says") lines"
  [ "$(grep -c . "$BATS_TEST_TMPDIR/cc.says")" -gt 1000 ]
  cmp "$BATS_TEST_TMPDIR/cc.says" "$BATS_TEST_TMPDIR/musl-gcc.says"
}

@test "of two thousand names only those of letters, digits, _, - and @ are services" {
  local parts=(a Z 0 _ - . '~' '#' = cmd= env=a= critical=yes stop=1 restart=never
    ' ' $'\n' $'\t' : @ '*' $'\xc3\xa9' $'\xff' backoff=1 web .off .swp)
  local name i k
  for ((i = 0; i < 2000; i++)); do
    name=
    for ((k = RANDOM % 4; k >= 0; k--)); do name+=${parts[RANDOM % ${#parts[@]}]}; done
    [[ $name = . || $name = .. ]] || : >"$D/$name"
  done
  not "$GOING" -t -d "$D" 2>&1 | tr -d '\0' | LC_ALL=C sort >"$BATS_TEST_TMPDIR/taken"
  (cd "$D" && LC_ALL=C && shopt -s dotglob && for name in *; do
    [[ $name == *[!A-Za-z0-9_@-]* ]] || echo "$name:1: no cmd"
  done) | LC_ALL=C sort >"$BATS_TEST_TMPDIR/right"
  [ -s "$BATS_TEST_TMPDIR/right" ]
  diff "$BATS_TEST_TMPDIR/taken" "$BATS_TEST_TMPDIR/right"
}

# Whoever finds nothing should prove that he can find something.
planted() { # SED-SCRIPT [SIZE]
  sed "$1" "$GOING_C" >"$BATS_TEST_TMPDIR/planted.c"
  not cmp -s "$GOING_C" "$BATS_TEST_TMPDIR/planted.c"
  fuzzer "$BATS_TEST_TMPDIR/planted.c" "$BATS_TEST_TMPDIR/planted"
  cp -r "$CORPUS" "$BATS_TEST_TMPDIR/corpus"
  BUILD=$BATS_TEST_TMPDIR
  not fuzz "$BATS_TEST_TMPDIR/planted" 1000000 "$BATS_TEST_TMPDIR/corpus" -max_len="${2:-300}"
  grep -aq 'unit written' "$BATS_TEST_TMPDIR"/fuzz?
}

@test "a command of more words than there is room for would have been found" {
  planted 's|words\[FILE_MAX / 2 + 1\]|words[FILE_MAX / 64 + 1]|'
}

@test "a file of more lines than there is room for would have been found" {
  planted '/^static char\* parse/,/^}/ s|char text\[[^]]*\]|char text[FILE_MAX]|' 8192
}

@test "a number that is out of range would have been found" {
  planted 's|retries=0\*\[1-9\]\[0-9\]\*|retries=[0-9]+|'
}

@test "a signal to everybody would have been found" {
  planted 's|s->is\[PID\] > 1 && s->is\[PID\] <|s->is[PID] > 0 \&\& s->is[PID] <|
    s/if (start == 0 .* kill(-s/kill(-s/'
}

@test "a pair of numbers in the wrong order would have been found" {
  planted 's/ || min > max) return false/) return false/'
}

@test "a text that is freed a moment too early would have been found" {
  planted '/^static bool reconcile/,/^}/ s/if (s->state == QUARANTINED && s->due/if (s->quick == 2) free(s->text); &/'
}
