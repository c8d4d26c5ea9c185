# A long life, in short: a hundred thousand restarts, ten thousand looks at the
# directory, a thousand upgrades, a thousand kills. Nothing is used up by them,
# and nothing gets slower: the last tenth costs what the first did.
#
# SOAK_RESTARTS, SOAK_LOOKS, SOAK_UPGRADES and SOAK_KILLS are for fewer of them.
# All of it takes about ten minutes.

load ../helper

setup_file() {
  export BIN && BIN=$(mktemp -d)
  chmod 755 "$BIN"
  gcc -Os -static -o "$BIN/soak" "$BATS_TEST_DIRNAME/soak.c"
}

teardown_file() {
  local file
  for file in $(grep -lz -e "^$BIN/" /proc/[0-9]*/cmdline 2>/dev/null); do
    file=${file%/cmdline}
    kill -KILL "${file#/proc/}" 2>/dev/null || :
  done
  rm -r "$BIN"
}

# Of going: kB of memory, at most and now; descriptors; ticks of CPU.
measure() {
  awk '/^VmPeak/ { p = $2 } /^VmRSS/ { r = $2 } END { printf "%d %d ", p, r }' \
    "/proc/$GOING_PID/status"
  printf '%d ' "$(ls "/proc/$GOING_PID/fd" | wc -l)"
  stat_of "$GOING_PID" | awk '{ print $12 + $13 }'
}

# After the first tenth and at the end no more memory and descriptors are in use,
# but for a page or three of stack; the last tenth took not much more CPU than the
# second. (The first tenth is the warming up. A tick is 10 ms, so few say nothing.)
is_flat() { # AFTER-1/10 AFTER-2/10 AFTER-9/10 AFTER-10/10
  local first second ninth last
  read -ra first <<<"$1"
  read -ra second <<<"$2"
  read -ra ninth <<<"$3"
  read -ra last <<<"$4"
  printf 'VmPeak VmRSS descriptors ticks\n%s\n%s\n%s\n%s\n' "$@"
  [ "${last[0]}" -le "${first[0]}" ]
  [ "${last[1]}" -le $((first[1] + 12)) ]
  [ "${last[2]}" -le "${first[2]}" ]
  [ $((2 * (last[3] - ninth[3]))) -le $((3 * (second[3] - first[3]) + 20)) ]
}

# Does something so many times, and measures on the way.
flat() { # TIMES FUNCTION: called with how many have to be done
  local at values=()
  for at in 1 2 9 10; do
    "$2" $(($1 * at / 10))
    values+=("$(measure)")
  done
  is_flat "${values[@]}"
}

restarts() {
  local all=0 name n
  while [ "$all" -lt "$1" ]; do
    sleep 0.05
    all=0
    for name in crash{1..4}; do
      n=$(state "$name" starts)
      all=$((all + ${n:-0}))
    done
  done
}

@test "a hundred thousand restarts use up nothing, and the last is as cheap as the first" {
  for n in 1 2 3 4; do service "crash$n" "cmd=$BIN/soak" 'backoff=0 0'; done
  service still 'cmd=sleep 100000'
  going_start
  flat "${SOAK_RESTARTS:-100000}" restarts
  [ "$(state still starts)" = 1 ]
  going_stop
}

# A signal is heard when it is not pending any more. No fork: there are many.
heard() { # BIT: that of the signal, as a number
  local status
  while :; do
    IFS= read -r -d '' status <"/proc/$GOING_PID/status" || :
    [[ $status =~ ShdPnd:[[:space:]]*([0-9a-f]+) ]] || return 1
    ((16#${BASH_REMATCH[1]} & $1)) || return 0
  done
}

DONE=0
looks() {
  for (( ; DONE < $1; DONE++)); do
    ((DONE % 10)) || printf 'cmd=%s\ncolour=%d\n' "$BIN/soak" "$DONE" >"$D/bad"
    ((DONE % 100)) || printf 'cmd=%s\nenv=N=%d\nrestart=never\n' "$BIN/soak" "$DONE" >"$D/once"
    ((DONE % 200)) || : >"$D/comes"
    ((DONE % 200 - 100)) || rm -f "$D/comes"
    kill -HUP "$GOING_PID"
    heard 1
  done
}

@test "ten thousand looks at the directory use up nothing, and the last is as cheap as the first" {
  for n in {1..20}; do service "still$n" 'cmd=sleep 100000'; done
  going_start
  wait_until '[ "$(grep -ls state=up "$R"/* | wc -l)" = 20 ]'
  flat "${SOAK_LOOKS:-10000}" looks
  [ "$(state once starts)" -gt 1 ]
  for n in {1..20}; do [ "$(state "still$n" starts)" = 1 ]; done
  going_stop
}

upgrades() {
  for (( ; DONE < $1; DONE++)); do
    kill -USR2 "$GOING_PID"
    heard $((1 << 11))
    wait_until '[ "$(grep -c "^still20: taken over" "$LOG")" -gt "$DONE" ]'
  done
}

@test "a thousand upgrades use up nothing, and no service notices" {
  for n in {1..20}; do service "still$n" "cmd=$BIN/soak $BATS_TEST_TMPDIR/still$n"; done
  going_start
  wait_until '[ "$(grep -ls state=up "$R"/* | wc -l)" = 20 ]'
  flat "${SOAK_UPGRADES:-1000}" upgrades
  for n in {1..20}; do [ "$(grep -c . "$BATS_TEST_TMPDIR/still$n")" = 1 ]; done
  going_stop
  for n in {1..20}; do not flock_is_held "$BATS_TEST_TMPDIR/still$n"; done
}

flock_is_held() { ! flock -n "$1" true; }

# Twenty services: some are left alone, some are killed, some end by themselves,
# some are touched, some come and go. Whatever starts must have a cause.
@test "a thousand kills of going: no service runs twice, none is lost, none is restarted by it" {
  declare -A caused=() # how often the test has given a reason to start
  for name in still{1..6} mortal{1..4} touched{1..3} guest{1..2}; do
    service "$name" "cmd=$BIN/soak $BATS_TEST_TMPDIR/$name" 'backoff=0'
    caused[$name]=1
  done
  for n in 1 2 3 4 5; do # each ends after a time of its own
    service "crash$n" "cmd=$BIN/soak $BATS_TEST_TMPDIR/crash$n $((n * 70))" 'backoff=0 0'
    caused[crash$n]=1
  done
  going_start
  wait_until '[ "$(grep -ls state=up "$R"/* | wc -l)" = 20 ]'
  for ((round = 1; round <= ${SOAK_KILLS:-1000}; round++)); do
    name=mortal$((RANDOM % 4 + 1))
    pid=$(pid_of "$name")
    if [ -n "$pid" ] && grep -qzxF -e "$BATS_TEST_TMPDIR/$name" "/proc/$pid/cmdline" 2>/dev/null &&
      kill -KILL "$pid" 2>/dev/null; then
      caused[$name]=$((caused[$name] + 1))
    fi
    if ((round % 5 == 0)); then
      name=touched$((RANDOM % 3 + 1))
      touch "$D/$name"
      caused[$name]=$((caused[$name] + 1))
    fi
    if ((round % 7 == 0)); then
      name=guest$((RANDOM % 2 + 1))
      if [ -e "$D/$name" ]; then
        mv "$D/$name" "$D/$name.off"
      else
        mv "$D/$name.off" "$D/$name"
        caused[$name]=$((caused[$name] + 1))
      fi
    fi
    printf -v moment '0.%03d' $((RANDOM % (round % 3 ? 20 : 200)))
    read -rt "$moment" <> <(:) || : # the random moment
    going_kill
    "${WRAP[@]}" "$GOING" -d "$D" -r "$R" </dev/null >>"$OUT" 2>>"$LOG" 3>&- &
    GOING_PID=$!
    STARTED=("$GOING_PID")
  done
  for n in 1 2; do
    [ -e "$D/guest$n" ] || {
      mv "$D/guest$n.off" "$D/guest$n"
      caused[guest$n]=$((caused[guest$n] + 1))
    }
  done
  wait_until '[ "$(grep -ls state=up "$R"/{still,mortal,touched,guest}* | wc -l)" = 15 ]'
  for name in "${!caused[@]}"; do
    if [[ $name == crash* ]]; then
      wait_until "grep -qzxF -e '$BATS_TEST_TMPDIR/$name' /proc/\$(pid_of $name)/cmdline 2>/dev/null"
    else # the one that runs is the one that is recorded
      wait_until "[ \"\$(tail -n 1 '$BATS_TEST_TMPDIR/$name')\" = \"started \$(pid_of $name)\" ]"
    fi
    read -r starts ends < <(awk '{ n[$1]++ } END { print n["started"] + 0, n["ended"] + 0 }' \
      "$BATS_TEST_TMPDIR/$name")
    echo "$name: $starts starts, ${caused[$name]} causes, $ends ends of its own"
    not grep '^doubled' "$BATS_TEST_TMPDIR/$name"
    case $name in
      still*) [ "$starts" = 1 ] ;;
      # It ends rather than being killed: each end is answered with one start.
      crash*) [ "$starts" -ge "$ends" ] && [ "$starts" -le $((ends + 1)) ] && [ "$ends" -gt 1 ] ;;
      *) [ "$starts" -ge 1 ] && [ "$starts" -le "${caused[$name]}" ] ;;
    esac
  done
  going_stop
  for name in "${!caused[@]}"; do not flock_is_held "$BATS_TEST_TMPDIR/$name"; done
}
