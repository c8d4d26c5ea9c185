# What makes going small, each with its number.

load helper

SOURCE=$BATS_TEST_DIRNAME/../going.c

# The smallest services there are: one that waits, one that ends.
setup_file() {
  echo 'int pause(void); int main(void) { return pause(); }' |
    cc -static -x c -o "$BATS_FILE_TMPDIR/waits" -
  echo 'int main(void) { return 0; }' |
    cc -static -x c -o "$BATS_FILE_TMPDIR/ends" -
}

up() { grep -ls '^state=up pid=' -r "$R" | wc -l; }
many() { # COUNT
  local i
  for ((i = 1; i <= $1; i++)); do
    echo "cmd=$BATS_FILE_TMPDIR/waits" >"$D/s$i"
  done
}
# A thousand take their time on a busy machine.
soon() { wait_until "$1" 2>/dev/null || wait_until "$1" 2>/dev/null || wait_until "$1"; }
peak() { awk '/^VmPeak/ { print $2 }' "/proc/$GOING_PID/status"; }
descriptors() { ls "/proc/$GOING_PID/fd" | wc -l; }
switches() { awk '/ctxt_switches/ { n += $2 } END { print n }' "/proc/$GOING_PID/status"; }
quiet() { # nothing is under way any more
  local first && first=$(switches) && sleep 0.5 && [ "$(switches)" = "$first" ]
}
stops() {
  kill -TERM "$GOING_PID"
  soon "! alive $GOING_PID"
  wait "$GOING_PID"
  [ -z "$(ls "$R")" ]
}

@test "the program has less than 500 lines of code" {
  lines=$(cloc --quiet --csv "$SOURCE" | awk -F, '$2 == "C" { print $5 }')
  echo "$lines lines"
  [ "$lines" -gt 0 ]
  [ "$lines" -lt 500 ]
}

@test "the program is formatted in Google's style, nowhere switched off" {
  [ "$(cat "$BATS_TEST_DIRNAME/../.clang-format")" = $'BasedOnStyle: Google\nReflowComments: false' ]
  clang-format --dry-run -Werror "$SOURCE"
  not grep 'clang-format off' "$SOURCE"
}

@test "half of the functions have at most 12 lines, the longest has 40" {
  lengths=$(awk '/^[a-z].*\) \{$/ { start = NR }
    /^[a-z].*[^;{]$/ && !start { start = NR }
    /;$/ && !/^ / { start = 0 }
    /^}$/ && start { print NR - start + 1; start = 0 }' "$SOURCE" | sort -n)
  count=$(wc -l <<<"$lengths")
  median=$(sed -n "$(((count + 1) / 2))p" <<<"$lengths")
  echo "$count functions, median $median, longest $(tail -n 1 <<<"$lengths")"
  [ "$count" -gt 20 ]
  [ "$median" -le 12 ]
  [ "$(tail -n 1 <<<"$lengths")" -le 40 ]
}

@test "there are no prototypes, no second C file and no header" {
  not grep -nE '^[a-z][^=]*\)( __attribute__.*)?;$' "$SOURCE"
  not grep -n '#include "' "$SOURCE"
  [ "$(cd "$BATS_TEST_DIRNAME/.." && ls -- *.[ch])" = going.c ]
}

@test "the program is static" {
  run ldd "$GOING"
  [[ $output == *'not a dynamic executable'* || $output == *'statically linked'* || $output == *'Not a valid dynamic'* ]]
  readelf -l "$GOING" | not grep INTERP
}

@test "one service: at most 1024 kB" {
  many 1
  going_start
  wait_until '[ "$(up)" = 1 ]'
  echo "$(peak) kB"
  [ "$(peak)" -le 1024 ]
}

@test "a hundred services: at most 1024 kB" {
  many 100
  going_start
  soon '[ "$(up)" = 100 ]'
  echo "$(peak) kB"
  [ "$(peak)" -le 1024 ]
}

@test "a thousand services start and stop, and it takes at most 1024 kB" {
  many 1000
  from=${EPOCHREALTIME/./}
  going_start
  soon '[ "$(up)" = 1000 ]'
  echo "up after $(((${EPOCHREALTIME/./} - from) / 1000)) ms, $(peak) kB, $(descriptors) descriptors"
  [ "$(peak)" -le 1024 ]
  [ "$(descriptors)" -lt 20 ]
  touch "$D/s500"
  wait_until '[ "$(state s500 starts)" = 2 ]'
  [ "$(peak)" -le 1024 ]
  stops
}

@test "nine hundred services are taken over, and still stop" {
  many 900
  going_start
  soon '[ "$(up)" = 900 ]'
  sum=$(cat "$R"/* | cksum)
  going_kill
  going_start
  soon '[ "$(grep -c ": taken over as" "$LOG")" = 900 ]'
  [ "$(cat "$R"/* | cksum)" = "$sum" ]
  echo "$(peak) kB"
  [ "$(peak)" -le 1024 ]
  pid=$(pid_of s450)
  kill -KILL "$pid"
  wait_until '[ "$(state s450 starts)" = 2 ]'
  stops
}

@test "a thousand restarts cost neither memory nor descriptors" {
  starts() { local n && n=$(state web starts) && echo "${n:-0}"; }
  service web "cmd=$BATS_FILE_TMPDIR/ends" 'backoff=0'
  going_start
  wait_until '[ "$(starts)" -gt 10 ]'
  peak=$(peak) descriptors=$(descriptors)
  soon '[ "$(starts)" -gt 1000 ]'
  mv "$D/web" "$D/web.off"
  wait_until '[ ! -e $R/web ]'
  echo "$peak to $(peak) kB, $descriptors to $(descriptors) descriptors"
  [ "$(peak)" = "$peak" ]
  [ "$(peak)" -le 1024 ]
  [ "$(descriptors)" -le "$descriptors" ]
}

@test "looking two hundred times costs neither memory nor descriptors" {
  many 10
  going_start
  wait_until '[ "$(up)" = 10 ]'
  service first "cmd=$BATS_FILE_TMPDIR/waits"
  wait_until '[ "$(up)" = 11 ]'
  peak=$(peak) descriptors=$(descriptors)
  for i in {1..200}; do
    kill -HUP "$GOING_PID"
    wait_until 'grep -q "^ShdPnd:[^1-9a-f]*$" "/proc/$GOING_PID/status"' # heard
  done
  service last "cmd=$BATS_FILE_TMPDIR/waits"
  wait_until '[ "$(up)" = 12 ]'
  echo "$peak to $(peak) kB, $descriptors to $(descriptors) descriptors"
  [ "$(peak)" = "$peak" ]
  [ "$(descriptors)" = "$descriptors" ]
}

# The one wait of a fixed time: there is nothing to wait for.
@test "nothing happens: going does not wake up" {
  many 10
  service fine "cmd=$BATS_FILE_TMPDIR/ends" 'restart=never'
  service poor 'cmd=/nonexistent' 'retries=1'
  going_start
  wait_until '[ "$(up)" = 10 ] && [ "$(state fine state)" = done ] && [ "$(state poor state)" = failed ]'
  wait_until quiet
  before=$(switches)
  sleep 3
  [ "$(switches)" = "$before" ]
}

@test "a service that is stopped and continued does not wake going up" {
  many 1
  going_start
  wait_until '[ "$(up)" = 1 ]'
  pid=$(pid_of s1)
  is_in() { grep -q "^State:.$1" "/proc/$pid/status"; }
  wait_until quiet
  before=$(switches)
  for i in 1 2 3; do
    kill -STOP "$pid"
    wait_until 'is_in T'
    kill -CONT "$pid"
    wait_until 'is_in S'
  done
  [ "$(switches)" = "$before" ]
}

@test "the one wait is ppoll, with a deadline to the nanosecond" {
  WRAP+=(strace -D -qq -o "$BATS_TEST_TMPDIR/trace"
    -e trace=ppoll,ppoll_time64,poll,select,pselect6,epoll_wait,epoll_pwait,nanosleep,clock_nanosleep)
  service web 'cmd=false' 'backoff=0.3'
  going_start
  wait_until '[ "$(state web starts)" -ge 3 ]'
  wait_until 'grep -q "tv_nsec=[0-9]*[1-9][0-9]\{0,5\}}, NULL" "$BATS_TEST_TMPDIR/trace"'
  not grep -v '^ppoll' "$BATS_TEST_TMPDIR/trace"
}

# System calls of going, and of its children until they execute, as strace has counted them. What
# going is run through is its argument; what it does is counted between two numbers of execs.
TRACE=(strace -D -f -qq -o trace -e 'trace=!exit,exit_group')
calls() { # FROM-EXEC TO-EXEC
  awk -v from="$1" -v to="$2" '/ resumed>/ || /^[0-9]+ [-+]{3} / { next }
    !own { own = $1 }
    ($1 == own || !($1 in gone)) && execs >= from && execs < to { n++ }
    / execve\(/ { execs++; if ($1 != own) gone[$1] = 1 }
    END { print n + 0 }' trace
}
within() { # WHAT COUNT OF LIMIT: half a call more for each is a wake-up that came alone
  echo "# $1: $2 / $3, at most $4" >&3
  [ "$2" -gt 0 ] && [ "$2" -lt $(($3 * $4 + $3 / 2)) ]
}

@test "a restart takes 31 system calls at most, its child's included" {
  cd "$BATS_TEST_TMPDIR"
  WRAP+=("${TRACE[@]}")
  service web "cmd=$BATS_FILE_TMPDIR/ends" backoff=0
  going_start
  soon '[ "$(state web starts)" -gt 40 ]'
  going_stop
  within restart "$(calls 11 31)" 20 31
}

# Each is what twenty services more cost; thirty are enough for all that is done once.
@test "a start takes 31 system calls at most, a stop 14, a takeover 24" {
  cd "$BATS_TEST_TMPDIR"
  plain=("${WRAP[@]}")
  for count in 10 30; do
    many $count
    WRAP=("${plain[@]}" "${TRACE[@]}")
    going_start
    soon '[ "$(grep -c ": started as" "$LOG")" = $count ]'
    started+=("$(calls 0 1000)")
    going_stop
    stopped+=($(($(calls 0 1000) - started[-1])))
    WRAP=("${plain[@]}")
    going_start
    soon '[ "$(up)" = $count ]'
    going_kill
    WRAP=("${plain[@]}" "${TRACE[@]}")
    going_start
    soon '[ "$(grep -c ": taken over as" "$LOG")" = $count ]'
    taken+=("$(calls 0 1000)")
    going_stop
    : >"$LOG"
  done
  more=$((EUID != 0)) # whose is the file? that of root needs no question
  within start $((started[1] - started[0])) 20 $((31 + more))
  within stop $((stopped[1] - stopped[0])) 20 14
  within takeover $((taken[1] - taken[0])) 20 $((24 + more))
}

@test "there is no shell on the way to a service" {
  WRAP+=(strace -D -f -qq -o "$BATS_TEST_TMPDIR/trace" -e trace=execve,execveat -e status=successful)
  service web "cmd=$BATS_FILE_TMPDIR/waits '\$HOME' *;" "env=A=b"
  going_start
  wait_until '[ "$(up)" = 1 ]'
  wait_until 'grep -q waits "$BATS_TEST_TMPDIR/trace"'
  cat "$BATS_TEST_TMPDIR/trace"
  [ "$(grep -c exec "$BATS_TEST_TMPDIR/trace")" = 2 ] # going's own, and this
  going_stop
}
