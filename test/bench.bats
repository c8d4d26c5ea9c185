# The benchmark works: it measures, judges and cleans up. How fast going is must
# not be asked here, on a machine that runs other tests at the same time.

load helper

BENCH=$BATS_TEST_DIRNAME/bench/bench.py

# It makes namespaces: root does, and others where the kernel lets them.
may_enclose() { is_root || { [ "$EUID" -ne 0 ] && unshare --user --map-root-user --mount true; }; }

eval "$(declare -f setup | sed '1s/setup/begin_the_world/')"
setup() {
  may_enclose || skip 'no namespaces can be made here'
  begin_the_world
}

setup_file() {
  may_enclose || return 0
  export PAGE=$BATS_FILE_TMPDIR/page SAID=$BATS_FILE_TMPDIR/said
  GOING=$GOING "$BENCH" --quick --only limit,going --write "$PAGE" >"$SAID" 2>&1 3>&- ||
    { cat "$SAID" && return 1; }
}

# What going has in the row that begins so, without the ratio.
measured() { # TITLE
  awk -F ' *[|] *' -v title="$1" '/^[|] µs/ { exit } index($2, title) == 1 {
    sub(/ .*/, "", $(NF - 1)); gsub(",", "", $(NF - 1)); print $(NF - 1) }' "$SAID"
}

between() { # LEAST MOST NUMBER...
  awk 'BEGIN { for (i = 3; i < ARGC; i++) if (ARGV[i] + 0 < ARGV[1] + 0 ||
    ARGV[i] + 0 > ARGV[2] + 0) exit 1; exit ARGC < 4 }' "$@"
}

stamps() { pgrep -f '^(/dev/shm/stamp|\./run)( |$)'; }

@test "the benchmark measures going beside the limit in every way it knows" {
  cat "$SAID"
  [ "$(measured 'restart latency' | wc -l)" -eq 4 ]
  between 1 1000000 $(measured 'restart latency')
  [ "$(measured 'CPU of 1,000 restarts' | wc -l)" -eq 2 ]
  between 1 100000 $(measured 'CPU of 1,000 restarts')
  between 0.1 10000 $(measured 'start of 50')
  between 0.1 10000 $(measured 'stop of 50')
  between 1 1 $(measured 'processes for')
  between 50 1024 $(measured 'PSS with')
  between 50 1024 $(measured 'RSS with')
  between 50 1024 $(measured 'VmPeak with')
  between 0 10 $(measured 'wake-ups when idle')
  between 0 100 $(measured 'CPU when idle')
  between 100 60000 $(measured 'from a new file')
  between 0.001 10000 $(measured 'from an early death')
}

@test "the benchmark judges every goal" {
  cat "$SAID"
  [ "$(grep -c '| *\(yes\|no, .* over\) |$' "$SAID")" -eq 10 ]
}

@test "the benchmark writes a page with its plots" {
  not grep '{[A-Z ]*}' "$PAGE/bench.md"
  grep -F "$(grep '^| restart latency, 1 service' "$SAID")" "$PAGE/bench.md"
  for plot in latency memory; do
    grep -F "(bench-$plot.svg)" "$PAGE/bench.md"
    /usr/bin/python3 -c 'import sys, xml.dom.minidom as dom
svg = dom.parse(sys.argv[1])
words = "".join(t.firstChild.data for t in svg.getElementsByTagName("tspan"))
assert "going" in words and "limit" in words, words' "$PAGE/bench-$plot.svg"
  done
}

@test "a supervisor that does not start its services is said, and has no numbers" {
  GOING=/bin/false run "$BENCH" --quick --only going,latency
  echo "$output"
  [ "$status" -eq 0 ]
  [[ $output == *'going: '*'did not come up'* ]]
  [[ $output != *'restart latency'* ]]
}

@test "nothing is left of a benchmark, even if it is ended in the middle" {
  not stamps
  [ ! -e /dev/shm/stamp ]
  setsid "$BENCH" --only limit,idle >"$OUT" 2>&1 3>&- &
  wait_until stamps
  kill -TERM -- "-$!"
  wait_until 'not stamps'
  not wait $!
  [ ! -e /dev/shm/stamp ]
}
